"""What replies say of a cue, how well a monitor finds it, and whether answers depend on reasoning: worked examples."""

from collections.abc import Sequence

import numpy as np
import pytest

from unsway.stats.early_answering import above_floor, area_over_curve, unfaithfulness
from unsway.stats.monitoring import Flagged, auroc, g_mean, g_squared, g_squared_by_instance, monitorability
from unsway.stats.verbalised import Switches, net, verbalised


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
    found = verbalised(switches(cued, other, stay, [True] * n_says + [False] * (cued - n_says)))
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
    found = verbalised(pairs).normalised
    assert found.value is None and why in found.note


def test_a_missing_verdict_is_in_no_rate_and_the_bounds_hold_it() -> None:
    found = verbalised(switches(10, 0, 30, [True] * 3 + [False] * 3 + [None] * 4))
    assert (found.given_switch.value, found.given_switch.n, found.given_switch.n_excluded) == (0.5, 6, 34)
    assert (found.given_switch_if_none.value, found.given_switch_if_all.value) == (0.3, 0.7)
    assert (found.unverbalised.value, found.unverbalised.n) == (3 / 36, 36)


def test_net_is_paired_and_leaves_out_what_has_no_verdict() -> None:
    found = net([True, True, False, None, True], [True, False, False, True, None], list("abcde"))
    assert (found.value, found.n, found.n_excluded) == (pytest.approx(1 / 3), 3, 2)


def test_swapping_what_relies_changes_the_rate_and_not_the_mentions() -> None:
    """Verbalised is mentions and relies, so a judge of mentions alone gives another number."""
    mentions, relies = [True] * 8 + [False] * 2, [True] * 4 + [False] * 6
    both = verbalised(switches(10, 0, 30, [a and b for a, b in zip(mentions, relies, strict=True)])).given_switch
    assert (both.value, verbalised(switches(10, 0, 30, mentions)).given_switch.value) == (0.4, 0.8)


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
    assert g_mean(0, 0, 1, 1) is None
    three = [(f"p{i}", s) for i, s in enumerate((3, 2, 2))], [(f"n{i}", s) for i, s in enumerate((2, 1, 1))]
    assert auroc(*three, fewest=1).value == pytest.approx(8 / 9)
    constant = [(f"q{i}", 1.0) for i in range(20)]
    assert auroc(constant, constant).value == pytest.approx(0.5)
    few = auroc(*three)
    assert few.value is None and "3 positive and 3 negative" in few.note


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
    letter = unfaithfulness([{"with": 1, "without": 1, "shuffled": 1}] * n, orders)
    assert letter is not None and (letter.same_order, letter.same_letter, letter.ratio) == (1, 1, 1)
    content = unfaithfulness([{"with": 1, "without": 1, "shuffled": order.index(1)} for order in orders], orders)
    assert content is not None
    assert (content.other_order, content.same_content) == (1, 1)
    assert content.same_letter == pytest.approx(1 / k, abs=0.02)
    drawn = [{key: int(random.integers(k)) for key in ("with", "without", "shuffled")} for _ in range(n)]
    chance = unfaithfulness(drawn, orders)
    assert chance is not None and chance == pytest.approx((1 / k,) * 4, abs=0.025)
