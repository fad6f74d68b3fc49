"""Intervals of rates and of paired differences, with the question as the unit.

In: for each question, how many outcomes are +1, how many are -1, and how many there are. Out: low and high.

Both are score intervals, which held their coverage best when every possible data set of 20, 50, 150 and 600 questions was
enumerated (`benchmarks/coverage.py`, docs/coverage.md): Wilson's for a rate (1927, JASA 22:209) and Tango's for a paired
difference (1998, Stat. Med. 17:891). In cells where three or more pairs are expected to differ, Tango's covers 94.6 to
96.9 %. A bootstrap (BCa) falls to 89 and Wald's to 92, Newcombe's and Bonett and Price's rise to 99, and a Dirichlet
posterior is 5 % narrower but falls to 92, and to 88 elsewhere.

Outcomes that share a question enter through the effective sample size: the number of independent outcomes with the
observed variance between questions, corrected for few questions (Korn and Graubard 1998, Surv. Methodol. 24:193). So
repeats of a question never make an interval narrower.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from unsway.errors import BadInput

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FAR = 0.9
"""Largest reach of an interval of differences on a scale of -1 to 1 if some differences are larger. At 1 it would be
cut off, and cover the truth in 47 to 91 % of simulated studies of 20 to 300 questions near the end. With this value it
covers 85 to 98 %, least if two or three questions moved by more or by less than the rest."""
_TOLERANCE = 1e-12


class Interval(NamedTuple):
    """Both ends of an interval, in the units of the mean."""

    low: float
    """The lower end."""
    high: float
    """The upper end."""

    @property
    def negative(self) -> Interval:
        """The interval of the negated number."""
        return Interval(-self.high, -self.low)


def quantile(level: float) -> float:
    """The two-sided normal quantile of a level, 1.96 for 0.95. Raises `BadInput` unless the level is between 0 and 1."""
    if not 0 < level < 1:
        raise BadInput(f"The level is {level}; it must lie between 0 and 1, such as 0.95.")
    return float(ndtri((1 + level) / 2))


# ---------------------------------------------------------------- over questions


def rate_interval(hits_Q: ArrayLike, size_Q: ArrayLike, *, level: float = 0.95) -> Interval:
    """The interval of a rate: hits over outcomes, pooled over questions.

    Args:
        hits_Q: For each question, the number of hits, shape (questions,).
        size_Q: For each question, the number of outcomes, at least 1.
        level: Nominal coverage.

    Raises:
        BadInput: There is no question, a question has more hits than outcomes, or the level is not between 0 and 1.
    """
    plus, size = _checked(hits_Q, np.zeros_like(hits_Q, float), size_Q)[::2]
    n, hits = float(size.sum()), float(plus.sum())
    scale = effective_size(plus, np.zeros_like(plus), size, level=level) / n
    return wilson(hits * scale, n * scale, level)


def difference_interval(plus_Q: ArrayLike, minus_Q: ArrayLike, size_Q: ArrayLike, *, level: float = 0.95) -> Interval:
    """The interval of a paired difference of rates: the mean of outcomes that are +1, 0 or -1, pooled over questions.

    Args:
        plus_Q: For each question, the number of outcomes with a hit only on the biased side, shape (questions,).
        minus_Q: For each question, the number of outcomes with a hit only on the clean side.
        size_Q: For each question, the number of outcomes, at least 1.
        level: Nominal coverage.

    Raises:
        BadInput: There is no question, the counts are inconsistent, or the level is not between 0 and 1.
    """
    plus, minus, size = _checked(plus_Q, minus_Q, size_Q)
    n = float(size.sum())
    scale = effective_size(plus, minus, size, level=level) / n
    return tango(float(plus.sum()) * scale, float(minus.sum()) * scale, n * scale, level)


def change_interval(d_Q: Floats, *, level: float = 0.95) -> Interval:
    """The interval of the mean of paired differences that are mostly -1, 0 or 1, but may be fractions or larger.

    Args:
        d_Q: The difference of each question, shape (questions,): for BRRs from -2 to 2, for slopes beyond.
        level: Nominal coverage.
    """

    def on_scale(most: float) -> Interval:
        """The interval if the largest possible difference were `most`."""
        plus_Q, minus_Q = np.maximum(d_Q, 0) / most, np.maximum(-d_Q, 0) / most
        size = effective_size(plus_Q, minus_Q, np.ones_like(d_Q), level=level)
        low, high = tango(float(plus_Q.mean()) * size, float(minus_Q.mean()) * size, size, level)
        return Interval(most * low, most * high)

    largest = float(np.abs(d_Q).max())
    interval = on_scale(1.0) if np.abs(d_Q).mean() <= 1 else None
    if interval is not None and (largest <= 1 or max(-interval.low, interval.high) <= FAR):
        return interval
    return on_scale(max(2.0, largest))


def effective_size(plus_Q: Floats, minus_Q: Floats, size_Q: Floats, *, level: float) -> float:
    """The number of independent outcomes that carry as much information as the questions.

    This is the variance that independent outcomes would have, over the variance between questions, times the number of
    outcomes, times (z / t)², with one degree of freedom less than there are questions. Without variance it is the number of
    questions.

    Args:
        plus_Q: Number of outcomes that are +1, by question.
        minus_Q: Number of outcomes that are -1, by question.
        size_Q: Number of outcomes, by question. If every question has one outcome of +1, -1 or 0, nothing needs correcting.
        level: Nominal coverage, for the correction.
    """
    n, n_questions, moved_Q = float(size_Q.sum()), len(size_Q), plus_Q + minus_Q
    if n_questions == n and ((moved_Q == 0) | (moved_Q == 1)).all():
        return n
    theta = float((plus_Q - minus_Q).sum()) / n
    variance_alone = (float(moved_Q.sum()) - n * theta**2) / n**2
    residual_Q = plus_Q - minus_Q - theta * size_Q
    if n_questions < 2 or variance_alone <= _TOLERANCE or residual_Q @ residual_Q <= _TOLERANCE:
        return float(n_questions)
    variance_between = n_questions / (n_questions - 1) * float(residual_Q @ residual_Q) / n**2
    return n * variance_alone / variance_between * _few(n_questions, level) ** 2


def rate_interval_of(value: float, variance: float, n_questions: int, *, level: float, otherwise: float) -> Interval:
    """Wilson's interval of a rate that is not a mean of outcomes (a product, say), at the size given by its variance.

    Args:
        value: The rate; clipped to 0 to 1.
        variance: The variance of the estimate, between questions.
        n_questions: The number of questions behind the variance, for the quantile.
        level: Nominal coverage.
        otherwise: The size if there is no variance, or the rate is 0 or 1.
    """
    has_variance = variance > 0 and 0 < value < 1
    size = value * (1 - value) / variance * _few(n_questions, level) ** 2 if has_variance else otherwise
    return wilson(min(1.0, max(0.0, value)) * size, size, level)


def sum_interval(value: float, *parts: tuple[float, Interval]) -> Interval:
    """The interval of a sum of independent numbers: the distances to their ends, squared and added (MOVER).

    Zou and Donner (2008, Stat. Med. 27:1693). To subtract a number, pass its `negative` interval.

    Args:
        value: The computed sum.
        parts: Each number and its interval.
    """
    down = sqrt(sum((number - ends.low) ** 2 for number, ends in parts))
    up = sqrt(sum((ends.high - number) ** 2 for number, ends in parts))
    return Interval(value - down, value + up)


def _few(n_questions: int, level: float) -> float:
    """The normal quantile over the t quantile for this number of questions."""
    return quantile(level) / float(stdtrit(max(1, n_questions - 1), (1 + level) / 2))


def _checked(plus_Q: ArrayLike, minus_Q: ArrayLike, size_Q: ArrayLike) -> tuple[Floats, Floats, Floats]:
    plus, minus, size = (np.asarray(counts, float) for counts in (plus_Q, minus_Q, size_Q))
    if plus.ndim != 1 or not plus.shape == minus.shape == size.shape or not len(size):
        raise BadInput(
            f"Counts have shapes {plus.shape}, {minus.shape}, {size.shape}; give one of each for a question."
        )
    if not ((size >= 1) & (plus >= 0) & (minus >= 0) & (plus + minus <= size + 1e-9)).all():
        raise BadInput("A question has no outcome, a negative count, or more counted outcomes than outcomes.")
    return plus, minus, size


# ---------------------------------------------------------------- over independent outcomes


def wilson(hits: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval of a rate; the counts need not be whole."""
    z2 = quantile(level) ** 2
    middle, rate = (hits + z2 / 2) / (n + z2), hits / n
    half = sqrt(z2 * (n * rate * (1 - rate) + z2 / 4)) / (n + z2)
    low, high = middle - half, middle + half
    return Interval(0.0 if hits <= 0 else max(0.0, low), 1.0 if hits >= n else min(1.0, high))


