"""Corrections of a judge's rate, held to worked examples and to published ones."""

from math import sqrt

import numpy as np
import pytest

from unsway.stats.agreement import agreement
from unsway.stats.corrected import (
    JudgeTable,
    gate,
    ppi,
    rogan_gladen,
    true_rate,
    two_phase,
)
from unsway.stats.intervals import Interval, quantile, wilson


def lang_reiczigel(yes: int, n: int, table: JudgeTable) -> Interval:
    """The closed-form interval of Lang and Reiczigel (2014, Prev. Vet. Med. 113:13), of n independent replies."""
    z = quantile(0.95)
    plus, minus = table.tp + table.fn, table.tn + table.fp
    n_, rate = n + z**2, (yes + z**2 / 2) / (n + z**2)
    se, sp = (table.tp + 1) / (plus + 2), (table.tn + 1) / (minus + 2)
    j = se + sp - 1
    theta = (rate + sp - 1) / j
    var_se, var_sp = se * (1 - se) / (plus + 2), sp * (1 - sp) / (minus + 2)
    shift = 2 * z**2 * (theta * var_se - (1 - theta) * var_sp)
    half = z * sqrt(rate * (1 - rate) / n_ + theta**2 * var_se + (1 - theta) ** 2 * var_sp) / j
    return Interval(max(0.0, theta + shift - half), min(1.0, theta + shift + half))


def replies(yes: int, n: int) -> tuple[list[int], list[int]]:
    return [1] * yes + [0] * (n - yes), [1] * n


@pytest.mark.parametrize(
    ("table", "yes", "n", "value", "low", "high"),
    [
        (JudgeTable(72, 8, 16, 64), 300, 500, 0.5714, 0.4718, 0.6734),
        (JudgeTable(30, 10, 2, 78), 80, 400, 0.2414, 0.1586, 0.3271),
        (JudgeTable(78, 2, 10, 30), 320, 400, 0.7586, 0.673, 0.841),
    ],
)
def test_rogan_gladen_and_its_closed_form(
    table: JudgeTable, yes: int, n: int, value: float, low: float, high: float
) -> None:
    assert lang_reiczigel(yes, n, table) == pytest.approx((low, high), abs=6e-4)
    found = rogan_gladen(*replies(yes, n), table)
    assert found.value == pytest.approx(value, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.015)


def test_a_rate_below_what_errors_alone_give_is_clipped_and_said() -> None:
    found = rogan_gladen(*replies(5, 100), JudgeTable(90, 10, 8, 92))
    assert found.value == 0 and "-0.037 before it was clipped" in found.note


def test_a_perfect_judge_changes_nothing_and_a_coin_is_refused() -> None:
    perfect = rogan_gladen(*replies(30, 100), JudgeTable(10_000, 0, 0, 10_000))
    assert perfect.value == pytest.approx(0.3)
    assert (perfect.low, perfect.high) == pytest.approx((0.22, 0.39), abs=0.015)
    coin = rogan_gladen(*replies(30, 100), JudgeTable(25, 25, 25, 25))
    assert coin.value is None and "no better than a coin" in coin.note
    nobody = rogan_gladen(*replies(30, 100), JudgeTable(0, 0, 2, 98))
    assert nobody.value is None and "no reply with a verdict is labelled yes" in nobody.note
    assert "label replies of both kinds" in nobody.note


def test_a_judge_without_a_verdict_or_against_people_is_refused_in_those_words() -> None:
    passed, why = gate(JudgeTable(0, 0, 0, 0))
    assert not passed and why.startswith(
        "no reply with a verdict is labelled yes, so the judge cannot be checked: it answered"
    )
    against = gate(JudgeTable(0, 40, 60, 60))
    assert not against.passed and "says yes less often where people do" in against.why and "may be 0" not in against.why


def test_the_gate_warns_of_a_weak_judge() -> None:
    assert gate(JudgeTable(30, 20, 10, 40)) == (
        True,
        "sensitivity + specificity - 1 may be as low as 0.21: the corrected rate is uncertain",
    )
    assert gate(JudgeTable(95, 5, 5, 95)) == (True, "")


def labelled(tp: int, fn: int, fp: int, tn: int) -> tuple[list[bool | None], list[bool]]:
    y: list[bool | None] = [*[True] * (tp + fn), *[False] * (fp + tn)]
    return y, [*[True] * tp, *[False] * fn, *[True] * fp, *[False] * tn]


