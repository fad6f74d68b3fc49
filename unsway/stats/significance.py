"""Tests of "the cue changes nothing", and Holm's correction for a table of many tests.

In: outcomes. Out: exact p-values, uncorrected and corrected for the size of the table. The test flips the sign of each
question's paired difference at random, which changes nothing if the cue does not matter: exact at every size, with questions
as units. With one outcome per question it is McNemar's exact test (1947, Psychometrika 12:153).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unsway.errors import BadInput
from unsway.stats.columns import Columns, by_question
from unsway.types import ArmKey, Outcome


class BrrTest(NamedTuple):
    """Whether the BRR of an arm under a bias differs from 0."""

    arm: ArmKey
    """The arm."""
    bias: str
    """`name@version`."""
    n_questions: int
    """Questions with an outcome that counts."""
    p: float
    """Two-sided, exact."""
    p_holm: float
    """Corrected for all tests of the table."""


def brr_tests(outcomes: Iterable[Outcome]) -> tuple[BrrTest, ...]:
    """One test for each arm and bias, in the order in which they occur, corrected by Holm over all of them.

    Groups without an outcome that counts are omitted.
    """
    groups: dict[tuple[ArmKey, str], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.excluded is None:
            groups.setdefault((outcome.arm, outcome.bias), []).append(outcome)
    sums = {}
    for key, members in groups.items():
        columns = Columns.of(members)
        _, plus, minus = by_question(columns.question, columns.biased - columns.clean)
        sums[key] = plus - minus
    p_values = [sign_flip(sum_Q) for sum_Q in sums.values()]
    rows = zip(sums.items(), p_values, holm(p_values), strict=True)
    return tuple(BrrTest(*key, len(sum_Q), p, corrected) for (key, sum_Q), p, corrected in rows)


def sign_flip(sum_Q: ArrayLike) -> float:
    """Exact two-sided p that each question's sum is as likely to have the other sign.

    Args:
        sum_Q: Sum of the paired differences of each question, whole numbers, shape (questions,).

    Raises:
        BadInput: A sum is not a whole number.
    """
    sums = np.asarray(sum_Q, float)
    if not (sums == np.round(sums)).all():
        raise BadInput("Sums of paired differences must be whole numbers.")
    sizes = np.abs(sums[sums != 0]).astype(int)
    if len(sizes) and (sizes == 1).all():
        return mcnemar(int((sums > 0).sum()), int((sums < 0).sum()))
    chance = np.ones(1)
    for size in sizes:
        spread = np.zeros(2 * size + 1)
        spread[[0, -1]] = 0.5
        chance = np.convolve(chance, spread)
    reach = np.abs(np.arange(len(chance)) - sizes.sum())
    return min(1.0, float(chance[reach >= abs(sums.sum())].sum()))


def mcnemar(n10: int, n01: int) -> float:
    """Exact two-sided p of McNemar's test that both sides hit equally often.

    Args:
        n10: Pairs that hit only on the biased side.
        n01: Pairs that hit only on the clean side.
    """
    from scipy.stats import binomtest  # half a second, and only tests need it

    return 1.0 if n10 + n01 == 0 else float(binomtest(n10, n10 + n01).pvalue)


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
