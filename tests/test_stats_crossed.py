"""Intervals of crossed units."""

from __future__ import annotations

import numpy as np
import pytest

from unsway.stats.crossed import crossed_interval


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
    value = np.full((8, 5), 0.5)
    value[::2, 0] = np.nan
    assert crossed_interval(value) == pytest.approx((0.5, 0.5))
