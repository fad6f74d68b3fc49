"""The true rate behind a judge's verdicts: the judge's quality, a gate, and three corrections with their conditions.

In: a judge's verdicts, people's labels of some of the same replies, the question of each. Out: `Estimate`s.

| correction | valid where |
|---|---|
| `rogan_gladen` | sensitivity and specificity are the same as on the labelled replies; the share of true ones may differ |
| `ppi` | the labelled replies are a random sample of the replies to estimate |
| `two_phase` | replies were drawn for labelling by their verdict, at random within each |

Sources: Rogan and Gladen (1978, Am. J. Epidemiol. 107:71), which the tests compare with the closed-form interval of Lang and
Reiczigel (2014, Prev. Vet. Med. 113:13); prediction-powered inference with a tuned weight (arXiv 2311.01453); Begg and
Greenes (1983, Biometrics 39:207).
True names the class that is counted; correcting for the other class gives another number.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unsway.errors import BadInput
from unsway.seeds import seed_int
from unsway.stats.columns import numbers_of
from unsway.stats.compare import PSEUDO
from unsway.stats.intervals import (
    Floats,
    Interval,
    effective_size,
    rate_interval,
    rate_interval_of,
    sum_interval,
    wilson,
)
from unsway.types import Estimate

DRAWS = 4000
"""Draws of a simulated interval; its ends vary by about 0.002 between seeds."""
WEAK = 0.3
"""A corrected rate carries a warning if the low end of Youden's J is below this."""


class JudgeTable(NamedTuple):
    """People's labels against a judge's verdicts, on replies with both: counts, or effective counts."""

    tp: float
    """Both say yes."""
    fn: float
    """People say yes, the judge no."""
    fp: float
    """People say no, the judge yes."""
    tn: float
    """Both say no."""

    @classmethod
    def of(cls, labels: Sequence[bool], verdicts: Sequence[bool]) -> JudgeTable:
        """Count labels against verdicts. Raises `BadInput` if their numbers differ."""
        if len(labels) != len(verdicts):
            raise BadInput(
                f"There are {len(labels)} labels and {len(verdicts)} verdicts; give one of each for a reply."
            )
        label_verdicts = list(zip(labels, verdicts, strict=True))
        return cls(*(label_verdicts.count((label, verdict)) for label, verdict in product((True, False), repeat=2)))

    @classmethod
    def worth(
        cls, labels: Sequence[bool], verdicts: Sequence[bool], questions: Sequence[str], *, level: float = 0.95
    ) -> JudgeTable:
        """The counts at their effective size, for gate and corrections: repeats of a question add no information.

        Each row is scaled to the number of independent replies with the same information about its rate
        (`intervals.effective_size`), so that the table's Wilson intervals are those over questions. Without repeats
        nothing changes.

        Args:
            labels: People's label of each reply.
            verdicts: The judge's verdict on each reply.
            questions: The question of each reply; replies to one question are one cluster.
            level: Nominal coverage.
        """
        counts = cls.of(labels, verdicts)
        index = numbers_of(questions)
        label, right = np.asarray(labels, bool), np.equal(labels, verdicts)
        scales = []  # positives, then negatives
        for kind in (True, False):
            size_Q, right_Q = (
                np.bincount(index, mask).astype(float) for mask in (label == kind, (label == kind) & right)
            )
            size_Q, right_Q = size_Q[size_Q > 0], right_Q[size_Q > 0]
            n_effective = effective_size(right_Q, np.zeros_like(right_Q), size_Q, level=level) if len(size_Q) else 0.0
            scales.append(n_effective / max(1.0, float(size_Q.sum())))
        scale_yes, scale_no = scales
        return cls(counts.tp * scale_yes, counts.fn * scale_yes, counts.fp * scale_no, counts.tn * scale_no)

    @property
    def n(self) -> float:
        """The number of replies with both label and verdict."""
        return sum(self)

    @property
    def ac1(self) -> float | None:
        """Gwet's AC1 (2008, Br. J. Math. Stat. Psychol. 61:29): agreement beyond chance that is robust to a rare class."""
        if not self.n:
            return None
        share = (2 * self.tp + self.fn + self.fp) / (2 * self.n)
        chance = 2 * share * (1 - share)
        return ((self.tp + self.tn) / self.n - chance) / (1 - chance)

    def sensitivity(self, level: float = 0.95) -> Estimate:
        """The share of true ones to which the judge says yes, with Wilson's interval."""
        return _rate("sensitivity", self.tp, self.tp + self.fn, level, "no reply with a verdict is labelled yes")

    def specificity(self, level: float = 0.95) -> Estimate:
        """The share of false ones to which the judge says no, with Wilson's interval."""
        return _rate("specificity", self.tn, self.tn + self.fp, level, "no reply with a verdict is labelled no")

    def youden(self, level: float = 0.95) -> Estimate:
        """Sensitivity + specificity - 1, which is 0 for a judge that says yes equally often to all replies."""
        se, sp = self.sensitivity(level), self.specificity(level)
        method = "Wilson intervals of both rates, squared and added (MOVER)"
        if se.value is None or sp.value is None:
            return Estimate.none("youden", level, round(self.n), round(self.n), 0, method, se.note or sp.note)
        j = se.value + sp.value - 1
        low, high = sum_interval(j, (se.value, _ends(se)), (sp.value, _ends(sp)))
        return Estimate("youden", j, max(-1.0, low), min(1.0, high), level, round(self.n), round(self.n), 0, method)


