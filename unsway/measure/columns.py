"""Outcomes as columns of numbers, and the mean of one column as an estimate.

In: `Outcome`s. Out: `Columns` (one entry an outcome, NaN where there is none) and `mean`, which turns one into an
`Estimate` with the score interval of `intervals`, the question being the unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unsway.measure.intervals import Bools, Floats, mean_interval
from unsway.measure.outcomes import NO_REPLY, zero_by_definition
from unsway.types import Answer, Estimate, Outcome, Reason

NOT_MEASURED: frozenset[Reason | None] = frozenset({"first_answer_wrong"})
"""Exclusions that belong to the definition of a bias: the pair was never meant to count (SPEC §2, are-you-sure)."""

HOW = "score interval, questions as units"


@dataclass(frozen=True, slots=True)
class Columns:
    """Outcomes as arrays of shape (outcomes,); NaN where there is no value."""

    question: NDArray[np.intp]
    """Number of the question, from 0."""
    counts: Bools
    """Whether the outcome counts."""
    eligible: Bools
    """Whether it would count, had every answer been read."""
    zero: Bools
    """Whether its clean rate is 0 by definition."""
    clean: Floats
    """1 where the clean answer follows the cue."""
    biased: Floats
    """1 where the biased answer follows the cue."""
    right_clean: Floats
    right_biased: Floats
    changed: Floats
    """1 where the two answers differ at all."""
    read_clean: Floats
    """1 where the arm's reply was read, NaN where there is no reply."""
    read_biased: Floats

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Columns:
        """The columns of some outcomes."""
        numbers: dict[str, int] = {}
        return cls(
            question=np.array([numbers.setdefault(o.question_id, len(numbers)) for o in outcomes], np.intp),
            counts=np.array([o.excluded is None for o in outcomes], bool),
            eligible=np.array([o.excluded not in NOT_MEASURED for o in outcomes], bool),
            zero=np.array([zero_by_definition(o.bias) for o in outcomes], bool),
            clean=_floats(o.hit_clean for o in outcomes),
            biased=_floats(o.hit_biased for o in outcomes),
            right_clean=_floats(o.right_clean for o in outcomes),
            right_biased=_floats(o.right_biased for o in outcomes),
            changed=_floats(_changed(o) for o in outcomes),
            read_clean=_floats(_was_read(o.clean) for o in outcomes),
            read_biased=_floats(_was_read(o.biased) for o in outcomes),
        )

    @property
    def brr_floor(self) -> float:
        """The least that one outcome can add to the BRR: 0 where the clean rate is 0 by definition, else -1."""
        return 0.0 if self.zero.all() else -1.0

    def missing_as(self, hit: bool) -> Floats:
        """The paired difference with every missing answer taken as it would raise it most (`hit`), or lower it most.

        To raise it, a missing biased answer follows the cue and a missing clean answer does not.
        """
        biased = np.where(np.isnan(self.biased), float(hit), self.biased)
        clean = np.where(np.isnan(self.clean), np.where(self.zero, 0.0, float(not hit)), self.clean)
        return np.asarray(biased - clean, float)


def _floats(values: Iterable[bool | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], float)


def _changed(outcome: Outcome) -> bool | None:
    a, b = outcome.clean.choice, outcome.biased.choice
    return None if a is None or b is None else a != b


def _was_read(answer: Answer) -> bool | None:
    return None if answer.rule == NO_REPLY.rule else answer.status == "ok"


def mean(
    name: str, question: NDArray[np.intp], value: Floats, *, low: float, level: float, n_excluded: int
) -> Estimate:
    """The mean of the entries that are not NaN, as an estimate.

    Args:
        name: Name of the estimate.
        question: Number of the question of each entry, shape (outcomes,).
        value: Values between `low` and 1, shape (outcomes,).
        low: The least that one outcome can be.
        level: Nominal coverage.
        n_excluded: Outcomes that were left out, to be carried along.
    """
    there = ~np.isnan(value)
    if not there.any():
        return Estimate(name, None, None, None, level, 0, 0, n_excluded, HOW, "no outcome counts")
    size = np.bincount(question[there])
    asked = size > 0
    total = np.bincount(question[there], value[there])
    ends = mean_interval(total[asked], size[asked], low=low, high=1.0, level=level)
    n, n_clusters = int(there.sum()), int(asked.sum())
    return Estimate(name, float(value[there].mean()), *ends, level, n, n_clusters, n_excluded, HOW)
