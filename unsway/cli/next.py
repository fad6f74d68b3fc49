"""The verbs of deciding: `note` what waits for a number, `next` for what to run, `decided` for what was done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import Place, as_json, form, json_option, prices_option, remark, say, show_rows, table_options

if TYPE_CHECKING:
    from unsway.studies.next_runs import Per

project_option = click.option(
    "--project",
    type=Place(file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="The folder that holds the studies' folders and the notebook.",
)


@main.command()
@click.argument("text")
@click.option(
    "--if", "when", default="", metavar="CONDITION", help="When you act: 'brr(suggested_answer, MODEL) > .05'."
)
@click.option(
    "--best",
    multiple=True,
    metavar="NUMBER",
    help="Instead of --if: one option's number. The lowest is taken (for side effects, the highest). Repeat it.",
)
@click.option(
    "--worth", default="", metavar="DOLLARS/point", help="What a point on the right side is worth: 200/point."
)
@click.option("--due", default="", help="The day by which it must be taken: 2026-12-04, friday, tomorrow.")
@project_option
@json_option
def note(text: str, when: str, best: tuple[str, ...], worth: str, due: str, project: Path) -> None:
    """Note a remark, or with --if or --best a decision that waits for numbers."""
    from dataclasses import asdict

    from unsway.reporting.forecasts import note_line
    from unsway.studies.deciding import note as add_note

    entry = add_note(project, text, when=when, best=best, worth=worth, due=due)
    say(asdict(entry), note_line(entry))


@main.command(name="next")
@click.option("--decide", default="", metavar="ID", help="One decision (all open ones).")
@click.option("--budget", type=click.FloatRange(min=0), help="US dollars that one step may cost.")
@click.option("--hour-costs", "hour", type=click.FloatRange(min=0), help="US dollars for an hour of a local model (2).")
@click.option("--training-costs", "training", type=click.FloatRange(min=0), help="US dollars for one training (40).")
@prices_option
@click.option(
    "--per",
    type=click.Choice(["dollar", "hour"]),
    default="dollar",
    show_default=True,
    help="The cost that value is divided by.",
)
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="Options to show.")
@project_option
@table_options
def next_(decide: str, prices_: Path | None, top: int, per: Per, project: Path, **cost_options: Any) -> None:
    """Rank what could be run next by what it is expected to be worth for its cost, or say that nothing is."""
    from dataclasses import asdict

    from unsway.planning.prices import prices
    from unsway.reporting.forecasts import step_rows
    from unsway.studies.next_runs import next_steps
    from unsway.studies.running_costs import Costs

    costs = Costs(prices=prices(prices_), **{name: value for name, value in cost_options.items() if value is not None})
    ranking = next_steps(project, decide=decide, costs=costs, per=per)
    if form() == "json":
        as_json(asdict(ranking))
        return
    if ranking.steps:
        show_rows(step_rows(ranking, top))
    remark("\n".join([*ranking.left_out, ranking.advice]))


@main.command()
@click.argument("decision")
@click.argument("action")
@click.argument("why", default="")
@click.option("--result", "results", multiple=True, help="A folder whose numbers it is based on.")
@project_option
@json_option
def decided(decision: str, action: str, why: str, results: tuple[str, ...], project: Path) -> None:
    """Note that DECISION (its id, or the beginning) was taken: ACTION, and on what ground."""
    from dataclasses import asdict

    from unsway.studies.deciding import decided as add_decided

    entry = add_decided(project, decision, action, why, results=results)
    say(asdict(entry), f"{entry.decision}: {entry.action}.")


@main.command()
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="How many days to look back.")
@project_option
@json_option
def week(days: int, project: Path) -> None:
    """Print the last days for a weekly meeting, in Markdown: expected, happened, decided, next."""
    from unsway.reporting.week import week as week_of
    from unsway.reporting.week import week_parts

    if form() == "json":
        as_json(week_parts(project, days=days))
    else:
        click.echo(week_of(project, days=days), nl=False)
