"""One number in two arms, as a gain with its interval: a difference, a quotient, a rate, a median.

In: what each question scored in each arm. Out: `Compared`, of which a negative value is a loss, in the units of a margin.

    change(Scores.whole(after_Q), Scores.whole(before_Q)).ends
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from unsway.errors import number_of
from unsway.seeds import seed_int
from unsway.stats.compare import PSEUDO
from unsway.stats.intervals import Floats, Interval, change_interval, quantile
from unsway.stats.significance import mcnemar, sign_flip
from unsway.types import Estimate

DRAWS = 4000
"""Bootstrap draws of ratios and of rates over changing questions."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One number in two arms, or in one, as an interval of which a negative value is a loss."""

    estimate: Estimate
    """The number itself, in its own units."""
    shift: float
    """The number as a gain: below 0 is worse, in the units of the margin."""
    ends: Interval
    """Its interval as a gain."""
    p_loss: float
    """One-sided p that nothing was lost."""
    spread: float
    """Mean square of what one question contributes; of right and wrong answers the share of questions that changed."""
    bounds: Interval
    """The gain with every missing answer of the arm at its worst and at its best."""
    n_missing: int = 0
    """Answers of the arm that are missing."""
    n_missing_before: int = 0
    """Answers of the other arm that are missing."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What one arm scored, question by question; NaN where a question has no score."""

    read_Q: Floats
    """Mean score of the question's answers that were read."""
    least_Q: Floats
    """The same with every missing answer at its worst value."""
    most_Q: Floats
    """The same with every missing answer at its best value."""
    n_missing: int = 0
    """Answers that are missing."""
    group_Q: tuple[str, ...] = ()
    """The condition of each question; empty where there is one."""

    @classmethod
    def whole(cls, read_Q: Floats) -> Scores:
        """Scores of which none is missing."""
        return cls(read_Q, read_Q, read_Q)


def change(
    after: Scores, before: Scores, *, level: float = 0.95, rises: bool = False, name: str = "change"
) -> Compared:
    """Mean score after minus before, paired by question; questions without a score on either side are dropped.

    Args:
        after: The arm.
        before: The arm that it is compared with, over the same questions.
        level: Nominal coverage.
        rises: Whether a rise is the loss, as of a bad habit.
        name: Name of the estimate.
    """
    both_Q = ~np.isnan(after.read_Q) & ~np.isnan(before.read_Q)
    d_Q = (after.read_Q - before.read_Q)[both_Q]
    if not len(d_Q):
        return _nothing(name, level, after, before)
    low, high = change_interval(d_Q, level=level)
    dropped = len(both_Q) - len(d_Q)
    estimate = Estimate(
        name,
        float(d_Q.mean()),
        low,
        high,
        level,
        len(d_Q),
        len(d_Q),
        dropped,
        "Tango score interval, paired by question",
    )
    ends = after.least_Q - before.read_Q, after.most_Q - before.read_Q
    worst, best = (float(np.nanmean(end)) for end in ends)
    sign = -1.0 if rises else 1.0  # a change as a gain, whichever direction is the loss
    return Compared(
        estimate,
        sign * float(estimate.value or 0.0),
        Interval(*sorted((sign * float(low), sign * float(high)))),
        one_sided(sign * d_Q),
        float((d_Q**2).mean()),
        Interval(*sorted((sign * worst, sign * best))),
        after.n_missing,
        before.n_missing,
    )


def own_level(arm: Scores, *, level: float = 0.95, name: str = "level") -> Compared:
    """The mean score of one arm against 0, where a negative one is the loss: does it do the opposite?"""
    zero = Scores.whole(np.zeros_like(arm.read_Q))
    found = change(arm, zero, level=level, name=name)
    return replace(found, estimate=replace(found.estimate, how="Tango score interval, questions as units"))


