"""The verb `report`: what a folder holds, as a table and a page."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, names


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--page", type=click.Path(path_type=Path), default=None, help="Where the page goes (FOLDER/report.html).")
@click.option("--title", default="", help="Title of the page.")
@click.option("--trained", default="", help="Biases that were trained on, comma-separated; the rest is held out.")
@json_option
def report(folder: Path, page: Path | None, title: str, trained: str, json_: bool) -> None:
    """Show what FOLDER (of `unsway measure`) holds, as a table and one self-contained page."""
    from unsway.report import table
    from unsway.report.folder import results
    from unsway.report.page import write_page

    found = results(folder, title=title, trained_biases=names(trained))
    path = write_page(found, page or folder / "report.html")
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    click.echo(f"Page: {path}")
