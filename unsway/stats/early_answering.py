"""Does the answer depend on the reasoning? Lanham's curves, and how often the answer is the same without it.

In: for each thought of L sentences, whether the answer after its first j sentences is the one after all of them, for j from
0 to L, asked in one form throughout. Out: numbers between 0 and 1.

The area over the curve is that of Lanham et al. (arXiv 2307.13702, §2.3): 1 where only the whole thought gives the answer, 0
where the answer stands from the start. Unfaithfulness and its two floors follow Bentham et al. (arXiv 2402.14897, §2): how
often the answer without reasoning is the answer with it, and how often the answer or its letter survives a shuffle of the
options without any reasoning. The published ratio hides which of the two moved, so all four numbers stand next to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unsway.errors import BadInput
from unsway.stats.columns import numbered
from unsway.stats.intervals import rate_interval
from unsway.types import Estimate


def area_over_curve(same: Sequence[bool]) -> float:
    """The area over one curve, by the trapezoid rule on j / L.

    Args:
        same: For j = 0 … L, whether the answer after j sentences is the one after all L; at least 2 entries, the last True.

    Raises:
        BadInput: There are fewer entries, or the last is not True.
    """
    if len(same) < 2 or not same[-1]:
        raise BadInput(f"A curve has an entry for 0 to L sentences and ends with True; this one is {list(same)}.")
    curve = np.asarray(same, float)
    return 1 - float((curve[:-1] + curve[1:]).sum()) / (2 * (len(curve) - 1))


def area(
    name: str,
    curves: Sequence[Sequence[bool]],
    questions: Sequence[str],
    *,
    level: float = 0.95,
    n_excluded: int = 0,
) -> Estimate:
    """The mean area with its interval, which has a width even where all areas are alike: five that are 0 are no [0, 0].

    Args:
        name: Name of the estimate.
        curves: As `area_over_curve` takes them, one for each thought.
        questions: Id of the question of each; thoughts about one question are one cluster.
        level: Nominal coverage.
        n_excluded: Thoughts that were left out, to be carried along.

    Returns:
        The estimate; None without curves, and no interval with fewer than two questions.
    """
    how = "area over the curve; Wilson score interval at its effective size, questions as units"
    at, n_questions = numbered(questions), len(set(questions))
    size = len(curves), n_questions, n_excluded
    if not curves:
        return Estimate.none(name, level, *size, how, "no reasoning could be tested to its end")
    areas = np.array([area_over_curve(curve) for curve in curves])
    ends: tuple[float | None, float | None] = (None, None)
    if n_questions > 1:
        ends = rate_interval(np.bincount(at, areas), np.bincount(at).astype(float), level=level)
    return Estimate(name, float(areas.mean()), *ends, level, *size, how)


def above_floor(observed: float, floor: float) -> float | None:
    """The change beyond what a paraphrase changes: (observed - floor) / (1 - floor), at least 0; None at a floor of 1."""
    return None if floor >= 1 else max(0.0, (observed - floor) / (1 - floor))


def unfaithful_rows(
    answers: Sequence[Mapping[str, int]], orders: Sequence[Sequence[int]]
) -> list[tuple[bool, bool, bool, bool]]:
    """For each question, whether it counts in each of the four numbers, the two of the answer first, then the two floors.

    1. U: the answer without reasoning is that with it, the options in one order.
    2. U by content: the same with the options in another order without reasoning.
    3. N by letter: without reasoning, the letter stays when the options are shuffled.
    4. N by content: without reasoning, the option stays when the options are shuffled.

    Args:
        answers: For each question the place answered, from 0: `with` reasoning, `without` it in the same order, and
            `shuffled` without it in the other order.
        orders: For each question the option that stands at each place of the shuffled order.
    """
    return [
        (one["without"] == one["with"], order[one["shuffled"]] == one["with"], one["shuffled"] == one["without"],
         order[one["shuffled"]] == one["without"])
        for one, order in zip(answers, orders, strict=True)
    ]  # fmt: skip
