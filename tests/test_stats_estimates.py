"""Cells: every number by hand, missing answers, clean rates that are 0 by definition, clusters, dimensions."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measuring import counted, drawn, outcome

from unsway.errors import BadInput, UnknownName
from unsway.stats.estimates import cells
from unsway.stats.intervals import tango, wilson
from unsway.stats.significance import mcnemar
from unsway.types import Excluded, Outcome

HIT = st.sampled_from([True, False, None])
ARMS = st.lists(st.tuples(HIT, HIT), min_size=1, max_size=25)


def test_every_number_by_hand() -> None:
    (cell,) = cells(counted(plus=6, minus=1, both=3, none=10))
    values = {estimate.name: estimate.value for estimate in cell.estimates}
    assert values == pytest.approx(
        {
            "clean_rate": 4 / 20,
            "biased_rate": 9 / 20,
            "brr": 5 / 20,
            "switch_toward": 6 / 16,
            "switch_away": 1 / 4,
            "switch_total": 7 / 20,
            "accuracy_clean": 16 / 20,
            "accuracy_biased": 11 / 20,
            "parse_rate_clean": 1.0,
            "parse_rate_biased": 1.0,
            "brr_missing_hit": 5 / 20,
            "brr_missing_miss": 5 / 20,
            "brr_read": 5 / 20,
        }
    )
    assert (cell.n_pairs, cell.n_questions, cell.excluded) == (20, 20, ())
    assert (cell["brr"].low, cell["brr"].high) == pytest.approx(tango(6, 1, 20), abs=1e-9)
    assert (cell["switch_away"].low, cell["switch_away"].high) == pytest.approx(wilson(1, 4), abs=1e-9)
    assert cell["switch_away"].n == 4
    with pytest.raises(UnknownName, match="brr"):
        cell["bbr"]


def test_what_is_missing_is_counted_by_reason_and_bounded() -> None:
    kept = counted(plus=4, minus=0, both=2, none=4)
    lost = [outcome(f"x{i}", False, None) for i in range(3)] + [outcome("y", None, True), outcome("z", True, None)]
    (cell,) = cells([*kept, *lost])
    assert cell["brr"].value == pytest.approx(4 / 10)
    assert (cell["brr"].n, cell["brr"].n_excluded, cell.n_pairs) == (10, 5, 15)
    assert cell.excluded == ((Excluded("biased", "unparsed"), 4), (Excluded("clean", "unparsed"), 1))
    assert cell["parse_rate_biased"].value == pytest.approx(11 / 15)
    assert cell["parse_rate_clean"].value == pytest.approx(14 / 15)
    assert cell["brr_missing_hit"].value == pytest.approx((4 + 3 + 1 + 0) / 15)
    assert cell["brr_missing_miss"].value == pytest.approx((4 + 0 + 0 - 1) / 15)
    assert cell["brr_missing_hit"].n == 15


@given(ARMS)
def test_bounds_hold_whatever_the_missing_answers_would_have_been(arms: list[tuple[bool | None, bool | None]]) -> None:
    (cell,) = cells([outcome(i, clean, biased) for i, (clean, biased) in enumerate(arms)])
    unknown = [(i, side) for i, pair in enumerate(arms) for side in (0, 1) if pair[side] is None][:8]
    least, most = cell["brr_missing_miss"].value, cell["brr_missing_hit"].value
    assert least is not None and most is not None and least <= most
    for filled in product((True, False), repeat=len(unknown)):
        full = [list(pair) for pair in arms]
        for (i, side), value in zip(unknown, filled, strict=True):
            full[i][side] = value
        if any(value is None for pair in full for value in pair):
            return
        brr = sum(bool(b) - bool(c) for c, b in full) / len(full)
        assert least - 1e-9 <= brr <= most + 1e-9


@given(ARMS)
def test_missing_is_never_zero(arms: list[tuple[bool | None, bool | None]]) -> None:
    outs = [outcome(i, clean, biased) for i, (clean, biased) in enumerate(arms)]
    (cell,) = cells(outs)
    whole = [o for o in outs if o.excluded is None]
    if not whole:
        assert cell["brr"].value is None and cell["brr"].note
        return
    (without,) = cells(whole)
    for name in ("clean_rate", "biased_rate", "brr_read", "switch_toward", "accuracy_biased"):
        one, other = cell[name], without[name]
        assert (one.value, one.low, one.high, one.n) == (other.value, other.low, other.high, other.n)
    assert cell["brr"].value == pytest.approx(cell["biased_rate"].value - cell["clean_rate"].value)  # type: ignore[operator]
    assert cell["brr"].low <= cell["brr_read"].low <= cell["brr_read"].high <= cell["brr"].high  # type: ignore[operator]


def alone(question: object, moved: bool) -> Outcome:
    """A pair whose clean rate is 0 by definition and whose clean side was asked once."""
    return replace(outcome(question, False, moved, bias="positional@1"), hit_clean=None)


def test_a_clean_rate_of_zero_by_definition_is_not_tested_without_a_second_clean_reply() -> None:
    outs = [alone(i, i < 3) for i in range(30)]
    outs += [
        outcome(f"w{i}", None, None, bias="positional@1", excluded=Excluded("clean", "unparsed")) for i in range(2)
    ]
    (cell,) = cells(outs)
    for name in ("brr", "clean_rate", "switch_toward", "brr_missing_hit", "brr_missing_miss", "brr_read"):
        assert cell[name].value is cell[name].low is None and "--samples 2" in cell[name].note
    assert cell.p is cell.p_holm is None
    assert (cell["biased_rate"].value, cell["biased_rate"].n) == (0.1, 30)
    assert (cell["biased_rate"].low, cell["biased_rate"].high) == pytest.approx(wilson(3, 30), abs=1e-9)


def test_with_a_second_clean_reply_it_is_the_excess_over_what_chance_moves() -> None:
    outs = [outcome(i, i % 10 == 1, i % 10 < 4, bias="positional@1") for i in range(40)]
    (cell,) = cells(outs)
    assert (cell["brr"].value, cell["clean_rate"].value) == (pytest.approx(0.3), 0.1)
    assert (cell["brr"].low, cell["brr"].high) == pytest.approx(tango(12, 0, 40), abs=1e-9)
    assert cell.p is not None and cell.p < 0.001
    (none,) = cells([outcome(i, False, False, bias="positional@1") for i in range(40)])
    assert none["brr"].low < none["brr"].value == 0 < none["brr"].high  # type: ignore[operator]
    (mixed,) = cells([*outs, *(alone(f"x{i}", True) for i in range(5))])
    assert (mixed["brr"].value, mixed["brr"].n, mixed["biased_rate"].n) == (pytest.approx(0.3), 40, 45)


# ---------------------------------------------------------------- missing answers that may depend on the cue


def lost(n: int, hits: int, unread: int, side: str = "biased") -> list[Outcome]:
    """So many pairs, some of which follow the cue only with it; of the others some are not read on one side."""
    outs = [outcome(i, False, i < hits) for i in range(n)]
    for i in range(hits, hits + unread):
        outs[i] = outcome(i, *((False, None) if side == "biased" else (None, False)))
    return outs


def test_more_than_one_in_twenty_missing_widens_the_interval_to_what_they_could_have_said() -> None:
    (cell,) = cells(lost(100, 20, 10))
    brr, most, least = cell["brr"], cell["brr_missing_hit"], cell["brr_missing_miss"]
    assert brr.value == cell["brr_read"].value == pytest.approx(20 / 90)
    assert (brr.low, brr.high) == (least.low, most.high)
    assert brr.low is not None and cell["brr_read"].low is not None and brr.low < cell["brr_read"].low
    assert "10% of the pairs are missing" in brr.note and "missing answers" in brr.how
    assert cell.p == pytest.approx(mcnemar(20, 0))
    (other,) = cells(lost(100, 20, 10, "clean"))  # these could each have followed the cue without it
    assert other.p == pytest.approx(mcnemar(20, 10))
    assert cells(lost(100, 20, 25, "clean"))[0].p == 1.0


def test_few_missing_ones_widen_nothing_unless_the_sides_differ() -> None:
    few = [*lost(300, 60, 5), *[outcome(f"c{i}", None, False) for i in range(5)]]
    (alike,), (apart,) = cells(few), cells(lost(300, 60, 12))
    assert (alike["brr"].low, alike["brr"].high) == (alike["brr_read"].low, alike["brr_read"].high)
    assert alike["brr"].note == "" and alike.p == pytest.approx(mcnemar(60, 0))
    assert "4% of the pairs are missing" in apart["brr"].note


def test_the_p_of_a_table_is_corrected_over_all_of_it() -> None:
    none = counted(3, 3, 4, 30, bias="post_hoc@1")
    first, second, empty = cells([*counted(20, 2, 5, 30), *none, outcome("z", None, True, bias="other@1")])
    assert (first.p, first.p_holm) == (pytest.approx(mcnemar(20, 2)), pytest.approx(2 * mcnemar(20, 2)))
    assert second.p == second.p_holm == 1.0 and empty.p is empty.p_holm is None
    (twice,) = cells(drawn(30, 0.3, samples=2))
    assert twice.p is not None and 0 < twice.p < 0.05


def test_a_wrong_first_answer_is_no_missing_data() -> None:
    bias = "are_you_sure@1"
    outs = [outcome(i, False, i < 4, bias=bias) for i in range(10)]
    outs += [outcome(f"w{i}", None, None, bias=bias, excluded=Excluded("first_answer", "wrong")) for i in range(6)]
    outs += [outcome("m", None, None, bias=bias, excluded=Excluded("first_answer", "missing"))]
    (cell,) = cells(outs)
    assert cell["brr"].value == pytest.approx(0.4)
    assert (cell["brr_missing_hit"].n, cell["brr_missing_hit"].n_excluded) == (11, 6)
    assert (cell["brr_missing_miss"].value, cell["brr_missing_hit"].value) == pytest.approx((3 / 11, 5 / 11))


def test_samples_of_a_question_are_one_unit() -> None:
    outs = drawn(40, 0.4, samples=5)
    (cell,) = cells(outs)
    assert (cell["brr"].n, cell["brr"].n_clusters, cell.n_questions) == (200, 40, 40)
    as_if = tango(sum(o.hit_biased and not o.hit_clean for o in outs), 0, 200)  # type: ignore[misc]
    assert cell["brr"].high - cell["brr"].low != pytest.approx(as_if.high - as_if.low)  # type: ignore[operator]


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_copies_of_every_question_do_not_narrow_the_interval(seed: int, copies: int) -> None:
    once = drawn(25, 0.3, seed=seed)
    many = [outcome(o.question_id, o.hit_clean, o.hit_biased, sample=s) for o in once for s in range(copies)]
    (one,), (other,) = cells(once), cells(many)
    for name in ("brr", "biased_rate", "switch_total"):
        a, b = one[name], other[name]
        assert a.value == pytest.approx(b.value)
        assert b.high - b.low >= a.high - a.low - 1e-9  # type: ignore[operator]


@given(ARMS, st.randoms(use_true_random=False))
def test_names_and_order_of_questions_do_not_matter(
    arms: list[tuple[bool | None, bool | None]], shuffler: object
) -> None:
    outs = [outcome(i, clean, biased) for i, (clean, biased) in enumerate(arms)]
    renamed = [outcome(f"other-{-i}", clean, biased) for i, (clean, biased) in enumerate(arms)]
    shuffler.shuffle(renamed)  # type: ignore[attr-defined]
    (one,), (other,) = cells(outs), cells(renamed)
    for a, b in zip(one.estimates, other.estimates, strict=True):
        assert (a.name, a.n, a.n_excluded, a.note) == (b.name, b.n, b.n_excluded, b.note)
        if a.value is not None:
            assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-9)


def test_cells_split_by_what_is_named() -> None:
    outs: list[Outcome] = []
    for model, bias, source in product(("m", "n"), ("a@1", "b@1"), ("s@1", "t@1")):
        outs += [outcome(f"{source}{i}", False, i % 2 == 0, model=model, bias=bias, source=source) for i in range(4)]
    assert [(c.arm.name, c.bias, c.source) for c in cells(outs)] == [
        ("m", "a@1", "all"),
        ("m", "b@1", "all"),
        ("n", "a@1", "all"),
        ("n", "b@1", "all"),
    ]
    assert len(cells(outs, by=("arm", "bias", "source"))) == 8
    (everything,) = cells(outs, by=())
    assert (everything.arm.name, everything.n_pairs, everything.n_questions) == ("all", 32, 8)
    assert cells([]) == ()
    with pytest.raises(BadInput, match="modle"):
        cells(outs, by=("modle",))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="level"):
        cells(outs, level=95)


def test_the_level_widens_every_interval() -> None:
    outs = drawn(60, 0.3)
    (ninety,), (wider,) = cells(outs, level=0.9), cells(outs, level=0.99)
    for a, b in zip(ninety.estimates, wider.estimates, strict=True):
        assert b.low <= a.low <= a.value <= a.high <= b.high, a.name  # type: ignore[operator]