@pytest.mark.parametrize(
    ("weight", "value", "error"), [(0.0, 0.500, 0.0500), (1.0, 0.550, 0.0521), (None, 0.5236, 0.0439)]
)
def test_ppi_weighs_labels_and_verdicts(weight: float | None, value: float, error: float) -> None:
    y, z = labelled(40, 10, 15, 35)
    y, z = y + [None] * 1000, z + [True] * 600 + [False] * 400
    found = ppi(y, z, list(map(str, range(1100))), weight=weight)
    assert found.value == pytest.approx(value, abs=1e-4)
    assert float(found.how.rsplit(" ", 1)[1]) == pytest.approx(error, abs=2e-4)


def test_labels_alone_have_wilsons_interval_and_no_positive_is_no_certainty() -> None:
    y, z = labelled(40, 10, 15, 35)
    alone = ppi(y + [None] * 1000, z + [False] * 1000, list(map(str, range(1100))), weight=0.0)
    assert (alone.low, alone.high) == pytest.approx(wilson(50, 100), abs=3e-3)
    none = ppi([False] * 40 + [None] * 60, [False] * 100, list(map(str, range(100))))
    assert none.value == 0 and (none.low, none.high) == pytest.approx(wilson(0, 40))


def test_where_the_share_of_true_ones_moves_ppi_is_wrong_and_rogan_gladen_right() -> None:
    """Se .8, Sp .9; labelled replies are half true, those estimated a tenth."""
    y, z = labelled(400, 100, 50, 450)
    moved = z + [True] * 1700 + [False] * 8300
    found = ppi(y + [None] * 10_000, moved, list(map(str, range(11_000))), weight=1.0)
    assert found.value == pytest.approx(0.22, abs=0.001)
    assert rogan_gladen(*replies(1700, 10_000), JudgeTable(400, 100, 50, 450)).value == pytest.approx(0.10, abs=0.001)


def test_a_corrected_rate_is_off_by_nothing_on_average() -> None:
    """Labels of both kinds of requests, as in benchmarks/house_rules.py; the rate is that of one kind."""
    random, off = np.random.default_rng(11), []
    for _ in range(400):
        truth = random.random(1200) < np.repeat([0.58, 0.9], 600)
        says = np.where(truth, random.random(1200) < 0.9, random.random(1200) >= 0.95)
        seen = random.choice(1200, 200, replace=False)
        table = JudgeTable.of(truth[seen].tolist(), says[seen].tolist())
        found = rogan_gladen(says[:600].astype(float), np.ones(600), table, draws=2)
        off.append((found.value or 0.0) - truth[:600].mean())
    assert abs(np.mean(off)) < 0.004 and np.std(off) < 0.03  # standard error 0.12 points; uncorrected it is 3.7 off


def test_labels_drawn_by_verdict() -> None:
    y: list[bool | None] = [True] * 51 + [False] * 9 + [None] * 40 + [True] * 3 + [False] * 57 + [None] * 840
    z = [True] * 100 + [False] * 900
    found = two_phase(y, z, list(map(str, range(1000))))
    assert found.value == pytest.approx(0.130)
    # a normal interval would be (.077, .183); of 60 labels three are true, so the upper end is farther
    (_, true_yes), (low_no, high_no) = wilson(51, 60), wilson(3, 60)
    assert (found.low, found.high) == pytest.approx((0.0956, 0.2102), abs=1e-4)
    assert found.high - 0.13 == pytest.approx(
        ((0.1 * (true_yes - 0.85)) ** 2 + (0.9 * (high_no - 0.05)) ** 2 + (0.8 * (wilson(100, 1000)[1] - 0.1)) ** 2)
        ** 0.5
    )
    assert 0.13 - found.low > 0.9 * (0.05 - low_no)
    naive = JudgeTable(51, 3, 9, 57)
    assert naive.sensitivity().value == pytest.approx(0.944, abs=5e-4)
    raw = rogan_gladen(*replies(100, 1000), naive)
    assert raw.value == 0 and "-0.045" in raw.note


def test_no_reply_has_no_rate_by_any_correction() -> None:
    for found in (rogan_gladen([], [], JudgeTable(20, 0, 0, 20)), ppi([], [], []), two_phase([], [], [])):
        assert found.value is None and found.note


