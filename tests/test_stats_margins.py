"""Margins: verdicts, the questions they need, and the two sentences; the numbers of the literature and of enumerations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from unsway.errors import BadInput
from unsway.stats import answer_places, bootstrap_changes, changes, compared, margins
from unsway.stats.changes import change
from unsway.stats.compared import Compared, Scores
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


def unread(score_Q: Floats, *, worst: float = 0.0, best: float = 1.0, n_options: int = 0) -> Scores:
    """An arm whose missing answers (NaN) may score from the worst to the best."""
    missing_Q = np.isnan(score_Q)
    least_Q, most_Q = (np.where(missing_Q, end, score_Q) for end in (worst, best))
    return Scores(score_Q, least_Q, most_Q, int(missing_Q.sum()), n_options_Q=(n_options,) * len(score_Q))


def first(n: int, value: float, other: float, of: int) -> Floats:
    """`of` scores, of which the first n have a value of their own."""
    return np.where(np.arange(of) < n, value, other)


def test_missing_answers_of_the_base_decide_too() -> None:
    """40 of 200 are not read in the base, and wrong in the arm: what was read in both is all right."""
    base, arm = unread(first(40, math.nan, 1.0, 200)), Scores.whole(first(40, 0.0, 1.0, 200))
    for found in (change(arm, base), bootstrap_changes.kept_share(arm, base)):
        assert found.estimate.n == 160 and found.shift == 0 and found.bounds == pytest.approx((-0.2, 0.0))
        assert (decide(found, 0.05).word, decide(found, 0.05).why) == ("cannot tell", "missing answers decide")


def test_a_loss_by_unread_replies_is_called_kept_in_few_studies() -> None:
    """5.1 % of replies are wrong and none of these is read: more is lost than a margin of 5 points."""
    random, base, kept = np.random.default_rng(0), Scores.whole(np.ones(1000)), 0
    for _ in range(200):
        arm = unread(np.where(random.random(1000) < 0.051, math.nan, 1.0))
        kept += decide(change(arm, base), 0.05).word.startswith("kept")
    assert kept / 200 <= 0.04  # 2.5 % nominal; 47.5 % where the worst case has no error of its own


def test_a_loss_is_one_whatever_the_missing_answers_say() -> None:
    base, lost = Scores.whole(np.ones(300)), first(60, 0.0, 1.0, 300)
    assert decide(change(Scores.whole(lost), base), 0.02).word == "lost"
    few, many = unread(np.where(np.arange(300) > 290, math.nan, lost)), unread(np.where(lost == 0, math.nan, lost))
    assert decide(change(few, base), 0.02).word == "lost"
    assert decide(change(many, base), 0.02).why == "missing answers decide"
    nearly = unread(first(6, 0.0, first(60, math.nan, 1.0, 300), 300))  # 6 are lost for certain, p = .016
    assert decide(change(nearly, base), 0.001).word == "lost"
    assert change(nearly, base).p_loss == pytest.approx(0.5**6)


NUMBERS: dict[str, tuple[Callable[[Scores, Scores], Compared], float, float, int]] = {
    "rate": (lambda arm, base: bootstrap_changes.rate_change(arm, base, rises=True), 1.0, 0.0, 0),
    "letters": (answer_places.prior_change, 0.0, 0.0, 4),
    "median": (changes.median_ratio, 0.0, 1.0, 0),
    "kept": (bootstrap_changes.kept_share, -1.0, 1.0, 0),
}
"""Kinds of numbers, with the worst and the best that a missing answer may score, and the options of a question."""


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("missing_in", ["arm", "base"])
def test_every_kind_of_number_looks_at_missing_answers(kind: str, missing_in: str) -> None:
    """Of 200 questions that score best and alike in both arms 120 are not read in one of them, or 1 is not."""
    compare, worst, best, n_options = NUMBERS[kind]
    scores_Q = {"letters": np.arange(200) % 4.0, "rate": np.zeros(200)}.get(kind, np.ones(200))
    whole = replace(Scores.whole(scores_Q), n_options_Q=(n_options,) * 200)
    for n in (120, 1):
        part = unread(first(n, math.nan, scores_Q, 200), worst=worst, best=best, n_options=n_options)
        found = compare(part, whole) if missing_in == "arm" else compare(whole, part)
        assert found.shift == pytest.approx(0.0, abs=1e-9)
        assert found.bounds.low <= 0 <= found.bounds.high
        assert found.reach.low <= found.ends.low and found.ends.high <= found.reach.high
        decision = decide(found, 0.2 if kind in ("kept", "median") else 0.05)
        hurts = n > 1 and (missing_in == "arm" or kind == "median")  # a base that scored less would be no loss
        assert (decision.word, decision.why) == (("cannot tell", "missing answers decide") if hurts else ("kept", ""))


def test_missing_letters_may_all_be_one_or_even() -> None:
    places = np.arange(200) % 4.0
    whole = replace(Scores.whole(places), n_options_Q=(4,) * 200)
    found = answer_places.prior_change(unread(first(120, math.nan, places, 200), n_options=4), whole)
    one = answer_places.letter_prior([140, 20, 20, 20]) - answer_places.letter_prior([50] * 4)
    assert found.bounds == pytest.approx((-one, 0.0), abs=1e-9)
    skewed = unread(np.repeat([0.0, 1.0, math.nan], (60, 40, 100)), n_options=4)  # 60, 47, 47, 46 at best
    best = answer_places.letter_prior([50] * 4) - answer_places.letter_prior([60, 47, 47, 46])
    assert answer_places.prior_change(skewed, whole).bounds.high == pytest.approx(best)


def test_missing_answers_of_either_group_decide_what_sets_them_apart() -> None:
    """The rise of trained errors minus that of held-out ones: 60 of 200 are not read in one of the groups."""
    groups = ("trained",) * 200 + ("held_out",) * 200
    zeros = replace(Scores.whole(np.zeros(400)), group_Q=groups)
    assert decide(changes.apart(zeros, zeros, rises=True), 0.05).word == "kept"
    for start in (0, 200):
        at_Q = np.arange(400) - start
        arm_Q = np.where((at_Q >= 0) & (at_Q < 60), math.nan, 0.0)
        part = replace(unread(arm_Q, worst=1.0, best=0.0), group_Q=groups)
        in_arm, in_base = changes.apart(part, zeros, rises=True), changes.apart(zeros, part, rises=True)
        harm = in_arm if start == 0 else in_base  # more trained errors now, or more held-out ones before
        help_ = in_base if start == 0 else in_arm
        assert harm.bounds == pytest.approx((-0.3, 0.0)) and decide(harm, 0.05).why == "missing answers decide"
        assert help_.bounds == pytest.approx((0.0, 0.3)) and decide(help_, 0.05).word == "kept"


def test_a_kept_share_compares_both_arms_on_the_same_questions() -> None:
    """32 of 200 are missing in the arm and 40 others in the base, where use may be anything from -1 to 1."""
    base = unread(first(40, math.nan, 1.0, 200), worst=-1.0)
    arm = unread(np.where((np.arange(200) >= 40) & (np.arange(200) < 72), math.nan, 1.0), worst=-1.0)
    found = bootstrap_changes.kept_share(arm, base)
    assert found.shift == 0 and found.bounds == pytest.approx((136 / 200 - 1, 200 / 120 - 1))
    assert found.reach.low < -0.35 and decide(found, 0.35).why == "missing answers decide"
    nothing_left = bootstrap_changes.kept_share(unread(first(150, math.nan, 1.0, 200), worst=-1.0), base)
    assert nothing_left.bounds.low == pytest.approx(-100 / 120 - 1)  # below 0, the least denominator takes it farthest


def test_more_questions_are_named_only_where_they_would_do() -> None:
    """An unchanged number of which 2 % of the answers are missing can be kept within 5 points, and never within 2."""
    arm, base = unread(first(4, math.nan, 1.0, 200)), Scores.whole(np.ones(200))
    noisy = replace(arm, read_Q=arm.read_Q.copy())
    assert decide(change(noisy, base), 0.02).needed is None
    assert decide(change(noisy, base), 0.02).why == "missing answers decide"
    found = decide(change(noisy, base), 0.03)
    assert found.word == "cannot tell" and found.needed == questions_needed(1 / 196, 0.01)


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
    half = decide(bootstrap_changes.kept_share(Scores.whole(used(0.5)), base), 0.2)
    assert half.word == "lost" and half.compared.estimate.value == pytest.approx(0.5, abs=0.06)
    assert decide(bootstrap_changes.kept_share(base, base), 0.2).word == "kept"
    nothing = decide(bootstrap_changes.kept_share(base, Scores.whole(np.tile([1.0, -1.0], 200))), 0.2)
    assert nothing.word == "cannot tell" and "may be 0" in nothing.compared.estimate.note


@pytest.mark.parametrize(("n", "width"), [(19, 0.75), (300, 0.045)])
def test_questions_that_did_not_change_do_not_show_that_nothing_can(n: int, width: float) -> None:
    same = replace(Scores.whole(np.array([1.0, 0.0] * n)[:n]), n_options_Q=(2,) * n)
    for found in (bootstrap_changes.kept_share(same, same), answer_places.prior_change(same, same), change(same, same)):
        low, high = found.ends
        assert found.shift == 0 and low < 0 < high and high - low > width / 4
    kept = bootstrap_changes.kept_share(same, same).ends
    assert kept.high - kept.low == pytest.approx(width, rel=0.2)
    assert decide(bootstrap_changes.kept_share(same, same), 0.2).word == ("cannot tell" if n == 19 else "kept")


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
def test_a_kept_share_of_20_questions_covers(share: float) -> None:
    random, held = np.random.default_rng(6), []
    for _ in range(200):
        before, stays, noise = random.random(20) < 0.6, random.random(20) < share, random.random((2, 20)) < 0.05
        arms = [
            np.where(flip, ~each, each).astype(float)
            for each, flip in zip((before, before & stays), noise, strict=True)
        ]
        found = bootstrap_changes.kept_share(Scores.whole(arms[1]), Scores.whole(arms[0])).estimate
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


def test_a_median_is_lost_by_a_one_sided_test_as_every_number_is() -> None:
    times = np.array([0.9, *[1.3] * 8])
    for after in (times, 2 - times):  # 8 of 9 on one side: (1 + 9) / 2^9
        found = changes.median_ratio(Scores.whole(after), Scores.whole(np.ones(9)))
        assert found.p_loss == pytest.approx(10 / 512) and decide(found, 0.15).word == "lost"


def test_a_loss_that_is_the_same_everywhere_is_one() -> None:
    assert compared.one_sided(np.full(20, -0.5)) == pytest.approx(0.5**20)
    assert compared.one_sided(np.zeros(20)) == 0.5 and compared.one_sided(np.full(20, 0.5)) > 0.99


def test_a_level_stands_against_nothing() -> None:
    turned = np.repeat([-1.0, 0.0], (40, 260))
    assert decide(changes.own_level(Scores.whole(turned)), 0.02).word == "lost"
    assert decide(changes.own_level(Scores.whole(np.zeros(300))), 0.02).word == "kept"


def test_a_rate_may_be_over_other_questions_in_each_arm() -> None:
    random = np.random.default_rng(2)

    def rate(p: float) -> Scores:
        wrong, same = random.random(800) < 0.5, random.random(800) < p
        return Scores.whole(np.where(wrong, same.astype(float), np.nan))

    worse = bootstrap_changes.rate_change(rate(0.6), rate(0.3), rises=True)
    assert worse.estimate.value == pytest.approx(0.3, abs=0.08) and decide(worse, 0.05).word == "lost"
    assert worse.p_loss < 0.001
    assert bootstrap_changes.rate_change(Scores.whole(np.full(5, np.nan)), rate(0.3)).estimate.value is None
    ends = bootstrap_changes.rate_change(Scores.whole(np.ones(30)), Scores.whole(np.zeros(30)), rises=True)
    assert ends.estimate.high == ends.estimate.value == 1 and ends.ends.low == ends.shift == -1


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


def test_the_letter_prior_is_right_on_average() -> None:
    """Of an even chooser, of whom plain shares say .069, and of one that prefers a letter, of whom they say the truth."""
    random = np.random.default_rng(5)
    for shares, plain, true in (([0.25] * 4, 0.069, 0.0), ([0.7, 0.1, 0.1, 0.1], 0.45, 0.45)):
        counts = random.multinomial(100, shares, size=2000)
        assert (np.abs(counts / 100 - 0.25).sum(axis=1) / 2).mean() == pytest.approx(plain, abs=0.003)
        found = [answer_places.letter_prior(row.tolist()) for row in counts]
        assert np.mean(found) == pytest.approx(true, abs=0.005)
    assert answer_places.letter_prior([100, 0, 0, 0]) == pytest.approx(0.75) and math.isnan(
        answer_places.letter_prior([0, 0])
    )


def test_options_that_are_never_chosen_count() -> None:
    n_options = np.full(100, 4)
    assert answer_places.preference(np.zeros(100, int), n_options) == pytest.approx(0.75)
    two = np.repeat([0, 1], (60, 40))
    assert answer_places.preference(two, n_options) == pytest.approx(answer_places.letter_prior([60, 40, 0, 0]))
    assert answer_places.letter_prior([60, 40, 0, 0]) == pytest.approx(0.5, abs=1e-4)
    even, always = (
        replace(Scores.whole(places), n_options_Q=(4,) * 100) for places in (np.arange(100) % 2.0, np.zeros(100))
    )
    found = answer_places.prior_change(always, even)
    assert found.estimate.value == pytest.approx(0.25, abs=1e-6) and decide(found, 0.05).word == "lost"
    nameless = answer_places.prior_change(Scores.whole(np.zeros(9)), Scores.whole(np.zeros(9)))
    assert nameless.estimate.value is None and nameless.estimate.note == answer_places.UNKNOWN_OPTIONS


def test_questions_may_have_different_numbers_of_options() -> None:
    """Half of the questions have two options, half have four: an even chooser says A three times in eight."""
    random, n_options = np.random.default_rng(7), np.tile([2, 4], 200)
    assert answer_places.even_shares(n_options).tolist() == [0.375, 0.375, 0.125, 0.125]
    drawn = [answer_places.preference(random.integers(0, n_options), n_options) for _ in range(300)]
    assert abs(np.mean(drawn)) < 0.01
    assert answer_places.preference(np.zeros(400, int), n_options) == pytest.approx(1 - 0.375)


def test_a_slope_is_that_of_least_squares() -> None:
    assert margins.slope([0, 0.25, 0.5], [0.8, 0.7, 0.6]) == pytest.approx(-0.4)


def test_nothing_broke_needs_every_number() -> None:
    assert nothing_broke(["kept", "kept, a little worse"])
    assert not nothing_broke(["kept", "cannot tell"]) and not nothing_broke([])


def test_something_broke_is_a_search_and_is_corrected() -> None:
    assert broken(["lost", "kept"], [0.001, 0.9]) == (True, False)
    assert broken(["lost"] + ["kept"] * 9, [0.02] + [0.9] * 9) == (False,) * 10
    assert broken([], []) == ()
