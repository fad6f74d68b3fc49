"""Inspect's viewer for the logs in a folder, reachable only from this machine."""

from __future__ import annotations

from pathlib import Path

from unsway import layout
from unsway.errors import BadInput


def view(folder: str | Path, port: int = 7575) -> None:
    """Serve a folder's logs on 127.0.0.1 until interrupted. Raises `BadInput` if the folder has none."""
    path = Path(folder)
    logs = path / layout.LOGS if (path / layout.LOGS).is_dir() else path
    if not any(logs.glob("*.eval")):
        raise BadInput(f"{logs} holds no log (.eval). `unsway measure … --out {folder}` makes some.")
    from inspect_ai import view as inspect_view

    inspect_view(log_dir=str(logs), host="127.0.0.1", port=port)
