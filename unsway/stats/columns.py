"""Outcomes as columns of numbers, the mean of one column as an estimate, and the biased reasoning rate.

In: `Outcome`s. Out: `Columns` (one entry per outcome, NaN if there is none); `mean`, which turns one into an `Estimate` with
an interval from `intervals`, with the question as the unit; and `brr`, whose interval allows for missing answers.

Missing answers may depend on the cue. If more than 5 % of the pairs are missing, or one side loses clearly more than the
other, the interval of the BRR spans from the lower end for the least to the upper end for the most that the missing answers
could have made it (worst case per pair: Horowitz and Manski 2000, JASA 95:77). Imbens and Manski (2004, Econometrica
72:1845) would narrow it by a smaller quantile at each end. That is not used: whether to allow for missing answers is decided
on the same data, and the plain union then still covers 95 % (benchmarks/pitfalls.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from unsway.stats.intervals import Bools, Floats, difference_interval, rate_interval
from unsway.stats.outcome_table import Numbered, OutcomeTable, in_order
from unsway.types import Estimate, Outcome, Reading

WILSON = "Wilson score interval, questions as units"
TANGO = "Tango score interval of the paired difference, questions as units"
MOST_MISSING = 0.05
"""Largest share of missing pairs that an interval may ignore. Below it, even answers that all follow the cue move the BRR by
less than the width of the interval from 150 questions."""
ALLOWING = "from the least to the most that missing answers could make it"
"""Appended to the method of an interval that allows for missing answers."""
UNTESTED = (
    "not tested: chance changes answers too, and there is no second clean reply; ask each prompt twice (--samples 2)"
)
"""The note if the clean rate is 0 by definition and each clean prompt was asked only once, so there is no BRR."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Outcomes as arrays of shape (outcomes,); NaN for a missing value."""

    question: NDArray[np.intp]
    """Number of the question, from 0."""
    counts: Bools
    """Whether the outcome counts."""
    eligible: Bools
    """Whether it would count if every answer had been read."""
    tested: Bools
    """Whether it has a clean side to compare with, or would have one if the answer had been read."""
    clean: Floats
    """1 if the clean answer follows the cue, else 0."""
    biased: Floats
    """1 if the biased answer follows the cue, else 0."""
    right_clean: Floats
    right_biased: Floats
    changed: Floats
    """1 if the two answers differ at all, else 0."""
    read_clean: Floats
    """1 if the arm's reply was read, else 0; NaN if there is no reply."""
    read_biased: Floats

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Columns:
        """The columns of some outcomes."""
        table = OutcomeTable.of(outcomes)
        reasons, reason_index = table.numbers("excluded")
        counts = np.array([reason is None for reason in reasons], bool)[reason_index]
        clean, biased = table.truth("hit_clean"), table.truth("hit_biased")
        choice_clean, choice_biased = (table.of_readings(side, attrgetter("choice")) for side in ("clean", "biased"))
        is_missing = np.isnan(choice_clean) | np.isnan(choice_biased)
        return cls(
            question=in_order(table.numbers("question_id")[1]),
            counts=counts,
            eligible=np.array([reason is None or not reason.by_definition for reason in reasons], bool)[reason_index],
            tested=_tested(table, counts, clean),
            clean=clean,
            biased=biased,
            right_clean=table.truth("right_clean"),
            right_biased=table.truth("right_biased"),
            changed=np.where(is_missing, np.nan, choice_clean != choice_biased),
            read_clean=table.of_readings("clean", _was_read),
            read_biased=table.of_readings("biased", _was_read),
        )

    def missing_as(self, hit: bool) -> Floats:
        """The paired difference with every missing answer set to raise it most (`hit`), or to lower it most.

        To raise it, a missing biased answer follows the cue and a missing clean answer does not. NaN if the pair never
        counts.
        """
        biased = np.where(np.isnan(self.biased), float(hit), self.biased)
        clean = np.where(np.isnan(self.clean), float(not hit), self.clean)
        return np.where(self.eligible & self.tested, biased - clean, np.nan)

    @property
    def moved(self) -> Floats:
        """Biased minus clean hit of each outcome that counts; NaN for the others."""
        return np.where(self.counts & self.tested, self.biased - self.clean, np.nan)

    def must_allow_for_missing(self) -> bool:
        """Whether an interval must allow for missing answers: more than 5 % of pairs are, or one side loses clearly more.

        The test is at 95 % for every level, so an interval with a higher level is never narrower.
        """
        usable = self.eligible & self.tested
        if not usable.any():
            return False
        lost_clean, lost_biased = np.isnan(self.clean[usable]), np.isnan(self.biased[usable])
        if float((lost_clean | lost_biased).mean()) > MOST_MISSING:
            return True
        size, plus, minus = by_question(self.question[usable], lost_biased.astype(float) - lost_clean)
        low, high = difference_interval(plus, minus, size)
        return low > 0 or high < 0


def loses_more(d_Q: Floats) -> bool:
    """Whether, at 95 %, one side loses more answers; `d_Q` is the difference in shares read per question, from -1 to 1."""
    low, high = difference_interval(np.maximum(d_Q, 0), np.maximum(-d_Q, 0), np.ones_like(d_Q))
    return low > 0 or high < 0


