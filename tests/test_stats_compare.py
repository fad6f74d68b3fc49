"""Differences, ratios, held-out averages and training seeds: closed forms, matching, refusals, coverage."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from measuring import counted, drawn, outcome

from unsway.errors import BadInput
from unsway.stats.compare import brr_difference, brr_ratio, held_out_means, held_out_ratio
from unsway.stats.estimates import cells
from unsway.stats.training_seeds import over_seeds
from unsway.types import Estimate, Outcome


def ends(estimate: Estimate) -> tuple[float, float, float]:
    assert estimate.value is not None and estimate.low is not None and estimate.high is not None
    return estimate.low, estimate.value, estimate.high


def many(follow: float, model: str, biases: tuple[str, ...] = ("a@1", "b@1", "c@1"), n: int = 150) -> list[Outcome]:
    return [o for bias in biases for o in drawn(n, follow, bias=bias, model=model)]


# ---------------------------------------------------------------- differences


def test_the_difference_is_that_of_the_two_brrs() -> None:
    a, b = drawn(200, 0.4, model="a"), drawn(200, 0.1, model="b")
    found = brr_difference(a, b)
    low, value, high = ends(found)
    of_a, of_b = (cells(outs)[0]["brr"].value for outs in (a, b))
    assert value == pytest.approx(of_a - of_b)  # type: ignore[operator]
    assert low < value < high
    assert ends(brr_difference(b, a)) == pytest.approx((-high, -value, -low), abs=1e-9)
    assert (found.n, found.n_clusters, found.n_excluded) == (400, 200, 0)


def test_equal_answers_make_a_narrow_difference_and_opposite_ones_a_wide_one() -> None:
    a = drawn(200, 0.4, model="a")
    same = [outcome(o.question_id, o.hit_clean, o.hit_biased, model="b") for o in a]
    apart = drawn(200, 0.4, model="b", seed=1)
    narrow, wide = ends(brr_difference(a, same)), ends(brr_difference(a, apart))
    assert narrow[1] == 0
    assert narrow[2] - narrow[0] < 0.5 * (wide[2] - wide[0])
    assert narrow[2] > 0


def test_pairing_agrees_with_students_t_where_there_is_plenty() -> None:
    a, b = drawn(3000, 0.4, model="a"), drawn(3000, 0.2, model="b")
    d = np.array([_d(x) - _d(y) for x, y in zip(a, b, strict=True)])
    half = 1.96 * d.std(ddof=1) / np.sqrt(len(d))
    assert ends(brr_difference(a, b)) == pytest.approx((d.mean() - half, d.mean(), d.mean() + half), abs=0.001)


def test_only_questions_on_both_sides_are_used() -> None:
    a = [*drawn(50, 0.4, model="a"), outcome("only-a", False, True, model="a"), outcome("1", None, True, model="a")]
    b = [o for o in drawn(50, 0.2, model="b") if o.question_id != "7"]
    found = brr_difference(a, b)
    assert (found.n_clusters, found.n, found.n_excluded) == (49, 98, 3)
    nothing = brr_difference(a, [])
    assert nothing.value is None and "both sides" in nothing.note


def follows(questions: range, rate: float, bias: str, model: str, elicit: str = "cot@1") -> list[Outcome]:
    """The first questions of every ten follow the cue, and no clean answer does."""
    return [outcome(q, False, q % 10 < 10 * rate, bias=bias, model=model, elicit=elicit) for q in questions]


def test_a_difference_never_compares_one_mix_of_biases_with_another() -> None:
    """One model was asked the strong bias for fewer questions than the other, and the weak one for as many."""
    base = [*follows(range(100), 0.8, "a@1", "base"), *follows(range(100), 0.0, "b@1", "base")]
    same = [*follows(range(0, 100, 9), 0.8, "a@1", "t"), *follows(range(100), 0.0, "b@1", "t")]
    found = brr_difference(same, base)
    assert (found.value, found.n, found.n_clusters, found.n_excluded) == (0.0, 224, 100, 88)
    other = [*follows(range(50), 0.3, "a@1", "t"), *follows(range(100), 0.2, "b@1", "t")]
    found = brr_difference(other, base)
    assert found.value == pytest.approx((50 * (-0.5 + 0.2) / 2 + 50 * 0.2) / 100)
    assert ends(brr_difference(base, other)) == pytest.approx(tuple(-end for end in ends(found)[::-1]))


def test_biases_of_one_side_are_left_out_unless_two_biases_are_compared() -> None:
    base = [*follows(range(40), 0.5, "a@1", "base"), *follows(range(40), 0.9, "c@1", "base")]
    mine = follows(range(40), 0.2, "a@1", "t")
    assert brr_difference(mine, base).value == pytest.approx(-0.3)
    assert brr_difference(base[40:], base[:40]).value == pytest.approx(0.4)


def test_elicitations_are_paired_unless_two_of_them_are_compared() -> None:
    base, direct = follows(range(40), 0.5, "a@1", "base"), follows(range(40), 0.1, "a@1", "base", "no_cot@1")
    mine = follows(range(40), 0.2, "a@1", "t")
    assert brr_difference(direct, base).value == pytest.approx(-0.4)
    assert brr_difference(mine, [*base, *direct]).value == pytest.approx(-0.3)
    part = follows(range(5), 0.1, "a@1", "t", "no_cot@1")  # no difference, and halves that of three questions of twelve
    assert brr_difference([*mine, *part], [*base, *direct]).value == pytest.approx(-(9 + 3 / 2) / 40)


def test_samples_that_are_lost_do_not_change_the_mix_either() -> None:
    """Equal models, of which one lost second samples under the strong bias and the other under the weak one."""
    strong, weak = (
        [outcome(q, False, hit, bias=bias, sample=s) for s in (0, 1) for q in range(30)]
        for bias, hit in (("a@1", True), ("b@1", False))
    )
    assert brr_difference([*strong[:30], *weak], [*strong, *weak[:30]]).value == 0.0


def test_bounds_take_only_what_both_sides_were_asked() -> None:
    """The trained model loses a third of its replies under bias b; the base has bias c too, and loses all of those."""
    base = [*follows(range(30), 0.5, "a@1", "base"), *follows(range(30), 0.5, "b@1", "base")]
    lost = [outcome(q, False, None, bias="c@1") for q in range(30)]

    def mine(missing: bool | None) -> list[Outcome]:
        said = (missing if q % 3 == 0 else q % 10 < 5 for q in range(30))
        return [
            *follows(range(30), 0.5, "a@1", "t"),
            *(outcome(q, False, hit, bias="b@1", model="t") for q, hit in enumerate(said)),
        ]

    found = brr_difference(mine(None), [*base, *lost])
    assert found.value == 0 and "missing answers" in found.how
    assert found.low == brr_difference(mine(False), base).low
    assert found.high == brr_difference(mine(True), base).high


def test_a_difference_allows_for_missing_answers_of_either_arm() -> None:
    """No effect, but three in ten replies of arm a that follow the cue are not read: it looks like a cure."""
    b = drawn(600, 0.3, model="b")
    hits = drawn(600, 0.3, model="a")
    a = [
        outcome(o.question_id, o.hit_clean, None if o.hit_biased and i % 3 == 0 else o.hit_biased, model="a")
        for i, o in enumerate(hits)
    ]
    found = brr_difference(a, b)
    low, value, high = ends(found)
    assert value < -0.05 and low < 0 < high and "missing answers" in found.how
    whole = brr_difference(hits, b)
    assert "missing" not in whole.how


def test_arms_that_differ_in_what_is_missing_are_seen_where_each_loses_little() -> None:
    """Arm a loses 4 % on either side, arm b nothing: neither interval allows for it, their difference and ratio do."""
    b = drawn(600, 0.4, model="b")
    a = [
        outcome(
            o.question_id,
            None if i % 50 == 0 else o.hit_clean,
            None if i % 50 == 1 else o.hit_biased,
            model="a",
        )
        for i, o in enumerate(drawn(600, 0.4, model="b"))
    ]
    assert cells(a)[0]["brr"].note == cells(b)[0]["brr"].note == ""
    assert "missing answers" in brr_difference(a, b).how and "missing answers" in brr_ratio(a, b).how


# ---------------------------------------------------------------- ratios


def test_a_ratio_follows_from_the_two_brrs_of_the_table_and_one_rule_refuses_all_arms() -> None:
    """Each arm counts on its own questions; the base has one BRR, whatever it is compared with."""
    base = drawn(150, 0.12, model="b", seed=4)
    arms = [[o for o in drawn(150, 0.2, model=name, seed=4) if (int(o.question_id) * ord(name)) % 7] for name in "tuvx"]
    printed = cells(base)[0]["brr"]
    for arm in arms:
        found, own = brr_ratio(arm, base), cells(arm)[0]["brr"]
        if printed.low is None or printed.low <= 0:
            assert found.value is None and "touches 0" in found.note
        else:
            assert found.value == own.value / printed.value  # type: ignore[operator]
        of_means, _ = held_out_ratio(arm, base)
        ours, theirs = held_out_means(arm, base)
        assert theirs == held_out_means(arms[0], base)[1] and theirs.value == pytest.approx(printed.value)
        assert (of_means.value is None) == (theirs.low is None or theirs.low <= 0)
        assert of_means.value is None or of_means.value == ours.value / theirs.value  # type: ignore[operator]


@pytest.mark.parametrize(("plus", "is_near"), [(10, True), (60, False)])
def test_a_ratio_to_a_base_near_the_threshold_says_so(plus: int, is_near: bool) -> None:
    found = brr_ratio(counted(4, 0, 0, 196, model="t"), counted(plus, 2, 4, 194 - plus))
    assert found.value is not None
    assert ("looks greater than it is" in found.note) is is_near


def test_an_arm_that_never_moved_has_its_estimate_inside_its_interval() -> None:
    """Where the clean rate is 0 by definition: the excess over a second clean reply."""
    base = [outcome(i, i % 20 == 0, i % 3 == 0, bias="positional@1") for i in range(110)]
    calm = [outcome(i, False, False, bias="positional@1", model="t") for i in range(110)]
    low, value, high = ends(brr_ratio(calm, base))
    assert low < value == 0 < high
    once = [replace(o, hit_clean=None) for o in base]
    assert "not tested" in brr_ratio(calm, once).note and "not tested" in brr_ratio(once, once).note
    assert "not tested" in brr_difference(once, once).note


def test_the_ratio_is_that_of_the_two_brrs_and_repeats_itself() -> None:
    trained, base = drawn(300, 0.1, model="t"), drawn(300, 0.4, model="b")
    found = brr_ratio(trained, base)
    low, value, high = ends(found)
    assert value == pytest.approx(cells(trained)[0]["brr"].value / cells(base)[0]["brr"].value)  # type: ignore[operator]
    assert low < value < high
    assert brr_ratio(trained, base) == found
    assert brr_ratio(trained[::-1], base[::-1]) == found
    assert brr_ratio(trained, base, seed=1).value == found.value
    assert brr_ratio(trained, base, seed=1).low != found.low
    assert "Bayesian bootstrap" in found.how and "4000 draws, seed 0" in found.how


def test_the_ratio_agrees_with_fieller_where_there_is_plenty() -> None:
    trained, base = drawn(4000, 0.2, model="t"), drawn(4000, 0.4, model="b")
    a, b = (np.array([_d(o) for o in outs], float) for outs in (trained, base))
    v = np.cov(a, b) / len(a) * 1.96**2
    square, line, rest = b.mean() ** 2 - v[1, 1], a.mean() * b.mean() - v[0, 1], a.mean() ** 2 - v[0, 0]
    half = np.sqrt(line**2 - square * rest)
    low, _, high = ends(brr_ratio(trained, base))
    assert (low, high) == pytest.approx(((line - half) / square, (line + half) / square), abs=0.006)


def test_the_ratio_to_itself_is_one_with_little_doubt() -> None:
    low, value, high = ends(brr_ratio(drawn(150, 0.4), drawn(150, 0.4)))
    assert value == 1.0
    assert 0.9 < low < 1 < high < 1.1


def test_a_model_that_never_moved_has_a_ratio_of_zero_but_not_for_certain() -> None:
    trained, base = counted(0, 0, 5, 95, model="t"), counted(30, 2, 5, 63)
    low, value, high = ends(brr_ratio(trained, base))
    assert value == 0
    assert low < 0 < high < 0.2


@pytest.mark.parametrize(("plus", "minus"), [(0, 0), (3, 1), (5, 5), (2, 9)])
def test_a_weak_base_is_refused(plus: int, minus: int) -> None:
    found = brr_ratio(counted(4, 0, 0, 60, model="t"), counted(plus, minus, 4, 64 - plus - minus - 4))
    assert (found.value, found.low, found.high) == (None, None, None)
    assert f"{'lies below 0' if plus == 2 else 'touches 0'} (suggested_answer" in found.note


def test_a_base_that_avoids_its_cue_is_not_said_to_touch_zero() -> None:
    trained, base = counted(4, 0, 0, 60, model="t"), counted(0, 30, 4, 30)
    assert "lies below 0 (suggested_answer@1)" in brr_ratio(trained, base).note
    assert held_out_ratio(trained, base)[0].note == "the interval of the base's mean BRR lies below 0"
    of_seeds = over_seeds({"0": trained, "1": trained}, base).ratio
    assert of_seeds is not None and "lies below 0" in of_seeds.note
    weak = [*base, *counted(0, 0, 4, 60, bias="post_hoc@1")]
    both = held_out_ratio([*trained, *counted(0, 0, 4, 60, bias="post_hoc@1", model="t")], weak)[1]
    assert "lies below 0 or touches 0 (" in both.note


def test_ratios_of_nothing_or_of_several_biases_are_refused() -> None:
    assert brr_ratio([], drawn(30, 0.4)).value is None
    unasked = drawn(30, 0.4), ()  # a base that was not asked
    found = brr_ratio(*unasked), *held_out_ratio(*unasked), *held_out_means(*unasked)
    assert {(one.value, one.note) for one in found} == {(None, "no question counts on both sides")}
    assert [e.value for e in held_out_ratio([], drawn(30, 0.4))] == [None, None]
    with pytest.raises(BadInput, match="3 biases"):
        brr_ratio(many(0.1, "t"), many(0.4, "b"))


def test_held_out_averages_are_those_of_the_table() -> None:
    trained, base = many(0.1, "t"), many(0.4, "b", ("a@1", "b@1", "c@1", "not-trained@1"))
    of_means, of_ratios = held_out_ratio(trained, base)
    t = {c.bias: c["brr"].value for c in cells(trained)}
    b = {c.bias: c["brr"].value for c in cells(base)}
    assert of_means.value == pytest.approx(sum(t.values()) / sum(b[name] for name in t))  # type: ignore[arg-type, misc]
    assert of_ratios.value == pytest.approx(sum(t[name] / b[name] for name in t) / 3)  # type: ignore[operator]
    assert (of_means.name, of_ratios.name) == ("brr_ratio_of_means", "brr_mean_of_ratios")
    single = brr_ratio([o for o in trained if o.bias == "a@1"], [o for o in base if o.bias == "a@1"])
    assert ends(of_means)[2] - ends(of_means)[0] < ends(single)[2] - ends(single)[0]


def test_one_weak_bias_refuses_the_mean_of_ratios_alone() -> None:
    trained, base = many(0.1, "t"), [*many(0.4, "b", ("a@1", "b@1")), *many(0.0, "b", ("c@1",))]
    of_means, of_ratios = held_out_ratio(trained, base)
    assert of_means.value is not None
    assert of_ratios.value is None and "c@1" in of_ratios.note
    nothing = held_out_ratio(many(0.1, "t"), many(0.0, "b"))
    assert nothing[0].value is None and "mean BRR touches 0" in nothing[0].note


def test_biases_on_different_questions_are_averaged_evenly() -> None:
    trained = [*drawn(40, 0.2, bias="a@1", model="t"), *drawn(120, 0.2, bias="b@1", model="t")]
    base = [*drawn(40, 0.6, bias="a@1"), *drawn(120, 0.4, bias="b@1")]
    found = held_out_ratio(trained, base)[0]
    t, b = ([c["brr"].value for c in cells(outs)] for outs in (trained, base))
    assert found.value == pytest.approx((t[0] + t[1]) / (b[0] + b[1]))  # type: ignore[operator]
    assert found.n_clusters == 120


def test_ratios_cover_where_few_pairs_move() -> None:
    """40 questions; the base follows at 0.5, the trained model at 0.05, which is about two pairs."""
    truth, times = 0.05 / 0.5, 150
    inside = 0
    for seed in range(times):
        found = brr_ratio(drawn(40, 0.05, seed=seed, model="t"), drawn(40, 0.5, seed=seed), draws=500)
        low, _, high = ends(found)
        inside += low <= truth <= high
    assert inside >= 0.9 * times


# ---------------------------------------------------------------- training seeds


def seeds(rates: tuple[float, ...], n: int = 120) -> dict[str, tuple[Outcome, ...]]:
    return {f"s{i}": drawn(n, rate, model=f"bct-{i}") for i, rate in enumerate(rates)}


def test_seeds_are_averaged_and_their_spread_is_shown() -> None:
    base = drawn(120, 0.5)
    alike, apart = over_seeds(seeds((0.2, 0.2, 0.2)), base), over_seeds(seeds((0.02, 0.2, 0.38)), base)
    for found in (alike, apart):
        values = [e.value for _, e in found.per_seed]
        assert found.brr.value == pytest.approx(np.mean(values))  # type: ignore[arg-type]
        assert found.ratio is not None
        assert found.ratio.value == pytest.approx(found.brr.value / cells(base)[0]["brr"].value)  # type: ignore[operator]
        assert ends(found.ratio)[0] < found.ratio.value < ends(found.ratio)[2]  # type: ignore[operator]
    assert alike.spread is not None and apart.spread is not None
    assert alike.spread < 0.05 < 0.1 < apart.spread
    assert ends(apart.brr)[2] - ends(apart.brr)[0] > 2 * (ends(alike.brr)[2] - ends(alike.brr)[0])
    assert [label for label, _ in alike.per_seed] == ["s0", "s1", "s2"]


def test_the_spread_is_the_analysis_of_variance() -> None:
    rows = np.array([[1, 0, 0, 1, 0, 0], [1, 1, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0]], float)
    trained = {
        str(s): [outcome(q, False, bool(d), model=str(s)) for q, d in enumerate(row)] for s, row in enumerate(rows)
    }
    effects = rows.mean(1) - rows.mean()
    rest = rows - rows.mean(1)[:, None] - rows.mean(0) + rows.mean()
    component = (6 * (effects**2).sum() / 2 - (rest**2).sum() / 10) / 6
    found = over_seeds(trained, level=0.9)
    assert found.spread == pytest.approx(np.sqrt(max(0, component)))
    # t of 2 and of 5 degrees of freedom on both parts of the variance, by hand
    assert ends(found.brr) == pytest.approx((-0.1607509, 7 / 18, 0.8675114))


def test_one_seed_says_nothing_about_spread_and_a_weak_base_nothing_about_ratios() -> None:
    one = over_seeds(seeds((0.2,)), drawn(120, 0.5))
    assert one.spread is None and one.brr.value is None and "at least two" in one.brr.note
    assert one.per_seed[0][1].value is not None
    weak = over_seeds(seeds((0.2, 0.3)), drawn(120, 0.0))
    assert weak.brr.value is not None and weak.ratio is not None
    assert weak.ratio.value is None and "touches 0" in weak.ratio.note
    assert over_seeds(seeds((0.2, 0.3))).ratio is None
    with pytest.raises(BadInput, match="no seed"):
        over_seeds({})


def test_few_seeds_say_how_often_their_interval_covers() -> None:
    two, five = over_seeds(seeds((0.2, 0.3)), drawn(120, 0.5)), over_seeds(seeds((0.2, 0.25, 0.3, 0.2, 0.3)))
    assert "2 training seeds covers 85 to 99%" in two.brr.note and "one training in five fails" in two.brr.note
    assert two.ratio is not None and two.ratio.note == two.brr.note
    assert "5 training seeds covers 91 to 97%" in five.brr.note


def test_questions_count_where_they_count_for_every_seed() -> None:
    trained = seeds((0.2, 0.3), n=20)
    trained["s1"] = (*trained["s1"][1:], outcome("0", None, True, model="bct-1"))
    found = over_seeds(trained)
    assert (found.brr.n_clusters, found.brr.n, found.brr.n_excluded) == (19, 38, 2)


def test_seeds_and_base_have_the_same_mix_of_biases() -> None:
    """Three seeds that are as the base is under each bias, asked the strong bias for twelve questions of a hundred."""
    base = [*follows(range(100), 0.8, "a@1", "base"), *follows(range(100), 0.1, "b@1", "base")]
    said = {
        name: [*follows(range(0, 100, 9), 0.8, "a@1", name), *follows(range(100), 0.1, "b@1", name)] for name in "xyz"
    }
    found = over_seeds(said, base)
    # two questions follow under both, seven under the strong one of two, eight under the weak one that alone counts
    assert found.brr.value == pytest.approx((2 * 1 + 7 * 0.5 + 8 * 1) / 100)
    assert found.ratio is not None and found.ratio.value == 1.0
    assert (found.brr.n_clusters, found.brr.n, found.brr.n_excluded) == (100, 4 * 112, 88)


def test_seeds_allow_for_missing_answers() -> None:
    """No effect, but a third of the seeds' replies that follow the cue are not read: it looks like a cure."""
    base, whole = drawn(150, 0.4), seeds((0.4, 0.4, 0.4), n=150)

    def lost(instead: bool | None) -> dict[str, list[Outcome]]:
        return {
            name: [
                outcome(
                    o.question_id, o.hit_clean, instead if o.hit_biased and i % 3 == n else o.hit_biased, model=name
                )
                for i, o in enumerate(outs)
            ]
            for n, (name, outs) in enumerate(whole.items())
        }

    found, least, most = (over_seeds(lost(instead), base) for instead in (None, False, True))
    assert found.brr.value is not None and found.brr.value < cells(base)[0]["brr"].value - 0.05  # type: ignore[operator]
    assert (found.brr.low, found.brr.high) == (least.brr.low, most.brr.high)
    assert "missing answers" in found.brr.how and "missing answers" in found.brr.note
    assert found.ratio is not None and least.ratio is not None and most.ratio is not None
    assert (found.ratio.low, found.ratio.high) == (least.ratio.low, most.ratio.high)
    assert ends(found.ratio)[0] < 1 < ends(found.ratio)[2] and "missing" not in over_seeds(whole, base).brr.how


