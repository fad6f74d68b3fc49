"""Intervals that may be checked after every question, so asking can stop as soon as one is narrow enough.

In: paired differences in the order in which questions were asked, and the half-width to reach. Out: an interval whose
nominal coverage holds for all checks together.

A betting confidence sequence (Waudby-Smith and Ramdas 2024, J. R. Stat. Soc. B 86:1, §4): against each possible value of
the mean, a gambler bets on the next difference; if the capital ever reaches 2 / (1 - level), the value is excluded. The
stake is ours: the half-width over the variance so far, which is the optimal (Kelly) stake if the truth is a half-width away.
It stops after a sixth to two thirds fewer questions than that paper's stakes (benchmarks/anytime.py). The package
`confseq` by the same authors has their stakes, but needs a compiler and Boost to install, so it is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unsway.errors import BadInput
from unsway.seeds import seed_int
from unsway.stats.columns import ALLOWING, UNTESTED, Columns
from unsway.stats.intervals import Floats, Interval, quantile
from unsway.types import ArmKey, Estimate, Outcome

START_VARIANCE, START_WEIGHT = 0.25, 20.0
"""The initial variance, and the number of questions it counts for; about the variance of a BRR of 0.23 (`power.Assumed`). It
affects the number of questions, never the coverage."""
MOST_STAKE = 0.75
"""Largest share of the capital that one question may lose (1/2 or 3/4 in the paper)."""

_STEPS = 40
"""Number of halvings of the range in the search for a border."""


class Watched(NamedTuple):
    """The precision of one arm under one bias."""

    arm: ArmKey
    """The arm."""
    bias: str
    """`name@version`."""
    estimate: Estimate
    """`brr_anytime`: covers at all checks together."""
    narrow: bool
    """Whether its half-width is small enough, so it need not be asked further."""


def question_order(question_ids: Iterable[str], seed: int) -> tuple[str, ...]:
    """Question ids, each once, in an order that depends only on the seed; ask in this order when checking as you go."""
    return tuple(sorted(dict.fromkeys(question_ids), key=lambda key: seed_int(seed, "until", key)))


def watch(outcomes: Iterable[Outcome], half_width: float, *, seed: int = 0, level: float = 0.95) -> tuple[Watched, ...]:
    """The precision reached by each arm and bias.

    Call it after every batch, with all outcomes so far, asked in the order of `question_order`. If missing answers may matter
    (`Columns.must_allow_for_missing`), the interval allows for them. Whether it is narrow is decided without them, because
    more questions do not recover missing answers. For a bias that is not tested, the share of pairs that moved is used
    instead.

    Args:
        outcomes: Outcomes of any number of arms and biases. A question counts once, as the mean of its outcomes.
        half_width: The half-width to reach.
        seed: Seed of the order of the questions.
        level: Nominal coverage, for all looks together.

    Raises:
        BadInput: Questions are in another order. If they are sorted by source, topic or difficulty, the interval would be
            wrong in most studies.
    """
    groups: dict[tuple[ArmKey, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.arm, outcome.bias), []).append(outcome)
    precisions = []
    for (arm, bias), members in groups.items():
        question_ids = tuple(dict.fromkeys(o.question_id for o in members))
        if question_ids != question_order(question_ids, seed):
            raise BadInput(
                f"The {len(question_ids)} questions of {bias} do not stand in the order that seed {seed} draws. An interval "
                "that may be looked at at any time needs a random order: sorted by source or topic it is wrong in "
                f"most studies. Ask in the order of question_order(ids, {seed}), "
                "or by `unsway measure … --until-half-width`, which does."
            )
        columns = Columns.of(members)
        is_tested = bool(columns.tested.any() or not columns.counts.any())
        value = columns.biased - columns.clean if is_tested else columns.biased
        d_Q = _means(columns.question, np.where(columns.counts, value, np.nan))
        low = -1.0 if is_tested else 0.0
        ends = anytime_interval(d_Q, half_width, low=low, level=level)
        is_narrow = (ends.high - ends.low) / 2 <= half_width
        method = f"betting confidence sequence for a half-width of {half_width:g}"
        if is_tested and columns.must_allow_for_missing():
            least, most = (
                anytime_interval(_means(columns.question, columns.missing_as(hit)), half_width, level=level)
                for hit in (False, True)
            )
            ends = Interval(min(ends.low, least.low), max(ends.high, most.high))
            method = f"{method}, {ALLOWING}"
        n = int((columns.counts & ~np.isnan(value)).sum())
        mean = float(d_Q.mean()) if len(d_Q) else None
        note = "" if is_tested else f"the share of pairs that moved; {UNTESTED}"
        estimate = Estimate("brr_anytime", mean, *ends, level, n, len(d_Q), len(members) - n, method, note)
        precisions.append(Watched(arm, bias, estimate, is_narrow))
    return tuple(precisions)


def _means(question: NDArray[np.intp], value: Floats) -> Floats:
    """The mean of each question's values that are not NaN, in order; questions without values are left out."""
    has_value = ~np.isnan(value)
    size = np.bincount(question[has_value])
    return np.asarray(np.bincount(question[has_value], value[has_value])[size > 0] / size[size > 0], float)


def anytime_interval(
    d_Q: ArrayLike, half_width: float, *, low: float = -1.0, high: float = 1.0, level: float = 0.95
) -> Interval:
    """The interval of a mean, valid at all checks together.

    Args:
        d_Q: Values in the order asked, shape (questions,); without values the interval is the whole range.
        half_width: The half-width at which you intend to stop; the interval is narrowest there and valid everywhere.
        low: Smallest possible value.
        high: Largest possible value.
        level: Nominal coverage, over all checks together.

    Raises:
        BadInput: A value is out of range, or the half-width or the level is invalid.
    """
    d = np.asarray(d_Q, float)
    quantile(level)
    if not 0 < half_width < high - low:
        raise BadInput(f"The half-width is {half_width}; it must lie between 0 and {high - low:g}, such as 0.05.")
    if d.ndim != 1 or not ((d >= low) & (d <= high)).all():
        raise BadInput(f"Values must be one array between {low:g} and {high:g}.")
    if not len(d):
        return Interval(float(low), float(high))
    # each stake depends only on the values before it
    before = np.arange(len(d))
    mean_before = (d.cumsum() - d) / np.maximum(before, 1)
    squares = np.where(before > 0, (d - mean_before) ** 2, START_VARIANCE)
    variance = (START_WEIGHT * START_VARIANCE + squares.cumsum() - squares) / (START_WEIGHT + before)
    stake_Q = np.asarray(half_width / variance, float)
    threshold = float(np.log(2 / (1 - level)))

    def too_low(mean: float) -> bool:
        stakes = np.minimum(stake_Q, MOST_STAKE / (mean - low))
        return bool(np.log1p(stakes * (d - mean)).cumsum().max() >= threshold)

    def too_high(mean: float) -> bool:
        stakes = np.minimum(stake_Q, MOST_STAKE / (high - mean))
        return bool(np.log1p(-stakes * (d - mean)).cumsum().max() >= threshold)

    return Interval(*sorted((_border(too_low, low, high), _border(too_high, high, low))))


def _border(is_excluded: Callable[[float], bool], outer: float, inner: float) -> float:
    """The last excluded value, searching inward from the outer end; the outer end if none is excluded."""
    start = outer + (inner - outer) * 1e-9
    if not is_excluded(start):
        return float(outer)
    outside, inside = start, inner
    for _ in range(_STEPS):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if is_excluded(middle) else (outside, middle)
    return outside
