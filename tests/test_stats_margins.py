"""Margins: verdicts, the questions they need, and the two sentences; the numbers of the literature and of enumerations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unsway.errors import BadInput
from unsway.stats import changes, margins
from unsway.stats.changes import Scores, change
from unsway.stats.intervals import Floats, change_interval
from unsway.stats.margins import broken, decide, nothing_broke, questions_needed, word


def arms(n: int, lost: int, gained: int, *, base: float = 0.6) -> tuple[Scores, Scores]:
    """Two arms of right and wrong answers with so many that only the first, or only the second, has right."""
    before = np.array(
        [1.0] * lost + [0.0] * gained + [float(i < base * (n - lost - gained)) for i in range(n - lost - gained)]
    )
    after = before.copy()
    after[:lost], after[lost : lost + gained] = 0.0, 1.0
    return Scores.whole(after), Scores.whole(before)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.01, 0.01, "kept"),
        (-0.019, -0.001, "kept, a little worse"),
        (-0.05, -0.01, "lost"),
        (-0.02, 0.1, "cannot tell"),
        (0.01, 0.02, "kept"),
        (-0.02, -0.001, "lost"),
    ],
)
def test_the_word_is_the_place_of_the_interval(low: float, high: float, said: str) -> None:
    assert word(low, high, 0.02) == said
    with pytest.raises(BadInput, match="above 0"):
        word(low, high, 0.0)


@pytest.mark.parametrize(
    ("n", "lost", "gained", "margin", "said"),
    [(600, 9, 9, 0.02, "kept"), (600, 40, 10, 0.03, "lost"), (60, 5, 5, 0.02, "cannot tell")],
)
def test_verdicts_of_counts(n: int, lost: int, gained: int, margin: float, said: str) -> None:
    found = decide(change(*arms(n, lost, gained)), margin)
    assert found.word == said and found.compared.estimate.value == (gained - lost) / n
    assert (found.needed is not None) == (said == "cannot tell")
    if n == 600 and lost == 9:
        assert found.compared.ends.low == pytest.approx(-0.0152, abs=2e-4)  # Wald: -0.0139
    if said == "cannot tell":
        assert found.needed == questions_needed(10 / 60, 0.02) == 3271


def test_a_loss_passes_its_exact_test_too() -> None:
    found = decide(change(*arms(300, 9, 2)), 0.02)
    assert found.compared.ends.high < 0 and found.compared.p_loss > 0.025 and found.word == "cannot tell"
    assert decide(change(*arms(300, 12, 2)), 0.02).word == "lost"


def test_equal_models_are_called_worse_in_few_studies() -> None:
    random, lost = np.random.default_rng(6), 0
    for row in random.multinomial(300, (0.04, 0.04, 0.92), size=500):
        lost += decide(change(*arms(300, int(row[0]), int(row[1]))), 0.02).word == "lost"
    assert lost / 500 <= 0.025


NEEDED = {0.10: (7849, 1963, 873, 314), 0.15: (11774, 2944, 1309, 471), 0.20: (15698, 3925, 1745, 628)}
"""Share of questions that changed to the questions that margins of 1, 2, 3 and 5 points need."""


@pytest.mark.parametrize("share", NEEDED)
def test_questions_needed(share: float) -> None:
    assert tuple(questions_needed(share, margin) for margin in (0.01, 0.02, 0.03, 0.05)) == NEEDED[share]
    assert margins.smallest_margin(share, NEEDED[share][1]) == pytest.approx(0.02, rel=1e-3)


def test_541_prompts_show_no_margin_under_4_points() -> None:
    assert 0.04 < margins.smallest_margin(0.15, 541) < 0.05


def test_that_many_questions_say_kept_in_four_of_five_studies() -> None:
    random, n = np.random.default_rng(0), questions_needed(0.15, 0.05)
    counts = random.multinomial(n, (0.075, 0.075, 0.85), size=2000)
    kept = [change_interval(np.repeat([1.0, -1.0, 0.0], row), level=0.95).low > -0.05 for row in counts[:600]]
    assert 0.76 < np.mean(kept) < 0.86


def test_missing_answers_that_decide_are_said_to() -> None:
    after, before = arms(600, 9, 9)
    read = after.read_Q.copy()
    read[300:330] = np.nan
    least, most = np.where(np.isnan(read), 0.0, read), np.where(np.isnan(read), 1.0, read)
    found = decide(change(Scores(read, least, most, 30), before), 0.02)
    assert found.word == "cannot tell" and found.why == "missing answers decide"
    assert found.compared.bounds.low < -0.02 < found.compared.bounds.high and found.compared.n_missing == 30
    assert found.compared.estimate.n == 570 and found.compared.estimate.n_excluded == 30
    few = Scores(read, np.where(np.isnan(read), 1.0, read), np.where(np.isnan(read), 1.0, read), 30)
    assert decide(change(few, before), 0.02).why == ""


def test_a_rise_may_be_the_loss() -> None:
    after, before = arms(600, 10, 60)
    assert decide(change(after, before, rises=True), 0.02).word == "lost"
    assert decide(change(after, before), 0.02).word == "kept"


def used(share: float, n: int = 400) -> Floats:
    """What a document adds to each question: three quarters of the time nothing, else 1, thinned to a share."""
    random = np.random.default_rng(1)
    adds = random.random(n) < 0.6
    return np.where(adds & (random.random(n) < share), 1.0, 0.0)


def test_a_kept_share_is_a_quotient_and_refused_where_there_was_nothing() -> None:
    base = Scores.whole(used(1.0))
    half = decide(changes.kept_share(Scores.whole(used(0.5)), base), 0.2)
    assert half.word == "lost" and half.compared.estimate.value == pytest.approx(0.5, abs=0.06)
    assert decide(changes.kept_share(base, base), 0.2).word == "kept"
    nothing = decide(changes.kept_share(base, Scores.whole(np.tile([1.0, -1.0], 200))), 0.2)
    assert nothing.word == "cannot tell" and "may be 0" in nothing.compared.estimate.note


@pytest.mark.parametrize(("n", "width"), [(19, 0.75), (300, 0.045)])
def test_questions_that_did_not_change_do_not_show_that_nothing_can(n: int, width: float) -> None:
    same = Scores.whole(np.array([1.0, 0.0] * n)[:n])
    for found in (changes.kept_share(same, same), changes.prior_change(same, same), change(same, same)):
        low, high = found.ends
        assert found.shift == 0 and low < 0 < high and high - low > width / 4
    kept = changes.kept_share(same, same).ends
    assert kept.high - kept.low == pytest.approx(width, rel=0.2)
    assert decide(changes.kept_share(same, same), 0.2).word == ("cannot tell" if n == 19 else "kept")


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
def test_a_kept_share_of_20_questions_covers(share: float) -> None:
    random, held = np.random.default_rng(6), []
    for _ in range(200):
        before, stays, noise = random.random(20) < 0.6, random.random(20) < share, random.random((2, 20)) < 0.05
        arms = [
            np.where(flip, ~each, each).astype(float)
            for each, flip in zip((before, before & stays), noise, strict=True)
        ]
        found = changes.kept_share(Scores.whole(arms[1]), Scores.whole(arms[0])).estimate
        truth = (0.9 * 0.6 * share + 0.05) / (0.9 * 0.6 + 0.05)
        held.append((found.low or 0.0) <= truth <= (found.high or 0.0))
    assert np.mean(held) >= 0.93  # 52 to 93 % without pseudo-questions


def test_a_median_has_the_interval_of_its_order_statistics() -> None:
    before, after = Scores.whole(np.ones(10)), Scores.whole(np.arange(1.0, 11.0))
    found = changes.median_ratio(after, before).estimate
    assert (found.value, found.low, found.high) == (
        5.5,
        2.0,
        9.0,
    )  # P(1 < rank < 10) = 97.9 %, P(2 < rank < 9) = 89.1 %
    few = changes.median_ratio(Scores.whole(np.ones(5)), Scores.whole(np.ones(5)))  # all 5 on one side: 6.25 %
    assert few.estimate.value is None and "5 questions" in few.estimate.note and decide(few, 0.15).word == "cannot tell"


def test_a_loss_that_is_the_same_everywhere_is_one() -> None:
    assert changes.one_sided(np.full(20, -0.5)) == pytest.approx(0.5**20)
    assert changes.one_sided(np.zeros(20)) == 0.5 and changes.one_sided(np.full(20, 0.5)) > 0.99


def test_a_level_stands_against_nothing() -> None:
    turned = np.repeat([-1.0, 0.0], (40, 260))
    assert decide(changes.own_level(Scores.whole(turned)), 0.02).word == "lost"
    assert decide(changes.own_level(Scores.whole(np.zeros(300))), 0.02).word == "kept"


def test_a_rate_may_be_over_other_questions_in_each_arm() -> None:
    random = np.random.default_rng(2)

    def rate(p: float) -> Scores:
        wrong, same = random.random(800) < 0.5, random.random(800) < p
        return Scores.whole(np.where(wrong, same.astype(float), np.nan))

    worse = changes.rate_change(rate(0.6), rate(0.3), rises=True)
    assert worse.estimate.value == pytest.approx(0.3, abs=0.08) and decide(worse, 0.05).word == "lost"
    assert worse.p_loss < 0.001
    assert changes.rate_change(Scores.whole(np.full(5, np.nan)), rate(0.3)).estimate.value is None


def test_lengths_may_leave_their_margin_on_either_side() -> None:
    random = np.random.default_rng(3)
    before = random.integers(40, 90, 300).astype(float)
    for factor, said in ((1.0, "kept"), (1.5, "lost"), (0.6, "lost"), (1.08, "kept, a little worse")):
        after = before * factor * random.uniform(0.97, 1.03, 300)
        found = decide(changes.median_ratio(Scores.whole(after), Scores.whole(before)), 0.15)
        assert found.word in (said, "kept, a little worse") if factor == 1.0 else found.word == said


def test_j_has_the_interval_of_its_two_rates() -> None:
    found = margins.mover((80, 100), (70, 100))
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.3693, 0.6049), abs=1e-4)
    assert margins.mover((0, 0), (70, 100)).value is None


def test_j_covers() -> None:
    random = np.random.default_rng(4)
    a, r = random.binomial(100, 0.8, 2000), random.binomial(100, 0.7, 2000)
    found = [margins.mover((int(x), 100), (int(y), 100)) for x, y in zip(a, r, strict=True)]
    assert np.mean([(one.low or 0) <= 0.5 <= (one.high or 0) for one in found]) >= 0.94


def test_the_letter_prior_of_an_even_chooser_is_about_0() -> None:
    counts = np.random.default_rng(5).multinomial(100, [0.25] * 4, size=4000)
    plain = np.abs(counts / 100 - 0.25).sum(axis=1) / 2
    assert plain.mean() == pytest.approx(0.069, abs=0.003)
    assert abs(np.mean([changes.letter_prior(row.tolist()) for row in counts])) < 0.01
    assert changes.letter_prior([100, 0, 0, 0]) == pytest.approx(0.75) and math.isnan(changes.letter_prior([0, 0]))


def test_a_slope_is_that_of_least_squares() -> None:
    assert margins.slope([0, 0.25, 0.5], [0.8, 0.7, 0.6]) == pytest.approx(-0.4)


def test_nothing_broke_needs_every_number() -> None:
    assert nothing_broke(["kept", "kept, a little worse"])
    assert not nothing_broke(["kept", "cannot tell"]) and not nothing_broke([])


def test_something_broke_is_a_search_and_is_corrected() -> None:
    assert broken(["lost", "kept"], [0.001, 0.9]) == (True, False)
    assert broken(["lost"] + ["kept"] * 9, [0.02] + [0.9] * 9) == (False,) * 10
    assert broken([], []) == ()
