"""An interval for units that are crossed: every request under every wrapper, where both are samples of what might be asked.

In: values of shape (questions, cues). Out: an interval of their mean. Questions and cues are drawn anew, independently of
each other, and each value counts as often as both were drawn (the pigeonhole bootstrap: Owen 2007, Ann. Appl. Stat. 1:386).
It is rather too wide than too narrow. With the question alone as unit an interval speaks of these cues, not of others.

What never varied never does in a draw, so the interval is at least as wide as Tango's over questions alone and over cues
alone: six cues that moved nothing do not show that no cue does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unsway.seeds import seed_int
from unsway.stats.intervals import Interval, change_interval

DRAWS = 4000
"""Draws of both."""
FEWEST_CUES = 5
"""Cues from which an interval over cues means anything."""


def crossed_interval(value_QC: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Interval:
    """The interval of a mean over questions and cues.

    Args:
        value_QC: A value from -1 to 1 for each question and cue; NaN where it is missing.
        level: Nominal coverage.
        draws: Draws.
        seed: Seed of the draws.
    """
    value = np.asarray(value_QC, float)
    there, random = ~np.isnan(value), np.random.default_rng(seed_int(seed, "crossed"))
    n_questions, n_cues = value.shape
    times_RQ = random.multinomial(n_questions, np.full(n_questions, 1 / n_questions), draws)
    times_RC = random.multinomial(n_cues, np.full(n_cues, 1 / n_cues), draws)
    total_R = np.einsum("rq,qc,rc->r", times_RQ, np.where(there, value, 0.0), times_RC, optimize=True)
    count_R = np.einsum("rq,qc,rc->r", times_RQ, there.astype(float), times_RC, optimize=True)
    drawn = np.quantile(total_R[count_R > 0] / count_R[count_R > 0], [(1 - level) / 2, (1 + level) / 2])
    means = (np.nanmean(value[there.any(axis=1)], axis=1), np.nanmean(value[:, there.any(axis=0)], axis=0))
    lows, highs = zip(drawn, *(change_interval(each, level=level) for each in means), strict=True)
    return Interval(float(min(lows)), float(max(highs)))