def test_seeds_and_a_base_that_differ_in_what_is_missing_are_seen_where_each_loses_little() -> None:
    """Each seed loses 4 % on either side and the base nothing, as in the ratio of one arm."""
    base = drawn(600, 0.4)
    said = {
        name: [
            outcome(
                o.question_id, None if i % 50 == 0 else o.hit_clean, None if i % 50 == 1 else o.hit_biased, model=name
            )
            for i, o in enumerate(base)
        ]
        for name in "xy"
    }
    found = over_seeds(said, base)
    assert "missing" not in over_seeds(said).brr.how
    assert found.ratio is not None and "missing answers" in found.ratio.how


def test_seeds_under_which_nothing_moved_are_not_certain() -> None:
    """Thirty questions: no surer than one seed is, and the ratio is no surer than that over the base's BRR."""
    still = {name: [outcome(q, False, False, model=name) for q in range(30)] for name in "xyz"}
    found = over_seeds(still, counted(15, 0, 0, 15))
    alone = cells(still["x"])[0]["brr"]
    assert ends(found.brr) == pytest.approx(ends(alone)) and ends(alone)[0] < -0.1
    low, value, high = ends(found.ratio)  # type: ignore[arg-type]
    assert value == 0 and low < ends(alone)[0] / 0.5 and high > ends(alone)[2] / 0.5
    all_of_them = over_seeds({name: counted(30, 0, 0, 0, model=name) for name in "xyz"}).brr
    assert ends(all_of_them) == pytest.approx(ends(cells(counted(30, 0, 0, 0))[0]["brr"]))


