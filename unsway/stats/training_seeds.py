"""Several training seeds of one method: the BRR and its ratio to the base with both sources of chance, and the spread.

In: outcomes of every trained model, and of the base. Out: a `SeedSummary`. Seeds and questions are both samples: a seed moves
all questions, a question is hard for all seeds. So the variance of the mean is that of a crossed design. The interval takes
each of its two parts, the spread of seeds beyond the rest and that of questions, with the t quantile of its own degrees of
freedom (a modified large-sample interval, Graybill and Wang 1980, JASA 75:869). The standard errors released with arXiv
2403.05518 average over seeds within each question first, which omits the variation from seed to seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

from unsway.errors import BadInput
from unsway.stats.columns import Columns, brr
from unsway.stats.compare import differences
from unsway.stats.intervals import Floats, Interval, quantile
from unsway.types import Estimate, Outcome

HOW = "t interval, seeds and questions crossed"
COVERS = {2: "85 to 97", 3: "89 to 97"}
"""How often the interval of a few seeds holds the truth, in percent (benchmarks/pitfalls.py): from 110 questions and seeds
whose BRRs have standard deviations of 0 to .15."""
COVERS_MORE = "91 to 97"
"""The same from four seeds on."""


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """The result of several training seeds of one method."""

    brr: Estimate
    """`brr_over_seeds`: the mean over seeds; `n_clusters` are questions that count for every seed."""
    ratio: Estimate | None
    """`brr_ratio_over_seeds`: that mean over the base's BRR; None if no base was given."""
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
        A summary. With one seed the estimates are refused, because then nothing is known of the spread; the ratio is
        refused if the base BRR's interval touches 0. The notes say how often the interval of so few seeds covers, also
        where a training fails: seeds count as normal, and a failed one among few is not seen to be one.

    Raises:
        BadInput: There is no seed.
    """
    quantile(level)
    seeds = {label: tuple(outcomes) for label, outcomes in trained.items()}
    if not seeds:
        raise BadInput("over_seeds() got no seed; give the outcomes of each by its label.")
    base_outcomes = None if base is None else tuple(base)
    sides = [*seeds.values(), *([] if base_outcomes is None else [base_outcomes])]
    found = [differences(side) for side in sides]
    shared = [question for question in found[0] if all(question in side for side in found)]
    means = np.array([[sum(side[key]) / len(side[key]) for key in shared] for side in found], float)
    means = means.reshape(len(found), len(shared))
    d_SQ, base_Q = means[: len(seeds)], means[-1]
    n = sum(len(side[key]) for side in found for key in shared)
    n_lost, n_questions = sum(map(len, sides)) - n, len(shared)
    per_seed = tuple((label, brr(Columns.of(outcomes), level)) for label, outcomes in seeds.items())

    note = (
        f"a nominal 95% interval of {len(seeds)} training seeds covers {COVERS.get(len(seeds), COVERS_MORE)}%, "
        "and about 70 to 85% where one training in five fails"
    )

    def estimate(name: str, value: float, ends: Interval) -> Estimate:
        return Estimate(name, value, *ends, level, n, n_questions, n_lost, HOW, note)

    def refused(name: str, why: str) -> Estimate:
        return Estimate(name, None, None, None, level, n, n_questions, n_lost, "refused", why)

    why = "" if n_questions > 1 else "fewer than two questions count for every seed"
    if len(seeds) < 2:
        why = "one training seed says nothing about the spread from seed to seed; train at least two"
    if why:
        ratio = None if base_outcomes is None else refused("brr_ratio_over_seeds", why)
        return SeedSummary(refused("brr_over_seeds", why), ratio, per_seed, None)
    value, half = float(d_SQ.mean()), _half_width(d_SQ, level)
    mean = estimate("brr_over_seeds", value, Interval(max(-1.0, value - half), min(1.0, value + half)))
    seeds_square, _, rest = _mean_squares(d_SQ)
    spread = float(np.sqrt(max(0.0, seeds_square - rest) / n_questions))
    if base_outcomes is None:
        return SeedSummary(mean, None, per_seed, spread)
    base_low = brr(Columns.of(base_outcomes), level).low
    if base_low is None or base_low <= 0:
        why = "the interval of the base BRR touches 0: its ratio would say nothing"
        return SeedSummary(mean, refused("brr_ratio_over_seeds", why), per_seed, spread)
    ratio = estimate("brr_ratio_over_seeds", float(d_SQ.mean() / base_Q.mean()), _fieller(d_SQ, base_Q, level))
    return SeedSummary(mean, ratio, per_seed, spread)


def _fieller(d_SQ: Floats, base_Q: Floats, level: float) -> Interval:
    """Fieller's interval: the ratios r for which trained minus r times base has a mean that may be 0."""
    value = float(d_SQ.mean() / base_Q.mean())

    def beyond(ratio: float) -> float:
        off_SQ = d_SQ - ratio * base_Q
        return abs(float(off_SQ.mean())) - _half_width(off_SQ, level)

    def end(sign: float) -> float:
        """Where `beyond` turns positive on one side of the value; infinite if it does not within a thousand."""
        step = 0.25
        while beyond(value + sign * step) < 0:
            step *= 2
            if step > 1000:
                return float(sign * np.inf)
        return float(brentq(beyond, value, value + sign * step)) if beyond(value) < 0 else value

    return Interval(end(-1.0), end(1.0))


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
