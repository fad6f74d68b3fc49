"""The last days of a project as a page of Markdown for a weekly meeting: expected, happened, decided, next.

In: a folder of studies with its notebook. Out: text. Nothing is asked.

    week("runs")
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from unsway.errors import BadInput
from unsway.planning.decisions import Decided, FreeNote, StatedChoice, StatedDecision
from unsway.planning.forecasts import Forecast, Printed, Quantity, kind_of
from unsway.planning.worth import in_percent
from unsway.reporting.forecasts import UNEXPECTED, number, quantity_name
from unsway.reporting.words import dollars, visible
from unsway.studies.deciding import waiting
from unsway.studies.next_runs import next_steps
from unsway.studies.notebook import Notebook
from unsway.studies.scoring import score

TOP = 3
"""Maximum number of possible next runs that are shown."""


def week(project: str | Path, *, days: int = 7, now: datetime | None = None) -> str:
    """What was expected, happened, was decided and is next, in Markdown. Arguments and errors as `week_parts`."""
    parts = week_parts(project, days=days, now=now)
    sections = [
        "\n".join([f"## {head}", "", *(f"* {line}" for line in lines)]) for head, lines in parts.items() if lines
    ]
    title = f"# The last {days} days" if days > 1 else "# The last day"
    return "\n\n".join([title, *(sections or ["Nothing was noted, and nothing waits."])]) + "\n"


def week_parts(project: str | Path, *, days: int = 7, now: datetime | None = None) -> dict[str, list[str]]:
    """The lines under Expected, Happened, Decided, Next and Notes; headings without lines are included.

    Args:
        project: The folder that holds the studies' folders and the notebook.
        days: How many days to look back.
        now: The end of the period, in UTC; the current time by default.

    Raises:
        BadInput: There is no notebook.
    """
    notebook = Notebook(project)
    history = score(project)
    since = f"{(now or datetime.now(UTC)) - timedelta(days=days):%Y-%m-%dT%H:%M:%S}"
    entries = [row.body for row in notebook.rows() if row.at >= since and not row.edited]
    forecast_lines = [
        _forecast_line(entry) for entry in entries if isinstance(entry, Forecast) and kind_of(entry.who) != "blind"
    ]
    printed_ids = {id_ for entry in entries if isinstance(entry, Printed) for id_ in entry.forecasts}
    is_unexpected: dict[str, bool] = {}
    for row in history.rows:
        if row.forecast.id in printed_ids and kind_of(row.forecast.who) != "blind":
            quantity = Quantity.parse(row.forecast.quantity)
            text = f"{quantity_name(quantity)} ({visible(row.forecast.folder)}): {number(quantity, row.printed.value)}"
            is_unexpected[text] = is_unexpected.get(text, False) or (row.p is not None and row.p < UNEXPECTED)
    notes = [visible(entry.text) for entry in entries if isinstance(entry, FreeNote)]
    return {
        "Expected": forecast_lines,
        "Happened": [text + (", unexpected" if odd else "") for text, odd in is_unexpected.items()],
        **decision_parts(project, since=since),
        "Notes": notes,
    }


def decision_parts(project: str | Path, *, since: str = "") -> dict[str, list[str]]:
    """The lines under Decided and Next: decisions since a time in UTC, open decisions, and runs that are worth their cost."""
    notebook = Notebook(project)
    texts = {decision.id: decision.text for kind in (StatedDecision, StatedChoice) for decision in notebook.all(kind)}
    entries = [row.body for row in notebook.rows() if row.at >= since and not row.edited]
    decided_lines = [
        f"{visible(texts.get(entry.decision, entry.decision))} {visible(entry.action)}. {visible(entry.why)}".rstrip()
        for entry in entries
        if isinstance(entry, Decided)
    ]
    waiting_lines = []
    for waiting_decision in waiting(project):
        text = visible(waiting_decision.decision.text) + (
            f" by {waiting_decision.decision.due}" if waiting_decision.decision.due else ""
        )
        text += "" if text.endswith((".", "?", "!")) else "."
        doubt = f"{in_percent(waiting_decision.doubt)} that another is right"
        waiting_lines.append(f"{text} As things stand: {visible(waiting_decision.stands)}, and {doubt}")
    return {"Decided": decided_lines, "Next": [*waiting_lines, *_best_runs(project)]}


def _best_runs(project: str | Path) -> list[str]:
    """The best runs for the open decisions that are worth their cost, or why none can be ranked."""
    try:
        ranking = next_steps(project)
    except BadInput as error:  # a price is unknown; the page still shows everything else
        return [f"`unsway next` cannot rank what to run: {visible(str(error))}"]
    if not ranking.decisions:
        return []
    paying_steps = [step for step in ranking.steps if step.pays][:TOP]
    run_lines = [
        f"run {visible(step.what)}: {in_percent(step.chance)} chance to change a decision, {dollars(step.dollars)}, "
        f"{max(1, step.minutes):,.0f} min"
        for step in paying_steps
    ] or [visible(ranking.advice)]
    return [*run_lines, *(f"`unsway next`: {visible(line)}" for line in ranking.left_out)]


def _forecast_line(forecast: Forecast) -> str:
    """A forecast in a line."""
    quantity = Quantity.parse(forecast.quantity)
    subject = f"{quantity_name(quantity)} ({visible(forecast.folder)})"
    late = " (late)" if forecast.late else ""
    if forecast.chance is not None and forecast.above is not None:
        return (
            f"{subject} above {number(quantity, forecast.above)}: {forecast.chance:.0%} ({visible(forecast.who)}){late}"
        )
    low, high = (number(quantity, end) for end in forecast.central(0.8))
    return f"{subject}: {low} to {high} ({visible(forecast.who)}, 80 %){late}"
