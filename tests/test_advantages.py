"""The arithmetic of on-policy methods: rates, rewards, the gate, discounted sums; checked by hand values and simulation."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unsway.training.advantages import discount_gaps, gate, rate, rate_rewards, spread, token_advantages

TRAITS = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=12)


def sums(rewards: tuple[float | None, ...]) -> float:
    return sum(each for each in rewards if each is not None)


@given(TRAITS, st.floats(0, 1))
def test_rewards_of_the_group_sum_to_0_and_none_never_enters(traits: list[bool | None], clean: float) -> None:
    rewards = rate_rewards(traits, clean, "group")
    assert sums(rewards) == pytest.approx(0, abs=1e-9)
    assert [each is None for each in rewards] == [trait is None for trait in traits]
    read = [trait for trait in traits if trait is not None]
    assert [r for r in rewards if r is not None] == pytest.approx(rate_rewards(read, clean, "group"))
    assert rate(traits) == (sum(read) / len(read) if read else None)


@given(TRAITS, st.floats(0, 1), st.sampled_from(["group", "leave_one_out"]))
def test_swapping_the_labels_flips_nothing(traits: list[bool | None], clean: float, baseline: str) -> None:
    swapped = [None if trait is None else not trait for trait in traits]
    ours, theirs = rate_rewards(traits, clean, baseline), rate_rewards(swapped, 1 - clean, baseline)  # type: ignore[arg-type]
    assert [r for r in ours if r is not None] == pytest.approx([r for r in theirs if r is not None], abs=1e-12)


@pytest.mark.parametrize("baseline", ["group", "leave_one_out"])
def test_a_unanimous_group_gives_nothing(baseline: str) -> None:
    for trait in (True, False):
        assert set(rate_rewards([trait] * 6 + [None], 0.4, baseline)) <= {0.0, None}  # type: ignore[arg-type]


def test_leaving_one_out_sums_as_derived() -> None:
    traits = [True] * 3 + [False] * 5
    n, p = 8, 3 / 8
    assert sums(rate_rewards(traits, 0.3)) == pytest.approx(p * (1 - p) * n**2 / (n - 1) ** 2)
    assert rate_rewards([True, None], 0.3) == (None, None)


@pytest.mark.parametrize(("rates", "n"), [((0.3, 0.3), 16), ((0.6, 0.3), 16)])
def test_leaving_one_out_is_unbiased_and_the_group_is_not(rates: tuple[float, float], n: int) -> None:
    """The gradient of -½(p - clean)² with respect to the logit is -(p - clean) p (1 - p)."""
    p, clean = rates
    draw = Random(0)
    means: dict[str, list[float]] = {"leave_one_out": [], "group": []}
    for _ in range(20_000):
        traits = [draw.random() < p for _ in range(n)]
        for baseline, found in means.items():
            rewards = rate_rewards(traits, clean, baseline)  # type: ignore[arg-type]
            found.append(sum((r or 0.0) * (t - p) for r, t in zip(rewards, traits, strict=True)) / n)
    true = -(p - clean) * p * (1 - p)
    for baseline, found in means.items():
        mean = sum(found) / len(found)
        se = (sum((x - mean) ** 2 for x in found) / len(found) ** 2) ** 0.5
        assert (abs(mean - true) < 3.5 * se) == (baseline == "leave_one_out"), (baseline, mean, true, se)
        if baseline == "group" and p == clean:
            assert mean == pytest.approx(-0.0049, abs=0.0015)  # toward sharpening, O(1/N)


def test_two_paraphrases_pooled_are_neither_alone() -> None:
    one, other = [True, True, None], [False, True, False, False]
    assert rate(one) == 1.0 and rate(other) == 0.25 and rate(one, other) == 0.5 and rate([None], []) is None


@given(TRAITS, TRAITS, st.floats(0, 4))
def test_the_gate_is_a_fraction(biased: list[bool | None], clean: list[bool | None], z: float) -> None:
    assert 0 <= gate(biased, clean, z) <= 1


def test_the_gate_opens_with_more_replies_and_is_open_at_0() -> None:
    gates = [gate([True, True, False] * n, [False, False, True] * n, 2.0) for n in (1, 2, 4, 16, 64)]
    assert gates == sorted(gates) and len(set(gates)) == 5 and gates[-1] > 0.9
    assert gate([True], [False], 0.0) == 1.0 and gate([None], [True], 1.0) == 0.0


def test_one_scale_for_the_step_keeps_how_large_a_gap_is() -> None:
    assert spread([3.0, -4.0]) == pytest.approx((25 / 2) ** 0.5) and spread([0.0, 0.0]) == 1.0 == spread([])


@pytest.mark.parametrize(
    ("discount", "expected"), [(0.0, (1.0, 2.0, -4.0)), (0.5, (1.0, 0.0, -4.0)), (1.0, (-1.0, -2.0, -4.0))]
)
def test_discounted_sums_by_hand(discount: float, expected: tuple[float, ...]) -> None:
    assert discount_gaps([1.0, 2.0, -4.0], discount) == expected
    ours, base = [-1.0, -1.0, -5.0], [-2.0, -3.0, -1.0]
    assert token_advantages(ours, base, discount) == tuple(-each for each in expected)
