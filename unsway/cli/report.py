"""The verb `report`: what a folder holds, as a table and a page."""

from __future__ import annotations

from pathlib import Path

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, names

folder_argument = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
trained_option = click.option(
    "--trained", default="", help="Biases that were trained on, comma-separated; the rest is held out."
)


@main.command()
@folder_argument
@click.option("--page", type=click.Path(path_type=Path), default=None, help="Where the page goes (FOLDER/report.html).")
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
@json_option
def report(folder: Path, page: Path | None, title: str, trained: str, slides: str | None, json_: bool) -> None:
    """Show what FOLDER (of `unsway measure`) holds, as a table and one self-contained page."""
    from unsway.reporting import deck, results_in, table
    from unsway.reporting.page import write_page

    found = results_in(folder, title=title, trained_biases=names(trained))
    decks = [] if slides is None else deck.write_slides(found, slides or folder / layout.SLIDES)
    path = write_page(found, page or folder / layout.PAGE)
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    click.echo(f"Page: {path}")
    for each in decks:
        click.echo(f"Slides: {each}")
