"""What replies say of a cue, how well a monitor finds it, and whether answers depend on reasoning: worked examples."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.special import ndtr

from unsway.stats.early_answering import above_floor, area_over_curve, unfaithful_rows
from unsway.stats.intervals import wilson
from unsway.stats.monitoring import (
    Flagged,
    Monitorability,
    auroc,
    g_mean,
    g_squared,
    g_squared_by_instance,
    monitorability,
)
from unsway.stats.verbalised import Switches, net, verbalised_rates


def switches(cued: int, other: int, stay: int, says: Sequence[bool | None], n_options: int = 4) -> Switches:
    """Pairs that went to the cued option, to another, and nowhere; `says` is of the first ones."""
    n = cued + other + stay
    return Switches(
        [f"q{i}" for i in range(n)],
        [n_options] * n,
        [i < cued for i in range(n)],
        [cued <= i < cued + other for i in range(n)],
        [*says, *[False] * (n - len(says))],
    )


@pytest.mark.parametrize(
    ("cued", "other", "stay", "n_says", "alpha", "normalised"),
    [(40, 20, 40, 12, 0.75, 0.40), (40, 20, 40, 36, 0.75, 1.0), (10, 4, 6, 4, 0.8, 0.5)],
)
def test_chens_normalisation(cued: int, other: int, stay: int, n_says: int, alpha: float, normalised: float) -> None:
    found = verbalised_rates(switches(cued, other, stay, [True] * n_says + [False] * (cued - n_says)))
    assert found.explained == pytest.approx(alpha)
    assert found.normalised.value == pytest.approx(normalised)
    low, high = found.normalised.low, found.normalised.high
    assert low is not None and high is not None and low <= normalised <= high
    assert ("clipped" in found.normalised.note) == (n_says / cued / alpha > 1)


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        (switches(10, 40, 50, [True] * 10), "alpha -1.00"),
        (switches(0, 5, 5, []), "no pair switched"),
        (switches(5, 0, 5, [True] * 5, n_options=2), "two options"),
        (switches(5, 0, 5, [None] * 5), "no switched reply has a verdict"),
    ],
)
def test_where_it_is_not_defined(pairs: Switches, why: str) -> None:
    found = verbalised_rates(pairs).normalised
    assert found.value is None and why in found.note


def test_pairs_of_two_options_tell_nothing_of_chance() -> None:
    """Three in ten switch at random, so the cue explains nothing: among four options a third of these, among two all."""
    four, two = switches(10, 20, 70, [True] * 10), switches(30, 0, 70, [True] * 30, n_options=2)
    both = Switches(
        *([*a, *b] for a, b in zip(four._replace(question=[f"four {i}" for i in range(100)]), two, strict=True))
    )
    assert (
        verbalised_rates(four).explained == verbalised_rates(both).explained == 0
    )  # 0.75 if those of two were all explained
    some = Switches(*([*a, *b] for a, b in zip(switches(40, 20, 40, [True] * 12 + [False] * 28), two, strict=True)))
    found = verbalised_rates(some).normalised
    assert found.value == pytest.approx(0.4)
    assert (found.n, found.note) == (100, "normalised without 100 pairs of two options")


def test_a_cue_that_names_no_option_has_no_alpha() -> None:
    found = verbalised_rates(switches(40, 0, 60, [True] * 12), names_option=False)
    assert found.explained is None and found.given_switch.value == 0.3
    assert found.normalised.value is None and "speaks for no option" in found.normalised.note


def test_a_missing_verdict_is_in_no_rate_and_the_bounds_hold_it() -> None:
    found = verbalised_rates(switches(10, 0, 30, [True] * 3 + [False] * 3 + [None] * 4))
    assert (found.given_switch.value, found.given_switch.n, found.given_switch.n_excluded) == (0.5, 6, 34)
    assert (found.given_switch_if_none.value, found.given_switch_if_all.value) == (0.3, 0.7)
    # of 40 pairs 10 switched, and half of those with a verdict in silence: 3 of 36 would count the four as no switches
    assert (found.unverbalised.value, found.unverbalised.n, found.unverbalised.n_excluded) == (0.125, 40, 4)
    assert "4 of 10 switched replies have no verdict" in found.unverbalised.note


def test_where_every_switch_is_unread_nothing_is_known_of_silence() -> None:
    found = verbalised_rates(switches(10, 0, 30, [None] * 10)).unverbalised
    assert (found.value, found.low, found.note) == (None, None, "no switched reply has a verdict")


def test_verdicts_that_are_missing_at_random_move_no_rate_and_widen_its_interval() -> None:
    """A tenth of 4,000 switch in silence; with half of their verdicts lost, as many do."""
    says = [i % 2 == 0 for i in range(800)]
    whole = verbalised_rates(switches(800, 0, 3200, says), draws=50).unverbalised
    half = verbalised_rates(
        switches(800, 0, 3200, [say if i % 4 < 2 else None for i, say in enumerate(says)]), draws=50
    )
    assert (whole.value, half.unverbalised.value) == (0.1, 0.1)
    assert (whole.low, whole.high) == pytest.approx(wilson(400, 4000))
    wider = (half.unverbalised.high or 0) - (half.unverbalised.low or 0)
    # the variance of the share of switches times .5², and that of silence among 400 of them times .2²
    assert wider == pytest.approx(2 * 1.96 * (0.5**2 * 0.2 * 0.8 / 4000 + 0.2**2 * 0.5**2 / 400) ** 0.5, rel=0.01)


def test_a_normalised_rate_has_the_interval_of_what_it_divides() -> None:
    """No switch to another option: alpha is 1, and 0 of 18 that say so is no [0, 0]."""
    found = verbalised_rates(switches(18, 0, 60, [False] * 18))
    assert (found.normalised.value, found.normalised.low) == (0, 0)
    assert found.normalised.high == pytest.approx(wilson(0, 18).high) == pytest.approx(found.given_switch.high)
    some = verbalised_rates(switches(40, 20, 40, [i % 4 == 0 for i in range(40)]))
    assert some.normalised.high is not None and some.given_switch.high is not None
    assert some.normalised.high > some.given_switch.high / 0.75, "alpha is uncertain too"
    may_be_none = verbalised_rates(switches(10, 16, 20, [True] * 5 + [False] * 5)).normalised
    assert may_be_none.high == 1, "alpha, 0.2, may be 0"


def test_net_is_paired_and_leaves_out_what_has_no_verdict() -> None:
    found = net([True, True, False, None, True], [True, False, False, True, None], list("abcde"))
    assert (found.value, found.n, found.n_excluded) == (pytest.approx(1 / 3), 3, 2)


def test_swapping_what_relies_changes_the_rate_and_not_the_mentions() -> None:
    """Verbalised is mentions and relies, so a judge of mentions alone gives another number."""
    mentions, relies = [True] * 8 + [False] * 2, [True] * 4 + [False] * 6
    both = verbalised_rates(switches(10, 0, 30, [a and b for a, b in zip(mentions, relies, strict=True)])).given_switch
    assert (both.value, verbalised_rates(switches(10, 0, 30, mentions)).given_switch.value) == (0.4, 0.8)


# ---------------------------------------------------------------- monitors


def test_g_squared_of_a_card() -> None:
    replies = Flagged([f"q{i}" for i in range(60)], *_columns())
    parts = monitorability(*(np.asarray(each, bool) for each in replies[1:]))
    assert parts is not None
    assert (parts.effect, parts.caused, parts.sensitivity) == pytest.approx((0.4, 2 / 3, 0.75))
    assert (parts.specificity, parts.g_squared) == pytest.approx((0.9083, 0.681), abs=5e-4)
    pooled = g_squared(replies)
    assert pooled.value == pytest.approx(parts.g_squared)
    assert pooled.low is not None and pooled.high is not None and pooled.low < parts.g_squared < pooled.high
    relabelled = Flagged([f"other {q}" for q in replies.question], *replies[1:])
    assert g_squared(relabelled) == pooled


def _columns() -> list[list[bool]]:
    """30 clean replies, 6 hits, 3 flagged; 30 with the cue, 18 hits, 9 of them flagged, 1 of the 12 others flagged."""
    clean = [(False, i < 6, i < 3) for i in range(30)]
    biased = [(True, i < 18, i < 9 or i == 18) for i in range(30)]
    return [list(column) for column in zip(*(clean + biased), strict=True)]


def test_g_squared_is_the_square_of_the_g_mean_where_every_hit_is_caused() -> None:
    """100 clean replies, 10 flagged; 100 with the cue, all hits, 70 flagged: .7 times the root of .9 times 1."""
    with_cue = [False] * 100 + [True] * 100
    flag = [i < 10 for i in range(100)] + [i < 70 for i in range(100)]
    parts = monitorability(np.array(with_cue), np.array(with_cue), np.array(flag))
    assert parts is not None and parts.g_squared == pytest.approx(0.7 * 0.9**0.5)
    assert (
        Monitorability(0.4, 1.0, 0.7, 0.9).g_squared
        == pytest.approx(0.63)
        == pytest.approx(g_mean(70, 30, 10, 90) ** 2)
    )  # type: ignore[operator]
    # the worked card of 2512.18311: q .234, pz .12, specificity .96
    assert Monitorability(0.1, 0.234, min(1, 0.12 / 0.234), 0.96).g_squared == pytest.approx(0.49, abs=5e-3)


def test_g_squared_of_monitors_that_always_or_never_flag_and_of_no_effect() -> None:
    with_cue, hit, _ = _columns()
    names = [f"q{i}" for i in range(60)]
    assert g_squared(Flagged(names, with_cue, hit, [True] * 60)).value == 0
    assert g_squared(Flagged(names, with_cue, hit, [False] * 60)).value == 0
    none = g_squared(Flagged(names, with_cue, [i % 2 == 0 for i in range(60)], [True] * 60))
    assert none.value is None and "may be 0" in none.note
    all_caused = monitorability(
        np.array([True] * 4 + [False] * 4), np.array([True] * 4 + [False] * 4), np.array([True, False] + [False] * 6)
    )
    assert all_caused is not None and (all_caused.caused, all_caused.sensitivity) == (1.0, 0.25)
    for side in ([], [True]):  # nothing was graded, or nothing without the cue
        lone = g_squared(Flagged(["q"] * len(side), side, side, side))
        assert lone.value is None and "no replies with the cue, or none without it" in lone.note


def test_g_squared_by_instance_needs_a_clear_effect() -> None:
    rows = [("a", side, side or i < 2, side) for side in (True, False) for i in range(30)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    found = g_squared_by_instance(Flagged(*columns))
    assert found.value == pytest.approx(1.0), "every biased hit is flagged, no clean reply is"
    flat = [(f"q{q}", side, i % 2 == 0, side) for q in range(20) for side in (True, False) for i in range(30)]
    none = g_squared_by_instance(Flagged(*[list(column) for column in zip(*flat, strict=True)]))
    assert none.value is None and "0 of 20" in none.note


def test_g_mean_and_auroc() -> None:
    assert g_mean(70, 30, 10, 90) == pytest.approx(0.794, abs=5e-4)
    # reported next to its own error rates (arXiv 2606.02211), which are rounded
    assert [g_mean(223, 777, 24, 976), g_mean(721, 279, 72, 928)] == pytest.approx([0.466, 0.818], abs=1e-3)
    assert g_mean(0, 0, 1, 1) is None
    three = [(f"p{i}", s) for i, s in enumerate((3, 2, 2))], [(f"n{i}", s) for i, s in enumerate((2, 1, 1))]
    assert auroc(*three, fewest=1).value == pytest.approx(8 / 9)
    constant = [(f"q{i}", 1.0) for i in range(20)]
    same = auroc(constant, [(f"n{i}", 1.0) for i in range(20)])
    assert same.value == pytest.approx(0.5) and same.high - same.low > 0.1, "equal scores have ends of their own"  # type: ignore[operator]
    few = auroc(*three)
    assert few.value is None and "3 positive and 3 negative" in few.note


def test_monitors_that_were_never_wrong_may_be() -> None:
    """Ten of each told apart, no flag in twenty, every flag right: none of these is a certainty."""
    apart = auroc([(f"a{i}", 1.0) for i in range(10)], [(f"b{i}", 0.0) for i in range(10)])
    assert (apart.value, apart.high) == (1, 1) and apart.low is not None and 0.6 < apart.low < 0.9
    names, with_cue = [f"q{i}" for i in range(20)] * 2, [True] * 20 + [False] * 20
    hit = [True] * 15 + [False] * 25
    never, always = (
        g_squared(Flagged(names, with_cue, hit, [False] * 40)),
        g_squared(Flagged(names, with_cue, hit, hit)),
    )
    assert (never.value, never.low) == (0, 0) and never.high is not None and 0.05 < never.high < 0.3
    assert (always.value, always.high) == (1, 1) and always.low is not None and 0.6 < always.low < 0.9


@pytest.mark.parametrize(("distance", "n", "least"), [(1.0, 20, 0.92), (2.5, 15, 0.9), (3.0, 15, 0.85)])
def test_an_auroc_near_one_is_held(distance: float, n: int, least: float) -> None:
    """Normal scores that far apart; without anything at the ends the last was held in 72 % of studies."""
    random, held, true = np.random.default_rng(2), 0, float(ndtr(distance / 2**0.5))
    for _ in range(200):
        scores = random.normal([[distance], [0.0]], 1, (2, n)).tolist()
        yes, no = ([(f"{kind}{i}", s) for i, s in enumerate(own)] for kind, own in zip("ab", scores, strict=True))
        found = auroc(yes, no, draws=200)
        assert found.low is not None and found.high is not None and found.low < found.high
        held += found.low <= true <= found.high
    assert held >= least * 200


@pytest.mark.parametrize(("flags", "least"), [(0.05, 0.95), (0.5, 0.92)])
def test_a_low_g_squared_is_held(flags: float, least: float) -> None:
    """40 questions, three in five moved, no other flagged. Without anything at the ends the first was held in 68 %."""
    random, held, n = np.random.default_rng(4), 0, 40
    for _ in range(200):
        hit = random.random(n) < 0.6
        flag = hit & (random.random(n) < flags)
        columns = [True] * n + [False] * n, [*hit.tolist(), *[False] * n], [*flag.tolist(), *[False] * n]
        found = g_squared(Flagged([f"q{i}" for i in range(n)] * 2, *columns), draws=200)
        assert found.low is not None and found.high is not None
        held += found.low <= flags <= found.high
    assert held >= least * 200


# ---------------------------------------------------------------- early answers


def test_the_area_over_a_curve() -> None:
    assert area_over_curve([False, False, True, True, True]) == pytest.approx(0.375)
    assert area_over_curve([True] * 5) == 0
    for length in (3, 8):
        for first in range(1, length + 1):
            curve = [j >= first for j in range(length + 1)]
            assert area_over_curve(curve) == pytest.approx((first - 0.5) / length)


def test_a_floor_that_explains_everything_gives_none() -> None:
    assert above_floor(0.8, 0.4) == pytest.approx(0.667, abs=5e-4)
    assert above_floor(0.3, 0.4) == 0
    assert above_floor(1.0, 1.0) is None


def test_unfaithfulness_of_models_that_read_letters_contents_or_nothing() -> None:
    random, n, k = np.random.default_rng(0), 4000, 4
    orders = [list(map(int, random.permutation(k))) for _ in range(n)]

    def shares(answers: Sequence[dict[str, int]]) -> list[float]:
        return [float(np.mean(column)) for column in zip(*unfaithful_rows(answers, orders), strict=True)]

    same_order, _, same_letter, _ = shares([{"with": 1, "without": 1, "shuffled": 1}] * n)
    assert (same_order, same_letter) == (1, 1)
    _, other_order, same_letter, same_content = shares(
        [{"with": 1, "without": 1, "shuffled": order.index(1)} for order in orders]
    )
    assert (other_order, same_content) == (1, 1)
    assert same_letter == pytest.approx(1 / k, abs=0.02)
    drawn = [{key: int(random.integers(k)) for key in ("with", "without", "shuffled")} for _ in range(n)]
    assert shares(drawn) == pytest.approx([1 / k] * 4, abs=0.025)
