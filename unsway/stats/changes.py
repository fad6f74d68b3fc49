"""Changes paired by question: of a mean, of a median, of one arm against 0, and of one kind of question beyond another.

In: the scores of each question in each arm. Out: `Compared`; a negative value is a loss, in the units of a margin.

    change(Scores.whole(after_Q), Scores.whole(before_Q)).ends
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from unsway.errors import number_of
from unsway.stats.compared import LEVEL, Compared, Scores, allow_for_missing, complete, no_value, one_sided
from unsway.stats.intervals import Floats, Interval, change_interval, quantile, sum_interval
from unsway.stats.significance import mcnemar
from unsway.types import Estimate


def change(
    after: Scores,
    before: Scores,
    *,
    rises: bool = False,
    by_group: bool = False,
    name: str = "change",
) -> Compared:
    """Mean score after minus before, paired by question; questions without a score on either side are dropped.

    Args:
        after: The arm.
        before: The arm to compare with, over the same questions.
        rises: Whether a rise is the loss, as for a bad habit.
        by_group: Whether each group of questions has the same weight, however many were read; each group then needs one.
        name: Name of the estimate.
    """
    sign = -1.0 if rises else 1.0  # the change as a gain, whichever direction is the loss

    def compare(after_Q: Floats, before_Q: Floats) -> Compared:
        d_Q = after_Q - before_Q
        groups = dict.fromkeys(after.group_Q if by_group else ())
        paired_Q = ~np.isnan(d_Q)
        for group in groups:
            here_Q = np.array(after.group_Q) == group
            n_here = int((here_Q & paired_Q).sum())
            if not n_here:
                return no_value(name, len(d_Q), f"no question of {group.replace('_', ' ')} was read in both arms")
            d_Q = np.where(here_Q, d_Q * paired_Q.sum() / (len(groups) * n_here), d_Q)
        n_dropped = int(np.isnan(d_Q).sum())
        d_Q = d_Q[~np.isnan(d_Q)]
        if not len(d_Q):
            return no_value(name, n_dropped)
        low, high = change_interval(d_Q, level=LEVEL)
        method = "Tango score interval, paired by question"
        estimate = Estimate(name, float(d_Q.mean()), low, high, LEVEL, len(d_Q), len(d_Q), n_dropped, method)
        return complete(estimate, sign, one_sided(sign * d_Q), float((d_Q**2).mean()))

    return allow_for_missing(compare, after, before)


def own_level(arm: Scores, *, name: str = "level") -> Compared:
    """The mean score of one arm against 0; a negative one is the loss (the arm does the opposite)."""
    zero = Scores.whole(np.zeros_like(arm.read_Q))
    compared = change(arm, zero, name=name)
    return replace(compared, estimate=replace(compared.estimate, how="Tango score interval, questions as units"))


def apart(after: Scores, before: Scores, *, rises: bool = False, name: str = "apart") -> Compared:
    """The change in the first group of questions minus the change in the second, by MOVER from two Tango intervals."""
    sign = -1.0 if rises else 1.0
    groups = list(dict.fromkeys(after.group_Q))
    here_GQ = [np.array(after.group_Q) == group for group in groups]

    def compare(after_Q: Floats, before_Q: Floats) -> Compared:
        parts = [[np.where(here_Q, score_Q, np.nan) for score_Q in (after_Q, before_Q)] for here_Q in here_GQ]
        changes = [change(Scores.whole(own_Q), Scores.whole(base_Q)) for own_Q, base_Q in parts]
        if len(changes) != 2 or not all(part.estimate.n for part in changes):
            note = "it needs questions of two kinds that were read in both arms"
            return no_value(name, len(after_Q), note)
        first, second = changes
        shift = first.shift - second.shift
        low, high = sum_interval(shift, (first.shift, first.ends), (-second.shift, second.ends.negative))
        n, n_all = min(first.estimate.n, second.estimate.n), first.estimate.n + second.estimate.n
        method = "MOVER of two Tango intervals, each paired by question"
        estimate = Estimate(name, shift, low, high, LEVEL, n_all, n_all, len(after_Q) - n_all, method)
        error = (high - low) / (2 * quantile(LEVEL))
        return complete(estimate, sign, float(ndtr(sign * shift / error)) if error > 0 else 1.0, error**2 * n)

    if len(groups) == 2:  # the worst case in the first group is the best in the second
        first_Q = here_GQ[0]
        after, before = (
            replace(
                arm,
                least_Q=np.where(first_Q, arm.least_Q, arm.most_Q),
                most_Q=np.where(first_Q, arm.most_Q, arm.least_Q),
            )
            for arm in (after, before)
        )
    return allow_for_missing(compare, after, before)


def median_ratio(after: Scores, before: Scores, *, name: str = "ratio") -> Compared:
    """The median over questions of after / before, for example of lengths; both directions count as a loss.

    The ends of the interval are two of the quotients, with binomial ranks, and p is from the one-sided sign test in the
    direction of the change: both exact at any size. The gain is never above 0.
    """
    paired_Q = ~np.isnan(after.read_Q) & ~np.isnan(before.read_Q) & (before.read_Q > 0)
    asked_Q = ~np.isnan(after.least_Q) & ~np.isnan(before.least_Q) & (before.read_Q != 0)
    ratio_Q = np.sort(after.read_Q[paired_Q] / before.read_Q[paired_Q])
    n, n_missing = len(ratio_Q), int((asked_Q & ~paired_Q).sum())

    def ends_of(ratio_Q: Floats) -> Interval:
        """The quotients with the binomial ranks, counted from either end; the whole range if there are too few."""
        rank = 0
        while mcnemar(rank, len(ratio_Q) - rank) <= 1 - LEVEL:
            rank += 1
        return Interval(float(ratio_Q[rank - 1]), float(ratio_Q[-rank])) if rank else Interval(0.0, np.inf)

    def gain(low: float, high: float) -> Interval:
        nearest = 0.0 if low <= 1 <= high else -min(abs(low - 1), abs(high - 1))
        return Interval(-max(abs(low - 1), abs(high - 1)), nearest)

    low, high = ends_of(ratio_Q)
    if high == np.inf:
        return no_value(name, len(paired_Q) - n, f"{number_of(n, 'question')}: too few for an interval of a median")
    value = float(np.median(ratio_Q))
    method = "order statistics of the median over questions"
    shortest, longest = (np.sort(np.append(ratio_Q, np.full(n_missing, end))) for end in (0.0, np.inf))
    n_fewer, n_more = sorted((int((ratio_Q < 1).sum()), int((ratio_Q > 1).sum())))
    return Compared(
        Estimate(name, value, low, high, LEVEL, n, n, len(paired_Q) - n, method),
        -abs(value - 1),
        gain(low, high),
        mcnemar(min(n_more, n_fewer + n_missing), n_more) / 2,
        ((high - low) / (2 * quantile(LEVEL))) ** 2 * n,
        gain(float(np.median(shortest)), float(np.median(longest))),
        gain(ends_of(shortest).low, ends_of(longest).high),
        after.n_missing,
        before.n_missing,
    )
