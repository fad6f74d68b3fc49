"""Score the arms in a number of a side effect, and compare two of them.

In: what was asked, and the replies of each arm. Out: `Scores`, an arm's own number as an `Estimate`, and `Compared`.

    compare(measure, scores(asked_effect, measure, replies_of_bct), scores(asked_effect, measure, replies_of_base))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unsway.effects.asked import AskedEffect, Lookup
from unsway.effects.definition import EffectItem, EffectMeasure
from unsway.errors import BadInput
from unsway.registry import blaming
from unsway.stats import answer_places, bootstrap_changes, changes, margins, same_answers
from unsway.stats.compared import LEVEL, Compared, Scores
from unsway.stats.intervals import Floats, change_interval
from unsway.types import Estimate, Prompt, Reply


def scored_replies(asked_effect: AskedEffect, item: EffectItem, lookup: Lookup) -> Sequence[Sequence[Reply]]:
    """The replies to score: those of an arm, or the judge's replies about them."""
    if asked_effect.effect.judge is None or asked_effect.heard is None:
        return _replies(asked_effect, item, lookup)
    return [
        () if prompt is None else asked_effect.heard(prompt) for prompt in judge_prompts(asked_effect, item, lookup)
    ]


def judge_prompts(asked_effect: AskedEffect, item: EffectItem, lookup: Lookup) -> Sequence[Prompt | None]:
    """The judge's prompts about one arm's replies to an item; empty if the side effect has no judge."""
    return (
        ()
        if asked_effect.effect.judge is None
        else asked_effect.effect.judge(item, _replies(asked_effect, item, lookup))
    )


def _replies(asked_effect: AskedEffect, item: EffectItem, lookup: Lookup) -> Sequence[Sequence[Reply]]:
    return [lookup(prompt, asked_effect.settings_for(prompt), asked_effect.effect.samples) for prompt in item.prompts]


def select_items(asked_effect: AskedEffect, base: Lookup) -> AskedEffect:
    """The side effect with the items that count by the base's replies."""
    counts = asked_effect.effect.counts
    if counts is None:
        return asked_effect
    with blaming("side effect", asked_effect.effect.name, "counts"):
        return replace(
            asked_effect,
            items=tuple(item for item in asked_effect.items if counts(item, scored_replies(asked_effect, item, base))),
        )


def scores(asked_effect: AskedEffect, measure: EffectMeasure, lookup: Lookup) -> Scores:
    """The scores of one arm in one number, question by question.

    Raises:
        BadInput: A score failed, is not a number, or lies outside the measure's span.
    """
    items = [item for item in asked_effect.items if not measure.conditions or item.condition in measure.conditions]
    units = {unit: number for number, unit in enumerate(dict.fromkeys(item.unit for item in items))}
    unit_index = np.array([units[item.unit] for item in items], int)
    with blaming("side effect", asked_effect.effect.name, f"the score {measure.name!r}"):
        values = [measure.score(item, scored_replies(asked_effect, item, lookup)) for item in items]
    for item, value in zip(items, values, strict=True):
        if not measure.takes(value):
            raise BadInput(
                f"The side effect {asked_effect.effect.name!r} scored {value!r:.60} in {measure.name!r} on question "
                f"{item.unit}; a score is a number within its span, {measure.span}, or None. Mend the score, or declare "
                "the right span."
            )
    low, high = reversed(measure.span) if measure.rises else measure.span
    observed, least, most = (
        np.array([end if value is None else value for value in values], float) for end in (np.nan, low, high)
    )

    def mean_Q(value: Floats) -> Floats:
        has_value = ~np.isnan(value)
        n = np.bincount(unit_index[has_value], minlength=len(units)).astype(float)
        total = np.bincount(unit_index[has_value], value[has_value], minlength=len(units))
        means: Floats = np.divide(total, n, out=np.full(len(units), np.nan), where=n > 0)
        return means

    groups = tuple({item.unit: item.condition for item in items}.values())
    n_options = tuple({item.unit: len(item.question.options) for item in items if item.question}.values())
    n_missing = sum(value is None for value in values)
    golds = {item.unit: item.question.gold for item in items if item.question}.values()
    right = tuple(gold for gold in golds if gold is not None)
    known_options, right = (numbers if len(numbers) == len(units) else () for numbers in (n_options, right))
    return Scores(mean_Q(observed), mean_Q(least), mean_Q(most), n_missing, groups, known_options, right)


