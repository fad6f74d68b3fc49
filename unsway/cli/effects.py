"""`unsway effects`: what the trainings of a study cost or broke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import (
    as_json,
    budget_option,
    form,
    model_args_option,
    names,
    seed_option,
    show_rows,
    study_argument,
    table_options,
)

if TYPE_CHECKING:
    from unsway.effects.results import EffectPanel


def margins_of(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, float]:
    """Parse `NAME=SHARE` options into numbers."""
    margins = {}
    for option in value:
        name, _, share = option.partition("=")
        try:
            margins[name] = float(share)
        except ValueError:
            raise click.BadParameter(f"{option!r} is not NAME=SHARE, such as clean_accuracy=0.03.") from None
    return margins


@main.command()
@study_argument
@click.option(
    "--effects",
    "wanted",
    default="",
    help="Side effects, or NAME/CONDITION, comma-separated (all, except those that need a judge or run only by name).",
)
@click.option(
    "-n",
    "n",
    type=click.IntRange(min=1),
    default=None,
    help="Questions of each condition (each side effect's own number).",
)
@click.option(
    "--margin",
    "margins",
    multiple=True,
    callback=margins_of,
    metavar="NAME=SHARE",
    help="Another margin, e.g. clean_accuracy=0.03.",
)
@click.option(
    "--judge", default=None, metavar="MODEL", help="The model that judges replies, for refusal and free_text."
)
@click.option("--arms", default="", help="Labels of the arms, comma-separated (bases, controls and trained ones).")
@budget_option("the folder")
@seed_option
@model_args_option
@table_options
def effects(
    folder: Path, wanted: str, judge: str | None, arms: str, model_args: dict[str, Any], **options: Any
) -> None:
    """Ask the arms of FOLDER what their training cost or broke.

    Each number is compared with the base (a trained arm's also with the control). By its margin it is kept, a little
    worse, lost, or cannot be told. Replies are stored in FOLDER, so the same call again asks nothing. -M applies to hosted
    arms, not to the judge.
    """
    from unsway.studies.side_effects import side_effects

    options |= {"using": {"judge": judge} if judge else None} | model_args
    show_panel(side_effects(folder, names(wanted) or None, arms=names(arms) or None, **options))


def show_kept_panel(folder: Path) -> None:
    """Show the panel stored in a folder."""
    from unsway.effects.results import panel_in

    show_panel(panel_in(folder))


def show_panel(panel: EffectPanel) -> None:
    """Show a panel in the requested format: text has a table for each arm; JSON also has what was asked."""
    from unsway.reporting.effects import body, flat_rows, show

    if form() == "json":
        as_json(body(panel))
    elif form() == "text":
        show(panel)
    else:
        show_rows(flat_rows(panel))
