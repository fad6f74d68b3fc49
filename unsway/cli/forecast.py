"""The verbs about expectations: `forecast` before a study runs, `score` afterwards. They ask no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import FOLDER, PATH, as_json, form, remark, show_rows, table_options
from unsway.errors import UnknownName

if TYPE_CHECKING:
    from unsway.planning.forecasts import Forecast
    from unsway.studies.forecasting import Guess
    from unsway.studies.scoring import ForecastHistory


def guesses(
    _context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]
) -> dict[str, tuple[float, float, float] | float]:
    """Parse `NUMBER=10%,50%,90%` and `NUMBER>THRESHOLD=CHANCE` options into the values that `forecast` takes."""
    guess_of: dict[str, tuple[float, float, float] | float] = {}
    for option in value:
        name, _, text = option.rpartition("=")
        try:
            values = [float(number) for number in text.split(",")]
        except ValueError:
            values = []
        if not name or len(values) not in (1, 3):
            raise click.BadParameter(
                f"{option!r} is neither 'suggested_answer=.05,.15,.30' (10, 50 and 90 %) nor 'post_hoc>.10=.7' (a chance)."
            )
        guess_of[name] = (values[0], values[1], values[2]) if len(values) == 3 else values[0]
    return guess_of


@main.command()
@click.argument("study", type=click.Path(exists=True, path_type=Path))
@click.option("--to", "--out", "out", type=PATH, help="Folder it will run in (STUDY, if that is a folder).")
@click.option(
    "--mine",
    multiple=True,
    callback=guesses,
    metavar="BIAS=10%,50%,90%",
    help="Your own forecast, or BIAS>THRESHOLD=CHANCE.",
)
@click.option("--who", default="", help="Your name (this machine's user name).")
@click.option("--recalibrated", is_flag=True, help="Also show intervals widened by each forecaster's history.")
@table_options
def forecast(study: Path, out: Path | None, mine: Mapping[str, Guess], who: str, recalibrated: bool) -> None:
    """Say what STUDY will print, before it runs: the machine's forecast, and yours next to it.

    STUDY is the JSON of a study, or a folder that holds one. Both forecasts are frozen in notebook.jsonl next to the folder;
    those made after the first replies are marked late and never scored.
    """
    from unsway.studies import read_study
    from unsway.studies.forecasting import forecast as forecast_study

    folder = out or (study if study.is_dir() else None)
    if folder is None:
        raise click.UsageError("Name the folder it will run in: --to runs/mine.")
    forecasts = forecast_study(read_study(study), folder, mine=mine, who=who)
    if form() == "json":
        as_json([asdict(entry) for entry in forecasts])
    else:
        show_forecasts(forecasts, folder.resolve().parent, recalibrated=recalibrated)


def show_forecasts(forecasts: Sequence[Forecast], project: Path, *, recalibrated: bool) -> None:
    """Show forecasts, and what they imply for a project's decisions that wait for their numbers."""
    from unsway.reporting.forecasts import decision_sentences, forecast_rows
    from unsway.studies.deciding import open_decisions
    from unsway.studies.scoring import score as score_folder

    show_rows(forecast_rows(forecasts, spreads=score_folder(project).spreads() if recalibrated else None))
    for sentence in decision_sentences(forecasts, open_decisions(project)):
        remark(sentence)
    remark(f"Frozen in {project / layout.NOTEBOOK}; scored once the study has run.")


@main.command()
@click.argument("folder", type=FOLDER, default=Path("runs"))
@click.option("--blind", is_flag=True, help="Also show the bias-blind forecasts.")
@click.option("--who", default="", help="Whose forecasts to show (all).")
@table_options
def score(folder: Path, blind: bool, who: str) -> None:
    """Score forecasts against the results: of FOLDER's study, or of every study in it.

    Numbers are scored automatically whenever something is measured; this shows them again.
    """
    from unsway.reporting.forecasts import history_body
    from unsway.studies.scoring import score as score_folder

    history = score_folder(folder)
    if who and who not in history.people():
        raise UnknownName("person with scored forecasts", who, history.people())
    if form() == "json":
        as_json(history_body(history))
    else:
        show_scores(history, blind=blind, who=who)


def show_scores_of(folder: Path) -> None:
    """Show the scores of a study's folder, if anything of it was forecast."""
    from unsway.studies.scoring import kept_history

    if (history := kept_history(folder)) is not None:
        show_scores(history)


def show_scores(history: ForecastHistory, *, blind: bool = False, who: str = "") -> None:
    """Show the scores of forecasts, and the summary over all studies."""
    from unsway.reporting.forecasts import history_sentences, score_rows

    if rows := score_rows(history, blind=blind, who=who):
        show_rows(rows)
    for sentence in history_sentences(history, who=who):
        remark(sentence)
