"""The verb `demo`: the whole loop on the embedded model."""

from __future__ import annotations

from pathlib import Path

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import as_json, json_option


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Folder.")
@json_option
def demo(out: Path, json_: bool) -> None:
    """Run the whole loop on the embedded model and write report.html.

    Measures SmolLM2-135M on four biases, trains BCT and its control, measures both, and shows what came out. Interrupt
    it at any time; the same command goes on where it stopped.
    """
    from unsway.demo import demo as run_demo
    from unsway.reporting import table
    from unsway.store import ReplyStore

    before = len(ReplyStore(out / layout.REPLIES))
    found = run_demo(out)
    new = len(ReplyStore(out / layout.REPLIES)) - before
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    click.echo(f"{new} new replies; {before} were kept from before. Report: {out / layout.PAGE}")
