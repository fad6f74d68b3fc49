"""The cost of a panel of side effects and what it can show, before anything is asked.

In: a panel. Out: lengths of its prompts for `unsway.planning`, and a row for each side effect with the
smallest margin that its questions can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unsway.effects.asked import AskedEffect
from unsway.planning.plan import PromptLength
from unsway.stats.margins import questions_needed, smallest_margin
from unsway.types import Settings

DISCORDANT = 0.15
"""Assumed share of questions that change between a base and its adapter, typically .08 to .2. A guess."""


class EffectPlan(NamedTuple):
    """The cost of one side effect for one arm, and what it can show."""

    effect: str
    """Its name."""
    replies: int
    """Replies to ask of one arm, including those shared with other side effects."""
    questions: int
    """Questions of the smallest condition that a number names; all questions if none names one."""
    shows: float
    """The smallest margin that this many questions can show to be kept in 80 % of studies."""
    margins: tuple[tuple[str, float, int], ...]
    """Each number with its margin in points and the number of questions needed, except quotients."""


def lengths(asked: Sequence[AskedEffect], elicit: str, settings: Settings) -> dict[str, PromptLength]:
    """The length of every prompt to ask an arm; other settings and further samples get their own ids."""
    found = {}
    for one in asked:
        for prompt in one.prompts():
            for sample in range(one.effect.samples):
                plain = one.settings_for(prompt) == settings and sample == 0
                key = prompt.id if plain else f"{prompt.id} {one.settings.temperature} {sample}"
                found[key] = PromptLength.of(prompt, elicit)
    return found


def effect_plans(asked: Sequence[AskedEffect]) -> tuple[EffectPlan, ...]:
    """A row for each side effect."""
    plans = []
    for one in asked:
        units: dict[str, set[str]] = {}
        for item in one.items:
            units.setdefault(item.condition, set()).add(item.unit)
        named = [len(units[condition]) for m in one.effect.measures for condition in m.conditions]
        sizes = named or [len(set().union(*units.values()))]
        n = min(sizes) // (len(units) if one.effect.counts else 1)  # the base's replies sort them
        needed = tuple(
            (m.name, m.margin, questions_needed(DISCORDANT, m.margin))
            for m in one.effect.measures
            if m.margin is not None and m.unit == "points"
        )
        n_replies = len(one.prompts()) * one.effect.samples
        plans.append(EffectPlan(one.effect.name, n_replies, n, smallest_margin(DISCORDANT, n), needed))
    return tuple(plans)
