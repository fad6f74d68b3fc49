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
from unsway.reporting.forecasts import UNEXPECTED, named, number
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
    shown = ["\n".join([f"## {head}", "", *(f"* {line}" for line in lines)]) for head, lines in parts.items() if lines]
    title = f"# The last {days} days" if days > 1 else "# The last day"
    return "\n\n".join([title, *(shown or ["Nothing was noted, and nothing waits."])]) + "\n"


def week_parts(project: str | Path, *, days: int = 7, now: datetime | None = None) -> dict[str, list[str]]:
    """The lines under Expected, Happened, Decided, Next and Notes; headings without lines are included.

    Args:
        project: The folder that holds the studies' folders and the notebook.
        days: How many days to look back.
        now: The end of the period, in UTC; the current time by default.

    Raises:
        BadInput: There is no notebook.
    """
    book, history = Notebook(project), score(project)
    since = f"{(now or datetime.now(UTC)) - timedelta(days=days):%Y-%m-%dT%H:%M:%S}"
    recent = [row.body for row in book.rows() if row.at >= since and not row.edited]
    expected = [_expected(one) for one in recent if isinstance(one, Forecast) and kind_of(one.who) != "blind"]
    came = {id_ for one in recent if isinstance(one, Printed) for id_ in one.forecasts}
    happened: dict[str, bool] = {}
    for row in history.rows:
        if row.forecast.id in came and kind_of(row.forecast.who) != "blind":
            quantity = Quantity.parse(row.forecast.quantity)
            text = f"{named(quantity)} ({visible(row.forecast.folder)}): {number(quantity, row.printed.value)}"
            happened[text] = happened.get(text, False) or (row.p is not None and row.p < UNEXPECTED)
    notes = [visible(one.text) for one in recent if isinstance(one, FreeNote)]
    return {
        "Expected": expected,
        "Happened": [text + (", unexpected" if odd else "") for text, odd in happened.items()],
        **decision_parts(project, since=since),
        "Notes": notes,
    }


def decision_parts(project: str | Path, *, since: str = "") -> dict[str, list[str]]:
    """The lines under Decided and Next: decisions since a time in UTC, open decisions, and runs that are worth their cost."""
    book = Notebook(project)
    texts = {one.id: one.text for kind in (StatedDecision, StatedChoice) for one in book.all(kind)}
    rows = [row.body for row in book.rows() if row.at >= since and not row.edited]
    decided = [
        f"{visible(texts.get(one.decision, one.decision))} {visible(one.action)}. {visible(one.why)}".rstrip()
        for one in rows
        if isinstance(one, Decided)
    ]
    coming = []
    for one in waiting(project):
        asked = visible(one.decision.text) + (f" by {one.decision.due}" if one.decision.due else "")
        asked += "" if asked.endswith((".", "?", "!")) else "."
        doubt = f"{in_percent(one.doubt)} that another is right"
        coming.append(f"{asked} As things stand: {visible(one.stands)}, and {doubt}")
    return {"Decided": decided, "Next": [*coming, *_worth_running(project)]}


def _worth_running(project: str | Path) -> list[str]:
    """The best runs for the open decisions that are worth their cost, or why none can be ranked."""
    try:
        found = next_steps(project)
    except BadInput as error:  # a price is unknown; the page still shows everything else
        return [f"`unsway next` cannot rank what to run: {visible(str(error))}"]
    if not found.decisions:
        return []
    paying = [one for one in found.steps if one.pays][:TOP]
    ranked = [
        f"run {visible(one.what)}: {in_percent(one.chance)} chance to change a decision, {dollars(one.dollars)}, "
        f"{max(1, one.minutes):,.0f} min"
        for one in paying
    ] or [visible(found.advice)]
    return [*ranked, *(f"`unsway next`: {visible(line)}" for line in found.left_out)]


def _expected(one: Forecast) -> str:
    """A forecast in a line."""
    quantity = Quantity.parse(one.quantity)
    what = f"{named(quantity)} ({visible(one.folder)})"
    late = " (late)" if one.late else ""
    if one.chance is not None and one.above is not None:
        return f"{what} above {number(quantity, one.above)}: {one.chance:.0%} ({visible(one.who)}){late}"
    low, high = (number(quantity, end) for end in one.central(0.8))
    return f"{what}: {low} to {high} ({visible(one.who)}, 80 %){late}"
