"""The scores of two arms by question, and one number computed from both, as a gain with its interval.

In: a function that compares two arms, and their `Scores`. Out: `Compared`; a negative value is a loss, in the units of a
margin. The numbers themselves are in `changes` (paired by question), `bootstrap_changes` (quotients and rates),
`answer_places` (letters) and `same_answers` (errors made twice).

Every number is computed three times: from the answers read, and with both arms' missing answers set to make it least and
most. `Compared.reach` is the union of the three intervals, as for a BRR (`columns`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from scipy.special import ndtr

from unsway.stats.intervals import Floats, Interval
from unsway.stats.significance import sign_flip
from unsway.types import Estimate

DRAWS = 4000
"""Bootstrap draws for ratios and for rates over changing questions."""
LEVEL = 0.95
"""Nominal coverage of each interval; its ends correspond to the one-sided 2.5 % tests in `margins.decide`."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One number from two arms, or from one, with an interval in which negative values are a loss."""

    estimate: Estimate
    """The number itself, in its own units."""
    shift: float
    """The number as a gain: negative is worse, in the units of the margin."""
    ends: Interval
    """Its interval as a gain."""
    p_loss: float
    """One-sided p-value of no loss, the largest that the missing answers allow."""
    spread: float
    """Mean square of a question's contribution; for right and wrong answers, the share of questions that changed."""
    bounds: Interval
    """The gain with all missing answers of both arms at their worst and at their best."""
    reach: Interval
    """From the lower end of the worst case's interval to the upper end of the best case's; `ends` if no answer is missing."""
    n_missing: int = 0
    """Missing answers of the arm."""
    n_missing_before: int = 0
    """Missing answers of the other arm."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one arm by question; NaN for a question without a score."""

    read_Q: Floats
    """Mean score of the question's answers read."""
    least_Q: Floats
    """The same with every missing answer at its worst value."""
    most_Q: Floats
    """The same with every missing answer at its best value."""
    n_missing: int = 0
    """The number of missing answers."""
    group_Q: tuple[str, ...] = ()
    """The condition of each question; empty if there is only one."""
    n_options_Q: tuple[int, ...] = ()
    """Each question's number of options, for scores that are places; empty if unknown."""
    right_Q: tuple[int, ...] = ()
    """The right option of each question, for scores that are wrong answers; empty if unknown."""

    @classmethod
    def whole(cls, read_Q: Floats) -> Scores:
        """Scores without missing answers."""
        return cls(read_Q, read_Q, read_Q)


def allow_for_missing(number: Callable[[Floats, Floats], Compared], after: Scores, before: Scores) -> Compared:
    """A number from the answers read, with the range that missing answers allow."""
    compared = replace(
        number(after.read_Q, before.read_Q), n_missing=after.n_missing, n_missing_before=before.n_missing
    )
    arms = (after, before)
    is_complete = all(
        np.array_equal(arm.read_Q, end, equal_nan=True) for arm in arms for end in (arm.least_Q, arm.most_Q)
    )
    if is_complete or compared.estimate.value is None:
        return compared
    worst, best = number(after.least_Q, before.most_Q), number(after.most_Q, before.least_Q)
    return replace(
        compared,
        p_loss=max(compared.p_loss, best.p_loss),
        bounds=Interval(min(compared.shift, worst.bounds.low), max(compared.shift, best.bounds.high)),
        reach=Interval(min(compared.ends.low, worst.ends.low), max(compared.ends.high, best.ends.high)),
    )


def complete(estimate: Estimate, sign: float, p_loss: float, spread: float, *, unchanged: float = 0.0) -> Compared:
    """A number without missing answers, as a gain: its distance from `unchanged`, with the sign `sign`."""
    value, low, high = (sign * (float(end or 0.0) - unchanged) for end in (estimate.value, estimate.low, estimate.high))
    ends = Interval(*sorted((low, high)))
    return Compared(estimate, value, ends, p_loss, spread, Interval(value, value), ends)


def of_draws(name: str, value: float, d_R: Floats, sign: float, n: int, n_dropped: int, *, seed: int) -> Compared:
    """A number with the interval from its draws of a Bayesian bootstrap of questions, and p from their spread.

    Args:
        name: Its name.
        value: The number itself.
        d_R: The number in each draw.
        sign: 1 where a rise is a gain, -1 where it is a loss.
        n: The number of questions it is computed from.
        n_dropped: Missing answers of the arm.
        seed: Seed of the draws.
    """
    low, high = (float(end) for end in np.quantile(d_R, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    low, high = min(low, value), max(high, value)  # two rates at opposite ends lie outside all draws
    method = f"Bayesian bootstrap of questions, {DRAWS} draws, seed {seed}"
    error = float(d_R.std())
    estimate = Estimate(name, value, low, high, LEVEL, n, n, n_dropped, method)
    return complete(estimate, sign, float(ndtr(sign * value / error)) if error > 0 else 1.0, error**2 * n)


def one_sided(d_Q: Floats) -> float:
    """One-sided p-value that the mean paired difference is not below 0: exact for whole numbers, else normal."""
    if (d_Q == np.round(d_Q)).all():
        p = sign_flip(d_Q)
        return p / 2 if d_Q.sum() < 0 else 1 - p / 2
    error = float(d_Q.std(ddof=1)) / sqrt(len(d_Q)) if len(d_Q) > 1 else 0.0
    return float(ndtr(float(d_Q.mean()) / error)) if error > 0 else one_sided(np.sign(d_Q))


def no_value(name: str, n_dropped: int, note: str = "no question was read in both arms") -> Compared:
    """A number without a value."""
    unbounded = Interval(-np.inf, np.inf)
    return Compared(
        Estimate.none(name, LEVEL, 0, 0, n_dropped, "", note), np.nan, unbounded, 1.0, 1.0, unbounded, unbounded
    )
