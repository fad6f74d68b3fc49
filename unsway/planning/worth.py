"""The value of knowing a number better, before anything is run: the value of information.

In: a belief about a number, the threshold of a decision, and the noise of an option's number. Out: the expected value of
sample information (EVSI) in units of the number, and the chance that the decision changes. Acting is worth
(number - threshold), leaving it is worth 0. Sources: Raiffa and Schlaifer 1961 (preposterior analysis); Frazier, Powell and
Dayanik 2009 (INFORMS J. Comput. 21:599) for correlated alternatives; Chick and Frazier 2012 (Manage. Sci. 58:550) for KG(*);
Strong, Oakley and Brennan 2014 (Med. Decis. Making 34:311) for EVSI by regression.

    evsi(0.12, 0.08, 0.05, 0.02**2)           # 0.0078: about 0.8 points
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atanh, log, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from unsway.errors import BadInput
from unsway.stats.intervals import Floats
from unsway.stats.scores import density

MOST_FEATURES = 20
"""Most columns in a regression of utilities on the printed numbers."""
RIDGE = 1e-6
"""Ridge of that regression, against collinear columns."""


# ---------------------------------------------------------------- one threshold, in closed form


def sd_of_mean(sd: float, noise: float) -> float:
    """The standard deviation of the belief's mean after seeing the number, computed beforehand. `noise` is a variance."""
    return sd * sd / sqrt(sd * sd + noise) if sd > 0 else 0.0


def sd_of_mean_by_proxy(sd: float, proxy_sd: float, noise: float, correlation: float) -> float:
    """The same if the measured number is another one whose truth is correlated with the number in question; signed."""
    return correlation * sd * proxy_sd / sqrt(proxy_sd * proxy_sd + noise) if proxy_sd > 0 else 0.0


def gain(moves: float, gap: float) -> float:
    """Expected gain of a choice between two actions whose difference is `gap` and moves by this standard deviation."""
    if moves <= 0:
        return 0.0
    u = abs(gap) / moves
    return moves * density(u) - abs(gap) * float(ndtr(-u))


def evsi(mean: float, sd: float, threshold: float, noise: float) -> float:
    """Expected value of an estimate with sampling variance `noise`; 0 means perfect information."""
    return gain(sd_of_mean(sd, noise), mean - threshold)


def correlation_draws(seen: float, n: int, *, given: int = 0, size: int = 4000) -> Floats:
    """Equally likely values of a correlation, from its posterior by Fisher's z: a proxy's correlation is never known exactly.

    Args:
        seen: The observed correlation.
        n: Number of points it comes from.
        given: Number of variables held fixed (a partial correlation loses a point for each).
        size: Number of values.

    Raises:
        BadInput: There are too few points.
    """
    if n - 3 - given < 1:
        raise BadInput(
            f"A correlation of {n} points, {given} variables held fixed, says nothing; it takes {4 + given}."
        )
    z = atanh(seen) + ndtri((np.arange(size) + 0.5) / size) / sqrt(n - 3 - given)
    return np.asarray(np.tanh(z), float)


def in_percent(chance: float) -> str:
    """A chance in per cent; a small or nearly certain one is never rounded to 0 or 100."""
    if 0 < chance < 0.01:
        return "under 1%"
    return "over 99%" if 0.99 < chance < 1 else f"{chance:.0%}"


def information(sd: float, noise: float) -> float:
    """Expected information gain of an estimate in nats. It values learning, even if no decision needs it."""
    return 0.5 * log(1 + sd * sd / noise)


def best_size(value: Callable[[int], float], cost: Callable[[int], float], sizes: Sequence[int]) -> int:
    """The size with the most value per cost (KG(*)): a small first batch may be worth nothing although a larger one is."""
    return max(sizes, key=lambda n: value(n) / cost(n))


# ---------------------------------------------------------------- best of several


