"""Define what a panel asks: which side effects, in which conditions, how decoded, and with which margins.

In: names of side effects, and inputs. Out: `AskedEffect`s, whose prompts every arm is asked. Nothing is asked here.

    asked_effects = panel(("clean_accuracy", "evidence"), EffectInputs(questions))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from unsway import effects
from unsway.effects.definition import EffectInputs, EffectItem, SideEffect
from unsway.errors import BadInput, UnknownName
from unsway.prompts.render import options_shown
from unsway.types import Prompt, Reply, Settings

Lookup: TypeAlias = Callable[[Prompt, Settings, int], Sequence[Reply]]
"""Takes a prompt, settings and a number of samples; returns at most that many replies of one arm."""


@dataclass(frozen=True, slots=True)
class AskedEffect:
    """One side effect of a panel with its items and settings."""

    effect: SideEffect
    items: tuple[EffectItem, ...]
    settings: Settings
    """How its replies are decoded."""
    heard: Callable[[Prompt], Sequence[Reply]] | None = None
    """The judge's replies to each prompt, if the side effect has a judge."""

    def prompts(self) -> tuple[Prompt, ...]:
        """All prompts, each once."""
        return tuple({prompt.id: prompt for item in self.items for prompt in item.prompts}.values())

    def settings_for(self, prompt: Prompt) -> Settings:
        """How replies to one prompt are decoded: restricted to options only if it shows some, and never forced to answer.

        Answers are never forced because looping replies and replies without an option are a side effect.
        """
        unforced = replace(self.settings, force_answer=None)
        return unforced if options_shown(prompt) else replace(unforced, options_after=None)


def panel(
    names: Iterable[str] | None,
    inputs: EffectInputs,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    *,
    own_sizes: bool = False,
) -> tuple[AskedEffect, ...]:
    """The named side effects with their items; `name/condition` takes only one condition of a side effect.

    None takes all that need no judge, need not be named, and have something to ask. With `own_sizes` each takes its own
    default number of questions, at most those of the inputs.

    Raises:
        UnknownName: There is no such side effect or condition.
        BadInput: One has nothing to ask.
    """
    if names is None:
        default_names = (name for name in judge_free() if not effects.get(name).by_name)
        names = [name for name in default_names if effects.get(name).build(replace(inputs, n=1))]
    conditions_of: dict[str, list[str]] = {}
    for name in names:
        effect_name, _, condition = name.partition("/")
        conditions_of.setdefault(effect_name, []).append(condition)
    asked_effects = []
    for name, conditions in conditions_of.items():
        effect = effects.get(name)
        effect_inputs = replace(inputs, n=min(inputs.n, effect.n)) if own_sizes else inputs
        asked_effects.append(asked_effect(effect, conditions, effect_inputs, settings))
    return tuple(asked_effects)


def asked_effect(
    effect: SideEffect, conditions: Sequence[str], inputs: EffectInputs, settings: Settings
) -> AskedEffect:
    """One side effect with its items, in some of its conditions; an empty string among them takes all. Raises as `panel`."""
    items = effect.build(inputs)
    available = {item.condition for item in items}
    for condition in conditions:
        if condition and condition not in available:
            raise UnknownName(f"condition of {effect.name}", condition, available)
    selection = available if "" in conditions else set(conditions)
    items = tuple(item for item in items if item.condition in selection)
    if not items:
        raise BadInput(
            f"The side effect {effect.name!r} has nothing to ask: there are no questions with a right option."
        )
    measures = tuple(m for m in effect.measures if not m.conditions or set(m.conditions) <= selection)
    return AskedEffect(replace(effect, measures=measures), items, decoding(effect, settings))


def judge_free() -> tuple[str, ...]:
    """The side effects that need no judge."""
    return tuple(name for name in effects.names() if not effects.get(name).judged)


def decoding(effect: SideEffect, settings: Settings) -> Settings:
    """How the replies of a side effect are decoded, given the study's settings."""
    temperature = settings.temperature if effect.temperature is None else effect.temperature
    max_tokens = settings.max_tokens if effect.max_tokens is None else effect.max_tokens
    return replace(settings, temperature=temperature, max_tokens=max_tokens)


def with_margins(asked_effects: Sequence[AskedEffect], margins: Mapping[str, float]) -> tuple[AskedEffect, ...]:
    """The panel with other margins, by `effect.measure`, or by `effect` for its first number. Raises `UnknownName`."""
    main_measure = {
        asked_effect.effect.name: f"{asked_effect.effect.name}.{asked_effect.effect.measures[0].name}"
        for asked_effect in asked_effects
    }
    margin_of = {main_measure.get(name, name): margin for name, margin in margins.items()}
    measure_names = [
        f"{asked_effect.effect.name}.{m.name}" for asked_effect in asked_effects for m in asked_effect.effect.measures
    ]
    for name in margin_of:
        if name not in measure_names:
            raise UnknownName("number of a side effect", name, measure_names)
    changed_effects = []
    for asked_effect in asked_effects:
        effect = asked_effect.effect
        measures = (replace(m, margin=margin_of.get(f"{effect.name}.{m.name}", m.margin)) for m in effect.measures)
        changed_effects.append(replace(asked_effect, effect=replace(effect, measures=tuple(measures))))
    return tuple(changed_effects)
