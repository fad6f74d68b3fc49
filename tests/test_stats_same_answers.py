"""Errors made twice: what is a question's own, and what an arm answers whenever it is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from unsway.stats.compared import Scores
from unsway.stats.same_answers import ALONE, UNKNOWN_RIGHT, excess, excess_change, two_places

RIGHT = np.repeat([0, 1, 2, 3], 100)


def answered(own: float, shares: Sequence[float], seed: int = 0) -> np.ndarray:
    """Two wrong answers to each question: each is the question's own at a rate, else drawn anew from the shares."""
    random, found = np.random.default_rng(seed), []
    for right in RIGHT:
        wrong = [place for place in range(4) if place != right]
        rates = np.array(shares)[wrong] / sum(np.array(shares)[wrong])
        sticks, drawn = random.choice(wrong, p=rates), random.choice(wrong, 2, p=rates)
        found.append(two_places(*(int(sticks) if random.random() < own else int(each) for each in drawn)))
    return np.array(found)


def scores(both_Q: np.ndarray) -> Scores:
    return Scores(both_Q, both_Q, both_Q, 0, (), (4,) * len(both_Q), tuple(RIGHT.tolist()))


def test_the_chance_agreement_is_that_of_different_questions() -> None:
    """Three questions of a right place: A A, A A, B C. Two of three agree; of 12 pairs of answers to different ones 4 do."""
    both_Q = np.array([two_places(0, 0), two_places(0, 0), two_places(1, 2), math.nan, two_places(1, 1)])
    assert excess(both_Q, np.array([3, 3, 3, 3, 0])) == pytest.approx(2 / 3 - 4 / 12)  # the last is alone of its kind
    assert math.isnan(excess(both_Q[3:], np.array([3, 0])))


@pytest.mark.parametrize("shares", [(1, 1, 1, 1), (7, 1, 1, 1)])
def test_an_arm_that_prefers_a_letter_repeats_itself_by_chance_alone(shares: tuple[int, ...]) -> None:
    """Of answers that are drawn anew, two are the same in Σ p² of questions; of those of which half stick, in more."""
    drawn, half = answered(0.0, shares, seed=1), answered(0.7, shares, seed=2)
    repeated = float(np.mean([code // 100 == code % 100 for code in drawn]))
    chance = np.mean([
        sum((share / (sum(shares) - shares[right])) ** 2 for place, share in enumerate(shares) if place != right)
        for right in range(4)
    ])  # fmt: skip
    assert repeated == pytest.approx(chance, abs=0.06) and abs(excess(drawn, RIGHT)) < 0.06
    assert excess(half, RIGHT) == pytest.approx(0.49 * (1 - chance), abs=0.07)
    found = excess_change(scores(half), scores(drawn))
    assert found.estimate.value == pytest.approx(excess(half, RIGHT) - excess(drawn, RIGHT))
    assert found.ends.high < 0 and found.p_loss < 0.01 and found.shift == -found.estimate.value
    assert (
        excess_change(scores(drawn), scores(drawn)).ends.low < 0 < excess_change(scores(half), scores(half)).ends.high
    )


def test_missing_answers_may_all_be_alike_or_apart() -> None:
    base = answered(0.5, (1, 1, 1, 1))
    read = np.where(np.arange(400) % 10 == 0, math.nan, base)
    missing = Scores(read, np.nan_to_num(read), np.nan_to_num(read), 40, (), (4,) * 400, tuple(RIGHT.tolist()))
    found = excess_change(missing, scores(base))
    assert found.bounds.low < -0.04 and found.bounds.high > 0.04 and found.n_missing == 40
    for seed in range(5):  # whatever they are, the number lies between
        random = np.random.default_rng(seed)
        guess = [two_places(*random.integers(0, 4, 2)) if random.random() < 0.9 else math.nan for _ in base]
        change = excess(np.where(np.isnan(read), guess, read), RIGHT) - excess(base, RIGHT)
        assert found.bounds.low <= -change <= found.bounds.high


def test_what_is_not_known_is_said() -> None:
    nameless = Scores.whole(np.zeros(9))
    assert excess_change(nameless, nameless).estimate.note == UNKNOWN_RIGHT
    none = scores(np.full(400, math.nan))
    assert excess_change(none, none).estimate.note == ALONE
