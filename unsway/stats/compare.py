"""Compares two models or conditions: difference and ratio of biased reasoning rates, and their mean over biases.

In: the outcomes of each. Out: `Estimate`s. The question is the unit; all outcomes of a question enter together.

A difference is paired: it uses the questions that count on both sides, under the same biases and elicitations, so both sides
have the same mix of biases. A ratio is that of arXiv 2403.05518, §4 (BRR of the trained model over BRR of the base): each arm
uses all its own questions, so the ratio follows from the two printed BRRs. Its interval is a Bayesian bootstrap (Rubin 1981,
Ann. Stat. 9:130) that weighs questions jointly for both models and all biases, because they share the clean prompts. It is
refused if the interval of the base's own printed BRR is not above 0: the same rule for all arms.

If the interval of either BRR allows for missing answers (`columns.brr`), or one arm loses clearly more than the other,
difference and ratio allow for them too: they span every value that the missing answers could have given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unsway.errors import BadInput
from unsway.seeds import seed_int
from unsway.stats.columns import ALLOWING, UNTESTED, Columns, brr, brr_bounds, loses_more, where_it_lies
from unsway.stats.intervals import Bools, Floats, change_interval
from unsway.stats.outcome_table import OutcomeTable
from unsway.types import Estimate, Outcome

DRAWS = 4000
"""Bootstrap draws: with these, the ends of a 95 % interval vary by about 1 % of its width between seeds (measured)."""
PSEUDO = 0.5
"""Weight of the pseudo-question at each end of each side, after Jeffreys's prior for a rate. Without it, a trained
model that never moved would have a ratio of exactly 0, and at 50 questions the coverage would be 73 %
(docs/coverage.md)."""
WEAK = 0.5
"""A base whose BRR's lower end is below this share of the BRR is near the threshold for refusing ratios. If the base is
so weak that at least a fifth of the ratios are refused, four in five printed ratios carry the note; if it is strong
(.25 of 110 questions), one in twelve (benchmarks/pitfalls.py)."""
PAIRED_BY = ("bias", "elicit")
"""The fields by which a difference is paired, besides the question, if both sides share values."""
NEAR = (
    "the interval of the base's BRR reaches below half of it; a ratio to such a base is printed more often where chance "
    "made it look large, so on average a cure looks greater than it is"
)
"""The note on a ratio to a weak base."""


def _counting(outcomes: OutcomeTable) -> OutcomeTable:
    """The outcomes that count and have a hit on both sides."""
    columns = Columns.of(outcomes)
    return outcomes.where(columns.counts & ~np.isnan(columns.biased - columns.clean))


# ---------------------------------------------------------------- difference


def brr_difference(outcomes_a: Iterable[Outcome], outcomes_b: Iterable[Outcome], *, level: float = 0.95) -> Estimate:
    """BRR of `a` minus BRR of `b`, paired by question.

    The two may be two models on one bias, or two biases or elicitations of one model. Biases that both sides have are paired
    too, and so are elicitations: a question is used under the biases and elicitations under which it counts on both
    sides, and their differences are averaged. Biases on only one side are left out, so both sides have the same mix of
    biases. Each question gives a paired difference, mostly -1, 0 or 1, so the interval is Tango's; differences of 2 or
    fractions enter through the effective sample size (`intervals`). It allows for missing answers if they may matter.
    """
    sides = _Sides.of(outcomes_a, outcomes_b, level, apart=False)
    a, b = sides.a, sides.b
    paired_QB, asked_QB = (a.n_QB > 0) & (b.n_QB > 0), (a.asked_QB > 0) & (b.asked_QB > 0)
    n = int((a.n_QB + b.n_QB)[paired_QB].sum())
    if not n:
        return sides.refuse("brr_difference", sides.why)
    with np.errstate(invalid="ignore"):  # NaN without an outcome, which is not used
        d_Q = _by_question(a.sum_QB / a.n_QB - b.sum_QB / b.n_QB, paired_QB)
        least_Q = _by_question(a.least_QB / a.asked_QB - b.most_QB / b.asked_QB, asked_QB)
        most_Q = _by_question(a.most_QB / a.asked_QB - b.least_QB / b.asked_QB, asked_QB)
    low, high = change_interval(d_Q, level=level)
    method = "Tango score interval, paired by question"
    if sides.allow:
        low = min(low, change_interval(least_Q, level=level).low)
        high = max(high, change_interval(most_Q, level=level).high)
        method = f"{method}, {ALLOWING}"
    return Estimate("brr_difference", float(d_Q.mean()), low, high, level, n, len(d_Q), sides.n_outcomes - n, method)


def _by_question(value_QB: Floats, use_QB: Bools) -> Floats:
    """The mean of each question's used values, for the questions that have any."""
    n_Q = use_QB.sum(axis=1)
    total_Q = np.where(use_QB, value_QB, 0.0).sum(axis=1)
    return np.asarray(total_Q[n_Q > 0] / n_Q[n_Q > 0], float)


