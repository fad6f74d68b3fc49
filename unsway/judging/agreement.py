"""How far labellers agree, and what they found: kappa of each two, alpha over all, coherent shares by arm.

In: labels and the items they are about. Out: `Agreement`s and `ArmShares`. A model's labels count as one more labeller.
Cohen's kappa is from `stats.agreement`, Krippendorff's alpha from `stats.alpha`; a reply counts where at least two have
answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from unsway.judging.items import LabelItem
from unsway.judging.label_store import Label
from unsway.stats.agreement import agreement
from unsway.stats.alpha import Metric, krippendorff
from unsway.stats.columns import mean
from unsway.types import Estimate

QUESTIONS: dict[str, tuple[Callable[[Label], int | None], tuple[int, ...], Metric]] = {
    "coherent": (lambda label: label.coherent, (0, 1), "nominal"),
    "coherence, 1 to 5": (lambda label: label.coherence, (1, 2, 3, 4, 5), "ordinal"),
    "mentions the cue": (lambda label: label.mentions_cue, (0, 1), "nominal"),
}
"""What is compared: what a label says, the possible values, and how far apart they are."""


class Agreement(NamedTuple):
    """How far labellers agree on one question."""

    question: str
    """What was asked, a key of `QUESTIONS`."""
    labellers: tuple[str, ...]
    """Whose labels are compared."""
    agreement: Estimate | None
    """Share of equal labels; None for more than two labellers."""
    kappa: Estimate | None
    """Cohen's kappa; None for more than two labellers."""
    alpha: Estimate
    """Krippendorff's alpha."""


class ArmShares(NamedTuple):
    """What one labeller found in the replies of one arm."""

    labeller: str
    """Who labelled them."""
    arm: str
    """Label of the arm."""
    coherent: Estimate
    """Share of replies with coherent reasoning."""
    mentions: Estimate
    """Share of replies that mention the cue."""


def agreements(labels: Iterable[Label], items: Iterable[LabelItem], *, level: float = 0.95) -> tuple[Agreement, ...]:
    """The agreement of all labellers together, where there are more than two, and of each two."""
    question_of = {item.id: item.question_id for item in items}
    by_labeller: dict[str, dict[str, Label]] = {}
    for label in labels:
        if label.item in question_of:
            by_labeller.setdefault(label.labeller, {})[label.item] = label
    groups = [*([tuple(by_labeller)] if len(by_labeller) > 2 else []), *combinations(by_labeller, 2)]

    def compare(name: str, group: tuple[str, ...]) -> Agreement:
        value, order, metric = QUESTIONS[name]
        values_of: dict[str, list[int]] = {}
        for labeller in group:
            for item, label in by_labeller[labeller].items():
                if (found := value(label)) is not None:
                    values_of.setdefault(item, []).append(int(found))
        values_of = {item: values for item, values in values_of.items() if len(values) > 1}
        questions = [question_of[item] for item in values_of]
        alpha = krippendorff(list(values_of.values()), questions, order, metric=metric, level=level)
        if len(group) > 2:
            return Agreement(name, group, None, None, alpha)
        one, other = ([str(values[i]) for values in values_of.values()] for i in (0, 1))
        return Agreement(name, group, *agreement(one, other, questions, level=level), alpha)

    return tuple(compare(name, group) for group in groups for name in QUESTIONS)


def shares(labels: Iterable[Label], items: Iterable[LabelItem], *, level: float = 0.95) -> tuple[ArmShares, ...]:
    """Shares of coherent and cue-mentioning replies, by labeller and arm. They end the blindness: ask last."""
    known = {item.id: item for item in items}
    groups: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        if label.item in known:
            groups.setdefault((label.labeller, known[label.item].arm), []).append(label)

    def share(name: str, group: list[Label], values: list[bool | None]) -> Estimate:
        numbers: dict[str, int] = {}
        question = np.array([numbers.setdefault(known[one.item].question_id, len(numbers)) for one in group], np.intp)
        value = np.array([np.nan if one is None else one for one in values], float)
        found = mean(name, question, value, signed=False, level=level, n_excluded=values.count(None))
        return found if found.n else replace(found, note="nothing was labelled")

    return tuple(
        ArmShares(
            labeller,
            arm,
            share("coherent", group, [label.coherent for label in group]),
            share("mentions_cue", group, [label.mentions_cue for label in group]),
        )
        for (labeller, arm), group in sorted(groups.items())
    )
