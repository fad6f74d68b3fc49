"""Several training seeds of one method: the BRR and its ratio to the base with both sources of chance, and the spread.

In: outcomes of every trained model, and of the base. Out: a `SeedSummary`. Seeds and questions are both samples: a seed
affects all questions, and a question is hard for all seeds. So the variance of the mean is that of a crossed design. The
interval uses both of its parts, the spread of seeds beyond the residual and that of questions, each with the t quantile of
its own degrees of freedom (a modified large-sample interval, Graybill and Wang 1980, JASA 75:869). The part of questions is
never less than in Tango's interval of the differences averaged over seeds, because values that never moved show no
variation. The standard errors released with arXiv 2403.05518 first average over seeds within each question, which omits the
variation between seeds.

A question counts under the biases and elicitations under which it counts for every seed and the base, so all have the same
mix of biases. If one of them loses so many answers that its own interval allows for it (`columns.brr`), or the seeds lose
clearly more or less than the base, mean and ratio span every value that the missing answers could have given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

from unsway.errors import BadInput
from unsway.stats.columns import ALLOWING, Columns, brr, loses_more, where_it_lies
from unsway.stats.intervals import Floats, Interval, change_interval, quantile
from unsway.stats.outcome_table import OutcomeTable
from unsway.types import Estimate, Outcome

METHOD = "t interval, seeds and questions crossed"
COVERS = {2: "85 to 99", 3: "89 to 97"}
"""Coverage in percent of a 95 % interval from few seeds (benchmarks/pitfalls.py), with 110 questions and seeds whose
BRRs have standard deviations of 0 to .15."""
COVERS_MORE = "91 to 97"
"""The same for four or more seeds."""


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """The result of several training seeds of one method."""

    brr: Estimate
    """`brr_over_seeds`: the mean over seeds; `n_clusters` is the number of questions that count for every seed."""
    ratio: Estimate | None
    """`brr_ratio_over_seeds`: that mean over the base's BRR; None if no base was given."""
    per_seed: tuple[tuple[str, Estimate], ...]
    """The BRR of each seed over all its questions, by label."""
    spread: float | None
    """Standard deviation of the BRR between seeds, beyond what the sampling of questions explains; None for one seed."""


def over_seeds(
    trained: Mapping[str, Iterable[Outcome]], base: Iterable[Outcome] | None = None, *, level: float = 0.95
) -> SeedSummary:
    """Summarise the outcomes of several training seeds.

    Args:
        trained: Outcomes by label of the seed. Several biases are averaged within each question.
        base: Outcomes of the model they were trained from, on the same questions and biases.
        level: Nominal coverage.

    Returns:
        A summary. With one seed the estimates are refused, because then the spread is unknown. The ratio is refused if the
        base BRR's interval is not above 0, or if the base's mean may be 0 on the questions that all share. The notes give
        the coverage of the interval from so few seeds, also if a training fails: seeds are assumed to be normal, and one
        failed seed among few is not recognised as such.

    Raises:
        BadInput: There is no seed.
    """
    quantile(level)
    sides = [OutcomeTable.of(outcomes) for outcomes in (*trained.values(), *([] if base is None else [base]))]
    if not trained:
        raise BadInput("over_seeds() got no seed; give the outcomes of each by its label.")
    columns = [Columns.of(side) for side in sides]
    d_SQ, n = _shared(sides, [side.moved for side in columns])
    bounds = _bounds(sides, columns, len(trained))
    n_seeds, n_questions, n_lost = len(trained), d_SQ.shape[1], sum(map(len, sides)) - n
    per_seed = tuple((label, brr(side, level)) for label, side in zip(trained, columns, strict=False))

    note = (
        f"a nominal 95% interval of {n_seeds} training seeds covers {COVERS.get(n_seeds, COVERS_MORE)}%, "
        "and about 80 to 87% where one training in five fails"
    )
    note += "" if level == 0.95 else f"; at {100 * level:g}% nobody has measured it"
    note += "; mean and ratio allow for any value of the missing answers" if bounds else ""
    method = f"{METHOD}, {ALLOWING}" if bounds else METHOD

    def estimate(name: str, value: float, intervals: Sequence[Interval]) -> Estimate:
        low, high = min(interval.low for interval in intervals), max(interval.high for interval in intervals)
        return Estimate(name, value, low, high, level, n, n_questions, n_lost, method, note)

    def refuse(name: str, reason: str) -> Estimate:
        return Estimate.none(name, level, n, n_questions, n_lost, "refused", reason)

    reason = "" if n_questions > 1 else "fewer than two questions count for every seed"
    if n_seeds < 2:
        reason = "one training seed says nothing about the spread from seed to seed; train at least two"
    if reason:
        ratio = None if base is None else refuse("brr_ratio_over_seeds", reason)
        return SeedSummary(refuse("brr_over_seeds", reason), ratio, per_seed, None)
    value = float(d_SQ[:n_seeds].mean())
    intervals = [
        _interval(values_SQ[:n_seeds], _beyond_t(values_SQ[:n_seeds], level), level) for values_SQ in (d_SQ, *bounds)
    ]
    mean = estimate("brr_over_seeds", value, [Interval(max(-1.0, low), min(1.0, high)) for low, high in intervals])
    seeds_square, _, rest = _mean_squares(d_SQ[:n_seeds])
    spread = float(np.sqrt(max(0.0, seeds_square - rest) / n_questions))
    if base is None:
        return SeedSummary(mean, None, per_seed, spread)
    base_brr = brr(columns[-1], level)
    if (base_brr.low or 0.0) <= 0 or min(values_SQ[-1].mean() for values_SQ in (d_SQ, *bounds)) <= 0:
        reason = (
            f"the interval of the base BRR {where_it_lies(base_brr)}, or its mean may be 0 on the "
            "questions that all share"
        )
        reason += ": its ratio would say nothing"
        return SeedSummary(mean, refuse("brr_ratio_over_seeds", reason), per_seed, spread)
    fiellers = [
        _fieller(seeds_SQ[:n_seeds], base_SQ[-1], level)
        for seeds_SQ, base_SQ in ((d_SQ, d_SQ), *product(bounds, bounds))
    ]
    ratio = estimate("brr_ratio_over_seeds", value / float(d_SQ[-1].mean()), fiellers)
    return SeedSummary(mean, ratio, per_seed, spread)