def test_a_ratio_over_seeds_is_refused_where_the_base_has_none_on_the_shared_questions() -> None:
    base = [outcome(q, False, q >= 20) for q in range(100)]
    found = over_seeds({name: follows(range(20), 0.1, "suggested_answer@1", name) for name in "xy"}, base)
    assert found.brr.value is not None and found.ratio is not None
    assert found.ratio.value is None and "on the questions that all share" in found.ratio.note


def test_the_coverage_of_seeds_is_said_of_the_level_it_was_measured_at() -> None:
    found = over_seeds(seeds((0.2, 0.3)), level=0.5)
    assert found.brr.level == 0.5 and found.brr.note.endswith("; at 50% nobody has measured it")
    assert "nobody" not in over_seeds(seeds((0.2, 0.3))).brr.note


def test_seeds_cover_when_they_differ() -> None:
    """Four seeds with a standard deviation of 0.06 around 0.3, 60 questions; clean answers never hit."""
    draw, inside, times = np.random.default_rng(3), 0, 100
    for _ in range(times):
        rates = np.clip(0.3 + 0.06 * draw.standard_normal(4), 0, 1)
        hits = draw.random((4, 60)) < rates[:, None]
        trained = {str(s): [outcome(q, False, bool(h)) for q, h in enumerate(row)] for s, row in enumerate(hits)}
        low, _, high = ends(over_seeds(trained).brr)
        inside += low <= 0.3 <= high
    assert inside >= 0.9 * times


def _d(o: Outcome) -> int:
    assert o.hit_biased is not None and o.hit_clean is not None
    return o.hit_biased - o.hit_clean


def test_the_arms_of_product_are_complete() -> None:
    """The helper draws the same clean answers for every model, so that pairing has something to gain."""
    for a, b in product((drawn(30, 0.2, model="a"),), (drawn(30, 0.9, model="b"),)):
        assert [o.hit_clean for o in a] == [o.hit_clean for o in b]
