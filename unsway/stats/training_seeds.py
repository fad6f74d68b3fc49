"""Several training seeds of one method: the BRR and its ratio to the base with both sources of chance, and the spread.

In: outcomes of every trained model, and of the base. Out: a `SeedSummary`. Seeds and questions are both samples: a
seed moves all questions, a question is hard for all seeds. So the variance of the mean is that of a crossed design,
and the interval takes each of its two parts, the spread of seeds beyond the rest and that of questions, with the t
quantile of its own degrees of freedom (a modified large-sample interval, Graybill and Wang 1980, JASA 75:869). The
standard errors released with arXiv 2403.05518 average over seeds within each question first, which leaves the
seed-to-seed part out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

from unsway.errors import BadInput
from unsway.stats.columns import Columns, brr
from unsway.stats.intervals import Floats, Interval, quantile
from unsway.types import Estimate, Outcome

HOW = "t interval, seeds and questions crossed"


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """What several training seeds of one method say."""

    brr: Estimate
    """`brr_over_seeds`: the mean over seeds; `n_clusters` are questions that count for every seed."""
    ratio: Estimate | None
    """`brr_ratio_over_seeds`: that mean over the base's BRR; None where no base was given."""
    per_seed: tuple[tuple[str, Estimate], ...]
    """The BRR of each seed on all its questions, by label."""
    spread: float | None
    """Standard deviation of the BRR from seed to seed, beyond what the sampling of questions explains; None for one
    seed."""


def over_seeds(
    trained: Mapping[str, Iterable[Outcome]], base: Iterable[Outcome] | None = None, *, level: float = 0.95
) -> SeedSummary:
    """Summarise the outcomes of several training seeds.

    Args:
        trained: Outcomes by the label of the seed. Several biases are averaged within each question.
        base: Outcomes of the model they were trained from, on the same questions and biases.
        level: Nominal coverage.

    Returns:
        A summary. With one seed the estimates are refused, for nothing is then known of the spread; the ratio is
        refused where the base BRR's interval touches 0.

    Raises:
        BadInput: There is no seed.
    """
    quantile(level)
    outcomes = {label: tuple(members) for label, members in trained.items()}
    if not outcomes:
        raise BadInput("over_seeds() got no seed; give the outcomes of each by its label.")
    per_seed = tuple((label, brr(Columns.of(members), level)) for label, members in outcomes.items())
    theirs = None if base is None else tuple(base)
    d_SQ, base_Q, n = _crossed(tuple(outcomes.values()), theirs)
    n_all = sum(map(len, outcomes.values())) + len(theirs or ())
    frame = _Frame(d_SQ, level, n, n_all - n)
    ratio = None if theirs is None else _ratio(frame, base_Q, brr(Columns.of(theirs), level))
    return SeedSummary(_mean(frame), ratio, per_seed, frame.spread)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Paired differences by seed (S) and question (Q), complete."""

    d_SQ: Floats
    level: float
    n: int
    n_excluded: int

    @property
    def why_not(self) -> str:
        n_seeds, n_questions = self.d_SQ.shape
        if n_seeds < 2:
            return "one training seed says nothing about the spread from seed to seed; train at least two"
        return "" if n_questions > 1 else "fewer than two questions count for every seed"

    @property
    def spread(self) -> float | None:
        if self.why_not:
            return None
        seeds, _, rest = _mean_squares(self.d_SQ)
        return float(np.sqrt(max(0.0, seeds - rest) / self.d_SQ.shape[1]))

    def estimate(self, name: str, value: float, ends: Interval) -> Estimate:
        return Estimate(name, value, *ends, self.level, self.n, self.d_SQ.shape[1], self.n_excluded, HOW)

    def refused(self, name: str, why: str) -> Estimate:
        return Estimate(name, None, None, None, self.level, self.n, self.d_SQ.shape[1], self.n_excluded, "refused", why)


def _mean(frame: _Frame) -> Estimate:
    if frame.why_not:
        return frame.refused("brr_over_seeds", frame.why_not)
    value, half = float(frame.d_SQ.mean()), _half_width(frame.d_SQ, frame.level)
    return frame.estimate("brr_over_seeds", value, Interval(max(-1.0, value - half), min(1.0, value + half)))


def _ratio(frame: _Frame, base_Q: Floats, base: Estimate) -> Estimate:
    """Fieller's interval: the ratios r for which trained minus r times base has a mean that may be 0."""
    name = "brr_ratio_over_seeds"
    if frame.why_not:
        return frame.refused(name, frame.why_not)
    if base.low is None or base.low <= 0:
        return frame.refused(name, "the interval of the base BRR touches 0: its ratio would say nothing")
    value = float(frame.d_SQ.mean() / base_Q.mean())

    def beyond(ratio: float) -> float:
        off_SQ = frame.d_SQ - ratio * base_Q
        return abs(float(off_SQ.mean())) - _half_width(off_SQ, frame.level)

    return frame.estimate(name, value, Interval(_edge(beyond, value, -1.0), _edge(beyond, value, 1.0)))


def _edge(beyond: Callable[[float], float], value: float, sign: float) -> float:
    """Where `beyond` turns positive on one side of the value; infinite where it does not within a thousand."""
    step = 0.25
    while beyond(value + sign * step) < 0:
        step *= 2
        if step > 1000:
            return float(sign * np.inf)
    return float(brentq(beyond, value, value + sign * step)) if beyond(value) < 0 else value


def _mean_squares(d_SQ: Floats) -> tuple[float, float, float]:
    """Mean squares of seeds, of questions and of the rest, in an analysis of variance without replication."""
    n_seeds, n_questions = d_SQ.shape
    mean, by_S, by_Q = d_SQ.mean(), d_SQ.mean(axis=1), d_SQ.mean(axis=0)
    rest_SQ = d_SQ - by_S[:, None] - by_Q + mean
    seeds = n_questions * float(((by_S - mean) ** 2).sum()) / (n_seeds - 1)
    questions = n_seeds * float(((by_Q - mean) ** 2).sum()) / (n_questions - 1)
    return seeds, questions, float((rest_SQ**2).sum()) / ((n_seeds - 1) * (n_questions - 1))


def _half_width(d_SQ: Floats, level: float) -> float:
    """Half the width of the interval of the mean."""
    n_seeds, n_questions = d_SQ.shape
    seeds, questions, rest = _mean_squares(d_SQ)
    t_seeds, t_questions = (float(stdtrit(n - 1, (1 + level) / 2)) for n in (n_seeds, n_questions))
    square = t_seeds**2 * max(0.0, seeds - rest) + t_questions**2 * questions
    return float(np.sqrt(square / (n_seeds * n_questions)))


def _crossed(seeds: tuple[tuple[Outcome, ...], ...], base: tuple[Outcome, ...] | None) -> tuple[Floats, Floats, int]:
    """Mean paired difference by seed and question, that of the base, and how many outcomes they come from."""
    sides = [_by_question(members) for members in (*seeds, *((base,) if base is not None else ()))]
    shared = [q for q in sides[0] if all(q in side for side in sides)]
    d = np.array([[sum(side[q]) / len(side[q]) for q in shared] for side in sides], float).reshape(
        len(sides), len(shared)
    )
    n = sum(len(side[q]) for side in sides for q in shared)
    return d[: len(seeds)], d[-1], n


def _by_question(outcomes: tuple[Outcome, ...]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for o in outcomes:
        if o.excluded is None and o.hit_biased is not None and o.hit_clean is not None:
            found[o.question_id].append(o.hit_biased - o.hit_clean)
    return found
