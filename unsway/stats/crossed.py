"""An interval for crossed units: every request under every wrapper, if both are samples of all possible ones.

In: values of shape (questions, cues). Out: an interval of their mean. Questions and cues are resampled independently, and
each value counts as often as both were drawn (the pigeonhole bootstrap: Owen 2007, Ann. Appl. Stat. 1:386). It tends to be
too wide, not too narrow. With only the question as unit, an interval would be about these cues, not about others.

Values that never vary do not vary in a draw either. So the interval is at least as wide as Tango's over only questions and
over only cues: six cues that moved nothing do not show that no cue does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unsway.seeds import seed_int
from unsway.stats.intervals import Interval, change_interval

DRAWS = 4000
"""Draws of questions and cues."""
FEWEST_CUES = 5
"""Fewest cues for a meaningful interval over cues."""


def crossed_interval(value_QC: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Interval:
    """The interval of a mean over questions and cues.

    Args:
        value_QC: A value from -1 to 1 for each question and cue; NaN where it is missing.
        level: Nominal coverage.
        draws: Draws.
        seed: Seed of the draws.
    """
    value = np.asarray(value_QC, float)
    has_value = ~np.isnan(value)
    random = np.random.default_rng(seed_int(seed, "crossed"))
    n_questions, n_cues = value.shape
    times_RQ = random.multinomial(n_questions, np.full(n_questions, 1 / n_questions), draws)
    times_RC = random.multinomial(n_cues, np.full(n_cues, 1 / n_cues), draws)
    total_R = np.einsum("rq,qc,rc->r", times_RQ, np.where(has_value, value, 0.0), times_RC, optimize=True)
    count_R = np.einsum("rq,qc,rc->r", times_RQ, has_value.astype(float), times_RC, optimize=True)
    quantiles = np.quantile(total_R[count_R > 0] / count_R[count_R > 0], [(1 - level) / 2, (1 + level) / 2])
    means = (np.nanmean(value[has_value.any(axis=1)], axis=1), np.nanmean(value[:, has_value.any(axis=0)], axis=0))
    lows, highs = zip(quantiles, *(change_interval(unit_means, level=level) for unit_means in means), strict=True)
    return Interval(float(min(lows)), float(max(highs)))