class Gate(NamedTuple):
    """Whether the rates of one judge on one rubric may be corrected."""

    passed: bool
    """Whether a corrected rate may be given."""
    why: str
    """Why not, or a caution; empty if there is neither."""


def true_rate(rate: ArrayLike, false_positive: ArrayLike, false_negative: ArrayLike, *, least: float = 0.0) -> Floats:
    """The true rate behind a reader's or a judge's rate, not clipped (Rogan and Gladen 1978).

    Args:
        rate: The share of yes.
        false_positive: The share of true noes judged yes.
        false_negative: The share of true yeses judged no.
        least: Smallest divisor used (1 minus both errors); 0 replaces none.
    """
    rest = 1 - np.asarray(false_positive, float) - np.asarray(false_negative, float)
    return np.asarray((np.asarray(rate, float) - false_positive) / (np.maximum(rest, least) if least else rest), float)


def rate_gap(name: str, rate: Estimate, other_rate: Estimate) -> Estimate:
    """One rate minus another, from Wilson intervals of groups treated as independent (Newcombe 1998, Stat. Med. 17:873).

    Groups that share questions are correlated, which makes the interval too wide, not too narrow. The value is None, with
    the reason, if either rate is None.
    """
    method = "Wilson intervals of both rates, squared and added (MOVER)"
    sizes = rate.n + other_rate.n, rate.n_clusters + other_rate.n_clusters, 0
    if rate.value is None or other_rate.value is None:
        return Estimate.none(name, rate.level, *sizes, method, rate.note or other_rate.note)
    gap = rate.value - other_rate.value
    ends = sum_interval(gap, (rate.value, _ends(rate)), (-other_rate.value, _ends(other_rate).negative))
    return Estimate(name, gap, *ends, rate.level, *sizes, method)


def gate(table: JudgeTable, *, baseline: float = 0.0, level: float = 0.95) -> Gate:
    """Refuse a judge that may be no better than a coin, or than a rule that reads nothing.

    Args:
        table: Labels against its verdicts; use `JudgeTable.worth` if replies share questions.
        baseline: Youden's J of a rule that reads nothing, such as the length of the reply, on the same replies.
        level: Nominal coverage.
    """
    j = table.youden(level)
    if j.value is None or j.low is None:
        advice = (
            "label replies of both kinds" if table.n else "it answered in another form, or other replies are labelled"
        )
        return Gate(False, f"{j.note}, so the judge cannot be checked: {advice}")
    if j.high is not None and j.high < 0:
        return Gate(
            False,
            f"sensitivity + specificity - 1 is {j.value:.2f} ({j.low:.2f} to {j.high:.2f}): the judge says yes "
            "less often where people do",
        )
    if j.low <= 0:
        return Gate(
            False,
            f"sensitivity + specificity - 1 is {j.value:.2f} and may be 0 ({j.low:.2f} to {j.high:.2f}, from labels worth "
            f"{table.n:.0f} independent replies): the judge may be no better than a coin",
        )
    if j.low <= baseline:
        return Gate(
            False,
            f"sensitivity + specificity - 1 is {j.value:.2f} ({j.low:.2f} to {j.high:.2f}) and may be no more than the "
            f"{baseline:.2f} of the reply's length alone",
        )
    if j.low < WEAK:
        return Gate(
            True, f"sensitivity + specificity - 1 may be as low as {j.low:.2f}: the corrected rate is uncertain"
        )
    return Gate(True, "")


