"""How far plans are off: the prior alone, past runs, and a calibration of both."""

from __future__ import annotations

import numpy as np
import pytest

from unsway.errors import BadInput
from unsway.planning.overrun import overrun


def test_the_prior_gives_twice_the_time_about_one_chance_in_four() -> None:
    prior = overrun([])
    assert prior.p_twice == pytest.approx(0.24, abs=0.005)
    assert prior.low < 1 < prior.middle < 2 < prior.high
    assert prior.n_runs == 0


def test_past_runs_take_over() -> None:
    exact, slow = overrun([1.0] * 50), overrun([3.0] * 50)
    assert exact.p_twice < 0.01 and exact.middle == pytest.approx(1, abs=0.02)
    assert slow.p_twice > 0.95 and slow.middle == pytest.approx(3, abs=0.2)
    assert overrun([1.0, 1.0]).p_twice < overrun([]).p_twice < overrun([2.5]).p_twice
    with pytest.raises(BadInput, match="above 0"):
        overrun([1.0, 0.0])


def test_the_chance_is_right_when_the_prior_is() -> None:
    """Plans whose logarithms are drawn from the prior: the 80 % range holds 80 % of new ones, and p_twice is calibrated."""
    draw = np.random.default_rng(4)
    inside, expected, twice = [], [], []
    for _ in range(1500):
        variance = 3 * 0.5**2 / draw.chisquare(3)
        middle = 0.2 + np.sqrt(variance / 2) * draw.standard_normal()
        past = np.exp(middle + np.sqrt(variance) * draw.standard_normal(4))
        new = float(np.exp(middle + np.sqrt(variance) * draw.standard_normal()))
        found = overrun([float(x) for x in past])
        inside.append(found.low <= new <= found.high)
        expected.append(found.p_twice)
        twice.append(new >= 2)
    assert np.mean(inside) == pytest.approx(0.8, abs=0.03)
    assert np.mean(twice) == pytest.approx(np.mean(expected), abs=0.03)
