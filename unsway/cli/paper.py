"""The verbs `figure` and `table`: one chart, and the numbers of a folder, in formats for papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unsway.cli.effects import show_kept_panel
from unsway.cli.main import main
from unsway.cli.options import (
    PATH,
    as_json,
    float_options,
    floats,
    folder_argument,
    form,
    names,
    remark,
    show_results,
    show_rows,
    table_options,
)
from unsway.cli.report import trained_option

if TYPE_CHECKING:
    from unsway.reporting.estimates import By
    from unsway.studies.results import Results


@main.command()
@folder_argument
@click.argument("name")
@click.option("--out", type=PATH, required=True, help="A .png, .svg or .pdf.")
@click.option("--width", default=480, show_default=True, help="Width in points; about 240 fits one of two columns.")
@trained_option
def figure(folder: Path, name: str, out: Path, width: int, trained: str) -> None:
    """Write one chart of FOLDER's page for a paper.

    NAME is brr, rates, ratio, switch_toward, switch_away, accuracy or source.
    """
    from unsway.reporting import charts, results_in

    results = results_in(folder, trained_biases=names(trained))
    click.echo(f"Figure: {charts.write_figure(results, name, out, width=width)}")


@main.command()
@folder_argument
@click.option("--arms", is_flag=True, help="Markdown, all arms side by side, compared, with their costs.")
@click.option(
    "--by",
    type=click.Choice(["source", "bias", "both"]),
    default=None,
    help="Every model and bias separately: by source, all sources together, or both.",
)
@click.option("--panel", is_flag=True, help="What its trainings cost or broke, as stored by `unsway effects`.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Coverage of the intervals.",
)
@trained_option
@float_options
@table_options
def table(folder: Path, arms: bool, by: By | None, panel: bool, level: float, trained: str) -> None:
    """Print the numbers of FOLDER: every bias and arm, with denominators and intervals.

    As JSON, --by prints an object for each estimate. No model is asked.
    """
    from unsway.reporting import results_in, side_by_side

    if floats() and (arms or form() != "latex"):
        raise click.UsageError("--caption and --label are for --format latex, without --arms.")
    if panel:
        if by or arms or trained or level != 0.95:
            raise click.UsageError("--panel goes with --format, --caption and --label alone.")
        return show_kept_panel(folder)
    results = results_in(folder, trained_biases=names(trained), level=level)
    if by:
        show_parts(results, by)
    elif arms:
        click.echo(side_by_side.to_markdown(results), nl=False)
    else:
        show_results(results)


def show_parts(results: Results, by: By) -> None:
    """Print each model and bias by source, all sources together, or both, and the warnings."""
    from unsway.reporting.caveats import caveats
    from unsway.reporting.estimates import estimate_bodies, estimate_rows
    from unsway.reporting.words import level, visible

    if form() == "json":
        as_json(estimate_bodies(results, by))
    else:
        show_rows(estimate_rows(results, by) or [{"bias": "nothing was measured"}])
        remark(f"Intervals are {level(results.level)} ones.")
        for skipped in results.skipped:
            remark(f"{visible(skipped.bias)}: {skipped.n} × {visible(skipped.reason)}.")
    for caveat in caveats(results):
        remark(caveat)
