"""The share of a score that is kept, and the change of a rate over changing questions, by a Bayesian bootstrap of questions.

In: the scores of each question in each arm. Out: `Compared`; a negative value is a loss, in the units of a margin.

    kept_share(Scores.whole(after_Q), Scores.whole(before_Q)).estimate.value
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unsway.errors import number_of
from unsway.seeds import seed_int
from unsway.stats.compare import PSEUDO
from unsway.stats.compared import (
    DRAWS,
    LEVEL,
    Compared,
    Scores,
    allow_for_missing,
    complete,
    no_value,
    of_draws,
    one_sided,
)
from unsway.stats.intervals import Floats, change_interval
from unsway.types import Estimate


def kept_share(after: Scores, before: Scores, *, seed: int = 0, name: str = "kept share") -> Compared:
    """Mean score after over mean score before, by a Bayesian bootstrap of the questions; refused if the latter may be 0.

    Scores are between -1 and 1. As in a ratio of BRRs, each arm gets a pseudo-question at each end of the scores, which
    is 0 in the other arm. Without them, 19 unchanged questions would show that nothing can have changed
    (docs/effects.md). The gain is the ratio minus 1, so a margin of 0.2 means keeping four fifths.
    """

    def compare(after_Q: Floats, before_Q: Floats) -> Compared:
        paired_Q = ~np.isnan(after_Q) & ~np.isnan(before_Q)
        after_Q, before_Q = after_Q[paired_Q], before_Q[paired_Q]
        n, n_dropped = int(paired_Q.sum()), int((~paired_Q).sum())
        if not n:
            return no_value(name, n_dropped)
        if change_interval(before_Q, level=LEVEL).low <= 0:
            note = "refused: before the training it may be 0, so there is nothing to keep"
            return no_value(name, n_dropped, note)
        random = np.random.default_rng(seed_int(seed, "kept share"))
        weights_RQ = np.hstack([random.standard_exponential((DRAWS, n)), random.gamma(PSEUDO, size=(DRAWS, 4))])
        ends_after, ends_before = (-1, 1, 0, 0), (0, 0, -1, 1)
        sums_R = [weights_RQ @ [*score_Q, *ends] for score_Q, ends in ((after_Q, ends_after), (before_Q, ends_before))]
        quotient_R = sums_R[0] / np.maximum(sums_R[1], 1e-9)
        low, high = (float(end) for end in np.quantile(quotient_R, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
        base = float(before_Q.mean())
        value = float(after_Q.mean()) / base
        method = f"Bayesian bootstrap of the ratio, {DRAWS} draws, seed {seed}"
        spread = float(((after_Q - value * before_Q) ** 2).mean()) / base**2
        estimate = Estimate(name, value, low, high, LEVEL, n, n, n_dropped, method)
        return complete(estimate, 1.0, one_sided(after_Q - before_Q), spread, unchanged=1.0)

    # the largest denominator keeps the quotient closest to 0, on either side
    least, most = before.least_Q, before.most_Q
    swapped_at_worst, swapped_at_best = (float(np.nansum(end)) < 0 for end in (after.least_Q, after.most_Q))
    before = replace(before, most_Q=least if swapped_at_worst else most, least_Q=most if swapped_at_best else least)
    return allow_for_missing(compare, after, before)


def rate_change(
    after: Scores, before: Scores, *, seed: int = 0, rises: bool = False, name: str = "rate change"
) -> Compared:
    """The change of a rate over questions that differ between arms, such as those answered wrong twice.

    A Bayesian bootstrap with one success and one failure added to each arm (Agresti and Caffo 2000, Am. Stat. 54:280), so
    that rates of 0 and 1 have width too.
    """
    sign = -1.0 if rises else 1.0

    def compare(after_Q: Floats, before_Q: Floats) -> Compared:
        scores = [np.nan_to_num(score_Q) for score_Q in (after_Q, before_Q)]
        has_score = [(~np.isnan(score_Q)).astype(float) for score_Q in (after_Q, before_Q)]
        n = [int(present.sum()) for present in has_score]
        if min(n) < 2:
            note = f"it counts on {number_of(n[0], 'question')} of the arm and {n[1]} of the other"
            return no_value(name, len(after_Q), note)
        value = float(scores[0].sum() / n[0] - scores[1].sum() / n[1])
        random = np.random.default_rng(seed_int(seed, "rate change"))
        draws_RQ, ends_R4 = random.standard_exponential((DRAWS, len(scores[0]))), random.gamma(1.0, size=(DRAWS, 4))
        rate_R = [
            (draws_RQ @ x + ends_R4[:, i]) / (draws_RQ @ w + ends_R4[:, i] + ends_R4[:, i + 2])
            for i, (x, w) in enumerate(zip(scores, has_score, strict=True))
        ]
        d_R = rate_R[0] - rate_R[1]
        return of_draws(name, value, d_R, sign, min(n), after.n_missing, seed=seed)

    return allow_for_missing(compare, after, before)
