"""The rank correlation of two methods' reductions: against scipy, at its edges, and how often its interval covers."""

from __future__ import annotations

from math import asin, pi

import numpy as np
import pytest
from measuring import BIAS, outcome
from scipy.stats import rankdata, spearmanr

from unsway.stats.rank import rank_correlation, reductions, spearman_interval


def cells(values: list[float]) -> dict[str, float | None]:
    return {f"bias {i}": value for i, value in enumerate(values)}


def test_the_value_is_scipys_with_ties_and_in_any_order() -> None:
    x, y = [0.1, 0.4, 0.4, 0.2, 0.0, 0.9, 0.3], [0.2, 0.1, 0.5, 0.2, 0.1, 0.8, 0.2]
    found = rank_correlation(cells(x), dict(reversed(cells(y).items())))
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.low is not None and found.high is not None and found.value is not None
    assert -1 <= found.low < found.value < found.high <= 1
    assert (found.n, found.n_excluded) == (7, 0)


def test_the_p_of_few_cells_is_exact() -> None:
    found = rank_correlation(cells([1, 2, 3, 4, 5]), cells([1, 2, 3, 4, 5]))
    assert found.value == 1.0 == found.high and found.low is not None and found.low < 0.9
    assert found.note == f"permutation p {2 / 120:.2g}; 5 cells cannot exclude 0, whatever they are"


def test_what_only_one_method_has_is_counted() -> None:
    x, y = cells([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]), cells([0.1, 0.3, 0.2, 0.4, 0.5, 0.6])
    found = rank_correlation(x | {"bias 5": None}, y | {"another": 0.4})
    assert (found.n, found.n_excluded) == (5, 3)


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4], "needs 5"),
        ([0.1], [0.1], "1 cell with both"),
        ([0.1] * 6, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "same value"),
        ([], [], "0 cells"),
    ],
)
def test_what_says_nothing_is_refused(x: list[float], y: list[float], why: str) -> None:
    found = rank_correlation(cells(x), cells(y))
    assert found.value is found.low is found.high is None and why in found.note


def test_a_shared_base_makes_noise_alike_and_the_partial_correlation_does_not() -> None:
    draw = np.random.default_rng(1)
    base, proxy, trained = draw.normal(size=(3, 400))
    plain = rank_correlation(cells(list(base - proxy)), cells(list(base - trained)))
    partial = rank_correlation(cells(list(base - proxy)), cells(list(base - trained)), covariate=cells(list(base)))
    assert plain.low is not None and plain.low > 0.2
    assert partial.low is not None and partial.high is not None and partial.low < 0 < partial.high
    known = cells([float(i) for i in range(8)])
    assert "already" in rank_correlation(known, cells([0.1, 0.3, 0.2, 0.6, 0.4, 0.9, 0.5, 0.7]), covariate=known).note


def test_reductions_off_their_own_halves_share_no_chance() -> None:
    """Two methods that change nothing: off one base they seem to agree, off its halves they do not."""
    draw, plain, apart = np.random.default_rng(2), [], []
    for _ in range(16):
        arms = [
            [outcome(q, False, bool(draw.random() < 0.4), bias=f"{b}@1") for b in range(10) for q in range(20)]
            for _ in range(3)
        ]
        means = [{b: np.mean([o.hit_biased for o in arm if o.bias == f"{b}@1"]) for b in range(10)} for arm in arms]
        off = [{b: float(means[0][b] - arm[b]) for b in range(10)} for arm in means[1:]]
        plain.append(rank_correlation(*off).value)
        apart.append(rank_correlation(*reductions(*arms)).value)
    assert np.mean(plain) > 0.3 and abs(np.mean(apart)) < 0.15


def test_reductions_by_hand() -> None:
    ids = [str(i) for i in range(12)]
    base, arm = ([outcome(q, False, hit) for q in ids] for hit in (True, False))
    assert reductions(base, arm, base) == ({(BIAS, "toy@1"): 1.0}, {(BIAS, "toy@1"): 0.0})
    assert reductions(base, [], arm) == ({}, {(BIAS, "toy@1"): 1.0})


def test_six_cells_beyond_the_base_cannot_exclude_0_and_say_so() -> None:
    x = cells([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert "cannot exclude 0" not in rank_correlation(x, x).note
    assert "6 cells cannot exclude 0" in rank_correlation(x, x, covariate=cells([0.3, 0.1, 0.6, 0.2, 0.5, 0.4])).note


@pytest.mark.parametrize("n", [6, 8, 12, 20])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8, 0.95])
def test_the_interval_covers(n: int, rho: float) -> None:
    draw = np.random.default_rng(n)
    x, noise = draw.normal(size=(2, 1500, n))
    y = rho * x + np.sqrt(1 - rho**2) * noise
    rx, ry = (rankdata(side, axis=1) - (n + 1) / 2 for side in (x, y))
    values = (rx * ry).sum(1) / (rx**2).sum(1)
    truth = 6 / pi * asin(rho / 2)
    ends = [spearman_interval(float(value), n) for value in values]
    covered = np.mean([low - 1e-9 <= truth <= high + 1e-9 for low, high in ends])
    assert 0.93 <= covered <= 0.995
