"""The value of information: closed forms with their known values, and the general estimator against them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from unsway.errors import BadInput
from unsway.planning import worth


def test_one_threshold_has_its_known_values() -> None:
    m, s, tau, v = 0.12, 0.08, 0.05, 0.02**2
    assert worth.sd_of_mean(s, v) == pytest.approx(0.0776114, abs=1e-6)
    assert worth.evsi(m, s, tau, v) == pytest.approx(0.0077671, abs=1e-6)
    assert worth.evsi(m, s, tau, 0) == pytest.approx(0.0084093, abs=1e-6)


@pytest.mark.parametrize(
    ("n", "value"), [(25, 0.00288), (50, 0.00471), (100, 0.00618), (200, 0.00715), (400, 0.00771), (800, 0.00801)]
)
def test_each_further_question_is_worth_less(n: int, value: float) -> None:
    noise = (0.27 - 0.23**2) / n
    assert worth.evsi(0.20, 0.10, 0.10, noise) == pytest.approx(value, abs=6e-6)


def test_the_last_questions_are_worth_little_each() -> None:
    at = {n: worth.evsi(0.20, 0.10, 0.10, (0.27 - 0.23**2) / n) for n in (25, 400, 800)}
    assert (at[25] / 25, at[800] / 800) == (pytest.approx(1.15e-4, abs=5e-7), pytest.approx(1.0e-5, abs=5e-8))
    assert (at[800] - at[400]) / 400 == pytest.approx(7.5e-7, abs=1e-8)


def test_the_value_of_a_first_batch_may_be_nothing_although_all_are_worth_it() -> None:
    def value(n: int) -> float:
        return worth.evsi(0.30, 0.03, 0.24, 0.2 / n)

    for n, known in ((50, 3.9e-9), (100, 6.8e-7), (200, 1.1e-5), (400, 4.9e-5)):
        assert value(n) == pytest.approx(known, rel=0.06)
    assert worth.best_size(value, lambda n: n, (50, 100, 200, 400)) == 400


@pytest.mark.parametrize(("rho", "value"), [(0.2, 0.0), (0.41, 0.00059), (0.6, 0.00311), (0.83, 0.00827)])
def test_a_proxy_is_worth_what_its_correlation_lets_it(rho: float, value: float) -> None:
    moves = worth.sd_of_mean_by_proxy(0.10, 0.10, 0.03**2, rho)
    assert worth.gain(moves, 0.12 - 0.05) == pytest.approx(value, abs=6e-6)


def test_a_training_is_worth_more_and_whether_a_proxy_pays_is_undecided() -> None:
    training = worth.evsi(0.12, 0.10, 0.05, 0.03**2)
    assert training == pytest.approx(0.01299, abs=6e-6)
    per_dollar = [worth.gain(worth.sd_of_mean_by_proxy(0.1, 0.1, 0.03**2, rho), 0.07) / 2 for rho in (0.41, 0.83)]
    assert per_dollar[0] < training / 40 < per_dollar[1]
    drawn = worth.correlation_draws(0.41, 10, given=1)
    assert np.quantile(drawn, (0.025, 0.975)) == pytest.approx([-0.34, 0.84], abs=0.01)
    gains = [worth.gain(worth.sd_of_mean_by_proxy(0.1, 0.1, 0.03**2, float(rho)), 0.07) for rho in drawn[::8]]
    assert np.mean(gains) > 0.00059  # the mean over the posterior is not the value at its middle
    with pytest.raises(BadInput, match="says nothing"):
        worth.correlation_draws(0.4, 4, given=1)


def test_a_proxy_that_pays_takes_many_points_to_show() -> None:
    """At a partial correlation of .4, its lower end is .2 from 83 bias and model points on."""
    low = [np.quantile(worth.correlation_draws(0.4, n, given=1, size=200_000), 0.025) for n in (60, 83, 110)]
    assert low[0] < 0.19 and low[1] == pytest.approx(0.2, abs=0.005) and low[2] > 0.21


def test_chances_are_never_rounded_to_certainty() -> None:
    shown = [worth.in_percent(chance) for chance in (0.0, 0.002, 0.01, 0.184, 0.99, 0.998, 1.0)]
    assert shown == ["0%", "under 1%", "1%", "18%", "99%", "over 99%", "100%"]


def test_choosing_by_value_takes_less_money_than_asking_evenly_in_most_worlds() -> None:
    """The benchmark of docs/planning.md with the same answers for both ways: 200 worlds of six decisions."""
    spec = importlib.util.spec_from_file_location("next_benchmark", Path(__file__).parent.parent / "benchmarks/next.py")
    assert spec is not None and spec.loader is not None
    there = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(there)
    money = [(there.by_value(there.World(i, 0)).money(), there.evenly(there.World(i, 0)).money()) for i in range(200)]
    assert sum(one < other for one, other in money) >= 140 and sum(one > other for one, other in money) <= 30


def test_information_has_its_known_value() -> None:
    assert worth.information(0.1, 0.03**2) == pytest.approx(1.2471, abs=5e-5)


def test_the_knowledge_gradient_has_its_known_values() -> None:
    for z, known in ((0.0, 0.3989423), (-1.0, 0.0833155), (-2.0, 0.0084907)):
        assert worth.slope(z) == pytest.approx(known, abs=1e-6)
    assert worth.correlated_gain([0.3, 0.2], [0.1, 0.0]).value == pytest.approx(0.1 * worth.slope(-1), abs=1e-12)
    assert worth.correlated_gain([0.3, 0.2], [0.0, 0.05]).value == pytest.approx(0.05 * worth.slope(-2), abs=1e-12)


def test_correlated_alternatives_agree_with_simulation_and_with_one_threshold() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=400_000)
    for _ in range(5):
        a, b = rng.normal(0, 0.1, 6), rng.normal(0, 0.1, 6)
        lines = a[:, None] + b[:, None] * z
        simulated, found = lines.max(axis=0), worth.correlated_gain(a, b)
        assert found.value == pytest.approx(simulated.mean() - a.max(), abs=4 * simulated.std() / len(z) ** 0.5)
        assert found.chance == pytest.approx((lines.argmax(axis=0) != a.argmax()).mean(), abs=0.004)
    threshold = worth.correlated_gain([0.0, 0.07], [0.0, worth.sd_of_mean(0.08, 0.02**2)])
    assert threshold.value == pytest.approx(worth.evsi(0.12, 0.08, 0.05, 0.02**2), abs=1e-12)
    assert threshold.chance == pytest.approx(0.1835472, abs=1e-6)
    together = worth.correlated_gain([0.3, 0.2], [0.1, 0.1])
    assert (together.value, together.chance) == (0.0, 0.0)


def drawn(noise: float, seed: int, n: int = 4000) -> worth.Gain:
    rng = np.random.default_rng(seed)
    theta = rng.normal(0.12, 0.08, n)
    return worth.evsi_by_regression(np.stack([np.zeros(n), theta - 0.05], axis=1), theta + rng.normal(0, noise**0.5, n))


def test_regression_agrees_with_the_closed_form_and_grows_with_questions() -> None:
    known, perfect = worth.evsi(0.12, 0.08, 0.05, 0.02**2), worth.evsi(0.12, 0.08, 0.05, 0.0)
    found = [drawn(0.02**2, seed) for seed in range(20)]
    spread = float(np.std([one.value for one in found]))
    assert np.mean([one.value for one in found]) == pytest.approx(known, abs=3 * spread / 20**0.5 + 1e-5)
    assert np.mean([one.chance for one in found]) == pytest.approx(0.1836, abs=0.01)
    assert all(one.value > -3 * one.se for one in found)
    assert np.mean([one.value for one in found]) <= perfect
    weak = [drawn(0.1**2, seed) for seed in range(80)]  # where the fitted values hide half of what is unsure
    assert np.mean([one.se for one in weak]) == pytest.approx(np.std([one.value for one in weak]), rel=0.35)
    by_size = [drawn(0.2 / n, 0).value for n in (25, 100, 400, 1600)]
    assert by_size == sorted(by_size)
    with pytest.raises(BadInput, match="two actions"):
        worth.evsi_by_regression(np.zeros((3, 1)), np.zeros(3))
