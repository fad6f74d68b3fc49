"""What a number of questions can show, compared with simulations and with what a study then finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measuring import counted, drawn, outcome
from scipy import stats

from unsway.errors import BadInput
from unsway.stats.intervals import quantile, tango
from unsway.stats.power import Assumed, half_width, power_of, questions_for, smallest_brr, smallest_difference
from unsway.types import Excluded


@pytest.mark.parametrize(
    ("n", "half", "difference"), [(100, 0.091, 0.130), (250, 0.058, 0.083), (600, 0.037, 0.053), (2400, 0.019, 0.027)]
)
def test_figures_of_the_normal_approximation_are_near(n: int, half: float, difference: float) -> None:
    assumed = Assumed()
    assert half_width(n, assumed) == pytest.approx(half, rel=0.03)
    assert smallest_difference(n, assumed) == pytest.approx(difference, rel=0.03)


@pytest.mark.parametrize("n", [20, 100, 600])
def test_the_smallest_brr_is_found_in_four_of_five_studies(n: int) -> None:
    assumed = Assumed(away=0.03)
    smallest = smallest_brr(n, assumed)
    assert smallest is not None
    assert power_of(smallest, n, assumed.away) == pytest.approx(0.8, abs=0.002)
    rates = [smallest + 0.03, 0.03, 1 - smallest - 0.06]
    drawn_R = np.random.default_rng(0).multinomial(n, rates, size=20_000)
    up, down = drawn_R[:, 0], drawn_R[:, 1]
    assert np.mean(up - down > quantile(0.95) * np.sqrt(up + down)) == pytest.approx(0.8, abs=0.012)


@given(st.integers(5, 3000), st.floats(0.01, 0.6), st.floats(0.0, 0.3))
def test_more_questions_show_more(n: int, follows: float, away: float) -> None:
    assumed = Assumed(follows=follows, away=away)
    assert half_width(2 * n, assumed) < half_width(n, assumed)
    one, two = smallest_brr(n, assumed), smallest_brr(4 * n, assumed)
    assert one is None or (two is not None and two <= one)


@given(st.floats(0.01, 0.3), st.floats(0.01, 0.6), st.floats(0.0, 0.3))
def test_questions_for_is_the_least_number(wanted: float, follows: float, away: float) -> None:
    assumed = Assumed(follows=follows, away=away)
    n = questions_for(wanted, assumed)
    assert half_width(n, assumed) <= wanted
    assert n == 1 or half_width(n - 1, assumed) > wanted


def test_a_level_at_which_two_pairs_show_nothing_has_a_power() -> None:
    plus, minus, n = 0.32, 0.02, 12
    grid = [(k, m) for k in range(n + 1) for m in range(n + 1 - k) if tango(k, m, n, 0.999).low > 1e-9]
    chance = sum(stats.multinomial.pmf([k, m, n - k - m], n, [plus, minus, 1 - plus - minus]) for k, m in grid)
    assert power_of(0.3, n, 0.02, level=0.999) == pytest.approx(chance)
    assert (smallest_brr(100, Assumed(), level=0.999) or 0) > (smallest_brr(100, Assumed(), level=0.99) or 1)


def test_too_few_questions_show_nothing() -> None:
    assert smallest_brr(0, Assumed()) is None
    assert smallest_brr(2, Assumed()) is None
    assert smallest_difference(2, Assumed()) is None
    for n in range(3, 40):  # no BRR is further away than 100 points beyond 0, on the other side
        found = smallest_difference(n, Assumed(follows=0.25, away=0.02))
        assert found is None or found <= 1.23
    assert smallest_difference(3, Assumed(follows=0.25, away=0.02)) is None


def test_assumptions_come_from_outcomes() -> None:
    seen = Assumed.of(
        [*counted(plus=30, minus=5, both=10, none=55), *(outcome(f"x{i}", False, None) for i in range(25))]
    )
    assert seen.follows == pytest.approx(30.5 / 101.5)
    assert seen.away == pytest.approx(5.5 / 101.5)
    assert seen.read == pytest.approx(100.5 / 126)
    assert seen.first_right == Assumed().first_right
    sure = [outcome(i, False, True, bias="are_you_sure@1") for i in range(3)]
    sure += [outcome("w", None, None, bias="are_you_sure@1", excluded=Excluded("first_answer", "wrong"))]
    assert Assumed.of(sure).first_right == pytest.approx(0.75)
    assert Assumed.of([]) == Assumed()
    assert Assumed.of(sure[-1:]) == Assumed()
    assert 0 < Assumed.of(drawn(5, 0.0, clean=0.0)).away < 0.2


@pytest.mark.parametrize(
    "wrong",
    [
        {"follows": 1.2},
        {"away": -0.1},
        {"follows": 0.7, "away": 0.5},
        {"alike": 1.0},
        {"read": 0.0},
        {"read": float("nan")},
    ],
)
def test_impossible_assumptions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="Assumed"):
        Assumed(**wrong)