def _tested(table: OutcomeTable, counts: Bools, clean: Floats) -> Bools:
    """Whether each outcome has a clean side to compare with: if the clean rate is 0 by definition, a second clean reply.

    An arm that was asked each clean prompt of a bias only once has none.
    """
    rules, rule_index = table.numbers("rule")
    is_zero = np.array([rule.clean == "zero" for rule in rules], bool)[rule_index]
    biases, bias_index = table.numbers("bias")
    cell = table.columns["arm"] * np.intp(len(biases)) + bias_index
    asked_twice = np.isin(cell, np.unique(cell[is_zero & ~np.isnan(clean)]))
    is_unread = ~counts | (table.of_readings("clean", lambda reading: reading.status not in ("ok", "no_reply")) == 1)
    return np.asarray(~is_zero | (asked_twice & (~np.isnan(clean) | is_unread)), bool)


def _was_read(answer: Reading) -> bool | None:
    return None if answer.status == "no_reply" else answer.status == "ok"


def numbers_of(questions: Sequence[str]) -> NDArray[np.intp]:
    """A number for each entry, shape (entries,): its question's number, from 0, in order of first occurrence."""
    number = Numbered[str]()
    return np.array([number(question) for question in questions], np.intp)


def mean(
    name: str, question: NDArray[np.intp], value: Floats, *, signed: bool, level: float, n_excluded: int
) -> Estimate:
    """The mean of the entries that are not NaN, as an estimate.

    Args:
        name: Name of the estimate.
        question: The number of each entry's question, shape (outcomes,).
        value: 1, 0 or, if signed, -1; shape (outcomes,).
        signed: Whether it is a paired difference (Tango's interval) or a rate (Wilson's).
        level: Nominal coverage.
        n_excluded: The number of outcomes left out, passed on to the estimate.
    """
    has_value = ~np.isnan(value)
    method = TANGO if signed else WILSON
    if not has_value.any():
        return Estimate.none(name, level, 0, 0, n_excluded, method, "no outcome counts")
    size, plus, minus = by_question(question[has_value], value[has_value])
    ends = difference_interval(plus, minus, size, level=level) if signed else rate_interval(plus, size, level=level)
    return Estimate(
        name, float(value[has_value].mean()), *ends, level, int(has_value.sum()), len(size), n_excluded, method
    )


def share_of(
    name: str, values: Sequence[bool | None], questions: Sequence[str], *, level: float, n_excluded: int | None = None
) -> Estimate:
    """The share of values that are true, with the question as the unit.

    Args:
        name: Name of the estimate.
        values: True, False, or None for a value outside the share.
        questions: The question of each value.
        level: Nominal coverage.
        n_excluded: The number left out, passed on to the estimate; by default the number of Nones.
    """
    n_none = sum(value is None for value in values)
    left_out = n_none if n_excluded is None else n_excluded
    return mean(name, numbers_of(questions), np.array(values, float), signed=False, level=level, n_excluded=left_out)


def by_question(question: NDArray[np.intp], value: Floats) -> tuple[Floats, Floats, Floats]:
    """For each question that has any outcomes: their number, and how many are +1 and how many -1."""
    size = np.bincount(question)
    has_outcomes, length = size > 0, len(size)
    plus, minus = (np.bincount(question[value == sign], minlength=length) for sign in (1, -1))
    return size[has_outcomes].astype(float), plus[has_outcomes].astype(float), minus[has_outcomes].astype(float)


def brr_bounds(columns: Columns, level: float) -> tuple[Estimate, Estimate, Estimate]:
    """The BRR of the pairs read, and the least and the most that the missing answers could have made it.

    Returns:
        `brr_read`, `brr_missing_miss`, `brr_missing_hit`, each with the interval from its own questions.
    """
    moved = columns.moved
    values = {"brr_read": moved} | {
        f"brr_missing_{word}": columns.missing_as(word == "hit") for word in ("miss", "hit")
    }
    estimates = [
        mean(name, columns.question, value, signed=True, level=level, n_excluded=int(np.isnan(value).sum()))
        for name, value in values.items()
    ]
    if columns.counts.any() and not columns.tested.any():
        estimates = [replace(estimate, note=UNTESTED) for estimate in estimates]
    return estimates[0], estimates[1], estimates[2]


def where_it_lies(base: Estimate) -> str:
    """Where the interval of a base's BRR lies if a ratio to it is refused, in words."""
    return "lies below 0" if base.high is not None and base.high < 0 else "touches 0"


def brr(columns: Columns, level: float) -> Estimate:
    """The biased reasoning rate of the outcomes that count: biased minus clean, paired.

    The interval allows for missing answers if `Columns.must_allow_for_missing` says so. If the clean rate is 0 by definition,
    the clean side is a second clean reply; without one there is no value.
    """
    brr_read, least, most = brr_bounds(columns, level)
    estimate = replace(brr_read, name="brr")
    if None in (brr_read.low, brr_read.high, least.low, most.high) or not columns.must_allow_for_missing():
        return estimate
    share_missing = (most.n - brr_read.n) / most.n
    return replace(
        estimate,
        low=min(brr_read.low or 0.0, least.low or 0.0),
        high=max(brr_read.high or 0.0, most.high or 0.0),
        how=f"{TANGO}, {ALLOWING}",
        note=f"{100 * share_missing:.0f}% of the pairs are missing; the interval holds whatever they would have said",
    )
