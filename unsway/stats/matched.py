"""Compares arms at equal bias, and finds arms that no other arm beats, by joint bootstraps over questions.

In: for each arm two numbers, in the data and in every draw of one bootstrap of the questions shared by all arms. Out: the
difference between two methods at one bias rate, by linear interpolation within both ranges; and the front.

A monitor's performance depends on how strongly a cue works: a checkpoint that is hardly biased any more leaves few switches
to find. So methods are compared at an equal bias rate, along curves over checkpoints (after arXiv 2606.02211), never beyond
the ends of a curve.

Every draw adds half a pseudo-question at each end of a number, as in `compare`: an arm without a switch in twenty questions
might still switch. These draws depend only on the arm's values, so arms with equal values on all questions are equal in all
draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from unsway.errors import BadInput
from unsway.seeds import seed_int
from unsway.stats.compare import PSEUDO
from unsway.stats.intervals import Bools, Floats
from unsway.types import Estimate

DRAWS = 1000
"""Draws of the bootstrap over questions."""
USABLE = 0.9
"""Share of draws in which the bias rate must be within both curves for an interval to be given."""


class ArmPoint(NamedTuple):
    """One arm: two numbers in the data (entry 0) and in each draw of the bootstrap, shape (1 + draws,)."""

    label: str
    """The arm."""
    x_R: Floats
    """How biased it is."""
    y_R: Floats
    """The other number."""


def joint_weights(questions: Sequence[str], *, draws: int = DRAWS, seed: int = 0) -> dict[str, Floats]:
    """A weight of each question in the data and in each draw, the same for all arms, so that their differences are paired."""
    ids = tuple(dict.fromkeys(questions))
    random = np.random.default_rng(seed_int(seed, "joint bootstrap"))
    weight_RQ = np.vstack([np.ones(len(ids)), random.standard_exponential((draws, len(ids)))])
    return {key: weight_RQ[:, number] for number, key in enumerate(ids)}


def end_weights(values: Sequence[float], usual: float, n_draws: int, *, seed: int = 0) -> Floats:
    """Weights of two pseudo-questions, one at each end of a number, shape (1 + draws, 2); in the data, entry 0, they are 0.

    Args:
        values: The values behind the number; equal values give equal draws.
        usual: The usual number of values per question.
        n_draws: Number of draws.
        seed: Seed of the draws.
    """
    random = np.random.default_rng(seed_int(seed, "ends", list(values)))
    return np.vstack([np.zeros(2), usual * random.gamma(PSEUDO, size=(n_draws, 2))])


def rate_R(
    values: Sequence[tuple[str, float]], weights: Mapping[str, Floats], *, ends: tuple[float, float] = (0.0, 1.0)
) -> Floats:
    """A mean in the data and in each draw; NaN where there are no values.

    Args:
        values: Values with their question ids.
        weights: The weights of each question (`joint_weights`).
        ends: Smallest and largest possible value, where the pseudo-questions are.
    """
    if not values:
        return np.full(len(next(iter(weights.values()))), np.nan)
    weight_RU = np.stack([weights[question] for question, _ in values], axis=1)
    value_U = np.array([value for _, value in values], float)
    usual = len(values) / len({question for question, _ in values})
    ends_R2 = end_weights(value_U.tolist(), usual, len(weight_RU) - 1)
    rate: Floats = (weight_RU @ value_U + ends_R2 @ ends) / (weight_RU.sum(axis=1) + ends_R2.sum(axis=1))
    return rate


def matched_difference(
    points: Sequence[ArmPoint], other_points: Sequence[ArmPoint], *, at: float | None = None, level: float = 0.95
) -> Estimate:
    """The second number of one method minus that of another at an equal bias rate.

    Args:
        points: Arms of the first method (checkpoints or seeds), at least 2, all from one joint bootstrap.
        other_points: Arms of the second method.
        at: The bias rate; None uses the middle of the range that both share.
        level: Nominal coverage.

    Returns:
        The difference; None if the ranges do not overlap, the rate is outside one of them, or fewer than 2 arms of a method
        have both numbers; no interval if the rate is outside in more than a tenth of the draws.

    Raises:
        BadInput: A method has fewer than 2 arms.
    """
    if min(len(points), len(other_points)) < 2:
        raise BadInput(f"A curve needs at least 2 arms of a method; there are {len(points)} and {len(other_points)}.")
    n = len(points) + len(other_points)
    method = "linear interpolation between arms; joint Bayesian bootstrap over questions"
    curves = [[p for p in curve if np.isfinite([p.x_R[0], p.y_R[0]]).all()] for curve in (points, other_points)]
    incomplete = [p.label for p in (*points, *other_points) if not np.isfinite([p.x_R[0], p.y_R[0]]).all()]
    left_out_note = f"; without {', '.join(incomplete)}: too few replies of a kind" if incomplete else ""
    n -= len(incomplete)
    if min(map(len, curves)) < 2:
        note = f"a curve needs at least 2 arms of a method{left_out_note}"
        return Estimate.none("matched_difference", level, n, n, len(incomplete), method, note)
    low, high = (
        end([near([float(point.x_R[0]) for point in curve]) for curve in curves])
        for end, near in ((max, min), (min, max))
    )
    if low > high or (at is not None and not low <= at <= high):
        problem = (
            "they share no bias rate"
            if low > high
            else f"{at:.3f} lies outside what they share, {low:.3f} to {high:.3f}"
        )
        spans = " and ".join(
            f"{min(p.x_R[0] for p in curve):.3f} to {max(p.x_R[0] for p in curve):.3f}" for curve in curves
        )
        note = f"the methods' bias rates reach from {spans}: {problem}, and beyond its ends a curve is not known"
        return Estimate.none("matched_difference", level, n, n, len(incomplete), method, note + left_out_note)
    bias_rate = (low + high) / 2 if at is None else at
    value_R = _height_at(curves[0], bias_rate) - _height_at(curves[1], bias_rate)
    usable = np.isfinite(value_R[1:])
    note = f"at a bias rate of {bias_rate:.3f}"
    ends: tuple[float | None, float | None] = (None, None)
    if usable.mean() >= USABLE:
        tail = (1 - level) / 2
        ends = tuple(map(float, np.quantile(value_R[1:][usable], [tail, 1 - tail])))  # type: ignore[assignment]
    else:
        note += f"; it lies inside both curves in {100 * usable.mean():.0f}% of draws only, so there is no interval"
    return Estimate(
        "matched_difference", float(value_R[0]), *ends, level, n, n, len(incomplete), method, note + left_out_note
    )


def _height_at(curve: Sequence[ArmPoint], bias_rate: float) -> Floats:
    """The height of a curve at a bias rate, in the data and in each draw; NaN outside its range.

    Arms of one bias rate count by the mean of their heights, whatever their order.
    """
    heights = []
    for x_K, y_K in zip(np.stack([p.x_R for p in curve], 1), np.stack([p.y_R for p in curve], 1), strict=True):
        rates, rate_index = np.unique(x_K, return_inverse=True)
        height = np.bincount(rate_index, y_K) / np.bincount(rate_index)
        heights.append(np.interp(bias_rate, rates, height, left=np.nan, right=np.nan))
    return np.array(heights, float)


class FrontArm(NamedTuple):
    """One arm compared with the others; in both numbers, less is better."""

    label: str
    """The arm."""
    x: float
    """How biased it is."""
    x_ends: tuple[float, float]
    """Its interval."""
    y: float
    """How often it switches without saying so."""
    y_ends: tuple[float, float]
    """Its interval."""
    is_beaten: bool
    """Whether another arm is at least as good in both numbers and better in one."""
    share_beaten: float
    """Share of draws in which another arm is."""


def front(points: Sequence[ArmPoint], *, level: float = 0.95) -> tuple[FrontArm, ...]:
    """Every arm with joint intervals, and how often another beats it; arms without both numbers are left out."""
    complete = [point for point in points if np.isfinite([point.x_R[0], point.y_R[0]]).all()]
    if not complete:
        return ()
    x_RK, y_RK = np.stack([p.x_R for p in complete], axis=1), np.stack([p.y_R for p in complete], axis=1)
    no_worse = (x_RK[:, :, None] <= x_RK[:, None]) & (y_RK[:, :, None] <= y_RK[:, None])
    better = (x_RK[:, :, None] < x_RK[:, None]) | (y_RK[:, :, None] < y_RK[:, None])
    beaten_RK: Bools = np.logical_or.reduce(no_worse & better, axis=1)
    tail = (1 - level) / 2

    def ends(value_R: Floats) -> tuple[float, float]:
        low, high = np.nanquantile(value_R[1:], [tail, 1 - tail])
        return min(float(low), float(value_R[0])), max(float(high), float(value_R[0]))

    return tuple(
        FrontArm(p.label, float(p.x_R[0]), ends(p.x_R), float(p.y_R[0]), ends(p.y_R), bool(beaten_RK[0, k]), share)
        for k, p in enumerate(complete)
        for share in [float(beaten_RK[1:, k].mean())]
    )
