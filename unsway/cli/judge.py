"""`unsway judge`: what the replies of a study say, by patterns and by models; `unsway requests`: how requests are treated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.known import known
from unsway.cli.main import main
from unsway.cli.options import as_json, form, names, seed_option, show_rows, table_options


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--ask",
    type=known("rubrics"),
    default="mentions_cue",
    show_default=True,
    help="Questions with commas (`unsway list rubrics`).",
)
@click.option("--by", default="patterns", show_default=True, help="Judges with commas: models, or `patterns`.")
@click.option(
    "--channel",
    "channels",
    type=click.Choice(["answer", "thinking", "summary"]),
    multiple=True,
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
    "rule",
    type=click.Choice(["any", "majority", "all"]),
    default=None,
    help="Count the judges as one more, by this rule.",
)
@click.option("--check", default="", help="Test the judges instead, with commas: padding, injection, position, again.")
@click.option("-n", type=click.IntRange(min=1), default=None, help="At most so many pairs of each arm and bias.")
@click.option("--max-cost", type=click.FloatRange(min=0), help="US dollars that each judge may cost; stops before.")
@seed_option
@table_options
def judge(
    folder: Path,
    ask: str,
    by: str,
    channels: tuple[Any, ...],
    placebos: tuple[Any, ...],
    rule: Any,
    check: str,
    n: int | None,
    max_cost: float | None,
    seed: int,
) -> None:
    """Judge what the replies of FOLDER say of their cues.

    Clean replies are judged by the same words: what is found there is the judge's error. Verdicts are kept in
    FOLDER/verdicts.jsonl and what judges said in FOLDER/judges, so the same call again asks nothing.
    """
    from unsway.planning.budget import Budget
    from unsway.planning.prices import prices
    from unsway.reporting.judged import agreement_rows, card_rows, check_rows, cost_rows, rows, verbalised_rows
    from unsway.studies.folder import results
    from unsway.studies.judging import check_judges
    from unsway.studies.judging import judge as judge_replies

    budget = None if max_cost is None else Budget(max_cost, prices())
    if check:
        kinds: Any = names(check)
        checks = check_judges(
            results(folder), names(ask), names(by), kinds, n=n, seed=seed, folder=folder, budget=budget
        )
        lines = check_rows(checks)
        return as_json(lines) if form() == "json" else show_rows(lines)
    found = judge_replies(
        results(folder),
        names(ask),
        by=names(by),
        channels=channels or ("answer",),
        placebos=placebos,
        ensemble=rule,
        n=n,
        seed=seed,
        folder=folder,
        budget=budget,
    )
    shown = {
        "rates": rows(found),
        "verbalised": verbalised_rows(found),
        "trust": card_rows(found.cards),
        "agreement": agreement_rows(found),
        "cost": cost_rows(results(folder)),
    }
    if form() == "json":
        as_json(shown)
        return
    for lines in filter(None, shown.values()):
        show_rows(lines)


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@table_options
def requests(folder: Path) -> None:
    """Show how the models of FOLDER treat requests: answers where they ought to decline, refusals where they ought to help.

    Measure a source of requests and judge the replies first (docs/requests.md).
    """
    from unsway.reporting.requests import request_lines, request_text
    from unsway.studies.folder import results
    from unsway.studies.requests import request_rates

    found = request_rates(results(folder))
    if form() == "json":
        as_json(request_lines(found))
    elif form() == "text":
        click.echo(request_text(found))
    else:
        show_rows(request_lines(found))
