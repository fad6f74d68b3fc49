"""Whether answers prefer a place, such as the letter A: how strongly in each arm, and how much more than before.

In: the place of each answer, from 0, and each question's number of options. Out: `Compared`; a negative value is a loss.

    preference(place_Q, n_options_Q)                # 0 is even
    prior_change(after, before).estimate.value
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from unsway.seeds import seed_int
from unsway.stats.compared import LEVEL, Compared, Scores, allow_for_missing, complete, no_value
from unsway.stats.intervals import Floats, quantile
from unsway.types import Estimate

UNKNOWN_OPTIONS = "the number of options is not known"
"""The note if a preference for a place cannot be computed."""
OVER = 1 + sqrt(2)
"""Multiple of the average amount by which chance increases a normal share's distance from even, for a true share as far from
even as the observed one. With this factor an even chooser is at 0 on average, because true shares are mostly nearer."""


def prior_change(after: Scores, before: Scores, *, seed: int = 0, name: str = "letters") -> Compared:
    """How much more the answers prefer a place than before (the change of `preference`); a rise is a loss.

    A score is the place answered, from 0. The interval comes from a bootstrap of questions, widened as if one more answer had
    moved to the favourite and one away from it, as Bonett and Price do for paired rates (2012, J. Educ. Behav. Stat. 37:479).
    """
    if not after.n_options_Q or not before.n_options_Q:
        return no_value(name, len(after.read_Q), UNKNOWN_OPTIONS)
    n_options_Q = np.array(after.n_options_Q)

    def compare(after_Q: Floats, before_Q: Floats) -> Compared:
        paired_Q = ~np.isnan(after_Q) & ~np.isnan(before_Q)
        n, n_dropped = int(paired_Q.sum()), int((~paired_Q).sum())
        if not n:
            return no_value(name, n_dropped)
        rows_3Q = np.stack([after_Q, before_Q, n_options_Q])[:, paired_Q].astype(int)

        def rise(index_Q: NDArray[np.intp]) -> float:
            place_after_Q, place_before_Q, options_Q = rows_3Q[:, index_Q]
            return preference(place_after_Q, options_Q) - preference(place_before_Q, options_Q)

        random = np.random.default_rng(seed_int(seed, "prior change"))
        value = rise(np.arange(n))
        d_R = np.array([rise(random.integers(0, n, n)) for _ in range(1000)])
        error = sqrt(float(d_R.var()) + 2 / (n + 2) ** 2)
        low, high = value - quantile(LEVEL) * error, value + quantile(LEVEL) * error
        method = f"bootstrap of questions, 1000 draws, seed {seed}"
        estimate = Estimate(name, value, low, high, LEVEL, n, n, n_dropped, method)
        return complete(estimate, -1.0, float(ndtr(-value / error)), error**2 * n)

    return allow_for_missing(compare, place_missing(after), place_missing(before))


def place_missing(arm: Scores) -> Scores:
    """Places with the missing answers filled in: all on the one that maximises the preference, and as evenly as possible."""
    n_options_Q = np.array(arm.n_options_Q)
    missing_Q = np.isnan(arm.read_Q) & ~np.isnan(arm.least_Q)
    asked_Q = missing_Q | ~np.isnan(arm.read_Q)
    if not missing_Q.any():
        return replace(arm, least_Q=arm.read_Q, most_Q=arm.read_Q)
    candidates = [
        np.where(missing_Q, np.minimum(place, n_options_Q - 1), arm.read_Q) for place in range(max(n_options_Q))
    ]
    least_Q = max(candidates, key=lambda place_Q: preference(place_Q[asked_Q].astype(int), n_options_Q[asked_Q]))
    most_Q = arm.read_Q.copy()
    even = asked_Q.sum() * even_shares(n_options_Q[asked_Q])
    counts = np.bincount(most_Q[asked_Q & ~missing_Q].astype(int), minlength=len(even))
    for question in np.flatnonzero(missing_Q):
        place = int(np.argmin((counts - even)[: n_options_Q[question]]))
        most_Q[question], counts[place] = place, counts[place] + 1
    return replace(arm, least_Q=least_Q, most_Q=most_Q)


def letter_prior(counts: Sequence[int], even: Floats | None = None) -> float:
    """How strongly answers prefer a place: total variation from even, minus what chance adds to it (`OVER`).

    Chance adds most to a share that is even, and nothing to one that clearly is not. Subtracting the same everywhere
    would hide part of a preference that an even arm has acquired.

    Args:
        counts: The number of answers at each possible place, including 0.
        even: Each place's share if answers were even; None if every question has every place.
    """
    n, k = sum(counts), len(counts)
    if not n:
        return float("nan")
    share = np.asarray(counts, float) / n
    distance = np.abs(share - (1 / k if even is None else even))
    error = np.sqrt(share * (1 - share) / n)
    z = distance / np.maximum(error, 1e-12)
    chance = OVER * (error * np.exp(-(z**2) / 2) / sqrt(2 * np.pi) - distance * ndtr(-z))
    return float((distance / 2 - chance).sum())


def even_shares(n_options_Q: NDArray[np.intp]) -> Floats:
    """Each place's share if answers were even: a question with two options gives half to each of the first two."""
    n_of_size = np.bincount(n_options_Q)[1:]
    shares: Floats = np.cumsum((n_of_size / np.arange(1, len(n_of_size) + 1))[::-1])[::-1] / len(n_options_Q)
    return shares


def preference(place_Q: NDArray[np.intp], n_options_Q: NDArray[np.intp]) -> float:
    """`letter_prior` of the places answered, given each question's number of options."""
    even = even_shares(n_options_Q)
    return letter_prior(np.bincount(place_Q, minlength=len(even)).tolist(), even)
