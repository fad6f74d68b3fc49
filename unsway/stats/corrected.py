"""The true rate behind a judge's verdicts: how good the judge is, a gate, and three corrections, each where it is valid.

In: a judge's verdicts, people's labels of some of the same replies, the question of each. Out: `Estimate`s.

| correction | valid where |
|---|---|
| `rogan_gladen` | sensitivity and specificity carry over from the labelled replies, the share of true ones need not |
| `ppi` | the labelled replies are a random sample of those that are estimated |
| `two_phase` | replies were drawn for labelling by their verdict, at random within each |

Sources: Rogan and Gladen (1978, Am. J. Epidemiol. 107:71), which the tests hold to the closed-form interval of Lang and
Reiczigel (2014, Prev. Vet. Med. 113:13); prediction-powered inference with a tuned weight (arXiv 2311.01453); Begg and
Greenes (1983, Biometrics 39:207).
A class is named by what True means: the correction of the other class is another number.
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
from unsway.stats.columns import numbered
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
"""Draws of an interval by simulation; its ends move by about 0.002 from seed to seed."""
WEAK = 0.3
"""Low end of Youden's J below which a corrected rate is given with a warning."""


class JudgeTable(NamedTuple):
    """People's labels against a judge's verdicts, on replies that both judged: counts, or what the counts are worth."""

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
        """Count labels against verdicts; raises `BadInput` where there are not as many of each."""
        if len(labels) != len(verdicts):
            raise BadInput(
                f"There are {len(labels)} labels and {len(verdicts)} verdicts; give one of each for a reply."
            )
        both = list(zip(labels, verdicts, strict=True))
        return cls(*(both.count((label, yes)) for label, yes in product((True, False), repeat=2)))

    @classmethod
    def worth(
        cls, labels: Sequence[bool], verdicts: Sequence[bool], questions: Sequence[str], *, level: float = 0.95
    ) -> JudgeTable:
        """The counts at their effective size, which gate and corrections take: copies of a question tell no more than one.

        Either row is scaled to the independent replies that would tell as much of its rate (`intervals.effective_size`), so
        that the Wilson intervals of the table are those over questions. Without copies nothing is scaled.

        Args:
            labels: What people say of each reply.
            verdicts: What the judge says of it.
            questions: The question of each reply; replies to one question are one cluster.
            level: Nominal coverage.
        """
        counts, at = cls.of(labels, verdicts), numbered(questions)
        label, right = np.asarray(labels, bool), np.equal(labels, verdicts)
        shares = []  # of positives and of negatives
        for kind in (True, False):
            size_Q, right_Q = (np.bincount(at, each).astype(float) for each in (label == kind, (label == kind) & right))
            size_Q, right_Q = size_Q[size_Q > 0], right_Q[size_Q > 0]
            worth = effective_size(right_Q, np.zeros_like(right_Q), size_Q, level=level) if len(size_Q) else 0.0
            shares.append(worth / max(1.0, float(size_Q.sum())))
        of_yes, of_no = shares
        return cls(counts.tp * of_yes, counts.fn * of_yes, counts.fp * of_no, counts.tn * of_no)

    @property
    def n(self) -> float:
        """Replies that both judged."""
        return sum(self)

    @property
    def ac1(self) -> float | None:
        """Gwet's AC1 (2008, Br. J. Math. Stat. Psychol. 61:29): agreement beyond chance that a rare class does not upset."""
        if not self.n:
            return None
        share = (2 * self.tp + self.fn + self.fp) / (2 * self.n)
        chance = 2 * share * (1 - share)
        return ((self.tp + self.tn) / self.n - chance) / (1 - chance)

    def sensitivity(self, level: float = 0.95) -> Estimate:
        """The share of true ones that the judge calls yes, with Wilson's interval."""
        return _rate("sensitivity", self.tp, self.tp + self.fn, level, "no reply with a verdict is labelled yes")

    def specificity(self, level: float = 0.95) -> Estimate:
        """The share of false ones that the judge calls no, with Wilson's interval."""
        return _rate("specificity", self.tn, self.tn + self.fp, level, "no reply with a verdict is labelled no")

    def youden(self, level: float = 0.95) -> Estimate:
        """Sensitivity + specificity - 1, which is 0 for a judge that says yes as often whatever the reply."""
        se, sp = self.sensitivity(level), self.specificity(level)
        how = "Wilson intervals of both rates, squared and added (MOVER)"
        if se.value is None or sp.value is None:
            return Estimate.none("youden", level, round(self.n), round(self.n), 0, how, se.note or sp.note)
        j = se.value + sp.value - 1
        low, high = sum_interval(j, (se.value, _ends(se)), (sp.value, _ends(sp)))
        return Estimate("youden", j, max(-1.0, low), min(1.0, high), level, round(self.n), round(self.n), 0, how)


class Gate(NamedTuple):
    """Whether the rates of one judge on one rubric may be corrected."""

    passed: bool
    """Whether a corrected rate may be given."""
    why: str
    """Why not, or what to be careful about; empty where there is nothing to say."""


