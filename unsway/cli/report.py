"""The verb `report`: what a folder holds, as a table and a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, names

if TYPE_CHECKING:
    from unsway.studies.results import Results

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
    help="Write slides too: PATH (FOLDER/slides.pptx) and an HTML deck beside it.",
)
@json_option
def report(folder: Path, page: Path | None, title: str, trained: str, slides: str | None, json_: bool) -> None:
    """Show what FOLDER (of `unsway measure`) holds, as a table and one self-contained page."""
    from unsway.reporting import table
    from unsway.reporting.page import write_page

    found = results_of(folder, title, trained)
    made = [] if slides is None else _slides(found, Path(slides or folder / layout.SLIDES))
    path = write_page(found, page or folder / layout.PAGE)
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    click.echo(f"Page: {path}")
    for each in made:
        click.echo(f"Slides: {each}")


def _slides(found: Results, path: Path) -> Sequence[Path]:
    """Write both decks."""
    from unsway.reporting.deck import write_slides

    return write_slides(found, path)


def results_of(folder: Path, title: str, trained: str) -> Results:
    """Everything that a folder holds; what its study was, where one was run there."""
    from unsway.studies.folder import results
    from unsway.studies.running import described, load

    study = load(folder)
    about = None if study is None else described(study)
    return results(folder, title=title, trained_biases=names(trained), about=about)
