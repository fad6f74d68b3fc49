"""What a number of questions can show: half-widths, the smallest effects found, and the questions needed.

In: a number of questions and assumptions about the model. Out: fractions, or questions. "Found" means that the 95 %
interval excludes 0 in 80 % of studies (Miller 2024, arXiv 2411.00640, §5, uses the same two figures).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import bdtrc, gammaln, stdtrit, xlog1py, xlogy

from unsway.errors import BadInput
from unsway.stats.columns import MOST_MISSING, Columns
from unsway.stats.intervals import quantile, tango
from unsway.types import Outcome

MOST_QUESTIONS = 10_000_000
"""Largest number of questions considered."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """A plan's assumptions about the models; every field is a share."""

    follows: float = 0.25
    """Pairs that hit only with the cue: 0.25 minus 0.02 is GPT-3.5's BRR for suggested answer (36 % biased, 13 % clean: the
    authors' chart for arXiv 2403.05518)."""
    away: float = 0.02
    """Pairs that hit only without the cue: sampling noise; the other part of the same figure."""
    alike: float = 0.5
    """Correlation of two models over questions: 0.3 to 0.7 between strong models (arXiv 2411.00640, §4)."""
    read: float = 0.95
    """Pairs with two readable replies. A guess; `Assumed.of` replaces it by the observed share."""
    first_right: float = 0.61
    """First answers that are right, for biases that require it: clean accuracy of GPT-3.5 (arXiv 2403.05518)."""

    def __post_init__(self) -> None:
        for name in ("follows", "away", "alike", "read", "first_right"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise BadInput(f"Assumed {name} is {value}; it is a share between 0 and 1.")
        if self.follows + self.away > 1 or self.alike == 1 or self.read == 0 or self.first_right == 0:
            raise BadInput(
                "Assumed follows + away must not exceed 1, alike must be below 1, read and first_right above 0."
            )

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Assumed:
        """Assumptions from earlier outcomes, with half an outcome added to each count; the defaults if there are none."""
        columns = Columns.of(tuple(outcomes))
        usable = columns.eligible & columns.tested
        d = (columns.biased - columns.clean)[usable & columns.counts]
        d = d[~np.isnan(d)]
        n = len(d)
        first_right = float(columns.eligible.mean()) if len(d) else 1.0
        if not usable.any():
            return cls()
        observed = replace(
            cls(),
            follows=(float((d == 1).sum()) + 0.5) / (n + 1.5),
            away=(float((d == -1).sum()) + 0.5) / (n + 1.5),
            read=(n + 0.5) / (float(usable.sum()) + 1),
        )
        return replace(observed, first_right=first_right) if first_right < 1 else observed

    @property
    def brr(self) -> float:
        """The assumed BRR."""
        return self.follows - self.away

    def allows(self, n: int) -> float:
        """The chance that so many of n pairs are unread that the BRR's interval allows for what they would have said."""
        return float(bdtrc(MOST_MISSING * n, n, 1 - self.read))

    def both_count(self, *, asks_first: bool) -> float:
        """The share of questions that count in two models; each loses its own replies, but first answers are the same."""
        first = self.first_right if asks_first else 1.0
        return self.read**2 * (first**2 + self.alike * first * (1 - first))


def half_width(n: float, assumed: Assumed, *, level: float = 0.95) -> float:
    """Half the width of the BRR's interval on n questions that count."""
    ends = tango(n * assumed.follows, n * assumed.away, n, level)
    return (ends.high - ends.low) / 2


def questions_for(target: float, assumed: Assumed, *, level: float = 0.95) -> int:
    """The fewest questions that must count for a half-width.

    Raises:
        BadInput: The half-width is not above 0, or needs more than ten million questions.
    """
    if not 0 < target < 1:
        raise BadInput(f"The half-width is {target}; it is a share between 0 and 1, such as 0.05.")
    low, high = 1, MOST_QUESTIONS
    if half_width(high, assumed, level=level) > target:
        raise BadInput(f"A half-width of {target} needs more than {MOST_QUESTIONS:,} questions; ask for a wider one.")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if half_width(middle, assumed, level=level) <= target else (middle + 1, high)
    return low


def power_of(brr: float, n: int, away: float, *, level: float = 0.95) -> float:
    """The exact chance that the interval is above 0, summed over the number of pairs that differ and the hits among them."""
    moved = min(1.0, brr + 2 * away)
    if n < 1 or moved <= 0:
        return 0.0
    middle, spread = n * moved, sqrt(n * moved * (1 - moved))
    k = np.arange(max(1, int(middle - 9 * spread) - 1), min(n, int(middle + 9 * spread) + 10) + 1)
    least = np.minimum(k, np.floor((k + quantile(level) * np.sqrt(k)) / 2))
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    chance = np.exp(ways + xlogy(k, moved) + xlog1py(n - k, -moved))
    return float(chance @ bdtrc(least, k, min(1.0, (brr + away) / moved)))


def smallest_brr(n: int, assumed: Assumed, *, level: float = 0.95, power: float = 0.8) -> float | None:
    """The smallest BRR that n questions would show to differ from 0; None if they would not even show the largest."""
    most = 1 - 2 * assumed.away
    if most <= 0 or power_of(most, n, assumed.away, level=level) < power:
        return None
    return float(brentq(lambda d: power_of(d, n, assumed.away, level=level) - power, 1e-9, most, xtol=1e-5))


def smallest_difference(n: int, assumed: Assumed, *, level: float = 0.95, power: float = 0.8) -> float | None:
    """The smallest difference between the BRRs of two models that n shared questions would show.

    None below three questions, or if no other BRR is that far away.

    A question counts if both models' replies are read: `both_count` of those asked, not the `read` of one model. By Student's
    t, with both models as assumed: variance 2 (1 - alike) (follows + away - brr²) / n.
    """
    if n < 3:
        return None
    variance = 2 * (1 - assumed.alike) * (assumed.follows + assumed.away - assumed.brr**2) / n
    reach = float(stdtrit(n - 1, (1 + level) / 2) + stdtrit(n - 1, power)) * sqrt(variance)
    return reach if reach <= 1 + abs(assumed.brr) else None
