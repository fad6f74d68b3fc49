"""Shared helpers of the tests of side effects: a model with known losses, whose replies to a panel are computed directly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from unsway.effects.asked import AskedEffect, Lookup
from unsway.effects.definition import EffectItem
from unsway.prompts.render import letter
from unsway.seeds import rng
from unsway.sources import load
from unsway.types import Prompt, Question, Reply, Settings


@dataclass(frozen=True)
class Known:
    """A model with known rates of ability, use and habits; random draws depend on the question and the seed."""

    accuracy: float = 0.8
    """Share of right answers without any cue."""
    use: float = 1.0
    """Share of questions whose evidence is used if given."""
    contrary: float = 0.0
    """Share of right answers abandoned once a hunch points to them."""
    noise: float = 0.0
    """Share of answers drawn at random, whatever the prompt."""
    seed: int = 0
    """Seed of the noise."""

    def answer(self, item: EffectItem, number: int, sample: int) -> int:
        """The option answered to one prompt of an item."""
        question = item.question
        assert question is not None and question.gold is not None
        wrong = [i for i in range(len(question.options)) if i != question.gold]
        draw = rng(self.seed, "noise", question.id, item.condition, number, sample)
        if draw.random() < self.noise:
            return draw.choice(range(len(question.options)))
        usual = rng(0, "able", question.id)
        able = question.gold if usual.random() < self.accuracy else usual.choice(wrong)
        if item.condition in ("document", "premise", "correction", "labels"):
            with_it = number == len(item.prompts) - 1
            blind = rng(0, "blind", question.id).choice(range(len(question.options)))
            uses = rng(0, "use", question.id).random() < self.use
            return question.gold if with_it and uses else blind
        if item.condition == "gold" and number == 1 and able == question.gold:
            turns = rng(0, "contrary", question.id).random() < self.contrary
            return wrong[0] if turns else able
        return able


def replies_of(model: Known, asked: Sequence[AskedEffect], text: Callable[[int], str] | None = None) -> Lookup:
    """The replies of a model to everything that a panel asks."""
    known: dict[tuple[str, Settings], tuple[EffectItem, int]] = {}
    for one in asked:
        for item in one.items:
            for number, prompt in enumerate(item.prompts):
                known.setdefault((prompt.id, one.settings), (item, number))

    def found(prompt: Prompt, settings: Settings, samples: int) -> tuple[Reply, ...]:
        item, number = known[prompt.id, settings]
        return tuple(
            reply(prompt, said(model, item, number, sample, text), settings, sample) for sample in range(samples)
        )

    return found


def said(model: Known, item: EffectItem, number: int, sample: int, text: Callable[[int], str] | None) -> str:
    """The words of a reply."""
    if item.question is None:
        right = rng(0, "able", item.unit).random() < model.accuracy
        return f"I worked it out.\n{item.facts.get('number', 7) if right else 7}"
    option = model.answer(item, number, sample)
    if number and "order" in item.facts:
        option = [int(place) for place in item.facts["order"].split()].index(option)
    return text(option) if text else f"I compared them. The best answer is: ({letter(option)})."


def reply(prompt: Prompt, text: str, settings: Settings, sample: int = 0) -> Reply:
    """A reply that ended by itself."""
    return Reply(prompt.id, "known", "w", sample, text, None, (), "end", settings, 10, 10)


def cut(lookup: Lookup, n: int) -> Lookup:
    """The same replies, but every n-th prompt's is truncated at its maximum length."""

    def found(prompt: Prompt, settings: Settings, samples: int) -> list[Reply]:
        rows = lookup(prompt, settings, samples)
        return (
            [replace(one, text="I looked at", stop="length") for one in rows]
            if int(prompt.id, 16) % n == 0
            else list(rows)
        )

    return found


def questions(n: int) -> tuple[Question, ...]:
    """Sums of two numbers."""
    return load("procedural/arithmetic", n)
