"""Intervals for means of bounded values over questions: rates, paired differences, differences of differences.

In: what each question adds up to, and the smallest and largest value that an outcome can take. Out: low and high. One
method serves all: the score interval. A mean is kept if the data, under the likeliest distribution that has this mean,
are not further from it than the normal quantile. With values 0 and 1 this is Wilson's interval (1927); with -1, 0 and
1 it is Tango's for a paired difference (1998, Stat. Med. 17:891); with any other values it is the same rule, after
Owen's empirical likelihood (1990, Ann. Stat. 18:90) with the two ends of the range added to what may occur.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from unsway.errors import BadInput

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_TOLERANCE = 1e-10


class Interval(NamedTuple):
    """Both ends of an interval, in the units of the mean."""

    low: float
    high: float


def mean_interval(sum_Q: ArrayLike, size_Q: ArrayLike, *, low: float, high: float, level: float = 0.95) -> Interval:
    """The score interval of a mean whose unit is the question.

    Outcomes of one question (several samples, phrasings or seeds) enter as one: ten copies of every question give the
    interval of one copy.

    Args:
        sum_Q: Sum of the outcomes of each question, shape (questions,).
        size_Q: Number of outcomes of each question, at least 1.
        low: Smallest value of one outcome.
        high: Largest value of one outcome.
        level: Nominal coverage.

    Raises:
        BadInput: There is no question, a sum lies outside its range, or the level is not between 0 and 1.
    """
    total, size, count = _unique(sum_Q, size_Q, low, high)
    z = quantile(level)
    mean = float(np.dot(count, total) / np.dot(count, size))
    typical = float(np.dot(count, size) / count.sum())

    def excess(theta: float, sign: float) -> float:
        """How far the mean lies beyond the quantile, were theta the truth; grows with the distance of theta."""
        far, spread = _distance(total - theta * size, count, typical * (low - theta), typical * (high - theta))
        return sign * far - z * spread

    bottom = _end(lambda t: excess(t, 1.0), low, mean)
    top = _end(lambda t: excess(t, -1.0), high, mean)
    return Interval(bottom, top)


def quantile(level: float) -> float:
    """The two-sided normal quantile of a level, 1.96 for 0.95."""
    if not 0 < level < 1:
        raise BadInput(f"The level is {level}; it must lie between 0 and 1, such as 0.95.")
    return float(norm.ppf((1 + level) / 2))


def _unique(sum_Q: ArrayLike, size_Q: ArrayLike, low: float, high: float) -> tuple[Floats, Floats, Floats]:
    """Distinct (sum, size) rows and how many questions have each."""
    sums, sizes = np.asarray(sum_Q, float), np.asarray(size_Q, float)
    if sums.ndim != 1 or sums.shape != sizes.shape or not len(sums):
        raise BadInput(
            f"Sums and sizes have shapes {sums.shape} and {sizes.shape}; give one of each for every question."
        )
    if not ((sizes >= 1) & (sums >= low * sizes - 1e-9) & (sums <= high * sizes + 1e-9)).all():
        raise BadInput(f"A question's sum lies outside size times {low} to {high}, or it has no outcome.")
    rows, count = np.unique(np.column_stack([sums, sizes]), axis=0, return_counts=True)
    return rows[:, 0], rows[:, 1], count.astype(float)


def _distance(u: Floats, count: Floats, u_low: float, u_high: float) -> tuple[float, float]:
    """Sum of `u` over questions, and its standard deviation under the likeliest distribution with mean 0.

    `u` is what each question lies above the mean in question; `u_low` and `u_high` are the ends of its range.
    """
    n = float(count.sum())
    far = float(np.dot(count, u))
    bottom, top = min(u_low, float(u.min())), max(u_high, float(u.max()))
    tilt = _tilt(u, count, bottom, top)
    spare = 1.0 + tilt * u
    held = spare > _TOLERANCE
    p = count[held] / (n * spare[held])
    left = -float(np.dot(p, u[held]))
    edge = top if left > 0 else bottom
    variance = float(np.dot(p, u[held] ** 2)) + max(0.0, left * edge)
    return far, float(np.sqrt(n * variance))


def _tilt(u: Floats, count: Floats, bottom: float, top: float) -> float:
    """The multiplier of the mean constraint: root of a decreasing function, or the end of its range."""

    def slope(tilt: float) -> float:
        return float(np.dot(count, u / (1.0 + tilt * u)))

    least = -1.0 / top if top > 0 else 0.0
    most = -1.0 / bottom if bottom < 0 else 0.0
    inner = 1.0 - 1e-12
    if slope(least * inner) <= 0:
        return least
    if slope(most * inner) >= 0:
        return most
    return float(brentq(slope, least * inner, most * inner, xtol=1e-14, rtol=1e-12))


def _end(excess: Callable[[float], float], far: float, mean: float) -> float:
    """Where the excess changes sign between the far end of the range and the mean (just short of it, where it is 0)."""
    edge, near = far + (mean - far) * 1e-12, mean + (far - mean) * 1e-9
    if abs(mean - far) < _TOLERANCE or excess(edge) <= 0:
        return float(far)
    return float(brentq(excess, edge, near, xtol=_TOLERANCE))


def mcnemar(n10: int, n01: int) -> float:
    """Exact two-sided p of McNemar's test that both arms hit equally often.

    Args:
        n10: Pairs that hit in the biased arm alone.
        n01: Pairs that hit in the clean arm alone.
    """
    return 1.0 if n10 + n01 == 0 else float(binomtest(n10, n10 + n01).pvalue)
