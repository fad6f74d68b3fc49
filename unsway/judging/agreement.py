"""How well labellers agree, and what they found: kappa of each two, alpha over all, shares of yes by arm.

In: labels and the items they are about. Out: `Agreement`s and `ArmShare`s. A model's labels count as one more labeller.
Cohen's kappa is from `stats.agreement`, Krippendorff's alpha from `stats.alpha`; a reply counts if at least two have
answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

from unsway.judging import rubrics
from unsway.judging.items import LabelItem
from unsway.stats.agreement import agreement
from unsway.stats.alpha import Metric, krippendorff
from unsway.stats.columns import share_of
from unsway.types import Estimate, Verdict


class Agreement(NamedTuple):
    """How well labellers agree on one question."""

    question: str
    """The question; for one with marks, also whether these are compared as marks or as yes or no."""
    labellers: tuple[str, ...]
    """The labellers that are compared."""
    agreement: Estimate | None
    """Share of equal labels; None for more than two labellers."""
    kappa: Estimate | None
    """Cohen's kappa; None for more than two labellers."""
    alpha: Estimate
    """Krippendorff's alpha."""


class ArmShare(NamedTuple):
    """What one labeller found in the replies of one arm."""

    labeller: str
    """Who labelled them."""
    arm: str
    """Label of the arm."""
    question: str
    """The rubric with the version of its wording."""
    yes: Estimate
    """Share of yes; a mark counts as yes from the rubric's threshold (`yes_from`) on."""


def says_yes(verdict: Verdict | None) -> bool | None:
    """Whether a verdict is a yes; marks count from the rubric's threshold on. None if there is no verdict or no value."""
    value = None if verdict is None else verdict.value
    if value is None or isinstance(value, bool):
        return value
    rubric = rubrics.of_question(verdict.question) if verdict else None
    return value >= (rubric.yes_from if rubric else 1)


def all_yes(votes: Iterable[bool | None]) -> bool | None:
    """Whether every part is a yes: False if any part is a no, else None if any part is missing."""
    parts = set(votes)
    return False if False in parts else None if None in parts else True


def agreements(labels: Iterable[Verdict], items: Iterable[LabelItem]) -> tuple[Agreement, ...]:
    """The agreement of each two labellers on every question, and of all together if there are more than two.

    Marks are compared both as yes or no and as marks; numbers that are categories, such as outcomes, by equality.
    """
    question_of = {(item.address, item.pair): item.question_id for item in items}
    labels_by_question: dict[str, dict[str, dict[tuple[str, str], Verdict]]] = {}
    for label in labels:
        if (label.reply, label.pair) in question_of and label.value is not None:
            labels_by_question.setdefault(label.question, {}).setdefault(label.by, {})[label.reply, label.pair] = label

    def compare(
        name: str,
        group: tuple[str, ...],
        by_labeller: dict[str, dict[tuple[str, str], Verdict]],
        order: range,
        metric: Metric,
    ) -> Agreement:
        """Compare labellers; without an order of numbers, as yes or no."""
        values_of: dict[tuple[str, str], list[int]] = {}
        for labeller in group:
            for reply, label in by_labeller[labeller].items():
                values_of.setdefault(reply, []).append(int((label.value if order else says_yes(label)) or 0))
        values_of = {reply: values for reply, values in values_of.items() if len(values) > 1}
        questions = [question_of[reply] for reply in values_of]
        alpha = krippendorff(list(values_of.values()), questions, order or (0, 1), metric=metric)
        if len(group) > 2:
            return Agreement(name, group, None, None, alpha)
        first, second = ([str(values[i]) for values in values_of.values()] for i in (0, 1))
        return Agreement(name, group, *agreement(first, second, questions), alpha)

    rows = []
    for question, by_labeller in labels_by_question.items():
        rubric = rubrics.of_question(question)
        numbers = [
            int(label.value or 0)
            for labels_by_reply in by_labeller.values()
            for label in labels_by_reply.values()
            if not isinstance(label.value, bool)
        ]
        low, high = (rubric and rubric.scale) or (min(numbers, default=0), max(numbers, default=0))
        is_ordered = rubric is None or rubric.ordered
        groups = [*([tuple(by_labeller)] if len(by_labeller) > 2 else []), *combinations(by_labeller, 2)]
        for group in groups:
            if is_ordered or not numbers:
                rows.append(compare(question, group, by_labeller, range(0), "nominal"))
            if numbers:
                name = f"{question}, {low} to {high}" if is_ordered else question
                rows.append(
                    compare(name, group, by_labeller, range(low, high + 1), "ordinal" if is_ordered else "nominal")
                )
    return tuple(rows)


def shares(labels: Iterable[Verdict], items: Iterable[LabelItem]) -> tuple[ArmShare, ...]:
    """Shares of yes, by labeller, arm and question. They reveal the arms, so call this last."""
    item_of = {(item.address, item.pair): item for item in items}
    groups: dict[tuple[str, str, str], list[Verdict]] = {}
    for label in labels:
        if (label.reply, label.pair) in item_of:
            arm = item_of[label.reply, label.pair].arm
            groups.setdefault((label.by, arm, label.question), []).append(label)
    rows = []
    for (labeller, arm, question), group in sorted(groups.items()):
        questions = [item_of[label.reply, label.pair].question_id for label in group]
        yes = share_of("yes", [says_yes(label) for label in group], questions, level=0.95, n_excluded=0)
        rows.append(ArmShare(labeller, arm, question, yes))
    return tuple(rows)
