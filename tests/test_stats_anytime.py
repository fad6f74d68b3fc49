"""Peeking after every question: wrong in at most one study of twenty, narrow in the end, the same in any process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measuring import drawn, outcome

from unsway.errors import BadInput
from unsway.stats.anytime import anytime_interval, question_order, watch
from unsway.types import Outcome

VALUES = st.lists(st.sampled_from([-1.0, 0.0, 1.0, 0.5]), max_size=60)


@pytest.mark.parametrize(("plus", "minus"), [(0.25, 0.02), (0.02, 0.02), (0.5, 0.45)])
def test_the_truth_is_rarely_ever_ruled_out(plus: float, minus: float) -> None:
    """The last interval is the intersection of all, so it tells whether any of 400 looks was wrong."""
    draw, truth, times = np.random.default_rng(11), plus - minus, 400
    wrong = 0
    for _ in range(times):
        d = draw.choice([1.0, -1.0, 0.0], p=[plus, minus, 1 - plus - minus], size=400)
        ends = anytime_interval(d, 0.05)
        wrong += not ends.low <= truth <= ends.high
    assert wrong <= 0.05 * times


@given(VALUES, st.sampled_from([0.02, 0.1, 0.5]))
def test_looking_again_only_narrows(values: list[float], half_width: float) -> None:
    before = (-1.0, 1.0)
    for n in range(0, len(values) + 1, 7):
        ends = anytime_interval(values[:n], half_width)
        assert before[0] - 1e-6 <= ends.low <= ends.high <= before[1] + 1e-6
        before = ends


@given(VALUES)
def test_turning_the_values_turns_the_interval(values: list[float]) -> None:
    one, other = anytime_interval(values, 0.1), anytime_interval([-v for v in values], 0.1)
    assert one == pytest.approx((-other.high, -other.low), abs=1e-6)


def test_it_becomes_as_narrow_as_wanted() -> None:
    d = np.random.default_rng(0).choice([1.0, -1.0, 0.0], p=[0.25, 0.02, 0.73], size=900)
    widths = [np.diff(anytime_interval(d[:n], 0.05))[0] / 2 for n in (50, 200, 650, 900)]
    assert widths[0] > widths[1] > 0.05 >= widths[2] >= widths[3]


def test_the_first_value_has_no_stake_of_its_own_making() -> None:
    """What is staked on a value depends on those before it alone: the last value must not move its own stake."""
    calm = [0.0] * 30
    up, down = anytime_interval([*calm, 1.0], 0.1), anytime_interval([*calm, -1.0], 0.1)
    assert up == pytest.approx((-down.high, -down.low), abs=1e-9)


def test_nothing_yet_is_the_whole_range_and_bad_values_are_refused() -> None:
    assert anytime_interval([], 0.05) == (-1.0, 1.0)
    assert anytime_interval([], 0.05, low=0.0) == (0.0, 1.0)
    assert anytime_interval([1.0], 0.05) == (-1.0, 1.0)
    for values, half_width, level in (
        ([2.0], 0.05, 0.95),
        ([float("nan")], 0.05, 0.95),
        ([[0.0]], 0.05, 0.95),
        ([0.0], 0.0, 0.95),
        ([0.0], 2.0, 0.95),
        ([0.0], 0.05, 95),
    ):
        with pytest.raises(BadInput):
            anytime_interval(values, half_width, level=level)


def in_order(outcomes: Iterable[Outcome], seed: int = 0) -> list[Outcome]:
    """The outcomes in the order in which `run_until` asks."""
    found = list(outcomes)
    places = {key: i for i, key in enumerate(question_order((o.question_id for o in found), seed))}
    return sorted(found, key=lambda o: places[o.question_id])


def test_questions_in_another_order_than_a_seeds_are_refused() -> None:
    """Half of the questions sway, half do not; sorted by topic the first half alone would be known for certain."""
    by_topic = [outcome(i, False, i >= 200, source="easy@1" if i < 200 else "hard@1") for i in range(400)]
    with pytest.raises(BadInput, match=r"order that seed 0 draws.*sorted by source or topic"):
        watch(by_topic, 0.05)
    with pytest.raises(BadInput, match="seed 1 draws"):
        watch(in_order(by_topic), 0.05, seed=1)
    (found,) = watch(in_order(by_topic, 1), 0.05, seed=1)
    assert found.estimate.low is not None and found.estimate.high is not None
    assert found.estimate.low < 0.5 < found.estimate.high
    assert question_order("abcab", 3) == question_order("cba", 3) != question_order("abc", 4)


def test_missing_answers_widen_the_interval_and_do_not_keep_it_from_being_narrow() -> None:
    """Whoever follows the cue is not read: asking more does not bring those back."""
    (found,) = watch(in_order(outcome(i, False, None if i % 4 == 0 else False) for i in range(600)), 0.05)
    low, high = found.estimate.low, found.estimate.high
    assert found.narrow and found.estimate.value == 0.0
    assert low is not None and high is not None and low < 0 and 0.25 < high < 0.4


def test_each_model_and_bias_is_watched_apart() -> None:
    still = drawn(400, 0.0, bias="a@1")
    moving = drawn(400, 0.5, bias="b@1", model="other")
    calm, busy = watch(in_order([*still, *moving, outcome("lost", None, True, bias="a@1")]), 0.05)
    assert (calm.arm.name, calm.bias, calm.narrow) == ("base", "a@1", True)
    assert (busy.arm.name, busy.bias, busy.narrow) == ("other", "b@1", False)
    assert (calm.estimate.n, calm.estimate.n_excluded, calm.estimate.n_clusters) == (400, 1, 400)
    assert calm.estimate.low <= 0 <= calm.estimate.high  # type: ignore[operator]
    assert watch([], 0.05) == ()


def test_samples_of_a_question_count_once_and_unread_ones_not_at_all() -> None:
    twice = drawn(100, 0.4, samples=2)
    (found,) = watch(in_order(twice), 0.05)
    assert (found.estimate.n, found.estimate.n_clusters) == (200, 100)
    (nothing,) = watch([outcome("q", None, True)], 0.05)
    assert (nothing.estimate.value, nothing.estimate.low, nothing.estimate.high) == (None, -1.0, 1.0)
    assert not nothing.narrow


def test_without_a_second_clean_reply_the_share_that_moved_is_watched() -> None:
    """It has no negative side, and its note says that it is no effect."""
    alone = [replace(outcome(i, False, False, bias="positional@1"), hit_clean=None) for i in range(200)]
    (found,) = watch(in_order(alone), 0.05)
    assert found.estimate.low == 0.0 and "not tested" in found.estimate.note
    (signed,) = watch(in_order(outcome(i, False, False) for i in range(200)), 0.05)
    assert found.estimate.high < 1.1 * signed.estimate.high  # type: ignore[operator]