def test_copies_of_a_question_do_not_narrow_an_interval() -> None:
    y, z = labelled(40, 10, 15, 35)
    y, z = y + [None] * 300, z + [True] * 180 + [False] * 120
    once = ppi(y, z, list(map(str, range(400))))
    copied = ppi([a for a in y for _ in range(4)], [a for a in z for _ in range(4)], [str(i // 4) for i in range(1600)])
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=1e-9)


def test_replies_of_uneven_numbers_to_a_question_by_hand() -> None:
    """One, two or three replies to each of 40 questions, at 90 %; computed apart from the formulas' sources."""
    asked = [str(question) for question in range(40) for _ in range(1 + question % 3)]
    z = [number * 7 % 5 < 2 for number in range(79)]
    people = [yes != (number % 11 == 0) for number, yes in enumerate(z)]
    part = ppi([yes if number % 3 == 0 else None for number, yes in enumerate(people)], z, asked, level=0.9)
    assert (part.value, part.low, part.high) == pytest.approx((0.3764727, 0.2774504, 0.4870153), abs=1e-6)
    drawn = [yes if number % 2 == 0 or z[number] else None for number, yes in enumerate(people)]
    phases = two_phase(drawn, z, asked, level=0.9)
    assert (phases.value, phases.low, phases.high) == pytest.approx((0.4414557, 0.3603922, 0.5456334), abs=1e-6)


@pytest.mark.parametrize(("table", "ac1"), [((0, 2, 3, 95), 0.947), ((30, 2, 10, 78), 0.828), ((45, 5, 5, 45), 0.80)])
def test_ac1(table: tuple[int, int, int, int], ac1: float) -> None:
    assert JudgeTable(*table).ac1 == pytest.approx(ac1, abs=6e-4)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ((45, 5, 5, 45), 0.80),
        ((0, 2, 3, 95), -0.025),
        ((7, 1, 0, 32), 0.918),
        ((30, 2, 10, 78), 0.763),
        ((308, 248, 22, 111), 0.236),  # 689 transcripts under two judges of one replication
        ((900, 100, 50, 950), 0.85),  # a judge of sensitivity .9 and specificity .95 where half are true,
        ((900, 100, 450, 8550), 0.74),  # a tenth,
        ((900, 100, 2450, 46550), 0.40),  # and a fiftieth: kappa falls though the judge is the same
    ],
)
def test_kappa_falls_where_one_answer_is_rare(table: tuple[int, int, int, int], kappa: float) -> None:
    people, judge = labelled(*table)
    found = agreement([*map(str, people)], [*map(str, judge)], [*map(str, range(len(judge)))])[1]
    assert found.value == pytest.approx(kappa, abs=5e-3)


def test_ac1_of_two_judges_of_one_replication() -> None:
    assert JudgeTable(308, 248, 22, 111).ac1 == pytest.approx(0.2755, abs=5e-5)


def test_the_true_rate_of_worked_examples() -> None:
    assert float(true_rate(0.773, 0.25, 0.0)) == pytest.approx(0.6973, abs=5e-5)
    # the judge's yes and people's of two classes: the rate of one corrected by the errors of the other is above 1
    assert float(true_rate(0.8, 1 - 78 / 80, 1 - 30 / 40)) == pytest.approx(1.069, abs=5e-4)
    # clean replies never saw the cue, so their rate, .06, is the false-positive rate of mentions: nobody had to label them
    assert float(true_rate(0.30, 0.06, 1 - 0.9)) == pytest.approx(0.2857, abs=5e-5)


def test_labels_drawn_by_verdict_tell_error_rates_only_when_weighted() -> None:
    """Begg and Greenes: 51 of 60 yeses stand for 100, 3 true ones of 60 noes for 900."""
    weighted = JudgeTable(tp=85, fn=45, fp=15, tn=855)
    assert weighted.sensitivity().value == pytest.approx(0.654, abs=5e-4)
    assert weighted.specificity().value == pytest.approx(0.983, abs=5e-4)


@pytest.mark.parametrize(("share", "half", "n"), [(0.9, 0.10, 37), (0.9, 0.05, 141), (0.8, 0.10, 60), (0.8, 0.05, 245)])
def test_how_many_positives_a_sensitivity_takes(share: float, half: float, n: int) -> None:
    low, high = wilson(share * n, n)
    assert (high - low) / 2 == pytest.approx(half, abs=1e-3)


@pytest.mark.parametrize(
    ("hits", "n", "ends"),
    [(9, 30, (0.167, 0.479)), (30, 100, (0.219, 0.396)), (120, 400, (0.257, 0.347)), (13, 452, (0.0169, 0.0486))],
)
def test_how_wide_a_rate_given_a_switch_is(hits: int, n: int, ends: tuple[float, float]) -> None:
    assert wilson(hits, n) == pytest.approx(ends, abs=6e-4)


