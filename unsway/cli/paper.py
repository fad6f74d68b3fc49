"""The verbs `figure` and `table`: one chart or the table of a folder, as a paper takes them."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import names, show_results, table_options
from unsway.cli.report import folder_argument, trained_option


@main.command()
@folder_argument
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .png, .svg or .pdf.")
@click.option("--width", default=480, show_default=True, help="Width in points; about 240 is a column of two.")
@trained_option
def figure(folder: Path, name: str, out: Path, width: int, trained: str) -> None:
    """Write one chart of FOLDER's page for a paper.

    NAME is brr, rates, ratio, switch_toward, switch_away, accuracy or source.
    """
    from unsway.reporting import charts, results_in

    found = results_in(folder, trained_biases=names(trained))
    click.echo(f"Figure: {charts.write_figure(found, name, out, width=width)}")


@main.command()
@folder_argument
@click.option("--arms", is_flag=True, help="Markdown, all arms side by side, compared, with their costs.")
@trained_option
@table_options
def table(folder: Path, arms: bool, trained: str) -> None:
    """Print the table of FOLDER: every bias and arm, with denominators and intervals."""
    from unsway.reporting import results_in, side_by_side

    found = results_in(folder, trained_biases=names(trained))
    if arms:
        click.echo(side_by_side.to_markdown(found), nl=False)
    else:
        show_results(found)
