"""What a panel of side effects takes and can show, before anything is asked.

In: what a panel asks. Out: lengths of its prompts for `unsway.planning`, and a row for each side effect with the
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
"""The share of questions that change between a base and its adapter, where it is not known: between .08 and .2. A guess."""


class EffectPlan(NamedTuple):
    """What one side effect takes of one arm, and what it can show."""

    effect: str
    """Its name."""
    replies: int
    """Replies to ask of one arm, those that it shares with other side effects included."""
    questions: int
    """Questions of the smallest condition that a number names; all where none names one."""
    shows: float
    """The smallest margin that as many questions show to be kept in 80 % of studies."""
    margins: tuple[tuple[str, float, int], ...]
    """Each number with its margin in points and the questions which that needs; those that are quotients are left out."""


def lengths(asked: Sequence[AskedEffect], elicit: str, settings: Settings) -> dict[str, PromptLength]:
    """Every prompt to ask of an arm; one under other settings, or a further sample, under an id of its own."""
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
        n = min(sizes) // (len(units) if one.effect.counts else 1)  # the base sorts each into one of them
        needed = tuple(
            (m.name, m.margin, questions_needed(DISCORDANT, m.margin))
            for m in one.effect.measures
            if m.margin is not None and m.unit == "points"
        )
        n_replies = len(one.prompts()) * one.effect.samples
        plans.append(EffectPlan(one.effect.name, n_replies, n, smallest_margin(DISCORDANT, n), needed))
    return tuple(plans)