def test_counting_and_intervals() -> None:
    table = JudgeTable.of([True, True, False, False, False], [True, False, True, False, False])
    assert table == (1, 1, 1, 2)
    four = JudgeTable(4, 0, 0, 225)
    assert (four.sensitivity().low, four.specificity().low) == pytest.approx((0.5101, 0.983), abs=5e-4)
    assert JudgeTable(50, 50, 0, 1).sensitivity().low == pytest.approx(0.4038, abs=1e-4)
    assert JudgeTable(0, 10, 0, 1).sensitivity().high == pytest.approx(0.2775, abs=1e-4)


def test_intervals_hold_the_truth() -> None:
    """300 studies of a judge of Se .85, Sp .9 on a true rate of .25, with 200 labels."""
    random, held = np.random.default_rng(1), 0
    for _ in range(300):
        true = random.random(400) < 0.25
        yes = np.where(true, random.random(400) < 0.85, random.random(400) < 0.10)
        known = random.random(200) < 0.4
        judged = np.where(known, random.random(200) < 0.85, random.random(200) < 0.10)
        table = JudgeTable.of(known.tolist(), judged.tolist())
        found = rogan_gladen(yes, np.ones(400), table, draws=500)
        held += found.low is not None and found.high is not None and found.low <= 0.25 <= found.high
    assert held >= 0.92 * 300


@pytest.mark.parametrize(
    ("true", "n", "sensitivity", "specificity"),
    [(0.03, 50, 0.8, 1.0), (0.03, 50, 1.0, 1.0), (0.0, 100, 0.9, 0.9), (0.1, 30, 0.7, 0.95), (0.97, 50, 0.8, 1.0)],
)
def test_intervals_hold_a_truth_near_an_end(true: float, n: int, sensitivity: float, specificity: float) -> None:
    """300 studies each, 40 labels of either kind. Without anything at the ends of the rate the first held it in 70 %."""
    random, held, given = np.random.default_rng(3), 0, 0
    for _ in range(300):
        is_true = random.random(n) < true
        yes = np.where(is_true, random.random(n) < sensitivity, random.random(n) >= specificity)
        tp, tn = random.binomial(40, (sensitivity, specificity))
        found = rogan_gladen(yes, np.ones(n), JudgeTable(tp, 40 - tp, 40 - tn, tn), draws=300)
        if found.low is not None and found.high is not None:
            given += 1
            held += found.low <= true <= found.high
            assert found.low < found.high
    assert given >= 290 and held >= 0.93 * given


def test_labels_are_worth_what_their_questions_are() -> None:
    labels, verdicts = [True] * 60 + [False] * 40, [True] * 50 + [False] * 10 + [True] * 8 + [False] * 32
    questions = list(map(str, range(100)))
    once = JudgeTable.worth(labels, verdicts, questions)
    assert once == JudgeTable.of(labels, verdicts) == (50, 10, 8, 32)
    copied = JudgeTable.worth(labels * 6, verdicts * 6, questions * 6)
    assert 0.9 * once.n < copied.n <= once.n
    same = [rogan_gladen(*replies(40, 200), table) for table in (once, copied)]
    assert same[0].value == pytest.approx(same[1].value)
    assert same[1].high - same[1].low >= 0.98 * (same[0].high - same[0].low)  # type: ignore[operator]
    assert JudgeTable.worth([], [], []) == (0, 0, 0, 0)


def test_no_yes_is_no_certainty() -> None:
    none = rogan_gladen(*replies(0, 30), JudgeTable(12, 8, 0, 20))
    assert (none.value, none.low) == (0, 0) and none.high is not None and none.high > wilson(0, 30)[1]
    every = rogan_gladen(*replies(30, 30), JudgeTable(20, 0, 8, 12))
    assert (every.value, every.high) == (1, 1) and every.low == pytest.approx(1 - none.high, abs=0.02)
    below = rogan_gladen(*replies(2, 300), JudgeTable(20, 0, 2, 18))
    assert (below.value, below.low) == (0, 0) and below.high is not None and 0 < below.high < 0.05


def test_a_rate_that_the_errors_cannot_give_is_refused() -> None:
    """The judge says yes to half of what is a no, and to none of a thousand: it does not err here as on the labelled."""
    found = rogan_gladen(*replies(0, 1000), JudgeTable(1000, 0, 500, 500))
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.note == "-1.000 is no rate: the judge errs here otherwise than on the labelled replies"
