"""Inspect's viewer for the logs in a folder, reachable only from this machine."""

from __future__ import annotations

from pathlib import Path

from unsway import layout
from unsway.errors import BadInput


def view(folder: str | Path, port: int = 7575) -> None:
    """Serve a folder's logs on 127.0.0.1 until interrupted. Raises `BadInput` if the folder has none."""
    place = Path(folder)
    logs = place / layout.LOGS if (place / layout.LOGS).is_dir() else place
    if not any(logs.glob("*.eval")):
        raise BadInput(f"{logs} holds no log (.eval). `unsway measure … --out {folder}` makes some.")
    from inspect_ai import view as inspect_view

    inspect_view(log_dir=str(logs), host="127.0.0.1", port=port)
