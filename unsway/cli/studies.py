"""The verbs that look at folders: status, ls, show, diff. They ask no model."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import FOLDER, as_json, folder_argument, form, prices_option, remark, show_rows, table_options


@main.command()
@folder_argument
@click.option("--watch", is_flag=True, help="Refresh every few seconds, until nothing runs and nothing is missing.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=2.0, show_default=True, help="Seconds between refreshes."
)
@prices_option
@table_options
def status(folder: Path, watch: bool, every: float, prices_: Path | None) -> None:
    """Show how far a study is: cells done and missing, what runs, what it cost and will cost."""
    from unsway.planning.prices import prices
    from unsway.reporting.folders import show_status, status_body
    from unsway.studies.inspect_folder import watch_status

    snapshots = watch_status(folder, prices(prices_), every=every if watch and form() == "text" else None)
    if form() != "text":
        body = status_body(next(snapshots))
        return as_json(body) if form() == "json" else show_rows(body["cells"])
    show_status(snapshots)


@main.command(name="ls")
@click.argument("root", type=FOLDER, default=Path())
@table_options
def ls(root: Path) -> None:
    """List the folders below ROOT that hold a study, and the decisions that wait for a person."""
    from unsway.reporting.folders import study_rows
    from unsway.reporting.forecasts import waiting_rows

    rows, decisions = study_rows(root), waiting_rows(root)
    if form() == "json":
        return as_json({"studies": rows, "waiting": decisions})
    if rows:
        show_rows(rows)
    else:
        remark(f"No folder below {root} holds a study. `unsway measure … --out FOLDER` makes one.")
    if decisions:
        remark("")
        show_rows(decisions)


@main.command()
@folder_argument
@click.argument("arm", default="")
@click.argument("bias", default="")
@click.option(
    "-n", "n", type=click.IntRange(min=0), default=3, show_default=True, help="Pairs to show, switched first."
)
@click.option("--reveal", is_flag=True, help="Show one redacted pair unredacted, only here in the terminal.")
@table_options
def show(folder: Path, arm: str, bias: str, n: int, reveal: bool) -> None:
    """Show one cell: its numbers by source, and some of its pairs side by side.

    ARM is a label and BIAS a name, as `unsway show FOLDER` lists them.
    """
    from unsway.reporting.folders import cell_list, cell_rows, short_rows, transcripts
    from unsway.studies.folder import results

    study_results = results(folder)
    rows = cell_rows(study_results, arm, bias) if bias else cell_list(study_results, arm)
    if form() == "json":
        as_json(rows)
        return
    show_rows(short_rows(study_results, arm, bias) if bias and form() != "csv" else rows or [{"arm": "none"}])
    for text in transcripts(study_results, arm, bias, min(n, 1) if reveal else n, reveal=reveal) if bias else ():
        remark(text)


@main.command()
@click.argument("one", type=FOLDER)
@click.argument("other", type=FOLDER)
@table_options
def diff(one: Path, other: Path) -> None:
    """Compare two folders: what was asked differently, and what changed in the numbers."""
    from dataclasses import asdict

    from unsway.reporting.folders import asked_rows, change_rows
    from unsway.studies.inspect_folder import diff as difference_of

    difference = difference_of(one, other)
    if form() == "json":
        as_json(asdict(difference))
        return
    if difference.asked:
        show_rows(asked_rows(difference))
    else:
        remark("Both asked the same.")
    show_rows(change_rows(difference) or [{"arm": "none"}])