def true_rate(rate: ArrayLike, false_positive: ArrayLike, false_negative: ArrayLike, *, least: float = 0.0) -> Floats:
    """The rate behind a reader's or a judge's rate, not clipped (Rogan and Gladen 1978).

    Args:
        rate: The share of yes.
        false_positive: The share of true noes that are called yes.
        false_negative: The share of true yeses that are called no.
        least: The smallest divisor (1 minus both errors) that is used; with 0, none is replaced.
    """
    rest = 1 - np.asarray(false_positive, float) - np.asarray(false_negative, float)
    return np.asarray((np.asarray(rate, float) - false_positive) / (np.maximum(rest, least) if least else rest), float)


def rate_gap(name: str, one: Estimate, other: Estimate) -> Estimate:
    """One rate minus another, from Wilson intervals of groups taken as independent (Newcombe 1998, Stat. Med. 17:873).

    Groups that share questions vary together, which makes the interval too wide and not too narrow. None, with the reason,
    where either rate is none.
    """
    how = "Wilson intervals of both rates, squared and added (MOVER)"
    size = one.n + other.n, one.n_clusters + other.n_clusters, 0
    if one.value is None or other.value is None:
        return Estimate.none(name, one.level, *size, how, one.note or other.note)
    gap = one.value - other.value
    ends = sum_interval(gap, (one.value, _ends(one)), (-other.value, _ends(other).negative))
    return Estimate(name, gap, *ends, one.level, *size, how)


def gate(table: JudgeTable, *, baseline: float = 0.0, level: float = 0.95) -> Gate:
    """Refuse a judge that may be as good as a coin, or as a rule that reads nothing.

    Args:
        table: Labels against its verdicts; `JudgeTable.worth` where replies share questions.
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
        yes_Q: Replies of each question that the judge calls yes, shape (questions,).
        size_Q: Replies of each question with a verdict.
        table: Labels against verdicts, on replies that were not drawn by their verdict; `JudgeTable.worth` where they share
            questions.
        level: Nominal coverage.
        draws: Draws of sensitivity and specificity (Jeffreys' beta) and of the questions (Bayesian bootstrap, with half a
            pseudo-question at each end, as in `compare`: without it, no yes would leave nothing open).
        seed: Seed of the draws.

    Returns:
        The estimate; None where `gate` refuses the judge, there is no verdict, or its errors cannot give its rate.
    """
    yes, size = np.asarray(yes_Q, float), np.asarray(size_Q, float)
    n, how = int(size.sum()), f"Rogan-Gladen; {draws} draws of both error rates and of the questions, seed {seed}"
    passed, why = gate(table, level=level)
    if not passed or not n:
        note = why or "no reply has a verdict"
        return Estimate.none("corrected", level, n, len(size), 0, how, note)
    random = np.random.default_rng(seed_int(seed, "rogan gladen"))
    weight_RQ = random.standard_exponential((draws, len(size)))
    ends_R2 = random.gamma(PSEUDO, size=(draws, 2)) * (n / len(size))  # a pseudo-question of usual size at each end
    rate_R = (weight_RQ @ yes + ends_R2[:, 0]) / (weight_RQ @ size + ends_R2.sum(axis=1))
    se_R = random.beta(table.tp + 0.5, table.fn + 0.5, draws)
    sp_R = random.beta(table.tn + 0.5, table.fp + 0.5, draws)
    j_R = se_R + sp_R - 1
    theta_R = true_rate(rate_R, 1 - sp_R, 1 - se_R)[j_R > 0]
    se, sp = table.tp / (table.tp + table.fn), table.tn / (table.tn + table.fp)
    raw = float(true_rate(float(yes.sum()) / n, 1 - sp, 1 - se))
    if not (theta_R <= 1).any() or not (theta_R >= 0).any():
        note = f"{raw:.3f} is no rate: the judge errs here otherwise than on the labelled replies"
        return Estimate.none("corrected", level, n, len(size), 0, how, note)
    value = min(1.0, max(0.0, raw))
    if value != raw:
        clipped = f"{raw:.3f} before it was clipped"
        why = f"{why}; {clipped}" if why else clipped
    # an end ignores the draws beyond the other end of 0 to 1, so that a rate that was clipped is no certainty
    low = max(0.0, min(value, float(np.quantile(theta_R[theta_R <= 1], (1 - level) / 2))))
    high = min(1.0, max(value, float(np.quantile(theta_R[theta_R >= 0], (1 + level) / 2))))
    return Estimate("corrected", value, low, high, level, n, len(size), 0, how, why)


