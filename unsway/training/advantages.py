"""Rewards and advantages of sampled replies: the arithmetic of on-policy methods, on plain numbers.

In: traits (whether a reply followed the cue; None if no answer was read), or differences of log-probabilities by token.
Out: advantages. Nothing here samples or differentiates. A reply without an answer has no reward; it does not count as "no".

    rate_rewards((True, False, None), clean_rate=0.0)     # leave one out: (-0.0, 0.5·…, None)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

Traits: TypeAlias = Sequence[bool | None]
"""Whether each reply followed the cue; None if no answer was read."""
Baseline: TypeAlias = Literal["leave_one_out", "group"]
"""The rate used for a reply's reward: that of the other replies, or that of all."""


def rate(*groups: Traits) -> float | None:
    """Share of readable replies of all groups that followed the cue; None if none is readable."""
    readable = [trait for group in groups for trait in group if trait is not None]
    return sum(readable) / len(readable) if readable else None


def rate_rewards(traits: Traits, clean_rate: float, baseline: Baseline = "leave_one_out") -> tuple[float | None, ...]:
    """Rewards that move the rate of following the cue to the clean rate (arXiv 2606.02211).

    The gradient of -½(p - clean rate)²: reward -(p̂ - clean rate)(T - p̂). With `group` p̂ is the rate of all replies, as in
    the paper; the rewards sum to 0, and since p̂ is in both factors they pull toward 0 and 1 by O(1/N). With `leave_one_out`
    p̂ is that of the other replies, which is unbiased; the sum is then not 0, so do not subtract a mean later.

    Returns:
        A reward for each reply; None if no answer was read, or if it is the only readable reply.
    """
    readable = [trait for trait in traits if trait is not None]
    n, hits = len(readable), sum(readable)

    def reward(trait: bool) -> float | None:
        if baseline == "leave_one_out":
            if n < 2:
                return None
            other_rate = (hits - trait) / (n - 1)
        else:
            other_rate = hits / n
        return -(other_rate - clean_rate) * (trait - other_rate)

    return tuple(None if trait is None else reward(trait) for trait in traits)


def gate(biased: Traits, clean: Traits, z: float) -> float:
    """How far to trust the gap between two rates: snr/(snr + z²), snr the squared gap in standard errors; in [0, 1].

    Variances are those of rates with one reply of each kind added. Returns 1 if z is 0, and 0 if nothing was read.
    """
    if z**2 == 0:
        return 1.0
    counts = [(sum(t for t in group if t is not None), sum(t is not None for t in group)) for group in (biased, clean)]
    if not all(n for _, n in counts):
        return 0.0
    variance = sum((p := (hits + 1) / (n + 2)) * (1 - p) / n for hits, n in counts)
    gap = counts[0][0] / counts[0][1] - counts[1][0] / counts[1][1]
    snr = gap**2 / variance
    return snr / (snr + z**2)


def spread(rewards: Sequence[float]) -> float:
    """Root mean square of the rewards, by which a step's rewards are divided; 1 if all are 0.

    It is one number for the whole step: dividing item by item would remove the size of an item's gap and leave only its sign.
    """
    return math.sqrt(sum(reward**2 for reward in rewards) / len(rewards)) or 1.0 if rewards else 1.0


def discount_gaps(gaps: Sequence[float], discount: float) -> tuple[float, ...]:
    """For each token, the sum of the gaps from it on, each later one multiplied by one more factor of the discount."""
    sums: list[float] = []
    for gap in reversed(gaps):
        sums.append(gap + discount * (sums[-1] if sums else 0.0))
    return tuple(reversed(sums))


def token_advantages(ours: Sequence[float], base: Sequence[float], discount: float) -> tuple[float, ...]:
    """Advantages of a reply's tokens: negative for tokens that are likelier now than in the base (arXiv 2605.21834).

    Args:
        ours: Log-probability of each token after the biased prompt, under the current weights.
        base: The same after the clean prompt, under the base model, at the same temperature.
        discount: 0 uses only each token's own gap; 1 also uses all later ones in full.
    """
    return tuple(-total for total in discount_gaps([a - b for a, b in zip(ours, base, strict=True)], discount))
