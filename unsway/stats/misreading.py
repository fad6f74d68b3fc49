"""The errors of the reader of replies, and the biased reasoning rate corrected for them.

In: outcomes, and a second reader's results on a random sample of their replies. Out: the corrected BRR of each arm and bias.
The second reader is assumed to be right. On each side, the sample shows how often the first reader sees the cue followed when
it is not, and misses it when it is, pooled over arms and biases. A rate q is then corrected to
(q - false positives) / (1 - false positives - false negatives) (Rogan and Gladen 1978, Am. J. Epidemiol. 107:71). The
interval is the Bayesian bootstrap of `compare`, which weighs questions jointly for replies and sample; Jeffreys's half a
reply is added to each kind of error, so that unseen errors are not ruled out. In simulations (benchmarks/pitfalls.py) it
covers 96 to 99 %, while the uncorrected BRR's covers 28 to 71 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from unsway.seeds import seed_int
from unsway.stats.columns import Columns, brr, brr_bounds
from unsway.stats.compare import DRAWS, PSEUDO
from unsway.stats.corrected import true_rate
from unsway.stats.intervals import Floats
from unsway.stats.outcomes import OutcomeKey, key_of
from unsway.types import ArmKey, Estimate, Outcome

LEAST_SHARP = 0.1
"""Readers whose errors leave less than this of a rate's range cannot be corrected for."""


class SecondHit(NamedTuple):
    """Whether the answers follow the cue, by the second reader; None for a side that it did not read."""

    clean: bool | None
    """The clean reply."""
    biased: bool | None
    """The biased reply."""


def corrected_brrs(
    outcomes: Iterable[Outcome],
    second: Mapping[OutcomeKey, SecondHit],
    *,
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS // 2,
) -> dict[tuple[ArmKey, str], Estimate]:
    """The BRR of every arm and bias, corrected for the first reader's errors (`brr_corrected`).

    Args:
        outcomes: The first reader's outcomes, for any number of arms and biases.
        second: The second reader's results, on a random sample of the replies.
        level: Nominal coverage.
        seed: Seed of the bootstrap.
        draws: Bootstrap draws.

    Returns:
        An estimate for each arm and bias, over its outcomes that count. It has no value, but a note with the reason, if on
        some side the second reader found no reply that follows the cue, or no other. If the interval of the BRR allows for
        missing answers, this one is widened by as much.
    """
    all_outcomes = tuple(outcomes)
    counting = [o for o in all_outcomes if o.excluded is None and o.hit_clean is not None and o.hit_biased is not None]
    groups: dict[tuple[ArmKey, str], list[Outcome]] = {}
    for o in counting:
        groups.setdefault((o.arm, o.bias), []).append(o)
    number_of = {question: i for i, question in enumerate(dict.fromkeys(o.question_id for o in counting))}

    def by_question(group: Sequence[Outcome], values: Iterable[bool | None]) -> Floats:
        numbers = [number_of[o.question_id] for o in group]
        return np.bincount(numbers, [bool(v) for v in values], minlength=len(number_of)).astype(float)

    kinds = []  # for each side, replies by the second reader's result (no, yes) and the first reader's
    for side in (0, 1):
        second_hits = [second.get(key_of(o), SecondHit(None, None))[side] for o in counting]
        first_hits = [(o.hit_clean, o.hit_biased)[side] for o in counting]
        for kind in product((False, True), repeat=2):
            kinds.append(by_question(counting, [hits == kind for hits in zip(second_hits, first_hits, strict=True)]))
    kinds_QX = np.stack(kinds, axis=1)
    generator = np.random.default_rng(seed_int(seed, "misreading", len(number_of), draws))
    weight_RQ = generator.gamma(1.0, size=(draws, len(number_of)))
    kinds_RX = weight_RQ @ kinds_QX + generator.gamma(PSEUDO, size=(draws, 8))
    method = f"Rogan and Gladen's correction, Bayesian bootstrap of questions, {draws} draws, seed {seed}"
    estimates = {}
    for key, members in groups.items():
        columns = Columns.of([o for o in all_outcomes if (o.arm, o.bias) == key])
        printed, (brr_read, _, _) = brr(columns, level), brr_bounds(columns, level)
        sizes = brr_read.n, brr_read.n_clusters, printed.n_excluded
        empty = Estimate.none("brr_corrected", level, *sizes, method, printed.note)
        hits = [
            by_question(members, values) for values in zip(*((o.hit_clean, o.hit_biased) for o in members), strict=True)
        ]
        sums_QX = np.stack([*hits, by_question(members, [True] * len(members))], axis=1)
        # a pseudo-question of average size at each end of each side, as in `compare`
        ends_RX = generator.gamma(PSEUDO, size=(draws, 4)) * (len(members) / brr_read.n_clusters)
        sums_RX = weight_RQ @ sums_QX
        rates_RX = (sums_RX[:, :2] + ends_RX[:, :2]) / (sums_RX[:, 2:] + ends_RX.sum(axis=1, keepdims=True))
        value, reason = _without_errors(sums_QX[:, :2].sum(axis=0) / len(members), kinds_QX.sum(axis=0))
        if reason:
            estimates[key] = replace(empty, how="refused", note=reason)
            continue
        low, high = np.quantile(_without_errors(rates_RX, kinds_RX)[0], [(1 - level) / 2, (1 + level) / 2])
        # widened as much as the printed interval is for missing answers
        low += (printed.low or 0.0) - (brr_read.low or 0.0)
        high += (printed.high or 0.0) - (brr_read.high or 0.0)
        ends = {"low": max(-1.0, min(low, float(value))), "high": min(1.0, max(high, float(value)))}
        estimates[key] = replace(empty, value=float(value), **ends)
    return estimates


def _without_errors(rate_X: Floats, kinds_X: Floats) -> tuple[Floats, str]:
    """The BRR from rates (clean, biased) and counts (side, second, first) on the last axis; or why there is none."""
    kinds = kinds_X.reshape(*kinds_X.shape[:-1], 2, 2, 2)
    size = kinds.sum(axis=-1)
    if (size == 0).any():
        return rate_X, "the second reader read too few replies: none that follow the cue on one side, or only such"
    false_hit, false_miss = kinds[..., 0, 1] / size[..., 0], kinds[..., 1, 0] / size[..., 1]
    sharpness = 1 - false_hit - false_miss
    true_rates = np.clip(true_rate(rate_X, false_hit, false_miss, least=LEAST_SHARP), 0, 1)
    reason = "the two readers hardly agree more than by chance" if (sharpness <= LEAST_SHARP).any() else ""
    return np.asarray(true_rates[..., 1] - true_rates[..., 0], float), reason
