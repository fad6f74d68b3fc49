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


def lengths(asked_effects: Sequence[AskedEffect], elicit: str, settings: Settings) -> dict[str, PromptLength]:
    """The length of every prompt to ask an arm; other settings and further samples get their own ids."""
    by_key = {}
    for asked_effect in asked_effects:
        for prompt in asked_effect.prompts():
            for sample in range(asked_effect.effect.samples):
                is_plain = asked_effect.settings_for(prompt) == settings and sample == 0
                key = prompt.id if is_plain else f"{prompt.id} {asked_effect.settings.temperature} {sample}"
                by_key[key] = PromptLength.of(prompt, elicit)
    return by_key


def effect_plans(asked_effects: Sequence[AskedEffect]) -> tuple[EffectPlan, ...]:
    """A row for each side effect."""
    plans = []
    for asked_effect in asked_effects:
        units: dict[str, set[str]] = {}
        for item in asked_effect.items:
            units.setdefault(item.condition, set()).add(item.unit)
        named_sizes = [len(units[condition]) for m in asked_effect.effect.measures for condition in m.conditions]
        sizes = named_sizes or [len(set().union(*units.values()))]
        n = min(sizes) // (len(units) if asked_effect.effect.counts else 1)  # the base's replies sort them
        needed = tuple(
            (m.name, m.margin, questions_needed(DISCORDANT, m.margin))
            for m in asked_effect.effect.measures
            if m.margin is not None and m.unit == "points"
        )
        n_replies = len(asked_effect.prompts()) * asked_effect.effect.samples
        plans.append(EffectPlan(asked_effect.effect.name, n_replies, n, smallest_margin(DISCORDANT, n), needed))
    return tuple(plans)
