"""How far labellers agree, and what they found: kappa for each two of them, alpha over all, coherent shares by arm.

In: the shelf of a folder. Out: `Agreement`s and `Share`s. A model's labels count as one more labeller. Cohen's kappa is
`measure.agreement`'s, Krippendorff's alpha `measure.alpha`'s; a reply counts where both, or at least two, have answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np

from unsway.judging.items import Item
from unsway.judging.label_store import Label
from unsway.stats.agreement import agreement
from unsway.stats.alpha import Metric, krippendorff
from unsway.stats.intervals import rate_interval
from unsway.types import Estimate

QUESTIONS: dict[str, tuple[Callable[[Label], int | None], tuple[int, ...], Metric]] = {
    "coherent": (lambda label: _number(label.coherent), (0, 1), "nominal"),
    "coherence, 1 to 5": (lambda label: label.coherence, (1, 2, 3, 4, 5), "ordinal"),
    "mentions the cue": (lambda label: _number(label.mentions_cue), (0, 1), "nominal"),
}
"""What is compared: what a label says, the values there can be, and how far apart they are."""


class Agreement(NamedTuple):
    """How far labellers agree on one question."""

    question: str
    labellers: tuple[str, ...]
    agreement: Estimate | None
    """Share of equal labels; None over more than two labellers."""
    kappa: Estimate | None
    alpha: Estimate


class Share(NamedTuple):
    """What one labeller found in the replies of one arm."""

    labeller: str
    arm: str
    coherent: Estimate
    mentions: Estimate


def agreements(labels: Iterable[Label], items: Iterable[Item], *, level: float = 0.95) -> tuple[Agreement, ...]:
    """All labellers together where there are more than two, and each two of them."""
    question_of = {item.id: item.question_id for item in items}
    said: dict[str, dict[str, Label]] = {}
    for label in labels:
        if label.item in question_of:
            said.setdefault(label.labeller, {})[label.item] = label
    groups = [*([tuple(said)] if len(said) > 2 else []), *combinations(said, 2)]
    return tuple(_agreement(name, group, said, question_of, level) for group in groups for name in QUESTIONS)


def _agreement(
    name: str, group: tuple[str, ...], said: dict[str, dict[str, Label]], question_of: dict[str, str], level: float
) -> Agreement:
    value, order, metric = QUESTIONS[name]
    units: dict[str, list[int]] = {}
    for labeller in group:
        for item, label in said[labeller].items():
            found = value(label)
            if found is not None:
                units.setdefault(item, []).append(found)
    both = {item: values for item, values in units.items() if len(values) > 1}
    questions = [question_of[item] for item in both]
    alpha = krippendorff(list(both.values()), questions, order, metric=metric, level=level)
    if len(group) > 2:
        return Agreement(name, group, None, None, alpha)
    one, other = ([str(values[i]) for values in both.values()] for i in (0, 1))
    equal, kappa = agreement(one, other, questions, level=level)
    return Agreement(name, group, equal, kappa, alpha)


def shares(labels: Iterable[Label], items: Iterable[Item], *, level: float = 0.95) -> tuple[Share, ...]:
    """Coherent and cue-mentioning shares of each labeller and arm: they tell who wrote what, so ask when all is labelled."""
    known = {item.id: item for item in items}
    groups: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        if label.item in known:
            groups.setdefault((label.labeller, known[label.item].arm), []).append(label)
    return tuple(
        Share(
            *key,
            _share("coherent", [(known[x.item].question_id, x.coherent) for x in members], level),
            _share("mentions_cue", [(known[x.item].question_id, x.mentions_cue) for x in members], level),
        )
        for key, members in sorted(groups.items())
    )


def _share(name: str, said: list[tuple[str, bool | None]], level: float) -> Estimate:
    known = [(question, value) for question, value in said if value is not None]
    out, how = len(said) - len(known), "Wilson score interval over questions"
    if not known:
        return Estimate(name, None, None, None, level, 0, 0, out, how, "nothing was labelled")
    ids = {question: i for i, question in enumerate(dict.fromkeys(question for question, _ in known))}
    cluster, hits = np.array([ids[question] for question, _ in known]), np.array([value for _, value in known], float)
    ends = rate_interval(np.bincount(cluster, hits), np.bincount(cluster), level=level)
    return Estimate(name, float(hits.mean()), *ends, level, len(known), len(ids), out, how)


def _number(value: bool | None) -> int | None:
    return None if value is None else int(value)
