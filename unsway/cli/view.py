"""The verb `view`: Inspect's viewer on the logs of a folder."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--port", type=click.IntRange(1, 65535), default=7575, show_default=True)
def view(folder: Path, port: int) -> None:
    """Open the logs of FOLDER (or of this one) in Inspect View, on this machine alone (127.0.0.1). Ctrl-C ends it."""
    from unsway.evals.viewing import view as serve

    serve(folder, port)