def _bounds(sides: Sequence[OutcomeTable], columns: Sequence[Columns], n_seeds: int) -> list[Floats]:
    """The least and the most that missing answers could make of each side's means; empty if they can be ignored."""
    least, most = ([side.missing_as(hit) for side in columns] for hit in (False, True))
    was_read = [
        np.where(np.isnan(low), np.nan, ~np.isnan(side.moved)) for low, side in zip(least, columns, strict=True)
    ]
    read_SQ, n = _shared(sides, was_read)
    allow = any(side.must_allow_for_missing() for side in columns)
    if n and len(sides) > n_seeds and not allow:  # whether the seeds lose clearly more than the base, or less
        d_Q = read_SQ[:n_seeds].mean(axis=0) - read_SQ[-1]
        allow = loses_more(d_Q)
    return [_shared(sides, bound)[0] for bound in (least, most)] if allow else []


def _shared(sides: Sequence[OutcomeTable], values: Sequence[Floats]) -> tuple[Floats, int]:
    """The mean of each side (S) on each question (Q), and the number of values behind it.

    A question counts under the biases and elicitations under which every side has a value. Values are first averaged within
    these, then over each question.
    """
    by_side = []
    for side, value in zip(sides, values, strict=True):
        fields = [side.numbers(name) for name in ("question_id", "bias", "elicit")]
        by_cell: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
        for *indices, score in zip(*(number for _, number in fields), value, strict=True):
            if not np.isnan(score):
                by_cell[tuple(values[i] for (values, _), i in zip(fields, indices, strict=True))].append(float(score))
        by_side.append(by_cell)
    cells = [cell for cell in by_side[0] if all(cell in side for side in by_side)]
    number_of = {question: number for number, question in enumerate(dict.fromkeys(question for question, *_ in cells))}
    question_C = [number_of[question] for question, *_ in cells]
    means_SC = np.array([[sum(side[cell]) / len(side[cell]) for cell in cells] for side in by_side], float)
    total_SQ = np.stack(
        [np.bincount(question_C, mean_C, len(number_of)) for mean_C in means_SC.reshape(len(sides), -1)]
    )
    return total_SQ / np.bincount(question_C, minlength=len(number_of)), sum(
        len(side[cell]) for side in by_side for cell in cells
    )


def _fieller(d_SQ: Floats, base_Q: Floats, level: float) -> Interval:
    """Fieller's interval: the ratios r for which the mean of trained minus r times base may be 0."""
    value = float(d_SQ.mean() / base_Q.mean())
    extra = _beyond_t(d_SQ, level)

    def beyond(ratio: float) -> float:
        """Above 0 if the mean cannot be 0."""
        low, high = _interval(d_SQ - ratio * base_Q, extra, level)
        return max(low, -high)

    def end(sign: float) -> float:
        """The point where `beyond` turns positive on one side of the value; infinite if it does not within a thousand."""
        step = 0.25
        while beyond(value + sign * step) < 0:
            step *= 2
            if step > 1000:
                return float(sign * np.inf)
        return float(brentq(beyond, value, value + sign * step)) if beyond(value) < 0 else value

    return Interval(end(-1.0), end(1.0))


def _mean_squares(d_SQ: Floats) -> tuple[float, float, float]:
    """Mean squares of seeds, of questions and of the residual, in an analysis of variance without replication."""
    n_seeds, n_questions = d_SQ.shape
    mean, by_S, by_Q = d_SQ.mean(), d_SQ.mean(axis=1), d_SQ.mean(axis=0)
    rest_SQ = d_SQ - by_S[:, None] - by_Q + mean
    seeds = n_questions * float(((by_S - mean) ** 2).sum()) / (n_seeds - 1)
    questions = n_seeds * float(((by_Q - mean) ** 2).sum()) / (n_questions - 1)
    return seeds, questions, float((rest_SQ**2).sum()) / ((n_seeds - 1) * (n_questions - 1))


def _interval(d_SQ: Floats, extra: tuple[float, float], level: float) -> Interval:
    """The interval of the mean; `extra` is added to the squared width below and above."""
    n_seeds, n_questions = d_SQ.shape
    seeds, questions, rest = _mean_squares(d_SQ)
    t_seeds, t_questions = (float(stdtrit(n - 1, (1 + level) / 2)) for n in (n_seeds, n_questions))
    square = (t_seeds**2 * max(0.0, seeds - rest) + t_questions**2 * questions) / d_SQ.size
    below, above = (float(np.sqrt(square + extra_square)) for extra_square in extra)
    return Interval(float(d_SQ.mean()) - below, float(d_SQ.mean()) + above)


def _beyond_t(d_SQ: Floats, level: float) -> tuple[float, float]:
    """How much the square of Tango's interval of questions exceeds that of t, below and above the mean; at least 0."""
    by_Q = d_SQ.mean(axis=0)
    square = float(stdtrit(len(by_Q) - 1, (1 + level) / 2)) ** 2 * float(by_Q.var(ddof=1)) / len(by_Q)
    low, high = (max(0.0, (end - float(by_Q.mean())) ** 2 - square) for end in change_interval(by_Q, level=level))
    return low, high