# ---------------------------------------------------------------- ratios


def brr_ratio(
    outcomes_trained: Iterable[Outcome],
    outcomes_base: Iterable[Outcome],
    *,
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """BRR of the trained model over BRR of the base, for one bias: the quotient of two printed BRRs.

    Args:
        outcomes_trained: Outcomes of the trained model, of one bias.
        outcomes_base: Outcomes of the model it was trained from, of the same bias.
        level: Nominal coverage.
        seed: Seed of the bootstrap.
        draws: Bootstrap draws.

    Returns:
        An estimate. It has no value, but a note with the reason, if the interval of the base's BRR is not above 0 or the bias
        is not tested. The note on a value says if the base is near that threshold.

    Raises:
        BadInput: There are several biases; use `held_out_ratio` for their average.
    """
    sides = _Sides.of(outcomes_trained, outcomes_base, level, apart=True)
    if len(sides.biases) > 1:
        raise BadInput(f"brr_ratio() got {len(sides.biases)} biases ({', '.join(sides.biases)}); use held_out_ratio().")
    if sides.weak or not sides.biases:
        return sides.refuse("brr_ratio", sides.why)
    a_KRB, b_KRB = sides.bootstrap(seed, draws)
    quotients = _quotients(a_KRB[..., 0], b_KRB[..., 0])
    value = (sides.a.brrs[0].value or 0.0) / (sides.b.brrs[0].value or 1.0)
    return sides.estimate("brr_ratio", value, quotients, _method(draws, seed), NEAR if sides.b.near[0] else "")


def held_out_ratio(
    outcomes_trained: Iterable[Outcome],
    outcomes_base: Iterable[Outcome],
    *,
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[Estimate, Estimate]:
    """The average over biases: the ratio of mean BRRs (`brr_ratio_of_means`, the headline), and the mean of ratios.

    Every bias has the same weight. Pass only the outcomes of held-out biases; a bias on only one side is not used.

    Args:
        outcomes_trained: Outcomes of the trained model, of any number of biases.
        outcomes_base: Outcomes of the model it was trained from.
        level: Nominal coverage.
        seed: Seed of the bootstrap.
        draws: Bootstrap draws.

    Returns:
        `brr_ratio_of_means`, refused if the interval of the base's mean BRR (`brr_mean`) is not above 0, and
        `brr_mean_of_ratios`, refused if that is so for any single bias.
    """
    sides = _Sides.of(outcomes_trained, outcomes_base, level, apart=True)
    if not sides.biases:
        return sides.refuse("brr_ratio_of_means", sides.why), sides.refuse("brr_mean_of_ratios", sides.why)
    a_KRB, b_KRB = sides.bootstrap(seed, draws)
    method = _method(draws, seed)
    trained_mean, base_mean = (_mean(side.used, level, seed, draws) for side in (sides.a, sides.b))
    if base_mean.low is None or base_mean.low <= 0:
        ratio = sides.refuse("brr_ratio_of_means", f"the interval of the base's mean BRR {where_it_lies(base_mean)}")
    else:
        quotients = _quotients(a_KRB.mean(axis=2), b_KRB.mean(axis=2))
        value = (trained_mean.value or 0.0) / (base_mean.value or 1.0)
        ratio = sides.estimate("brr_ratio_of_means", value, quotients, method, base_mean.note)
    if sides.weak:
        return ratio, sides.refuse("brr_mean_of_ratios", sides.why)
    values = [(a.value or 0.0) / (b.value or 1.0) for a, b in zip(sides.a.brrs, sides.b.brrs, strict=True)]
    quotients = _quotients(a_KRB, b_KRB).mean(axis=2)
    is_near = any(sides.b.near)
    return ratio, sides.estimate(
        "brr_mean_of_ratios", float(np.mean(values)), quotients, method, NEAR if is_near else ""
    )


def held_out_means(
    outcomes_trained: Iterable[Outcome],
    outcomes_base: Iterable[Outcome],
    *,
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[Estimate, Estimate]:
    """The mean over biases of the BRRs of each arm (`brr_mean`); the quotient of the two is the ratio of means.

    Takes the arguments of `held_out_ratio`. The base's mean is the same whatever arm it is compared with.
    """
    sides = _Sides.of(outcomes_trained, outcomes_base, level, apart=True)
    trained, base = (_mean(side.used, level, seed, draws) for side in (sides.a, sides.b))
    return trained, base


def _mean(outcomes: OutcomeTable, level: float, seed: int, draws: int) -> Estimate:
    """The mean over biases of one arm's BRRs, with equal weights."""
    arm = _Sides.of(outcomes, None, level, apart=True)
    if not arm.biases:
        return arm.refuse("brr_mean", arm.why)
    a_KRB, _ = arm.bootstrap(seed, draws)
    value = float(np.mean([estimate.value for estimate in arm.a.brrs]))
    means_KR = a_KRB.mean(axis=2)
    note = NEAR if np.quantile(means_KR[1], (1 - level) / 2) < WEAK * value else ""
    return arm.estimate("brr_mean", value, means_KR, _method(draws, seed), note)


def _quotients(a_KR: Floats, b_KR: Floats) -> Floats:
    """The least, the read and the most quotient (axis K) in each draw, from the same three values of each side.

    A draw whose denominator may be 0 or less counts as infinite, in the direction in which the quotient can go.
    """
    quotient_KR = np.full_like(a_KR, np.inf)
    np.divide(a_KR[1], b_KR[1], out=quotient_KR[1], where=b_KR[1] > 0)
    if (a_KR[0] == a_KR[2]).all() and (b_KR[0] == b_KR[2]).all():
        return np.stack([quotient_KR[1]] * 3)
    for k, sign in ((0, -1.0), (2, 1.0)):
        is_outward = sign * a_KR[k] > 0  # the least denominator takes it farthest from 0, the most keeps it nearest
        denominator_R = np.where(is_outward, b_KR[0], b_KR[2])
        quotient_KR[k] = np.where(is_outward, sign * np.inf, 0.0)
        np.divide(a_KR[k], denominator_R, out=quotient_KR[k], where=denominator_R > 0)
    return quotient_KR


def _method(draws: int, seed: int) -> str:
    return f"Bayesian bootstrap of questions, joint over models and biases, {draws} draws, seed {seed}"


# ---------------------------------------------------------------- both sides, by question and bias


@dataclass(frozen=True, slots=True)
class _Arm:
    """Sums over one side's outcomes by question (Q) and bias (B); for a difference, B is bias and elicitation."""

    used: OutcomeTable
    """Outcomes of the biases on both sides."""
    brrs: tuple[Estimate, ...]
    """The printed BRR of each bias; for a difference, of all together."""
    near: tuple[bool, ...]
    """Whether each BRR, for the pairs read, is so near 0 that its being above 0 may be luck."""
    sum_QB: Floats
    """Sum of the paired differences of the outcomes that count."""
    n_QB: Floats
    """Number of outcomes that count."""
    least_QB: Floats
    """Smallest possible sum over all pairs, whatever the missing answers are."""
    most_QB: Floats
    """Largest possible sum over all pairs."""
    asked_QB: Floats
    """Number of outcomes that would count if every answer had been read."""
    allow: bool
    """Whether the interval of any of its BRRs allows for missing answers."""

    @classmethod
    def of(cls, outcomes: OutcomeTable, axes: Mapping[str, Sequence[str]], level: float, *, apart: bool) -> _Arm:
        """Sums by the values of the given fields, the question first; `apart` evaluates each bias separately."""
        columns = Columns.of(outcomes)
        shape = [len(values) for values in axes.values()]
        indices = tuple(_indices(outcomes, name, values) for name, values in axes.items())
        moved, least, most = columns.moved, columns.missing_as(hit=False), columns.missing_as(hit=True)

        def sum_up(value: Floats) -> Floats:
            total = np.zeros(shape)
            np.add.at(total, indices, np.nan_to_num(value))
            return total.reshape(shape[0], int(np.prod(shape[1:])))

        parts = [Columns.of(outcomes.only(bias=name)) for name in axes["bias"]] if apart else [columns]
        return cls(
            used=outcomes,
            brrs=tuple(brr(part, level) for part in parts),
            near=tuple(
                (brr_read.low or 0.0) < WEAK * (brr_read.value or 0.0)
                for brr_read, *_ in (brr_bounds(part, level) for part in parts)
            ),
            sum_QB=sum_up(moved),
            n_QB=sum_up((~np.isnan(moved)).astype(float)),
            least_QB=sum_up(least),
            most_QB=sum_up(most),
            asked_QB=sum_up((~np.isnan(least)).astype(float)),
            allow=any(part.must_allow_for_missing() for part in parts),
        )


def _indices(outcomes: OutcomeTable, name: str, axis_values: Sequence[str]) -> NDArray[np.intp]:
    """The index of each outcome's value of a field in a list of values; 0 if it is not in the list."""
    index_of = {value: i for i, value in enumerate(axis_values)}
    field_values, value_index = outcomes.numbers(name)
    return np.array([index_of.get(value, 0) for value in field_values], np.intp)[value_index]


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both sides on the same questions and biases; side b is empty for a mean of one arm."""

    a: _Arm
    """The side to compare."""
    b: _Arm
    """The base."""
    biases: tuple[str, ...]
    """Biases that count on both sides; none for a difference."""
    weak: tuple[str, ...]
    """Biases whose BRR on side b has an interval that is not above 0."""
    allow: bool
    """Whether intervals must allow for missing answers: either side does, or one loses clearly more than the other."""
    is_untested: bool
    """Whether replies count on both sides, but none has a clean side to compare with."""
    n_outcomes: int
    """The number of outcomes given."""
    level: float
    """Nominal coverage."""

    @classmethod
    def of(
        cls, outcomes_a: Iterable[Outcome], outcomes_b: Iterable[Outcome] | None, level: float, *, apart: bool
    ) -> _Sides:
        """Both sides; `apart` takes biases separately, and only those that count on both. Without b: the mean of side a."""
        tables = OutcomeTable.of(outcomes_a), OutcomeTable.of(outcomes_b or ())
        counting = [_counting(side).distinct("bias") for side in tables]
        is_untested = not all(counting[: 1 + bool(tables[1])]) and any(
            rule.clean == "zero" for rule in tables[0].distinct("rule")
        )
        biases = tuple(name for name in counting[0] if name in counting[1] or outcomes_b is None) if apart else ()
        shared = {"bias": biases}
        if not apart:  # without shared ones, two biases (or elicitations) are compared
            common = (
                (name, [v for v in tables[0].distinct(name) if v in tables[1].distinct(name)]) for name in PAIRED_BY
            )
            shared = {name: tuple(values) for name, values in common if values}
        a, b = (side.only(**{name: frozenset(values) for name, values in shared.items()}) for side in tables)
        questions = tuple(dict.fromkeys((*a.distinct("question_id"), *b.distinct("question_id"))))
        arm_a, arm_b = (_Arm.of(side, {"question_id": questions} | shared, level, apart=apart) for side in (a, b))
        weak = [name for name, base in zip(biases, arm_b.brrs, strict=False) if base.low is None or base.low <= 0]
        allow = arm_a.allow or arm_b.allow
        asked_QB = (arm_a.asked_QB > 0) & (arm_b.asked_QB > 0)
        if asked_QB.any() and not allow:  # whether one side loses clearly more than the other
            with np.errstate(invalid="ignore"):
                d_Q = _by_question(arm_a.n_QB / arm_a.asked_QB - arm_b.n_QB / arm_b.asked_QB, asked_QB)
            allow = loses_more(d_Q)
        n_outcomes = sum(map(len, tables))
        return cls(arm_a, arm_b, biases, tuple(weak) if b else (), allow, is_untested, n_outcomes, level)

    @property
    def why(self) -> str:
        """The reason why there is no number."""
        if self.weak:
            brrs = dict(zip(self.biases, self.b.brrs, strict=True))
            places = " or ".join(dict.fromkeys(where_it_lies(brrs[name]) for name in self.weak))
            return f"the interval of the base BRR {places} ({', '.join(self.weak)}): its ratio would say nothing"
        return UNTESTED if self.is_untested else "no question counts on both sides"

    def bootstrap(self, seed: int, draws: int) -> tuple[Floats, Floats]:
        """Least, read and most mean (K) of each side by draw (R) and bias (B); draws weigh whole questions for both."""
        sides = (self.a, self.b) if self.b.used else (self.a,)
        names = ("sum_QB", "n_QB", *(("least_QB", "most_QB", "asked_QB") if self.allow else ()))
        rows_Q = np.hstack([getattr(side, name) for name in names for side in sides])
        rows_Q = rows_Q[rows_Q.any(axis=1)]
        rows_G, count_G = np.unique(rows_Q, axis=0, return_counts=True)
        # each side, end and bias gets a pseudo-question of average size, which has only this bias; it is at this end on this
        # side and at 0 on the other
        sizes = [np.diag(side.n_QB.sum(axis=0) / (side.n_QB > 0).sum(axis=0)) for side in sides]
        pseudo = []
        for pseudo_side in range(len(sides)):
            for end in (-1.0, 1.0):
                sums = [end * (i == pseudo_side) * size for i, size in enumerate(sizes)]
                pseudo.append(np.hstack([block for name in names for block in (sizes if name[0] in "na" else sums)]))
        shape_G = np.concatenate([count_G, np.full(sum(map(len, pseudo)), PSEUDO)])
        generator = np.random.default_rng(seed_int(seed, "bootstrap", len(rows_Q), draws))
        total_R = generator.gamma(shape_G, size=(draws, len(shape_G))) @ np.vstack([rows_G, *pseudo])
        parts = np.split(total_R, len(names) * len(sides), axis=1)
        means = []
        for i in range(len(sides)):
            total, n, *bounds = parts[i :: len(sides)]
            least, most, n_asked = bounds or (total, total, n)
            means.append(np.stack([least / n_asked, total / n, most / n_asked]))
        return means[0], means[-1]

    def estimate(self, name: str, value: float, draws_KR: Floats, method: str, note: str = "") -> Estimate:
        """An estimate with a percentile interval from the least to the most, widened to include the value."""
        lows, highs = (
            [float(np.quantile(draws_R, share, method="inverted_cdf")) for draws_R in draws_KR]
            for share in ((1 - self.level) / 2, (1 + self.level) / 2)
        )
        n = int(self.a.n_QB.sum() + self.b.n_QB.sum())
        n_questions = int(((self.a.n_QB.sum(axis=1) + self.b.n_QB.sum(axis=1)) > 0).sum())
        method += f", {ALLOWING}" if self.allow else ""
        low, high = min(value, *lows), max(value, *highs)
        return Estimate(name, value, low, high, self.level, n, n_questions, self.n_outcomes - n, method, note)

    def refuse(self, name: str, reason: str) -> Estimate:
        """An estimate without a value, with the reason."""
        n = int(self.a.n_QB.sum() + self.b.n_QB.sum())
        n_questions = int(((self.a.n_QB.sum(axis=1) + self.b.n_QB.sum(axis=1)) > 0).sum())
        return Estimate.none(name, self.level, n, n_questions, self.n_outcomes - n, "refused", reason)
