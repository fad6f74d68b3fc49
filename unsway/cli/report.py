"""The verb `report`: what a folder holds, as a table and a page."""

from __future__ import annotations

from pathlib import Path

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import PATH, folder_argument, names, remark, show_results, table_options

trained_option = click.option(
    "--trained", default="", help="Biases that were trained on, comma-separated; the rest are held out."
)


@main.command()
@folder_argument
@click.option("--page", type=PATH, help="Where to write the page (FOLDER/report.html).")
@click.option("--title", default="", help="Title of the page.")
@trained_option
@click.option(
    "--slides",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[PATH]",
    help="Write slides too: PATH (FOLDER/slides.pptx) and an HTML deck next to it.",
)
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another folder, to compare with.")
@click.option("--report-to", default="", metavar="NAMES", help="Log the measures too: tensorboard, wandb, trackio.")
@click.option("--project", default="unsway", show_default=True, help="Name of the project in wandb and trackio.")
@table_options
def report(
    folder: Path,
    page: Path | None,
    title: str,
    trained: str,
    slides: str | None,
    against: Path | None,
    report_to: str,
    project: str,
) -> None:
    """Show what FOLDER (of `unsway measure`) holds, as a table and one self-contained page."""
    from unsway.reporting import deck, results_in
    from unsway.reporting.page import write_page
    from unsway.reporting.trackers import track
    from unsway.studies.inspect_folder import diff

    results = results_in(folder, title=title, trained_biases=names(trained))
    decks = [] if slides is None else deck.write_slides(results, slides or folder / layout.SLIDES)
    track(results, names(report_to), project=project, folder=folder)
    path = write_page(results, page or folder / layout.PAGE, diff(folder, against) if against else None)
    show_results(results)
    remark(f"Page: {path}")
    for deck_path in decks:
        remark(f"Slides: {deck_path}")
