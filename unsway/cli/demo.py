"""The verb `demo`: the whole loop on the embedded model."""

from __future__ import annotations

from pathlib import Path

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import as_json, json_option


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Folder.")
@click.option("--full", is_flag=True, help="150 questions, four biases and 360 training rows: three times as long.")
@json_option
def demo(out: Path, full: bool, json_: bool) -> None:
    """Run the whole loop on the embedded model and write report.html.

    Measures SmolLM2-135M under the cues of three biases, trains BCT and its control, measures both, and shows what came
    out. The table and the page are there after the first arm, and again after each. Interrupt it at any time; the same
    command goes on where it stopped.
    """
    from unsway.demo import FULL, STUDY
    from unsway.demo import demo as run_demo
    from unsway.reporting import table
    from unsway.store import ReplyStore

    before = len(ReplyStore(out / layout.REPLIES))
    found = run_demo(out, FULL if full else STUDY, see=None if json_ else table.show)
    new = len(ReplyStore(out / layout.REPLIES)) - before
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    click.echo(f"{new} new replies; {before} were kept from before. Report: {out / layout.PAGE}")