@dataclass(frozen=True, slots=True)
class Gain:
    """The value of an option."""

    value: float
    """EVSI in units of utility."""
    se: float
    """Standard error of `value` from the draws of a regression, or 0 in closed form; differences below two of them mean
    nothing."""
    chance: float
    """The chance that the option changes which action is taken."""


def slope(z: float) -> float:
    """Z Φ(z) + φ(z): the expected positive part of z plus standard normal noise."""
    return z * float(ndtr(z)) + density(z)


def correlated_gain(means: ArrayLike, moves: ArrayLike) -> Gain:
    """The knowledge gradient of one measurement that moves several means together: E max(a + bZ) - max a.

    The lines a + bz are sorted by slope, and the upper envelope is kept (Frazier, Powell and Dayanik 2009, algorithm 1).
    With two alternatives, one of which never moves, this equals `gain`.

    Args:
        means: a, shape (alternatives,).
        moves: b, how far each mean moves per standard deviation of the measurement; signed.
    """
    order = np.lexsort((np.asarray(means, float), np.asarray(moves, float)))
    a, b = np.asarray(means, float)[order], np.asarray(moves, float)[order]
    last = np.append(b[1:] != b[:-1], True)  # of lines with equal slopes only the highest counts
    a, b = a[last], b[last]
    envelope, cuts = [0], [-np.inf]
    for i in range(1, len(a)):
        while True:
            j = envelope[-1]
            cut = (a[j] - a[i]) / (b[i] - b[j])
            if cut > cuts[-1]:
                break
            envelope.pop()
            cuts.pop()
        envelope.append(i)
        cuts.append(cut)
    steps, ends = np.diff(b[envelope]), np.append(cuts, np.inf)
    value = float(sum(step * slope(-abs(cut)) for step, cut in zip(steps, cuts[1:], strict=True)))
    best = int(a[envelope].argmax())
    return Gain(value, 0.0, float(1 - ndtr(ends[best + 1]) + ndtr(ends[best])))


# ---------------------------------------------------------------- anything, by regression


def evsi_by_regression(utility: ArrayLike, printed_numbers: ArrayLike) -> Gain:
    """EVSI from joint draws of the actions' values and of the printed numbers.

    Each action's utility is regressed on the printed numbers, their squares and products. The best action by the fitted
    values is compared with the best on average.

    Args:
        utility: Shape (draws, actions).
        printed_numbers: Shape (draws, numbers): what the option would print in each draw.

    Raises:
        BadInput: There are fewer than two actions, or the shapes do not match.
    """
    u_DA, y_DN = np.asarray(utility, float), np.atleast_2d(np.asarray(printed_numbers, float).T).T
    if u_DA.ndim != 2 or u_DA.shape[1] < 2 or len(u_DA) != len(y_DN):
        raise BadInput(f"EVSI takes at least two actions and as many draws of both; got {u_DA.shape} and {y_DN.shape}.")
    spread_N = y_DN.std(axis=0)
    z_DN = (y_DN - y_DN.mean(axis=0))[:, spread_N > 0] / spread_N[spread_N > 0]
    n = z_DN.shape[1]
    columns = [np.ones(len(z_DN)), *z_DN.T, *(z_DN[:, i] * z_DN[:, j] for i in range(n) for j in range(i, n))]
    x_DF = np.stack(columns[:MOST_FEATURES], axis=1)
    weights = np.linalg.solve(x_DF.T @ x_DF + RIDGE * np.eye(x_DF.shape[1]), x_DF.T @ u_DA)
    fitted_DA = x_DF @ weights
    best = int(u_DA.mean(axis=0).argmax())
    best_D = fitted_DA.argmax(axis=1)
    gain_D = fitted_DA.max(axis=1) - fitted_DA[:, best]
    # not from the fitted utilities, which hide how unsure the fit is
    actual_gain_D = u_DA[np.arange(len(u_DA)), best_D] - u_DA[:, best]
    return Gain(
        float(gain_D.mean()), float(actual_gain_D.std() / sqrt(len(actual_gain_D))), float((best_D != best).mean())
    )
