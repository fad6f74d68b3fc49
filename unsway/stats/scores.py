"""The quality of forecasts: a score for each, and what a history of them says about their author.

In: a forecast (equally likely draws, or quantiles at k/(K+1)) and the actual number. Out: scores, lower is better; over
many forecasts, calibration and skill. Numbers of one study are correlated, so studies are the unit (`rate_interval` over
studies). Sources: Gneiting and Raftery 2007 (JASA 102:359); Bracher et al. 2021 (PLoS Comput. Biol. 17:e1008618) for the
weighted interval score.

    crps([0.1, 0.2, 0.4], 0.25), interval_score(0.1, 0.3, 0.35, alpha=0.2)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from unsway.errors import BadInput
from unsway.seeds import rng
from unsway.stats.intervals import Interval, rate_interval

CENTRAL = (0.5, 0.8, 0.95)
"""Central intervals whose coverage is checked."""
PRIOR_FORECASTS = 4
"""Number of forecasts that the prior spread of 1 counts for; a judgement that keeps short histories near 1."""
ENOUGH_STUDIES = 5
"""Fewest studies for an interval of skill; a bootstrap over fewer says nothing."""
CLIPPED = 0.01
"""A chance of 0 or 1 is scored as 0.01 or 0.99, so that one failed certainty does not outweigh everything."""
FARTHEST = 6.0
"""Largest normal score of a number: a forecast that was infinitely sure counts as wrong by six standard deviations."""
DRAWS = 2000
"""Bootstrap samples of studies for the interval of skill."""


# ---------------------------------------------------------------- one forecast


def crps(draws: ArrayLike, y: float) -> float:
    """The continuous ranked probability score of equally likely draws, in the fair form (unbiased in their number).

    Args:
        draws: At least two draws, shape (draws,).
        y: The actual number.

    Raises:
        BadInput: There are fewer than two draws.
    """
    x_D = np.sort(np.asarray(draws, float))
    n = len(x_D)
    if n < 2:
        raise BadInput(f"A score takes at least two draws; got {n}.")
    rank_D = 2 * np.arange(n) - n + 1
    return float(np.abs(x_D - y).mean() - (rank_D @ x_D) / (n * (n - 1)))


def crps_normal(y: float, mean: float, sd: float) -> float:
    """The continuous ranked probability score of a normal distribution."""
    z = (y - mean) / sd
    return float(sd * (z * (2 * ndtr(z) - 1) + 2 * density(z) - 1 / sqrt(pi)))


def crps_quantiles(quantiles: ArrayLike, y: float) -> float:
    """The same score for a distribution stored as quantiles at k/(K+1): twice the mean pinball loss over all levels.

    Quantiles are not independent draws, so the fair form's correction would be too large for them.
    """
    q_K = np.asarray(quantiles, float)
    level_K = np.arange(1, len(q_K) + 1) / (len(q_K) + 1)
    return float(2 * (np.maximum(level_K * (y - q_K), (level_K - 1) * (y - q_K))).sum() / (len(q_K) + 1))


def interval_score(low: float, high: float, y: float, *, alpha: float) -> float:
    """The score of a central interval with coverage 1 - alpha: its width, plus a penalty if it missed."""
    return (high - low) + 2 / alpha * (max(low - y, 0.0) + max(y - high, 0.0))


def weighted_interval_score(median: float, intervals: Mapping[float, Interval], y: float) -> float:
    """The weighted interval score of a median and central intervals, given by their coverage."""
    total = abs(y - median) / 2
    for coverage, (low, high) in intervals.items():
        total += (1 - coverage) / 2 * interval_score(low, high, y, alpha=1 - coverage)
    return total / (len(intervals) + 0.5)


def brier(chance: float, happened: bool) -> float:
    """The squared error of a chance."""
    return (chance - happened) ** 2


def log_score(chance: float, happened: bool) -> float:
    """Minus the logarithm of the chance given to the actual event; chances of 0 and 1 are clipped (`CLIPPED`)."""
    clipped = min(max(chance, CLIPPED), 1 - CLIPPED)
    return -log(clipped if happened else 1 - clipped)


def pit(quantiles: ArrayLike, y: float) -> float:
    """The position of y in a distribution stored as quantiles at k/(K+1): half of P(below) plus half of P(not above).

    The mean of both, because printed rates lie on a lattice. Beyond the outermost quantile, the distribution continues as a
    normal one through that quantile and the median; the result is never 0 or 1 (`FARTHEST`).
    """
    q_K = np.asarray(quantiles, float)
    below, at_most = np.searchsorted(q_K, y, "left"), np.searchsorted(q_K, y, "right")
    inside = float((below + at_most + 1) / 2 / (len(q_K) + 1))
    if q_K[0] <= y <= q_K[-1]:
        return inside
    end = q_K[0] if y < q_K[0] else q_K[-1]
    reach, edge = abs(end - np.median(q_K)), -ndtri(1 / (len(q_K) + 1))
    away = edge + abs(y - end) * edge / reach if reach > 0 else FARTHEST
    tail = float(ndtr(-min(away, FARTHEST)))
    return tail if y < end else 1 - tail


def unexpected(place: float) -> float:
    """How unexpected a number with this PIT is: the two-sided chance of one at least as extreme."""
    return 2 * min(place, 1 - place)


def density(z: float) -> float:
    """The standard normal density."""
    return float(np.exp(-z * z / 2) / sqrt(2 * pi))


# ---------------------------------------------------------------- a history of forecasts


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a history of forecasts says about their author."""

    n: int
    """Number of scored forecasts."""
    n_studies: int
    """Number of studies that they come from; studies are the unit of all intervals here."""
    coverage: Mapping[float, tuple[float, Interval]]
    """By nominal coverage of a central interval: the observed coverage, with a Wilson interval over studies."""
    spread: float
    """How much wider the forecasts should have been: 1 is right, 2 means half as wide as they should be."""
    fifths: tuple[int, ...]
    """How many numbers fell in each fifth of their forecasts, lowest first; about equal if the forecasts are right."""
    optimism: float
    """Mean of the normal scores of the PIT: above 0 if numbers turn out larger than expected."""


