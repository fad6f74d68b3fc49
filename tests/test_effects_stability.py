"""Steady habits and fragile ones: how steady each is in a base, how far it grew, and whether the first tells the second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from effecting import Known, replies_of

from unsway.effects import EffectInputs
from unsway.effects.asked import Lookup, panel
from unsway.effects.definition import EffectItem
from unsway.effects.stability import growth, habits_shown, stability, stability_sentence, steadiness
from unsway.seeds import rng, seed_int
from unsway.types import Prompt, Question, Reply, Settings

OPTIONS = ("a metal", "a small animal", "a plant", "a colour of the sky")
QUESTIONS = tuple(
    Question(f"What is {i}, an animal perhaps?", (*OPTIONS[i % 4 :], *OPTIONS[: i % 4]), 0, "made@1", "test")
    for i in range(120)
)
"""The longest option and the one with a word of the stem stand at every place as often."""
ASKED = panel(["habits", "entrenchment"], EffectInputs(QUESTIONS, "brief", 120))
HABITS, ENTRENCHMENT = ASKED


class Scripted(Known):
    """Answers by a table: for each sample the places of the first questions, over and over."""

    table: Sequence[Sequence[int]] = ()

    def answer(self, item: EffectItem, number: int, sample: int) -> int:
        places = self.table[sample]
        return places[[one.id for one in QUESTIONS].index(item.unit) % len(places)]


class Habitual(Known):
    """Takes the longest option on a share of the questions, always; else any place, by shares of their own."""

    longest: float = 0.3
    shares: Sequence[float] = (8, 4, 2, 1)

    def answer(self, item: EffectItem, number: int, sample: int) -> int:
        assert item.question is not None
        if rng(0, "steady", item.unit).random() < self.longest:
            return item.question.options.index(OPTIONS[3])
        return rng(self.seed, "any", item.unit, sample).choices(range(4), self.shares)[0]


def scripted(*table: Sequence[int]) -> Lookup:
    model = Scripted()
    object.__setattr__(model, "table", table)
    return replies_of(model, ASKED)


def habitual(longest: float, seed: int = 0) -> Lookup:
    model = Habitual(seed=seed)
    object.__setattr__(model, "longest", longest)
    return replies_of(model, ASKED)


def test_an_answer_shows_its_place_its_length_and_its_words() -> None:
    question = Question("Which animal is it?", ("a small animal", "a cat"), 1, "made@1", "test")
    shown = {"option 1": True, "option 2": False, "longest option": True, "option of a stem word": True}
    assert habits_shown(question, 0) == shown and habits_shown(question, 1) == {
        name: not yes for name, yes in shown.items()
    }


def test_how_steady_a_habit_is_and_how_far_it_grew() -> None:
    """A A, A B, B C, C C: A is shown three times, twice next to itself; B twice, never; C three times, twice."""
    base, after = scripted((0, 0, 1, 2), (0, 1, 2, 2)), scripted((0, 0, 0, 2), (0, 0, 0, 0))
    steady = steadiness(ENTRENCHMENT, base)
    assert [steady.get(f"option {place}") for place in (1, 2, 3, 4)] == [
        pytest.approx(2 / 3),
        0,
        pytest.approx(2 / 3),
        None,
    ]
    grown = growth(HABITS, after, base)
    assert [grown[f"option {place}"] for place in (1, 2, 3, 4)] == [0.25, -0.25, 0, 0]


def test_a_model_whose_steady_habits_grow_is_told_from_one_that_did_not_change() -> None:
    base, control, trained = habitual(0.3), habitual(0.3, seed=1), habitual(0.6, seed=2)
    found = stability(ASKED, base, trained, control)
    assert found is not None and found.value is not None and found.value > 0.5 and found.n == 6
    assert found.name == "stability predicts growth"
    assert stability_sentence(replace(found, value=0.86, low=0.2, high=0.98), "control") == (
        "Habits that are steady in the base grew more than fragile ones, against control (rank correlation over 6 habits: "
        "+0.86 [+0.20, +0.98])."
    )
    assert "grew less than" in stability_sentence(replace(found, value=-0.9, low=-1.0, high=-0.3), "control")
    assert "cannot be told, against base (" in stability_sentence(replace(found, value=0.1, low=-0.7, high=0.8), "base")
    still = stability(ASKED, base, control, control)
    assert still is not None and still.value is None and "no order" in still.note
    assert stability_sentence(still, "control") == "" == stability_sentence(None, "control")
    assert stability(ASKED[:1], base, trained, control) is None


def test_without_a_control_steadiness_and_growth_come_from_questions_of_their_own() -> None:
    """The base's chance would make a habit look steady and shrinking at once."""
    base, other, trained = habitual(0.3), habitual(0.9, seed=9), habitual(0.6, seed=2)
    half = {one.prompts[0].id for one in ENTRENCHMENT.items if seed_int(0, "half", one.unit) % 2 == 1}

    def mixed(prompt: Prompt, settings: Settings, samples: int) -> Sequence[Reply]:
        """Other second samples on the half that growth is taken from."""
        return (other if samples == 2 and prompt.id in half else base)(prompt, settings, samples)

    found, same = stability(ASKED, base, trained), stability(ASKED, mixed, trained)
    assert found is not None and found.value is not None and found == same and 40 < len(half) < 80
    assert steadiness(ENTRENCHMENT, base) != steadiness(ENTRENCHMENT, mixed)


def test_few_habits_have_no_correlation() -> None:
    found = stability(ASKED, scripted((0, 1), (0, 1)), scripted((0, 0), (0, 0)))
    assert (
        found is not None and found.value is None and found.note == "the base shows 2 habits, and a correlation takes 6"
    )
