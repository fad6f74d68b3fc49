"""How far plans are off: the chance that a study takes at least twice as long as planned.

In: truth over plan of past runs. Out: an `Overrun`: factors with their chances, from those runs or only from the prior.

    overrun([1.1, 1.0, 1.3]).p_twice
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from unsway.errors import BadInput
from unsway.stats.intervals import Floats

PRIOR_MIDDLE, PRIOR_SPREAD, PRIOR_RUNS, PRIOR_FREEDOM = 0.2, 0.5, 2.0, 3.0
"""The prior of the log of truth over plan: plans are usually too short (by a factor of 1.2), a new one is off by about 60 %
either way, and this weighs as much as two past runs. A judgement; it gives twice the time a chance of about one in four."""


@dataclass(frozen=True, slots=True)
class Overrun:
    """How far the truth may be from the plan, as factors."""

    p_twice: float
    """Chance that it is at least twice the plan."""
    low: float
    """Factor that is exceeded with a chance of 90 %."""
    middle: float
    """Factor with equal chances on either side."""
    high: float
    """Factor that is not exceeded with a chance of 90 %."""
    n_runs: int
    """Number of past runs used; with 0, only the prior."""

    def factors(self, levels: ArrayLike) -> Floats:
        """The factors that are not exceeded with these chances."""
        freedom = PRIOR_FREEDOM + self.n_runs
        scale = log(self.high / self.middle) / float(stdtrit(freedom, 0.9))
        return np.asarray(self.middle * np.exp(scale * stdtrit(freedom, np.asarray(levels, float))), float)


def overrun(truth_over_plan: Sequence[float]) -> Overrun:
    """The chance of large errors of a plan, from the errors of past plans.

    Normal logarithms with a normal-inverse-gamma prior, so a new one follows Student's t (Gelman et al., Bayesian Data
    Analysis, §3.3).

    Args:
        truth_over_plan: Truth over plan of each past run, above 0.

    Raises:
        BadInput: A ratio is not above 0.
    """
    if not all(ratio > 0 for ratio in truth_over_plan):
        raise BadInput(f"Truth over plan must lie above 0; got {tuple(truth_over_plan)}.")
    logs = [log(ratio) for ratio in truth_over_plan]
    n = len(logs)
    mean = sum(logs) / n if n else 0.0
    weight, freedom = PRIOR_RUNS + n, PRIOR_FREEDOM + n
    middle = (PRIOR_RUNS * PRIOR_MIDDLE + sum(logs)) / weight
    squares = PRIOR_FREEDOM * PRIOR_SPREAD**2 + sum((log_ratio - mean) ** 2 for log_ratio in logs)
    squares += PRIOR_RUNS * n / weight * (mean - PRIOR_MIDDLE) ** 2
    scale = (squares / freedom * (1 + 1 / weight)) ** 0.5
    reach = float(stdtrit(freedom, 0.9)) * scale
    return Overrun(
        p_twice=float(stdtr(freedom, (middle - log(2)) / scale)),
        low=exp(middle - reach),
        middle=exp(middle),
        high=exp(middle + reach),
        n_runs=n,
    )
