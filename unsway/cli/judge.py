"""`unsway judge`: what the replies of a study say, by patterns and by models; `unsway requests`: how requests are treated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from unsway.cli.known import known
from unsway.cli.main import main
from unsway.cli.options import (
    budget_option,
    folder_argument,
    form,
    model_args_option,
    names,
    seed_option,
    show_rows,
    show_tables,
    study_argument,
    table_options,
)

if TYPE_CHECKING:
    from unsway.judging.checks import CheckKind


@main.command()
@study_argument
@click.option(
    "--ask",
    type=known("rubrics"),
    default="mentions_cue",
    show_default=True,
    help="Questions, comma-separated (`unsway list rubrics`).",
)
@click.option("--by", default="patterns", show_default=True, help="Judges, comma-separated: models, or `patterns`.")
@click.option(
    "--channel",
    "channels",
    type=click.Choice(["answer", "thinking", "summary"]),
    multiple=True,
    default=["answer"],
    help="What a judge is shown (answer).",
)
@click.option(
    "--placebo",
    "placebos",
    type=click.Choice(["matched", "swapped"]),
    multiple=True,
    help="Also judge cues that a reply never saw: pointing to the clean answer, or of another bias.",
)
@click.option(
    "--ensemble",
    type=click.Choice(["any", "majority", "all"]),
    default=None,
    help="Combine the judges into an additional one, by this rule.",
)
@click.option(
    "--check", default="", help="Test the judges instead, comma-separated: padding, injection, position, again."
)
@click.option(
    "--again",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="For the check `again`: which further reply counts: 1 for a judge's noise; 2, asked months later, for its drift.",
)
@click.option("-n", type=click.IntRange(min=1), default=None, help="Maximum number of pairs of each arm and bias.")
@budget_option("all judges")
@seed_option
@model_args_option
@table_options
def judge(folder: Path, ask: str, by: str, check: str, again: int, **options: Any) -> None:
    """Judge what the replies of FOLDER say about their cues.

    Clean replies are judged with the same wording: their rate is the judge's error. Verdicts are stored in
    FOLDER/verdicts.jsonl and the judges' replies in FOLDER/judges, so the same call again asks nothing.
    """
    from unsway.reporting.judged import check_rows, verdict_tables
    from unsway.studies.folder import results
    from unsway.studies.judging import check_judges
    from unsway.studies.judging import judge as judge_replies

    rubrics, judges, kinds = names(ask), names(by), cast("tuple[CheckKind, ...]", names(check))
    options |= {"folder": folder}
    if kinds:
        show_rows(check_rows(check_judges(results(folder), rubrics, judges, kinds, again=again, **options)))
        return
    verdicts = judge_replies(results(folder), rubrics, by=judges, **options)
    show_tables(verdict_tables(verdicts, results(folder)))


@main.command()
@folder_argument
@table_options
def requests(folder: Path) -> None:
    """Show how the models of FOLDER treat requests: answers where they should decline, refusals where they should help.

    Measure a source of requests and judge the replies first (docs/requests.md).
    """
    from unsway.reporting.requests import request_lines, request_text
    from unsway.studies.folder import results
    from unsway.studies.requests import request_rates

    rates = request_rates(results(folder))
    if form() == "text":
        click.echo(request_text(rates))
    else:
        show_rows(request_lines(rates))