def own_value(measure: EffectMeasure, arm: Scores) -> Estimate:
    """An arm's own number, for people: its mean, its median, or how strongly its answers prefer a place."""
    is_read_Q = ~np.isnan(arm.read_Q)
    read_Q = arm.read_Q[is_read_Q]
    n, n_dropped = len(read_Q), len(arm.read_Q) - len(read_Q)

    def estimate(
        value: float | None, method: str, reason: str = "", low: float | None = None, high: float | None = None
    ) -> Estimate:
        return Estimate(measure.name, value, low, high, LEVEL, n, n, n_dropped, method, reason)

    if not n:
        return estimate(None, "", "nothing was read")
    if measure.kind == "letters":
        if not arm.n_options_Q:
            return Estimate.none(measure.name, LEVEL, 0, 0, n_dropped, "", answer_places.UNKNOWN_OPTIONS)
        value = answer_places.preference(read_Q.astype(int), np.array(arm.n_options_Q)[is_read_Q])
        return estimate(value, "total variation, corrected for chance")
    if measure.kind == "excess":
        value = same_answers.excess(arm.read_Q, same_answers.kinds(arm)) if arm.right_Q else np.nan
        reason = "" if np.isfinite(value) else same_answers.ALONE if arm.right_Q else same_answers.UNKNOWN_RIGHT
        return estimate(None if reason else value, "pairs of questions", reason)
    if measure.kind == "median":
        return estimate(float(np.median(read_Q)), "median")
    if measure.kind == "youden":
        halves = [arm.read_Q[np.array(arm.group_Q) == name] for name in measure.conditions]
        counts = [(int((half > 0).sum()), int((~np.isnan(half)).sum())) for half in halves]
        return replace(margins.mover(counts[0], counts[1]), name=measure.name)
    ends = change_interval(read_Q, level=LEVEL) if np.abs(read_Q).max() <= 2 else (None, None)
    return estimate(float(read_Q.mean()), "Tango score interval, questions as units", "", *ends)


def missing_as(measure: EffectMeasure, arm: Scores) -> tuple[Estimate, Estimate] | None:
    """An arm's own number with missing answers at their minimum and at their maximum; None if none are missing."""
    if not arm.n_missing or measure.kind in ("letters", "median", "youden", "excess"):
        return None
    ends = [own_value(measure, replace(arm, read_Q=end_Q)) for end_Q in (arm.least_Q, arm.most_Q)]
    return (ends[1], ends[0]) if measure.rises else (ends[0], ends[1])


def compare(measure: EffectMeasure, arm: Scores, before: Scores, *, seed: int = 0) -> Compared:
    """One number of two arms, as its kind compares them."""
    if measure.kind == "level":
        return changes.own_level(arm, name=measure.name)
    if measure.kind == "kept":
        return bootstrap_changes.kept_share(arm, before, seed=seed, name=measure.name)
    if measure.kind == "median":
        return changes.median_ratio(arm, before, name=measure.name)
    if measure.kind == "letters":
        return answer_places.prior_change(arm, before, seed=seed, name=measure.name)
    if measure.kind == "excess":
        return same_answers.excess_change(arm, before, seed=seed, name=measure.name)
    if measure.kind == "apart":
        return changes.apart(arm, before, rises=measure.rises, name=measure.name)
    if measure.kind == "rate":
        return bootstrap_changes.rate_change(arm, before, seed=seed, rises=measure.rises, name=measure.name)
    return changes.change(arm, before, rises=measure.rises, by_group=measure.kind == "youden", name=measure.name)
