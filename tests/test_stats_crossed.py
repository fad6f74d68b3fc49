"""Intervals of crossed units."""

from __future__ import annotations

import numpy as np
import pytest

from unsway.stats.crossed import crossed_interval
from unsway.stats.intervals import change_interval, tango


def test_it_covers_where_cues_differ_and_the_question_alone_would_not() -> None:
    random, true, covered, narrow = np.random.default_rng(0), 0.4, 0, 0
    for seed in range(200):
        rate_C = np.clip(true + 0.15 * random.standard_normal(12), 0, 1)
        value = (random.random((60, 12)) < rate_C).astype(float)
        low, high = crossed_interval(value, draws=300, seed=seed)
        covered += low <= true <= high
        by_question = value.mean(axis=1)
        half = 1.96 * by_question.std(ddof=1) / 60**0.5
        narrow += abs(by_question.mean() - true) <= half
    assert covered >= 180 and narrow < 140


def test_missing_values_are_left_out() -> None:
    """Values that do not vary have no width in any draw, which is no certainty: the ends are Tango's over the fewer cues."""
    value = np.full((8, 5), 0.5)
    value[::2, 0] = np.nan
    assert crossed_interval(value) == pytest.approx(change_interval(np.full(5, 0.5)))


def test_what_never_happened_may_happen_under_other_cues() -> None:
    """One cue in ten lifts four requests in five: six cues without a lift are the likeliest find, and no proof of none."""
    nothing = crossed_interval(np.zeros((30, 6)))
    assert nothing == pytest.approx(tango(0, 0, 6)) and nothing.high > 0.08
    random, covered = np.random.default_rng(0), 0
    for seed in range(200):
        rate_C = 0.8 * (random.random(6) < 0.1)
        low, high = crossed_interval((random.random((30, 6)) < rate_C).astype(float), draws=200, seed=seed)
        covered += low <= 0.08 <= high
    assert covered >= 190, "draws alone held it in 44 %"
