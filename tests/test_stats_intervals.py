"""Intervals: agreement with scipy and printed examples, symmetry, copies of questions, refusals; exact tests and Holm."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from unsway.errors import BadInput
from unsway.stats.intervals import (
    change_interval,
    difference_interval,
    effective_size,
    quantile,
    rate_interval,
    tango,
    wilson,
)
from unsway.stats.significance import holm, mcnemar, sign_flip

COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60)).filter(lambda c: sum(c) > 0)
TABLES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30)


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 20), (3, 20), (20, 20), (250, 600), (1, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_is_scipys(hits: int, n: int, level: float) -> None:
    theirs = stats.binomtest(hits, n).proportion_ci(level, "wilson")
    assert wilson(hits, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(
    ("plus", "minus", "n", "low", "high"), [(1, 7, 21, -0.5172, -0.0260), (6, 16, 161, -0.1240, -0.0054)]
)
def test_tango_gives_the_published_examples(plus: int, minus: int, n: int, low: float, high: float) -> None:
    """Both paired tables of Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables (2017), ch. 8."""
    assert tango(plus, minus, n) == pytest.approx((low, high), abs=5e-5)


def test_tango_excludes_zero_exactly_where_its_score_test_does() -> None:
    for plus, minus in itertools.product(range(12), range(12)):
        if plus > minus:
            score = (plus - minus) / np.sqrt(plus + minus)
            assert (tango(plus, minus, 40).low > 0) == (score > quantile(0.95)), (plus, minus)


def test_tango_solves_its_own_equation() -> None:
    """At each end the standardised distance from the data is the quantile, with the likeliest rates of that difference."""
    plus, minus, n = 30.0, 11.0, 150.0
    for end in tango(plus, minus, n):
        rares = np.linspace(max(0.0, -end) + 1e-9, (1 - end) / 2 - 1e-9, 400_001)
        likely = minus * np.log(rares) + plus * np.log(rares + end) + (n - plus - minus) * np.log(1 - 2 * rares - end)
        rare = rares[likely.argmax()]
        score = (plus - minus - n * end) / np.sqrt(n * (2 * rare + end - end**2))
        assert abs(score) == pytest.approx(quantile(0.95), abs=1e-4)


@given(COUNTS, st.sampled_from([0.5, 0.9, 0.95]))
def test_tango_holds_the_estimate_and_turns_with_the_arms(counts: tuple[int, int, int], level: float) -> None:
    plus, minus, same = counts
    n = plus + minus + same
    ends, turned = tango(plus, minus, n, level), tango(minus, plus, n, level)
    assert -1 <= ends.low <= (plus - minus) / n <= ends.high <= 1
    assert ends == pytest.approx((-turned.high, -turned.low), abs=1e-9)
    assert tango(plus, minus, n, 0.99).low <= ends.low + 1e-9


@given(COUNTS)
def test_one_outcome_a_question_needs_no_correction(counts: tuple[int, int, int]) -> None:
    plus, minus, same = counts
    d = np.array([1] * plus + [-1] * minus + [0] * same)
    ours = difference_interval(d == 1, d == -1, np.ones(len(d)))
    assert ours == pytest.approx(tango(plus, minus, len(d)), abs=1e-9)
    assert rate_interval(d == 1, np.ones(len(d))) == pytest.approx(wilson(plus, len(d)), abs=1e-12)


@given(TABLES, st.integers(2, 9))
def test_copies_of_questions_do_not_narrow_an_interval(rows: list[tuple[int, int, int]], copies: int) -> None:
    plus, minus, same = np.array([row for row in rows if sum(row)] or [(1, 0, 0)], float).T
    size = plus + minus + same
    once = difference_interval(plus, minus, size)
    many = difference_interval(plus * copies, minus * copies, size * copies)
    assert many.high - many.low >= once.high - once.low - 1e-9
    rate, rates = rate_interval(plus, size), rate_interval(plus * copies, size * copies)
    assert rates.high - rates.low >= rate.high - rate.low - 1e-9


@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_questions_does_not_matter(rows: list[tuple[int, int, int]], shuffler: object) -> None:
    kept = [row for row in rows if sum(row)] or [(1, 0, 0)]
    mixed = list(kept)
    shuffler.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = (np.array(each, float).T for each in (kept, mixed))
    assert difference_interval(one[0], one[1], one.sum(0)) == pytest.approx(
        difference_interval(other[0], other[1], other.sum(0)), abs=1e-9
    )


def test_independent_samples_are_worth_almost_their_number() -> None:
    draw = np.random.default_rng(1)
    plus = draw.binomial(5, 0.3, 2000).astype(float)
    worth = effective_size(plus, np.zeros(2000), np.full(2000, 5.0), level=0.95)
    assert 0.93 * 10_000 < worth < 1.07 * 10_000
    alike = 5.0 * draw.binomial(1, 0.3, 2000)
    assert effective_size(alike, np.zeros(2000), np.full(2000, 5.0), level=0.95) == pytest.approx(2000, rel=0.01)


def test_a_mean_change_near_one_is_not_cut_off_at_one() -> None:
    d_Q = np.repeat([2.0, 1.0, 0.0], [12, 73, 15])  # two BRRs a point apart, and questions that moved both ways
    low, high = change_interval(d_Q)
    half = stats.t.ppf(0.975, 99) * d_Q.std(ddof=1) / 10
    assert (low, high) == pytest.approx((0.97 - half, 0.97 + half), abs=0.01)
    assert change_interval(-d_Q) == pytest.approx((-high, -low))
    steep_Q = np.repeat([3.4, 1.7, 0.0], [10, 6, 4])  # slopes have no range of their own
    low, high = change_interval(steep_Q)
    assert 1.4 < low < steep_Q.mean() < high < 2.9


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadInput, match="shapes"):
        difference_interval([], [], [])
    with pytest.raises(BadInput, match="shapes"):
        rate_interval([1, 0], [1])
    for hits, size in (([2], [1]), ([0], [0]), ([-1], [1]), ([float("nan")], [1])):
        with pytest.raises(BadInput, match="A question"):
            rate_interval(hits, size)
    for level in (0, 1, 95, -0.1):
        with pytest.raises(BadInput, match="level"):
            wilson(1, 2, level)


# ---------------------------------------------------------------- tests


@pytest.mark.parametrize(("plus", "minus"), [(0, 0), (5, 0), (8, 1), (3, 3), (30, 12)])
def test_mcnemar_is_the_exact_binomial(plus: int, minus: int) -> None:
    tail = stats.binom.cdf(min(plus, minus), plus + minus, 0.5)
    assert mcnemar(plus, minus) == pytest.approx(min(1.0, 2 * tail))
    assert sign_flip([1] * plus + [-1] * minus + [0] * 7) == pytest.approx(mcnemar(plus, minus))


@given(st.lists(st.integers(-4, 4), max_size=9))
def test_sign_flip_is_the_count_over_all_signs(sums: list[int]) -> None:
    seen = abs(sum(sums))
    signs = list(itertools.product((1, -1), repeat=len(sums)))
    extreme = sum(abs(sum(s * abs(x) for s, x in zip(row, sums, strict=True))) >= seen for row in signs)
    assert sign_flip(sums) == pytest.approx(extreme / len(signs))


def test_sign_flip_wants_whole_sums() -> None:
    with pytest.raises(BadInput, match="whole"):
        sign_flip([0.5])


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()
    for wrong in (1.2, -0.1, float("nan")):
        with pytest.raises(BadInput, match="p-values"):
            holm([0.1, wrong])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    rejected, order = set(), sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, i in enumerate(order):
        if p_values[i] * (len(p_values) - rank) > 0.05:
            break
        rejected.add(i)
    assert {i for i, a in enumerate(adjusted) if a <= 0.05} == rejected
