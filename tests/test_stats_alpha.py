"""Krippendorff's alpha: the published examples, and what has no number."""

from __future__ import annotations

import random

import pytest

from unsway.errors import BadInput
from unsway.stats.agreement import agreement
from unsway.stats.alpha import krippendorff


def units(*readers: str) -> list[list[int]]:
    """Each reader's values, a character a unit; a dot where there is none."""
    return [[int(char) for char in column if char != "."] for column in zip(*readers, strict=True)]


PUBLISHED = units("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
"""Four observers and twelve units, from Krippendorff (2011), example C."""


@pytest.mark.parametrize(("metric", "value"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_the_published_example(metric: str, value: float) -> None:
    found = krippendorff(PUBLISHED, list(map(str, range(12))), range(1, 6), metric=metric)  # type: ignore[arg-type]
    assert found.value == pytest.approx(value, abs=0.0005)
    assert found.n == 11 and found.n_excluded == 1 and found.low < found.value < found.high


def test_two_readers_of_two_values_are_near_kappa() -> None:
    draw = random.Random(3)
    pairs = [(x, x if draw.random() < 0.8 else 1 - x) for x in (draw.randrange(2) for _ in range(400))]
    questions = list(map(str, range(400)))
    alpha = krippendorff(pairs, questions, (0, 1))
    _, kappa = agreement([str(a) for a, _ in pairs], [str(b) for _, b in pairs], questions)
    assert (alpha.value, alpha.low, alpha.high) == pytest.approx((kappa.value, kappa.low, kappa.high), abs=0.01)


def test_the_order_of_readers_and_units_does_not_matter() -> None:
    questions = [str(i) for i in range(12)]
    mixed = list(zip([unit[::-1] for unit in PUBLISHED], questions, strict=True))
    random.Random(1).shuffle(mixed)
    found = krippendorff(
        [unit for unit, _ in mixed], [question for _, question in mixed], range(1, 6), metric="ordinal"
    )
    again = krippendorff(PUBLISHED, questions, range(1, 6), metric="ordinal")
    assert (found.value, found.low, found.high) == pytest.approx((again.value, again.low, again.high))


def test_copies_of_a_question_do_not_narrow_the_interval() -> None:
    once = krippendorff(PUBLISHED, [str(i) for i in range(12)], range(1, 6))
    thrice = krippendorff(PUBLISHED * 3, [str(i) for i in range(12)] * 3, range(1, 6))
    assert thrice.high - thrice.low > 0.9 * (once.high - once.low) and thrice.n_clusters == once.n_clusters == 11


def test_far_marks_disagree_more_than_near_ones() -> None:
    questions = [str(i) for i in range(8)]
    near = [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [1, 2], [4, 5], [2, 3]]
    far = [*near[:5], [1, 5], [5, 1], [1, 4]]
    values = [krippendorff(each, questions, range(1, 6), metric="ordinal").value for each in (near, far)]
    assert values[0] > 0.8 > 0.5 > values[1]


def test_full_agreement_has_an_interval_below_one() -> None:
    found = krippendorff([[0, 0]] * 10 + [[1, 1]] * 10, [str(i) for i in range(20)], (0, 1))
    assert found.value == found.high == 1 and 0.5 < found.low < 1


def test_what_has_no_number_says_why() -> None:
    assert "two" in krippendorff([[1], [2]], ["a", "b"], (1, 2)).note
    assert "always read 1" in krippendorff([[1, 1], [1, 1]], ["a", "b"], (1, 2)).note
    with pytest.raises(BadInput, match="7 is not among"):
        krippendorff([[7, 1]], ["a"], (1, 2))
    with pytest.raises(BadInput, match="one of each"):
        krippendorff([[1, 1]], [], (1, 2))