@lru_cache(maxsize=4096)  # a table asks for the same counts three times: as read, and for both bounds
def tango(plus: float, minus: float, n: float, level: float = 0.95) -> Interval:
    """Tango's score interval of a paired difference (Tango 1998, eq. 7 to 11); the counts need not be whole.

    Args:
        plus: Number of outcomes that are +1.
        minus: Number of outcomes that are -1.
        n: Number of all outcomes.
        level: Nominal coverage.
    """
    z, mean = quantile(level), (plus - minus) / n

    def excess(theta: float, sign: float) -> float:
        """How far the data are beyond the quantile if theta is the truth."""
        b = n * theta * 2 - (plus - minus) * theta - (plus + minus)
        rare = (sqrt(max(0.0, b * b + 8 * n * minus * theta * (1 - theta))) - b) / (4 * n)
        return sign * (plus - minus - n * theta) - z * sqrt(max(0.0, n * (2 * rare + theta * (1 - theta))))

    return Interval(_end(lambda t: excess(t, 1.0), -1.0, mean), _end(lambda t: excess(t, -1.0), 1.0, mean))


def _end(excess: Callable[[float], float], far: float, mean: float) -> float:
    """The point where the excess changes sign, between the far end of the range and just before the mean, where it is 0."""
    edge, near = far + (mean - far) * 1e-12, mean + (far - mean) * 1e-9
    if abs(mean - far) < _TOLERANCE or excess(edge) <= 0:
        return far
    return float(brentq(excess, edge, near, xtol=_TOLERANCE))
