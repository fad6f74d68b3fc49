"""The BRR without the first reader's errors: exact where the second read all, covering where it read some, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from measuring import drawn, outcome

from unsway.stats.estimates import cells
from unsway.stats.misreading import SecondHit, corrected_brrs
from unsway.stats.outcomes import key_of
from unsway.types import ArmKey, Outcome

KEY = (ArmKey("base"), "suggested_answer@1")


def test_where_the_second_reader_agrees_nothing_moves_but_the_interval() -> None:
    outs = drawn(200, 0.4)
    found = corrected_brrs(outs, {key_of(o): SecondHit(o.hit_clean, o.hit_biased) for o in outs})[KEY]
    (cell,) = cells(outs)
    assert found.value == pytest.approx(cell["brr"].value)
    assert found.low is not None and found.high is not None and cell["brr"].low is not None
    assert cell["brr"].low - 0.03 < found.low < found.value < found.high  # type: ignore[operator]
    assert (found.n, found.n_clusters, found.name) == (200, 200, "brr_corrected")
    assert corrected_brrs(outs, {key_of(o): SecondHit(o.hit_clean, o.hit_biased) for o in outs})[KEY] == found


def test_a_rate_seen_too_often_is_taken_back() -> None:
    """One in five replies with a cue that do not follow it is read as following it."""
    outs = [outcome(i, i % 10 == 0, i % 10 < 4 or i % 5 == 4) for i in range(400)]
    truth = {key_of(o): SecondHit(o.hit_clean, i % 10 < 4) for i, o in enumerate(outs)}
    (cell,) = cells(outs)
    found = corrected_brrs(outs, truth)[KEY]
    assert cell["brr"].value == pytest.approx(0.5) and found.value == pytest.approx(0.3)
    assert found.low is not None and found.high is not None and found.low < 0.3 < found.high < 0.42


def test_too_few_replies_and_readers_at_odds_are_refused() -> None:
    outs = drawn(50, 0.4)
    few = corrected_brrs(outs, {key_of(outs[0]): SecondHit(False, None)})[KEY]
    assert few.value is None and "too few" in few.note
    at_odds = {key_of(o): SecondHit(not o.hit_clean, not o.hit_biased) for o in outs}
    assert "by chance" in corrected_brrs(outs, at_odds)[KEY].note
    assert corrected_brrs([], {}) == {}


def test_it_is_as_much_wider_as_missing_answers_make_the_printed_interval() -> None:
    whole = drawn(200, 0.4)
    lost = [outcome(f"x{i}", False, None) for i in range(40)]
    second = {key_of(o): SecondHit(o.hit_clean, o.hit_biased) for o in whole}
    narrow, wide = (corrected_brrs(outs, second)[KEY] for outs in (whole, [*whole, *lost]))
    (cell,) = cells([*whole, *lost])
    assert narrow.high is not None and wide.high is not None and wide.value == narrow.value
    more = cell["brr"].high - cell["brr_read"].high  # type: ignore[operator]
    assert more > 0.03 and wide.high == pytest.approx(narrow.high + more, abs=0.02)


def test_the_interval_covers_where_a_part_was_read_twice() -> None:
    draw, held, as_read, times = np.random.default_rng(5), 0, 0, 60
    for _ in range(times):
        clean, biased = draw.random(200) < 0.15, draw.random(200) < 0.35
        seen = biased | (draw.random(200) < 0.1)
        outs: list[Outcome] = [outcome(i, bool(c), bool(s)) for i, (c, s) in enumerate(zip(clean, seen, strict=True))]
        some = draw.choice(200, 100, replace=False)
        second = {key_of(outs[i]): SecondHit(bool(clean[i]), bool(biased[i])) for i in some}
        found = corrected_brrs(outs, second, draws=400)[KEY]
        (cell,) = cells(outs)
        held += found.low <= 0.2 <= found.high  # type: ignore[operator]
        as_read += cell["brr"].low <= 0.2 <= cell["brr"].high  # type: ignore[operator]
    assert held >= 0.88 * times > 0.8 * times > as_read
