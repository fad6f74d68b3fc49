"""Scores of forecasts: closed forms, known values, and histories whose calibration is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import kstest, norm

from unsway.errors import BadInput
from unsway.stats import scores
from unsway.stats.intervals import Interval

LEVELS = np.arange(1, 200) / 200


def test_the_score_of_a_normal_forecast_has_its_known_values() -> None:
    assert scores.crps_normal(0.25, 0.2, 0.1) == pytest.approx(0.0331404, abs=1e-7)
    assert scores.crps_normal(0.2, 0.2, 0.1) == pytest.approx(0.0233695, abs=1e-7)


def test_draws_are_scored_in_the_fair_form() -> None:
    x, y = np.random.default_rng(0).normal(0.2, 0.1, 40), 0.25
    pairs = np.abs(x[:, None] - x[None, :]).sum()
    assert scores.crps(x, y) == pytest.approx(np.abs(x - y).mean() - pairs / (2 * 40 * 39), abs=1e-12)
    some = [scores.crps(np.random.default_rng(i).normal(0.2, 0.1, 5), y) for i in range(2000)]
    assert np.mean(some) == pytest.approx(0.0331404, abs=3 * np.std(some) / 2000**0.5)  # unbiased with five draws
    with pytest.raises(BadInput, match="two draws"):
        scores.crps([0.1], 0.2)


def test_quantiles_are_scored_as_their_distribution() -> None:
    for y in (0.25, 0.2, -0.1):
        assert scores.crps_quantiles(norm.ppf(LEVELS, 0.2, 0.1), y) == pytest.approx(
            scores.crps_normal(y, 0.2, 0.1), abs=5e-5
        )


@pytest.mark.parametrize(("y", "score"), [(0.2, 0.2), (0.35, 0.7), (0.05, 0.7)])
def test_the_interval_score_has_its_known_values(y: float, score: float) -> None:
    assert scores.interval_score(0.1, 0.3, y, alpha=0.2) == pytest.approx(score, abs=1e-9)


def test_the_weighted_interval_score_weighs_by_the_tails() -> None:
    found = scores.weighted_interval_score(0.2, {0.8: Interval(0.1, 0.3)}, 0.35)
    assert found == pytest.approx((0.15 / 2 + 0.1 * 0.7) / 1.5, abs=1e-12)


def test_chances_are_scored_and_certainty_is_clipped() -> None:
    assert scores.brier(0.7, True) == pytest.approx(0.09)
    assert scores.log_score(0.7, False) == pytest.approx(-np.log(0.3))
    assert scores.log_score(1.0, False) == pytest.approx(-np.log(0.01))


def test_the_place_of_a_number_on_a_lattice_is_the_middle_of_its_step() -> None:
    q = np.repeat([0.1, 0.2, 0.3], [50, 99, 50])
    assert scores.pit(q, 0.2) == pytest.approx(0.5)
    assert 0 < scores.pit(q, -1) < scores.pit(q, 0.1) < 0.5 < scores.pit(q, 2) < 1
    assert scores.unexpected(0.5) == 1 and scores.unexpected(0.01) == pytest.approx(0.02)


def test_the_spread_has_its_known_value() -> None:
    assert scores.spread([2, -2] * 5) == pytest.approx(1.7728105, abs=1e-6)


def history(n_studies: int, width: float, seed: int = 0) -> tuple[list[float], list[str], np.ndarray, np.ndarray]:
    """PITs, studies, z of nine cells each, and scores, of a forecaster whose width is off by a factor."""
    truth = np.random.default_rng(seed).normal(size=n_studies * 9)
    q = ndtri(LEVELS) * width
    own = np.array([scores.crps_quantiles(q, y) for y in truth])
    return [scores.pit(q, y) for y in truth], [str(i // 9) for i in range(n_studies * 9)], truth, own


def test_a_calibrated_forecaster_is_found_calibrated() -> None:
    places, studies, _, _ = history(400, 1.0)
    found = scores.calibration(places, studies)
    assert found.n == 3600 and found.n_studies == 400
    for nominal, (share, interval) in found.coverage.items():
        assert abs(share - nominal) < 3 * (nominal * (1 - nominal) / 3600) ** 0.5
        assert interval.low < nominal < interval.high
    assert 0.93 <= found.spread <= 1.07 and abs(found.optimism) < 0.06
    assert kstest(places, "uniform").pvalue > 0.01


def test_a_forecaster_who_is_twice_too_narrow_is_found_out() -> None:
    places, studies, truth, own = history(23, 0.5, seed=1)  # 207 forecasts
    assert scores.calibration(places, studies).spread == pytest.approx(2, abs=0.25)
    right = [scores.crps_normal(y, 0, 1) for y in truth]
    found = scores.skill(list(own), right, studies)
    assert found.value < 0 and found.interval is not None and found.interval.high < 0 and found.n_studies == 23
    assert scores.skill(list(own[:36]), right[:36], studies[:36]).interval is None  # four studies


def test_the_score_is_least_at_the_true_distribution() -> None:
    truth = np.random.default_rng(2).normal(0.2, 0.1, 4000)
    grid = {
        (m, s): np.mean([scores.crps_normal(y, m, s) for y in truth[:1500]])
        for m in (0.1, 0.15, 0.2, 0.25, 0.3)
        for s in (0.05, 0.075, 0.1, 0.15, 0.2)
    }
    assert min(grid, key=grid.__getitem__) == (0.2, 0.1)


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(BadInput, match="a study for each"):
        scores.calibration([0.5], [])
    with pytest.raises(BadInput, match="same numbers"):
        scores.skill([0.1], [0.0], ["a"])
