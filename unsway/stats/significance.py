"""Exact tests of "the cue changes nothing", and Holm's correction for a table of many tests.

In: the columns of one cell. Out: p-values; `estimates.cells` corrects them over all cells it returns. The test flips the sign
of each question's paired difference at random, which changes nothing if the cue does not matter. It is exact at every size,
with questions as units. With one outcome per question it is McNemar's exact test (1947, Psychometrika 12:153).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from unsway.errors import BadInput
from unsway.stats.columns import Columns, by_question
from unsway.stats.intervals import Floats


def brr_p(columns: Columns) -> float | None:
    """The exact two-sided p-value of one cell; None if nothing counts, or the cell is not tested.

    If the interval of the BRR allows for missing answers, so does p: it is then computed for the least or the most that the
    missing answers could have made the BRR, whichever is nearer to 0; it is 1 if 0 is between them.
    """

    def test(value: Floats) -> tuple[float, float]:
        has_value = ~np.isnan(value)
        _, plus, minus = by_question(columns.question[has_value], value[has_value])
        return float((plus - minus).sum()), sign_flip(plus - minus)

    moved = columns.moved
    if np.isnan(moved).all():
        return None
    if not columns.must_allow_for_missing():
        return test(moved)[1]
    least, most = (test(columns.missing_as(hit)) for hit in (False, True))
    nearest = least[1] if least[0] > 0 else most[1] if most[0] < 0 else 1.0
    return max(nearest, test(moved)[1])


def sign_flip(sum_Q: ArrayLike) -> float:
    """Exact two-sided p-value for the hypothesis that each question's sum is equally likely to have the other sign.

    Args:
        sum_Q: For each question, the sum of its paired differences, a whole number; shape (questions,).

    Raises:
        BadInput: A sum is not a whole number.
    """
    sums = np.asarray(sum_Q, float)
    if not (sums == np.round(sums)).all():
        raise BadInput("Sums of paired differences must be whole numbers.")
    sizes = np.abs(sums[sums != 0]).astype(int)
    if len(sizes) and (sizes == 1).all():
        return mcnemar(int((sums > 0).sum()), int((sums < 0).sum()))
    chance = np.ones(1)  # the chance of each total, from minus to plus the sum of the sizes so far
    for size in sizes:
        padding = np.zeros(2 * size)
        chance = (np.concatenate([chance, padding]) + np.concatenate([padding, chance])) / 2
    reach = np.abs(np.arange(len(chance)) - sizes.sum())
    return min(1.0, float(chance[reach >= abs(sums.sum())].sum()))


def mcnemar(n10: int, n01: int) -> float:
    """Exact two-sided p-value of McNemar's test that both sides hit equally often.

    Args:
        n10: Pairs that hit only on the biased side.
        n01: Pairs that hit only on the clean side.
    """
    return min(1.0, 2 * float(bdtr(min(n10, n01), n10 + n01, 0.5)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjusted p-values, in the order given (Holm 1979, Scand. J. Stat. 6:65).

    Raises:
        BadInput: A p-value is not between 0 and 1.
    """
    p = np.asarray(p_values, float)
    if not ((p >= 0) & (p <= 1)).all():
        raise BadInput(f"holm() got {tuple(p_values)}; p-values lie between 0 and 1.")
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return tuple(float(value) for value in adjusted)
