"""One number in two arms, as a gain with its interval: a difference, a quotient, a rate, a median.

In: what each question scored in each arm. Out: `Compared`, of which a negative value is a loss, in the units of a margin.

    change(Scores.whole(after_Q), Scores.whole(before_Q)).ends

Every number is computed three times: of the answers that were read, and with the missing answers of both arms as they would
make it least and most. `Compared.reach` is the union of the three intervals, as for a BRR (`columns`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
UNKNOWN_OPTIONS = "the number of options is not known"
"""Why there is no preference for a place."""


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
    """One-sided p that nothing was lost, the largest that missing answers allow."""
    spread: float
    """Mean square of what one question contributes; of right and wrong answers the share of questions that changed."""
    bounds: Interval
    """The gain with every missing answer of both arms at its worst and at its best."""
    reach: Interval
    """From the lower end of the interval at the worst to the upper end at the best; `ends` where no answer is missing."""
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
    n_options_Q: tuple[int, ...] = ()
    """Options of each question, for scores that are places among them; empty where nobody knows."""

    @classmethod
    def whole(cls, read_Q: Floats) -> Scores:
        """Scores of which none is missing."""
        return cls(read_Q, read_Q, read_Q)

    def with_places(self) -> Scores:
        """Places with the missing answers all on one, whichever makes the preference greatest, and as even as can be."""
        n_options_Q = np.array(self.n_options_Q)
        missing_Q = np.isnan(self.read_Q) & ~np.isnan(self.least_Q)
        asked_Q = missing_Q | ~np.isnan(self.read_Q)
        if not missing_Q.any():
            return replace(self, least_Q=self.read_Q, most_Q=self.read_Q)
        on_one = [np.where(missing_Q, np.minimum(at, n_options_Q - 1), self.read_Q) for at in range(max(n_options_Q))]
        least_Q = max(on_one, key=lambda at_Q: preference(at_Q[asked_Q].astype(int), n_options_Q[asked_Q]))
        most_Q, even = self.read_Q.copy(), asked_Q.sum() * even_shares(n_options_Q[asked_Q])
        counts = np.bincount(most_Q[asked_Q & ~missing_Q].astype(int), minlength=len(even))
        for question in np.flatnonzero(missing_Q):
            place = int(np.argmin((counts - even)[: n_options_Q[question]]))
            most_Q[question], counts[place] = place, counts[place] + 1
        return replace(self, least_Q=least_Q, most_Q=most_Q)


def change(
    after: Scores,
    before: Scores,
    *,
    level: float = 0.95,
    rises: bool = False,
    by_group: bool = False,
    name: str = "change",
) -> Compared:
    """Mean score after minus before, paired by question; questions without a score on either side are dropped.

    Args:
        after: The arm.
        before: The arm that it is compared with, over the same questions.
        level: Nominal coverage.
        rises: Whether a rise is the loss, as of a bad habit.
        by_group: Whether each group of questions weighs the same, however many of it were read; then each must have one.
        name: Name of the estimate.
    """
    sign = -1.0 if rises else 1.0  # a change as a gain, whichever direction is the loss

    def number(after_Q: Floats, before_Q: Floats) -> Compared:
        d_Q = after_Q - before_Q
        groups, both_Q = dict.fromkeys(after.group_Q if by_group else ()), ~np.isnan(d_Q)
        for group in groups:
            here_Q = np.array(after.group_Q) == group
            n_here = int((here_Q & both_Q).sum())
            if not n_here:
                return _nothing(
                    name, level, len(d_Q), f"no question of {group.replace('_', ' ')} was read in both arms"
                )
            d_Q = np.where(here_Q, d_Q * both_Q.sum() / (len(groups) * n_here), d_Q)
        dropped = int(np.isnan(d_Q).sum())
        d_Q = d_Q[~np.isnan(d_Q)]
        if not len(d_Q):
            return _nothing(name, level, dropped)
        low, high = change_interval(d_Q, level=level)
        how = "Tango score interval, paired by question"
        estimate = Estimate(name, float(d_Q.mean()), low, high, level, len(d_Q), len(d_Q), dropped, how)
        return _complete(estimate, sign, one_sided(sign * d_Q), float((d_Q**2).mean()))

    return _allowing_for_missing(number, after, before)


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

    def number(after_Q: Floats, before_Q: Floats) -> Compared:
        both_Q = ~np.isnan(after_Q) & ~np.isnan(before_Q)
        after_Q, before_Q, n, dropped = after_Q[both_Q], before_Q[both_Q], int(both_Q.sum()), int((~both_Q).sum())
        if not n:
            return _nothing(name, level, dropped)
        if change_interval(before_Q, level=level).low <= 0:
            note = "refused: before the training it may be 0, so there is nothing to keep"
            return _nothing(name, level, dropped, note)
        random = np.random.default_rng(seed_int(seed, "kept share"))
        weights_RQ = np.hstack([random.standard_exponential((DRAWS, n)), random.gamma(PSEUDO, size=(DRAWS, 4))])
        ours, theirs = (-1, 1, 0, 0), (0, 0, -1, 1)
        sums_R = [weights_RQ @ [*own_Q, *ends] for own_Q, ends in ((after_Q, ours), (before_Q, theirs))]
        quotient_R = sums_R[0] / np.maximum(sums_R[1], 1e-9)
        low, high = (float(end) for end in np.quantile(quotient_R, [(1 - level) / 2, (1 + level) / 2]))
        base = float(before_Q.mean())
        value = float(after_Q.mean()) / base
        how = f"Bayesian bootstrap of the ratio, {DRAWS} draws, seed {seed}"
        spread = float(((after_Q - value * before_Q) ** 2).mean()) / base**2
        estimate = Estimate(name, value, low, high, level, n, n, dropped, how)
        return _complete(estimate, 1.0, one_sided(after_Q - before_Q), spread, unchanged=1.0)

    # the greatest denominator keeps a quotient nearest to 0, whether it lies below or above
    least, most = before.least_Q, before.most_Q
    swapped_at_worst, swapped_at_best = (float(np.nansum(end)) < 0 for end in (after.least_Q, after.most_Q))
    before = replace(before, most_Q=least if swapped_at_worst else most, least_Q=most if swapped_at_best else least)
    return _allowing_for_missing(number, after, before)


def rate_change(
    after: Scores, before: Scores, *, level: float = 0.95, seed: int = 0, rises: bool = False, name: str = "rate change"
) -> Compared:
    """The change of a rate over questions that differ between arms, such as those answered wrong twice.

    A Bayesian bootstrap with one success and one failure added to each arm (Agresti and Caffo 2000, Am. Stat. 54:280), so a
    rate of 0 or 1 has width too.
    """
    sign = -1.0 if rises else 1.0

    def number(after_Q: Floats, before_Q: Floats) -> Compared:
        own = [np.nan_to_num(score_Q) for score_Q in (after_Q, before_Q)]
        there = [(~np.isnan(score_Q)).astype(float) for score_Q in (after_Q, before_Q)]
        n = [int(each.sum()) for each in there]
        if min(n) < 2:
            note = f"it counts on {number_of(n[0], 'question')} of the arm and {n[1]} of the other"
            return _nothing(name, level, len(after_Q), note)
        value = float(own[0].sum() / n[0] - own[1].sum() / n[1])
        random = np.random.default_rng(seed_int(seed, "rate change"))
        draws_RQ, ends_R4 = random.standard_exponential((DRAWS, len(own[0]))), random.gamma(1.0, size=(DRAWS, 4))
        rate_R = [
            (draws_RQ @ x + ends_R4[:, i]) / (draws_RQ @ w + ends_R4[:, i] + ends_R4[:, i + 2])
            for i, (x, w) in enumerate(zip(own, there, strict=True))
        ]
        d_R = rate_R[0] - rate_R[1]
        low, high = (float(end) for end in np.quantile(d_R, [(1 - level) / 2, (1 + level) / 2]))
        how, error = f"Bayesian bootstrap of questions, {DRAWS} draws, seed {seed}", float(d_R.std())
        low, high = min(low, value), max(high, value)  # two rates at opposite ends lie beyond all draws
        estimate = Estimate(name, value, low, high, level, min(n), min(n), after.n_missing, how)
        p = float(ndtr(sign * value / error)) if error > 0 else 1.0
        return _complete(estimate, sign, p, error**2 * min(n))

    return _allowing_for_missing(number, after, before)


def prior_change(
    after: Scores, before: Scores, *, level: float = 0.95, seed: int = 0, name: str = "letters"
) -> Compared:
    """How much more the answers prefer a place than before (`preference` of each arm); a rise is the loss.

    A score is the place answered, from 0. The interval is from a bootstrap of questions, as wide as if one more answer had
    moved to the favourite and one away from it, as Bonett and Price do for paired rates (2012, J. Educ. Behav. Stat. 37:479).
    """
    if not after.n_options_Q or not before.n_options_Q:
        return _nothing(name, level, len(after.read_Q), UNKNOWN_OPTIONS)
    n_options_Q = np.array(after.n_options_Q)

    def number(after_Q: Floats, before_Q: Floats) -> Compared:
        both_Q = ~np.isnan(after_Q) & ~np.isnan(before_Q)
        n, dropped = int(both_Q.sum()), int((~both_Q).sum())
        if not n:
            return _nothing(name, level, dropped)
        rows_3Q = np.stack([after_Q, before_Q, n_options_Q])[:, both_Q].astype(int)

        def rise(at_Q: NDArray[np.intp]) -> float:
            ours_Q, theirs_Q, options_Q = rows_3Q[:, at_Q]
            return preference(ours_Q, options_Q) - preference(theirs_Q, options_Q)

        random = np.random.default_rng(seed_int(seed, "prior change"))
        value = rise(np.arange(n))
        d_R = np.array([rise(random.integers(0, n, n)) for _ in range(1000)])
        error = sqrt(float(d_R.var()) + 2 / (n + 2) ** 2)
        low, high = value - quantile(level) * error, value + quantile(level) * error
        how = f"bootstrap of questions, 1000 draws, seed {seed}"
        estimate = Estimate(name, value, low, high, level, n, n, dropped, how)
        return _complete(estimate, -1.0, float(ndtr(-value / error)), error**2 * n)

    return _allowing_for_missing(number, after.with_places(), before.with_places())


def apart(after: Scores, before: Scores, *, level: float = 0.95, rises: bool = False, name: str = "apart") -> Compared:
    """The change in the first group of questions minus the change in the second, as MOVER of two Tango intervals."""
    sign, groups = (-1.0 if rises else 1.0), list(dict.fromkeys(after.group_Q))
    here_GQ = [np.array(after.group_Q) == group for group in groups]

    def number(after_Q: Floats, before_Q: Floats) -> Compared:
        parts = [[np.where(here_Q, score_Q, np.nan) for score_Q in (after_Q, before_Q)] for here_Q in here_GQ]
        changes = [change(Scores.whole(ours), Scores.whole(theirs), level=level) for ours, theirs in parts]
        if len(changes) != 2 or not all(one.estimate.n for one in changes):
            note = "it needs questions of two kinds that were read in both arms"
            return _nothing(name, level, len(after_Q), note)
        one, other = changes
        shift = one.shift - other.shift
        low = shift - sqrt((one.shift - one.ends.low) ** 2 + (other.ends.high - other.shift) ** 2)
        high = shift + sqrt((one.ends.high - one.shift) ** 2 + (other.shift - other.ends.low) ** 2)
        n, n_all = min(one.estimate.n, other.estimate.n), one.estimate.n + other.estimate.n
        how = "MOVER of two Tango intervals, each paired by question"
        estimate = Estimate(name, shift, low, high, level, n_all, n_all, len(after_Q) - n_all, how)
        error = (high - low) / (2 * quantile(level))
        return _complete(estimate, sign, float(ndtr(sign * shift / error)) if error > 0 else 1.0, error**2 * n)

    if len(groups) == 2:  # what is worst in the first group is best in the second
        first_Q = here_GQ[0]
        after, before = (
            replace(
                arm,
                least_Q=np.where(first_Q, arm.least_Q, arm.most_Q),
                most_Q=np.where(first_Q, arm.most_Q, arm.least_Q),
            )
            for arm in (after, before)
        )
    return _allowing_for_missing(number, after, before)


def median_ratio(after: Scores, before: Scores, *, level: float = 0.95, name: str = "ratio") -> Compared:
    """The median over questions of after / before, of lengths say; both directions count as a loss.

    The interval ends in two of the quotients, whose ranks are binomial, and the p is that of the one-sided sign
    test in the direction in which it moved: both exact at any size. The gain is never above 0.
    """
    both_Q = ~np.isnan(after.read_Q) & ~np.isnan(before.read_Q) & (before.read_Q > 0)
    asked_Q = ~np.isnan(after.least_Q) & ~np.isnan(before.least_Q) & (before.read_Q != 0)
    ratio_Q = np.sort(after.read_Q[both_Q] / before.read_Q[both_Q])
    n, n_missing = len(ratio_Q), int((asked_Q & ~both_Q).sum())

    def ends_of(ratio_Q: Floats) -> Interval:
        """The quotients so far from either end that no more can lie outside; all numbers where there are too few."""
        out = 0
        while mcnemar(out, len(ratio_Q) - out) <= 1 - level:
            out += 1
        return Interval(float(ratio_Q[out - 1]), float(ratio_Q[-out])) if out else Interval(0.0, np.inf)

    def gain(low: float, high: float) -> Interval:
        nearest = 0.0 if low <= 1 <= high else -min(abs(low - 1), abs(high - 1))
        return Interval(-max(abs(low - 1), abs(high - 1)), nearest)

    low, high = ends_of(ratio_Q)
    if high == np.inf:
        return _nothing(
            name, level, len(both_Q) - n, f"{number_of(n, 'question')}: too few for an interval of a median"
        )
    value, how = float(np.median(ratio_Q)), "order statistics of the median over questions"
    shortest, longest = (np.sort(np.append(ratio_Q, np.full(n_missing, end))) for end in (0.0, np.inf))
    fewer, more = sorted((int((ratio_Q < 1).sum()), int((ratio_Q > 1).sum())))
    return Compared(
        Estimate(name, value, low, high, level, n, n, len(both_Q) - n, how),
        -abs(value - 1),
        gain(low, high),
        mcnemar(min(more, fewer + n_missing), more) / 2,
        ((high - low) / (2 * quantile(level))) ** 2 * n,
        gain(float(np.median(shortest)), float(np.median(longest))),
        gain(ends_of(shortest).low, ends_of(longest).high),
        after.n_missing,
        before.n_missing,
    )


# ---------------------------------------------------------------- what numbers share


def _allowing_for_missing(number: Callable[[Floats, Floats], Compared], after: Scores, before: Scores) -> Compared:
    """A number of the answers that were read, with what the missing ones could make of it."""
    found = replace(number(after.read_Q, before.read_Q), n_missing=after.n_missing, n_missing_before=before.n_missing)
    arms = (after, before)
    whole = all(np.array_equal(arm.read_Q, end, equal_nan=True) for arm in arms for end in (arm.least_Q, arm.most_Q))
    if whole or found.estimate.value is None:
        return found
    worst, best = number(after.least_Q, before.most_Q), number(after.most_Q, before.least_Q)
    return replace(
        found,
        p_loss=max(found.p_loss, best.p_loss),
        bounds=Interval(min(found.shift, worst.bounds.low), max(found.shift, best.bounds.high)),
        reach=Interval(min(found.ends.low, worst.ends.low), max(found.ends.high, best.ends.high)),
    )


def _complete(estimate: Estimate, sign: float, p_loss: float, spread: float, *, unchanged: float = 0.0) -> Compared:
    """A number without missing answers, as a gain: how far it lies from where nothing changed, in the direction of `sign`."""
    value, low, high = (sign * (float(end or 0.0) - unchanged) for end in (estimate.value, estimate.low, estimate.high))
    ends = Interval(*sorted((low, high)))
    return Compared(estimate, value, ends, p_loss, spread, Interval(value, value), ends)


def one_sided(d_Q: Floats) -> float:
    """One-sided p that the mean of paired differences is not below 0: exact for whole numbers, else by the normal law."""
    if (d_Q == np.round(d_Q)).all():
        p = sign_flip(d_Q)
        return p / 2 if d_Q.sum() < 0 else 1 - p / 2
    error = float(d_Q.std(ddof=1)) / sqrt(len(d_Q)) if len(d_Q) > 1 else 0.0
    return float(ndtr(float(d_Q.mean()) / error)) if error > 0 else one_sided(np.sign(d_Q))


def _nothing(name: str, level: float, dropped: int, note: str = "no question was read in both arms") -> Compared:
    """A number without a value."""
    far = Interval(-np.inf, np.inf)
    return Compared(Estimate(name, None, None, None, level, 0, 0, dropped, "", note), np.nan, far, 1.0, 1.0, far, far)


def letter_prior(counts: Sequence[int], even: Floats | None = None) -> float:
    """How far answers prefer a place: total variation from even, less what chance alone gives (half-normal of each share).

    Args:
        counts: Answers at each place there is, chosen or not.
        even: The share of each place were answers even; None where every question has every place.
    """
    n, k = sum(counts), len(counts)
    if not n:
        return float("nan")
    share = np.asarray(counts, float) / n
    chance = float(np.sqrt(share * (1 - share) / (2 * np.pi * n)).sum())
    return float(np.abs(share - (1 / k if even is None else even)).sum()) / 2 - chance


def even_shares(n_options_Q: NDArray[np.intp]) -> Floats:
    """The share of each place were answers even: a question of two options gives half to each of the first two."""
    n_of_size = np.bincount(n_options_Q)[1:]
    shares: Floats = np.cumsum((n_of_size / np.arange(1, len(n_of_size) + 1))[::-1])[::-1] / len(n_options_Q)
    return shares


def preference(place_Q: NDArray[np.intp], n_options_Q: NDArray[np.intp]) -> float:
    """`letter_prior` of the places that were answered, among as many options as each question has."""
    even = even_shares(n_options_Q)
    return letter_prior(np.bincount(place_Q, minlength=len(even)).tolist(), even)
