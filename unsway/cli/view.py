"""The verb `view`: Inspect's viewer on the logs of a folder."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import FOLDER


@main.command()
@click.argument("folder", type=FOLDER, default=".")
@click.option("--port", type=click.IntRange(1, 65535), default=7575, show_default=True, help="Port of the viewer.")
def view(folder: Path, port: int) -> None:
    """Open the logs of FOLDER (or of this one) in Inspect View, only on this machine (127.0.0.1). Ctrl-C ends it."""
    from unsway.errors import BadInput
    from unsway.evals.viewing import view as serve
    from unsway.studies.folder import pairs_of

    if any(pair.rule.redacted for pair in pairs_of(folder)):
        raise BadInput(
            f"The logs of {folder} hold replies to requests that may do harm, so they are not served to a browser. "
            "`unsway show FOLDER ARM BIAS --reveal` prints one pair to the terminal."
        )

    serve(folder, port)