def spread(z: Sequence[float]) -> float:
    """The factor by which a history of normal scores suggests widening forecasts; shrunk to 1 by `PRIOR_FORECASTS`."""
    return sqrt((PRIOR_FORECASTS + sum(score * score for score in z)) / (PRIOR_FORECASTS + len(z)))


def calibration(places: Sequence[float], studies: Sequence[str]) -> Calibration:
    """Calibration of forecasts, from the position of each number in its forecast.

    Args:
        places: PIT of each forecast.
        studies: The study of each.

    Raises:
        BadInput: There is no forecast, or the number of studies differs.
    """
    if not places or len(places) != len(studies):
        raise BadInput(
            f"Calibration takes a study for each of at least one forecast; got {len(places)}, {len(studies)}."
        )
    u = np.asarray(places)
    z = [float(ndtri(place)) for place in places]
    names = list(dict.fromkeys(studies))
    study_index = np.array([names.index(study) for study in studies])
    size_S = np.bincount(study_index, minlength=len(names)).astype(float)
    coverage = {}
    for nominal in CENTRAL:
        is_inside = np.abs(u - 0.5) <= nominal / 2
        inside_S = np.bincount(study_index, weights=is_inside, minlength=len(names))
        coverage[nominal] = (float(is_inside.mean()), rate_interval(inside_S, size_S))
    fifths = tuple(int(count) for count in np.histogram(u, bins=5, range=(0, 1))[0])
    return Calibration(len(z), len(names), coverage, spread(z), fifths, sum(z) / len(z))


@dataclass(frozen=True, slots=True)
class Skill:
    """How much better forecasts were than a reference, on the same numbers."""

    value: float
    """1 - mean score / mean score of the reference: 0 is no better, 1 is perfect."""
    interval: Interval | None
    """95 % interval by a bootstrap over studies; None below `ENOUGH_STUDIES`."""
    n_studies: int
    """Number of studies that both forecast."""


def skill(own: Sequence[float], reference: Sequence[float], studies: Sequence[str], *, seed: int = 0) -> Skill:
    """Skill of forecasts against a reference, paired over the same numbers.

    Raises:
        BadInput: The three differ in length, or the reference was perfect, so nothing can be better.
    """
    if not own or not len(own) == len(reference) == len(studies) or not sum(reference) > 0:
        raise BadInput(
            f"Skill compares the same numbers: got {len(own)} scores, {len(reference)} of the reference (sum "
            f"{sum(reference):g}, which must be above 0) and {len(studies)} studies."
        )
    sums: dict[str, list[float]] = {}
    for own_score, reference_score, study in zip(own, reference, studies, strict=True):
        totals = sums.setdefault(study, [0.0, 0.0])
        totals[0] += own_score
        totals[1] += reference_score
    sums_S2 = np.array(list(sums.values()))
    interval = None
    if len(sums) >= ENOUGH_STUDIES:
        generator = rng(seed, "skill")
        resampled = np.array([generator.choices(range(len(sums)), k=len(sums)) for _ in range(DRAWS)])
        sums_D2 = sums_S2[resampled].sum(axis=1)
        ends = np.quantile(1 - sums_D2[:, 0] / np.maximum(sums_D2[:, 1], 1e-12), (0.025, 0.975))
        interval = Interval(*map(float, ends))
    return Skill(float(1 - sum(own) / sum(reference)), interval, len(sums))
