"""Further statistics for the table: functions of the outcomes of one arm under one bias, declared by name.

In: the `Outcome`s of one cell and a level. Out: an `Estimate`, which the table, the page and `--json` show as an extra column
at the end. A statistic is one file (or one line of a script), and nothing else needs editing:

    def right_twice(outcomes, level):
        return share(outcomes, lambda outcome: outcome.right_clean and outcome.right_biased, level=level)

    statistics.add("right_twice", Statistic("right twice", "Share of pairs answered right on both sides", right_twice))
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from unsway.errors import BadInput
from unsway.registry import Registry, blaming
from unsway.stats.columns import share_of
from unsway.types import Estimate, Outcome


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number about the outcomes of one cell, and how to show it."""

    heading: str
    """Heading of its column."""
    summary: str
    """A description in one sentence without a full stop; shown below the table."""
    estimate: Callable[[Sequence[Outcome], float], Estimate]
    """Takes the outcomes of one arm under one bias (including those left out) and the level of the interval."""
    show: Literal["percent", "points", "ratio"] = "percent"
    """percent: a share. points: a signed difference of shares. ratio: shown with two decimals."""


statistics: Registry[Statistic] = Registry("statistic", "unsway.stats", Statistic)
"""The statistics added to the table, by name."""


def share(outcomes: Sequence[Outcome], value: Callable[[Outcome], bool | None], *, level: float = 0.95) -> Estimate:
    """The share of outcomes whose value is true, with a Wilson score interval over questions.

    Args:
        outcomes: The outcomes of one cell; those that do not count are left out, as in all rates of the table.
        value: True, False, or None for an outcome outside the share.
        level: Nominal coverage of the interval.
    """
    values = [None if outcome.excluded is not None else value(outcome) for outcome in outcomes]
    n_excluded = sum(outcome.excluded is not None for outcome in outcomes)
    return share_of("share", values, [outcome.question_id for outcome in outcomes], level=level, n_excluded=n_excluded)


def added_estimates(outcomes: Sequence[Outcome], level: float, own_names: Collection[str] = ()) -> tuple[Estimate, ...]:
    """Every added statistic of one cell, under the name it was added with, in alphabetical order.

    Args:
        outcomes: The outcomes of the cell.
        level: Nominal coverage of intervals.
        own_names: Names of the cell's own estimates.

    Raises:
        BadInput: One failed, returned no `Estimate`, or has a name that is taken.
    """
    estimates = []
    for name in statistics.names():
        if name in own_names:
            raise BadInput(f"The name of the statistic {name!r} is that of a number which the table has. Rename yours.")
        with blaming("statistic", name, f"{len(outcomes)} outcomes"):
            estimate = statistics.get(name).estimate(outcomes, level)
        if not isinstance(estimate, Estimate):
            raise BadInput(
                f"The statistic {name!r} returned {estimate!r:.60}, which is no Estimate. Mend it, or leave it out."
            )
        estimates.append(replace(estimate, name=name))
    return tuple(estimates)