def kept_share(
    after: Scores, before: Scores, *, level: float = 0.95, seed: int = 0, name: str = "kept share"
) -> Compared:
    """Mean score after over mean score before, by a Bayesian bootstrap of the questions; refused where the latter may be 0.

    Scores lie between -1 and 1. As in a ratio of BRRs, a pseudo-question stands at each end of the scores in each arm, with 0
    in the other: without them 19 questions that did not change would show that nothing can have changed (docs/effects.md).
    The gain is the ratio minus 1, so a margin of 0.2 keeps four fifths.
    """
    both_Q = ~np.isnan(after.read_Q) & ~np.isnan(before.read_Q)
    after_Q, before_Q = after.read_Q[both_Q], before.read_Q[both_Q]
    n = len(after_Q)
    if not n:
        return _nothing(name, level, after, before)
    if change_interval(before_Q, level=level).low <= 0:
        return _nothing(
            name, level, after, before, "refused: before the training it may be 0, so there is nothing to keep"
        )
    random = np.random.default_rng(seed_int(seed, "kept share"))
    weights_RQ = np.hstack([random.standard_exponential((DRAWS, n)), random.gamma(PSEUDO, size=(DRAWS, 4))])
    sums_R = [weights_RQ @ [*own_Q, *ends] for own_Q, ends in ((after_Q, (-1, 1, 0, 0)), (before_Q, (0, 0, -1, 1)))]
    quotient_R = sums_R[0] / np.maximum(sums_R[1], 1e-9)
    low, high = (float(end) for end in np.quantile(quotient_R, [(1 - level) / 2, (1 + level) / 2]))
    base = float(before_Q.mean())
    value = float(after_Q.mean()) / base
    estimate = Estimate(
        name,
        value,
        low,
        high,
        level,
        n,
        n,
        len(both_Q) - n,
        f"Bayesian bootstrap of the ratio, {DRAWS} draws, seed {seed}",
    )
    worst, best = (float(np.nanmean(end)) / base - 1 for end in (after.least_Q, after.most_Q))
    spread = float(((after_Q - value * before_Q) ** 2).mean()) / base**2
    return Compared(
        estimate,
        value - 1,
        Interval(low - 1, high - 1),
        one_sided(after_Q - before_Q),
        spread,
        Interval(worst, best),
        after.n_missing,
        before.n_missing,
    )


def rate_change(
    after: Scores, before: Scores, *, level: float = 0.95, seed: int = 0, rises: bool = False, name: str = "rate change"
) -> Compared:
    """The change of a rate over questions that differ between arms, such as those answered wrong twice.

    A Bayesian bootstrap with one success and one failure added to each arm (Agresti and Caffo 2000, Am. Stat. 54:280), so a
    rate of 0 or 1 has width too.
    """
    own = [np.where(np.isnan(arm.read_Q), 0.0, arm.read_Q) for arm in (after, before)]
    there = [(~np.isnan(arm.read_Q)).astype(float) for arm in (after, before)]
    n = [int(each.sum()) for each in there]
    if min(n) < 2:
        return _nothing(
            name, level, after, before, f"it counts on {number_of(n[0], 'question')} of the arm and {n[1]} of the other"
        )
    value = own[0].sum() / n[0] - own[1].sum() / n[1]
    random = np.random.default_rng(seed_int(seed, "rate change"))
    draws_RQ, ends_R4 = random.standard_exponential((DRAWS, len(own[0]))), random.gamma(1.0, size=(DRAWS, 4))
    rate_R = [
        (draws_RQ @ x + ends_R4[:, i]) / (draws_RQ @ w + ends_R4[:, i] + ends_R4[:, i + 2])
        for i, (x, w) in enumerate(zip(own, there, strict=True))
    ]
    d_R = rate_R[0] - rate_R[1]
    low, high = (float(end) for end in np.quantile(d_R, [(1 - level) / 2, (1 + level) / 2]))
    how = f"Bayesian bootstrap of questions, {DRAWS} draws, seed {seed}"
    estimate = Estimate(name, float(value), low, high, level, min(n), min(n), after.n_missing, how)
    sign, error = (-1.0 if rises else 1.0), float(d_R.std())
    return Compared(
        estimate,
        sign * float(value),
        Interval(*sorted((sign * low, sign * high))),
        float(ndtr(sign * float(value) / error)) if error > 0 else 1.0,
        error**2 * min(n),
        Interval(sign * float(value), sign * float(value)),
        after.n_missing,
        before.n_missing,
    )


def prior_change(
    after: Scores, before: Scores, *, level: float = 0.95, seed: int = 0, name: str = "letters"
) -> Compared:
    """How much more the answers prefer a place than before (`letter_prior` of each arm); a rise is the loss.

    A score is the place answered, from 0. The interval is from a bootstrap of questions, as wide as if one more answer had
    moved to the favourite and one away from it, as Bonett and Price do for paired rates (2012, J. Educ. Behav. Stat. 37:479).
    """
    both_Q = ~np.isnan(after.read_Q) & ~np.isnan(before.read_Q)
    places = [arm.read_Q[both_Q].astype(int) for arm in (after, before)]
    n = len(places[0])
    if not n:
        return _nothing(name, level, after, before)
    k = 1 + max(int(each.max()) for each in places)

    def prefers(at_Q: NDArray[np.intp]) -> float:
        one, other = (letter_prior(np.bincount(each[at_Q], minlength=k).tolist()) for each in places)
        return one - other

    random = np.random.default_rng(seed_int(seed, "prior change"))
    value = prefers(np.arange(n))
    d_R = np.array([prefers(random.integers(0, n, n)) for _ in range(1000)])
    error = sqrt(float(d_R.var()) + 2 / (n + 2) ** 2)
    low, high = value - quantile(level) * error, value + quantile(level) * error
    estimate = Estimate(
        name, value, low, high, level, n, n, len(both_Q) - n, f"bootstrap of questions, 1000 draws, seed {seed}"
    )
    p = float(ndtr(-value / error))
    here = Interval(-value, -value)
    return Compared(estimate, -value, Interval(-high, -low), p, error**2 * n, here, after.n_missing, before.n_missing)


