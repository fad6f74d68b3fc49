"""The verb `demo`: the whole loop on the embedded model."""

from __future__ import annotations

from pathlib import Path

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import PATH, form, remark, show_results, table_options


@main.command()
@click.option("--out", type=PATH, default=Path("runs/demo"), show_default=True, help="Folder.")
@click.option("--full", is_flag=True, help="150 questions, four biases and 360 training rows: three times as long.")
@table_options
def demo(out: Path, full: bool) -> None:
    """Run the whole loop on the embedded model and write report.html.

    Measures SmolLM2-135M under the cues of three biases, trains BCT and its control, measures both, and shows the
    results. The table and the page exist after the first arm, and are updated after each. Interrupt it at any time; the same
    command resumes where it stopped.
    """
    from unsway.demo import FULL, STUDY
    from unsway.demo import demo as run_demo
    from unsway.reporting import table
    from unsway.store import ReplyStore

    n_before = len(ReplyStore(out / layout.REPLIES))
    results = run_demo(out, FULL if full else STUDY, see=table.show_numbers if form() == "text" else None)
    n_new = len(ReplyStore(out / layout.REPLIES)) - n_before
    show_results(results)
    remark(f"{n_new} new replies; {n_before} were kept from before. Report: {out / layout.PAGE}")
