"""Does what is steady in a base grow, and what is fragile shrink? A rank correlation over habits of the clean prompt.

In: the prompts of `habits` and `entrenchment`, and the replies of the arms; nothing more is asked. Out: an `Estimate`
and a sentence.

Steadiness of a habit: how often the base shows it in one of two samples at temperature 1, given that the other shows it.
Growth: the share of clean prompts on which an arm shows it, minus that of the control (arXiv 2606.03810). Without a control,
the arm is compared with the base. Chance in the base's replies would then make a habit look steady and shrinking at once, so
steadiness and growth are each computed from their own half of the questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from unsway.effects.asked import AskedEffect, Lookup
from unsway.effects.definition import EffectItem, choice
from unsway.effects.habits import is_longest, repeats
from unsway.errors import number_of
from unsway.seeds import seed_int
from unsway.stats.compared import LEVEL
from unsway.stats.rank import rank_correlation
from unsway.types import Estimate, Question

FEWEST = 6
"""Minimum number of habits for a correlation."""
NAME = "stability predicts growth"


def habits_shown(question: Question, option: int) -> dict[str, bool]:
    """Which habits an answer shows; the first option and the most chosen letter are among its places."""
    places = {f"option {place + 1}": place == option for place in range(len(question.options))}
    text_habits = {"longest option": is_longest(question, option), "option of a stem word": repeats(question, option)}
    return places | text_habits


def steadiness(
    asked_effect: AskedEffect, lookup: Lookup, is_included: Callable[[EffectItem], bool] = lambda item: True
) -> dict[str, float]:
    """How often each habit is shown in one of two samples, given that the other shows it; habits never shown are left out."""
    n_both: dict[str, int] = {}
    n_either: dict[str, int] = {}
    for item in filter(is_included, asked_effect.items):
        first, second = (_habits(asked_effect, item, lookup, sample) for sample in (0, 1))
        for name in first if second else ():
            n_both[name] = n_both.get(name, 0) + 2 * (first[name] and second[name])
            n_either[name] = n_either.get(name, 0) + first[name] + second[name]
    return {name: n_both[name] / n for name, n in n_either.items() if n}


def growth(
    asked_effect: AskedEffect,
    after: Lookup,
    before: Lookup,
    is_included: Callable[[EffectItem], bool] = lambda item: True,
) -> dict[str, float]:
    """How much more often one arm shows each habit than another, on questions readable in both."""
    changes: dict[str, list[int]] = {}
    for item in filter(is_included, asked_effect.items):
        now, then = (_habits(asked_effect, item, lookup, 0) for lookup in (after, before))
        for name in now if then else ():
            changes.setdefault(name, []).append(now[name] - then[name])
    return {name: sum(d) / len(d) for name, d in changes.items()}


def stability(
    asked_effects: Sequence[AskedEffect], base: Lookup, after: Lookup, before: Lookup | None = None, *, seed: int = 0
) -> Estimate | None:
    """The rank correlation between the habits' steadiness and their growth; None if either was not asked.

    Args:
        asked_effects: The panel.
        base: The replies of the base.
        after: The replies of an arm.
        before: The replies of its control; None if there is none.
        seed: Seed of the halves and of the permutations.
    """
    by_name = {asked_effect.effect.name: asked_effect for asked_effect in asked_effects}
    if not by_name.keys() >= {"habits", "entrenchment"}:
        return None

    def half(number: int) -> Callable[[EffectItem], bool]:
        return lambda item: before is not None or seed_int(seed, "half", item.unit) % 2 == number

    steadiness_of = steadiness(by_name["entrenchment"], base, half(0))
    growth_of = growth(by_name["habits"], after, before or base, half(1))
    n = len(steadiness_of.keys() & growth_of.keys())
    if n < FEWEST:
        reason = f"the base shows {number_of(n, 'habit')}, and a correlation takes {FEWEST}"
        return Estimate.none(NAME, LEVEL, n, n, 0, "refused", reason)
    return replace(rank_correlation(steadiness_of, growth_of, seed=seed), name=NAME)


def stability_sentence(correlation: Estimate | None, against: str) -> str:
    """The correlation in words; empty if it has no value."""
    if correlation is None or correlation.value is None:
        return ""
    low, high = correlation.low or 0.0, correlation.high or 0.0
    statement = f"Habits that are steady in the base grew {'more' if low > 0 else 'less'} than fragile ones"
    if low <= 0 <= high:
        statement = "Whether habits that are steady in the base grew more than fragile ones cannot be told"
    value, *ends = (f"{number:+.2f}".replace("-", "−") for number in (correlation.value, low, high))
    return (
        f"{statement}, against {against} (rank correlation over {correlation.n} habits: {value} [{', '.join(ends)}])."
    )


def _habits(asked_effect: AskedEffect, item: EffectItem, lookup: Lookup, sample: int) -> dict[str, bool]:
    """Maps each habit to whether a sample shows it; empty if the sample cannot be read."""
    (prompt,) = item.prompts
    replies = lookup(prompt, asked_effect.settings_for(prompt), asked_effect.effect.samples)
    option = choice(item.question, replies, sample)
    return {} if item.question is None or option is None else habits_shown(item.question, option)