def apart(after: Scores, before: Scores, *, level: float = 0.95, rises: bool = False, name: str = "apart") -> Compared:
    """The change in the first group of questions minus the change in the second, as MOVER of two Tango intervals."""
    first = dict.fromkeys(after.group_Q)
    changes = []
    for group in first:
        here_Q = np.array(after.group_Q) == group
        read = [Scores.whole(np.where(here_Q, arm.read_Q, np.nan)) for arm in (after, before)]
        changes.append(change(read[0], read[1], level=level))
    if len(changes) != 2 or not all(one.estimate.n for one in changes):
        return _nothing(name, level, after, before, "it needs questions of two kinds that were read in both arms")
    one, other = changes
    shift = one.shift - other.shift
    low = shift - sqrt((one.shift - one.ends.low) ** 2 + (other.ends.high - other.shift) ** 2)
    high = shift + sqrt((one.ends.high - one.shift) ** 2 + (other.shift - other.ends.low) ** 2)
    n, n_all = min(one.estimate.n, other.estimate.n), one.estimate.n + other.estimate.n
    how = "MOVER of two Tango intervals, each paired by question"
    estimate = Estimate(name, shift, low, high, level, n_all, n_all, len(after.read_Q) - n_all, how)
    sign, error = (-1.0 if rises else 1.0), (high - low) / (2 * quantile(level))
    here = Interval(sign * shift, sign * shift)
    return Compared(
        estimate,
        sign * shift,
        Interval(*sorted((sign * low, sign * high))),
        float(ndtr(sign * shift / error)) if error > 0 else 1.0,
        error**2 * n,
        here,
        after.n_missing,
        before.n_missing,
    )


def median_ratio(after: Scores, before: Scores, *, level: float = 0.95, name: str = "ratio") -> Compared:
    """The median over questions of after / before, of lengths say; both directions count as a loss.

    The interval ends in two of the quotients, whose ranks are binomial, and the p is that of the sign test: both exact at any
    size. The gain is never above 0.
    """
    both_Q = ~np.isnan(after.read_Q) & ~np.isnan(before.read_Q) & (before.read_Q > 0)
    ratio_Q = np.sort(after.read_Q[both_Q] / before.read_Q[both_Q])
    n = len(ratio_Q)
    out = 0  # how many quotients lie outside of the interval on each side
    while mcnemar(out, n - out) <= 1 - level:
        out += 1
    if not out:
        return _nothing(name, level, after, before, f"{n} questions have no interval of a median")
    low, value, high = float(ratio_Q[out - 1]), float(np.median(ratio_Q)), float(ratio_Q[n - out])
    how = "order statistics of the median over questions"
    estimate = Estimate(name, value, low, high, level, n, n, len(both_Q) - n, how)
    off = low - 1, high - 1
    nearest = 0.0 if off[0] <= 0 <= off[1] else -min(map(abs, off))
    ends = Interval(-max(map(abs, off)), nearest)
    p = mcnemar(int((ratio_Q < 1).sum()), int((ratio_Q > 1).sum()))
    shift, spread = -abs(value - 1), ((high - low) / (2 * quantile(level))) ** 2 * n
    return Compared(estimate, shift, ends, p, spread, Interval(shift, shift), after.n_missing, before.n_missing)


def one_sided(d_Q: Floats) -> float:
    """One-sided p that the mean of paired differences is not below 0: exact for whole numbers, else by the normal law."""
    if (d_Q == np.round(d_Q)).all():
        p = sign_flip(d_Q)
        return p / 2 if d_Q.sum() < 0 else 1 - p / 2
    error = float(d_Q.std(ddof=1)) / sqrt(len(d_Q)) if len(d_Q) > 1 else 0.0
    return float(ndtr(float(d_Q.mean()) / error)) if error > 0 else one_sided(np.sign(d_Q))


def _nothing(name: str, level: float, after: Scores, before: Scores, note: str = "") -> Compared:
    """A number without a value."""
    note = note or "no question was read in both arms"
    estimate = Estimate(name, None, None, None, level, 0, 0, len(after.read_Q), "", note)
    far = Interval(-np.inf, np.inf)
    return Compared(estimate, float("nan"), far, 1.0, 1.0, Interval(0.0, 0.0), after.n_missing, before.n_missing)


def letter_prior(counts: Sequence[int]) -> float:
    """How far answers prefer a place: total variation from even, less what chance alone gives (half-normal of each share)."""
    n, k = sum(counts), len(counts)
    if not n:
        return float("nan")
    share = np.asarray(counts, float) / n
    chance = float(np.sqrt(share * (1 - share) / (2 * np.pi * n)).sum())
    return float(np.abs(share - 1 / k).sum()) / 2 - chance