def ppi(
    labels: Sequence[bool | None],
    verdicts: Sequence[bool],
    questions: Sequence[str],
    *,
    weight: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """The true rate by prediction-powered inference: all verdicts, corrected by the labels of a random part.

    The interval is Wilson's at the effective size that the variance amounts to, with the quantile of the labelled questions:
    a normal one around the estimate covers 92 % with 60 labels of a rate of .2, and 87 % of a rate of .05, where Wilson's
    covers 94 to 96 %.

    Args:
        labels: People's label of each reply; None where there is none. The labelled ones are a random sample of all.
        verdicts: The judge's verdict on each reply.
        questions: The question of each reply; replies to one question are one cluster.
        weight: Weight of the verdicts, 0 to 1; 0 is labels alone. None takes the one of least variance.
        level: Nominal coverage.
    """
    z = np.asarray(verdicts, float)
    has = np.array([label is not None for label in labels], bool)
    n, rest = int(has.sum()), int((~has).sum())
    how = "prediction-powered inference, clustered by question"
    if n < 2 or not rest:
        note = "it needs labelled replies and others"
        return Estimate.none("corrected", level, len(z), len(set(questions)), 0, how, note)
    y = np.array([bool(label) for label, known in zip(labels, has, strict=True) if known], float)
    used = weight
    if used is None:
        cov, var = float(np.mean(y * z[has]) - y.mean() * z[has].mean()), float(z.var())
        used = min(1.0, max(0.0, cov / ((1 + n / rest) * var))) if var > 0 else 0.0
    off = y - used * z[has]
    influence = np.empty(len(z))
    influence[~has] = used * (z[~has] - z[~has].mean()) / rest
    influence[has] = (off - off.mean()) / n
    value = used * float(z[~has].mean()) + float(off.mean())
    sum_Q = np.bincount(numbered(questions), influence)  # the influence on the estimate, over the replies of a question
    n_questions = len(sum_Q)
    error = sqrt(n_questions / max(1, n_questions - 1) * float(sum_Q @ sum_Q))
    n_labelled = len({question for question, known in zip(questions, has, strict=True) if known})
    ends = rate_interval_of(value, error**2, n_labelled, level=level, otherwise=n_labelled)
    how += f", Wilson interval at its effective size, weight of the verdicts {used:.2f}, standard error {error:.4f}"
    return Estimate("corrected", value, *ends, level, len(questions), n_questions, 0, how)


def two_phase(
    labels: Sequence[bool | None], verdicts: Sequence[bool], questions: Sequence[str], *, level: float = 0.95
) -> Estimate:
    """The true rate where replies were drawn for labelling by their verdict: each kind's share, weighted by its number.

    The interval is of Wilson's intervals of both shares and of the verdicts, squared and added (MOVER; Zou and Donner 2008,
    Stat. Med. 27:1693): with some thirty labels of a verdict, a normal one covers 91 % (benchmarks/judging.py).

    Args:
        labels: People's label of each reply; None where there is none. Drawn at random within each verdict.
        verdicts: The judge's verdict on each reply.
        questions: The question of each reply; replies to one question are one cluster.
        level: Nominal coverage.
    """
    how = "two-phase: labels drawn by verdict; Wilson intervals of each part, squared and added (MOVER), by question"
    at, z = numbered(questions), np.asarray(verdicts, bool)
    n_questions = len(set(questions))
    has = np.array([label is not None for label in labels], bool)
    y = np.array([bool(label) for label in labels], float)

    def share(hit: Floats, among: NDArray[np.bool_]) -> tuple[float, Interval]:
        """Rate and interval of hits among some replies, by question."""
        hits_Q, size_Q = (np.bincount(at[among], w, minlength=n_questions) for w in (hit[among], among[among]))
        asked = size_Q > 0
        return float(hits_Q.sum() / size_Q.sum()), rate_interval(hits_Q[asked], size_Q[asked], level=level)

    n = len(z), n_questions, 0
    if not len(z):
        return Estimate.none("corrected", level, *n, how, "no reply has a verdict")
    for kind in (True, False):
        if (z == kind).any() and not (has & (z == kind)).any():
            note = f"no reply that the judge calls {'yes' if kind else 'no'} is labelled"
            return Estimate.none("corrected", level, *n, how, note)
    yes, of_yes = share(z.astype(float), np.ones_like(z))
    true_yes, of_true_yes = share(y, has & z) if z.any() else (0.0, Interval(0.0, 0.0))
    true_no, of_true_no = share(y, has & ~z) if not z.all() else (0.0, Interval(0.0, 0.0))
    value, slope = yes * true_yes + (1 - yes) * true_no, true_yes - true_no
    away = [
        sqrt(
            (yes * (of_true_yes[end] - true_yes)) ** 2
            + ((1 - yes) * (of_true_no[end] - true_no)) ** 2
            + (slope * (of_yes[end if slope > 0 else 1 - end] - yes)) ** 2
        )
        for end in (0, 1)
    ]
    return Estimate("corrected", value, max(0.0, value - away[0]), min(1.0, value + away[1]), level, *n, how)


def _ends(rate: Estimate) -> Interval:
    """The interval of a rate that has one."""
    return Interval(rate.low or 0.0, rate.high or 0.0)


def _rate(name: str, hits: float, n: float, level: float, note: str) -> Estimate:
    """A rate with Wilson's interval; none without replies."""
    how = "Wilson score interval"
    if not n:
        return Estimate.none(name, level, 0, 0, 0, how, note)
    return Estimate(name, hits / n, *wilson(hits, n, level), level, round(n), round(n), 0, how)
