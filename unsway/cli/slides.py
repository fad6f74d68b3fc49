"""The verb `slides`: a study, or a week of a project, for a meeting."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.next import project_option
from unsway.cli.options import FOLDER, PATH
from unsway.errors import BadInput


@main.command()
@click.argument("folder", required=False, type=FOLDER)
@click.option("--week", "is_week", is_flag=True, help="One slide of the last days: expected, happened, decided, next.")
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="How many days to look back.")
@click.option("--to", type=PATH, help="A .pptx (FOLDER/slides.pptx, PROJECT/week.pptx).")
@project_option
def slides(folder: Path | None, is_week: bool, days: int, to: Path | None, project: Path) -> None:
    """Write slides, as PowerPoint and HTML: of the study in FOLDER, of the week, or the week's in front of the study's."""
    from unsway.reporting import deck, results_in
    from unsway.reporting.deck.week import week_slide

    if folder is None and not is_week:
        raise BadInput("Slides are of a study or of a week. Name the folder of a study, or say --week, or both.")
    if folder is None:
        paths = deck.write_week(project, to or project / "week.pptx", days=days)
    else:
        first_slides = (week_slide(project, days=days),) if is_week else ()
        paths = deck.write_slides(results_in(folder), to or folder, first=first_slides)
    for path in paths:
        click.echo(f"Slides: {path}")