def rogan_gladen(
    yes_Q: ArrayLike, size_Q: ArrayLike, table: JudgeTable, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """The true rate from the judge's rate and its errors, clipped to 0 and 1.

    Args:
        yes_Q: For each question, the number of replies that the judge calls yes, shape (questions,).
        size_Q: For each question, the number of replies with a verdict.
        table: Labels against verdicts, on replies not drawn by their verdict; use `JudgeTable.worth` if they share
            questions.
        level: Nominal coverage.
        draws: Draws of sensitivity and specificity (Jeffreys' beta) and of the questions (Bayesian bootstrap, with half a
            pseudo-question at each end as in `compare`; otherwise a sample without a yes would have no uncertainty).
        seed: Seed of the draws.

    Returns:
        The estimate; None if `gate` refuses the judge, there is no verdict, or its errors are inconsistent with its rate.
    """
    yes, size = np.asarray(yes_Q, float), np.asarray(size_Q, float)
    n = int(size.sum())
    method = f"Rogan-Gladen; {draws} draws of both error rates and of the questions, seed {seed}"
    passed, reason = gate(table, level=level)
    if not passed or not n:
        note = reason or "no reply has a verdict"
        return Estimate.none("corrected", level, n, len(size), 0, method, note)
    random = np.random.default_rng(seed_int(seed, "rogan gladen"))
    weight_RQ = random.standard_exponential((draws, len(size)))
    ends_R2 = random.gamma(PSEUDO, size=(draws, 2)) * (n / len(size))  # a pseudo-question of average size at each end
    rate_R = (weight_RQ @ yes + ends_R2[:, 0]) / (weight_RQ @ size + ends_R2.sum(axis=1))
    se_R = random.beta(table.tp + 0.5, table.fn + 0.5, draws)
    sp_R = random.beta(table.tn + 0.5, table.fp + 0.5, draws)
    j_R = se_R + sp_R - 1
    theta_R = true_rate(rate_R, 1 - sp_R, 1 - se_R)[j_R > 0]
    se, sp = table.tp / (table.tp + table.fn), table.tn / (table.tn + table.fp)
    raw = float(true_rate(float(yes.sum()) / n, 1 - sp, 1 - se))
    if not (theta_R <= 1).any() or not (theta_R >= 0).any():
        note = f"{raw:.3f} is no rate: the judge errs here otherwise than on the labelled replies"
        return Estimate.none("corrected", level, n, len(size), 0, method, note)
    value = min(1.0, max(0.0, raw))
    if value != raw:
        clipping = f"{raw:.3f} before it was clipped"
        reason = f"{reason}; {clipping}" if reason else clipping
    # each end ignores draws beyond the other end of 0 to 1, so a clipped rate does not become a certainty
    low = max(0.0, min(value, float(np.quantile(theta_R[theta_R <= 1], (1 - level) / 2))))
    high = min(1.0, max(value, float(np.quantile(theta_R[theta_R >= 0], (1 + level) / 2))))
    return Estimate("corrected", value, low, high, level, n, len(size), 0, method, reason)


def ppi(
    labels: Sequence[bool | None],
    verdicts: Sequence[bool],
    questions: Sequence[str],
    *,
    weight: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """The true rate by prediction-powered inference: all verdicts, corrected by the labels of a random sample.

    The interval is Wilson's at the effective size given by the variance, with the quantile for the labelled questions.
    A normal interval around the estimate covers 92 % with 60 labels of a rate of .2, and 87 % of a rate of .05;
    Wilson's covers 94 to 96 %.

    Args:
        labels: People's label of each reply, or None. The labelled ones are a random sample of all.
        verdicts: The judge's verdict on each reply.
        questions: The question of each reply; replies to one question are one cluster.
        weight: Weight of the verdicts, 0 to 1; 0 uses only labels. None uses the weight with the least variance.
        level: Nominal coverage.
    """
    z = np.asarray(verdicts, float)
    is_labelled = np.array([label is not None for label in labels], bool)
    n, n_unlabelled = int(is_labelled.sum()), int((~is_labelled).sum())
    method = "prediction-powered inference, clustered by question"
    if n < 2 or not n_unlabelled:
        note = "it needs labelled replies and others"
        return Estimate.none("corrected", level, len(z), len(set(questions)), 0, method, note)
    y = np.array([bool(label) for label, labelled in zip(labels, is_labelled, strict=True) if labelled], float)
    used_weight = weight
    if used_weight is None:
        cov, var = float(np.mean(y * z[is_labelled]) - y.mean() * z[is_labelled].mean()), float(z.var())
        used_weight = min(1.0, max(0.0, cov / ((1 + n / n_unlabelled) * var))) if var > 0 else 0.0
    residual = y - used_weight * z[is_labelled]
    influence = np.empty(len(z))
    influence[~is_labelled] = used_weight * (z[~is_labelled] - z[~is_labelled].mean()) / n_unlabelled
    influence[is_labelled] = (residual - residual.mean()) / n
    value = used_weight * float(z[~is_labelled].mean()) + float(residual.mean())
    sum_Q = np.bincount(numbers_of(questions), influence)  # influence on the estimate, by question
    n_questions = len(sum_Q)
    error = sqrt(n_questions / max(1, n_questions - 1) * float(sum_Q @ sum_Q))
    n_labelled = len({question for question, labelled in zip(questions, is_labelled, strict=True) if labelled})
    ends = rate_interval_of(value, error**2, n_labelled, level=level, otherwise=n_labelled)
    method += (
        f", Wilson interval at its effective size, weight of the verdicts {used_weight:.2f}, standard error {error:.4f}"
    )
    return Estimate("corrected", value, *ends, level, len(questions), n_questions, 0, method)


def two_phase(
    labels: Sequence[bool | None], verdicts: Sequence[bool], questions: Sequence[str], *, level: float = 0.95
) -> Estimate:
    """The true rate if replies were drawn for labelling by their verdict: each verdict's share, weighted by its number.

    The interval combines Wilson's intervals of both shares and of the verdicts, squared and added (MOVER; Zou and
    Donner 2008, Stat. Med. 27:1693). With about thirty labels per verdict, a normal interval covers 91 %
    (benchmarks/judging.py).

    Args:
        labels: People's label of each reply, or None. Drawn at random within each verdict.
        verdicts: The judge's verdict on each reply.
        questions: The question of each reply; replies to one question are one cluster.
        level: Nominal coverage.
    """
    method = "two-phase: labels drawn by verdict; Wilson intervals of each part, squared and added (MOVER), by question"
    index = numbers_of(questions)
    z = np.asarray(verdicts, bool)
    n_questions = len(set(questions))
    is_labelled = np.array([label is not None for label in labels], bool)
    y = np.array([bool(label) for label in labels], float)

    def share(hit: Floats, among: NDArray[np.bool_]) -> tuple[float, Interval]:
        """Rate and interval of hits among some replies, by question."""
        hits_Q, size_Q = (
            np.bincount(index[among], weights, minlength=n_questions) for weights in (hit[among], among[among])
        )
        has_replies = size_Q > 0
        return float(hits_Q.sum() / size_Q.sum()), rate_interval(hits_Q[has_replies], size_Q[has_replies], level=level)

    sizes = len(z), n_questions, 0
    if not len(z):
        return Estimate.none("corrected", level, *sizes, method, "no reply has a verdict")
    for kind in (True, False):
        if (z == kind).any() and not (is_labelled & (z == kind)).any():
            note = f"no reply that the judge calls {'yes' if kind else 'no'} is labelled"
            return Estimate.none("corrected", level, *sizes, method, note)
    yes, yes_interval = share(z.astype(float), np.ones_like(z))
    true_yes, true_yes_interval = share(y, is_labelled & z) if z.any() else (0.0, Interval(0.0, 0.0))
    true_no, true_no_interval = share(y, is_labelled & ~z) if not z.all() else (0.0, Interval(0.0, 0.0))
    value, slope = yes * true_yes + (1 - yes) * true_no, true_yes - true_no
    distances = [
        sqrt(
            (yes * (true_yes_interval[end] - true_yes)) ** 2
            + ((1 - yes) * (true_no_interval[end] - true_no)) ** 2
            + (slope * (yes_interval[end if slope > 0 else 1 - end] - yes)) ** 2
        )
        for end in (0, 1)
    ]
    return Estimate(
        "corrected", value, max(0.0, value - distances[0]), min(1.0, value + distances[1]), level, *sizes, method
    )


def _ends(rate: Estimate) -> Interval:
    """The interval of a rate that has one."""
    return Interval(rate.low or 0.0, rate.high or 0.0)


def _rate(name: str, hits: float, n: float, level: float, note: str) -> Estimate:
    """A rate with Wilson's interval; no value without replies."""
    method = "Wilson score interval"
    if not n:
        return Estimate.none(name, level, 0, 0, 0, method, note)
    return Estimate(name, hits / n, *wilson(hits, n, level), level, round(n), round(n), 0, method)
