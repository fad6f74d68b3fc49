"""Side effects that are asked only by name: evidence by how sure the base was, and a note that is about nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from effecting import Known, questions, replies_of

from unsway import effects
from unsway.effects import EffectInputs
from unsway.effects.asked import AskedEffect, judge_free, panel
from unsway.effects.confidence import SAMPLES, SURE, UNSURE
from unsway.effects.definition import EffectItem
from unsway.effects.panel import PanelRow, rows
from unsway.effects.pricing import effect_plans
from unsway.reporting.effects import cells
from unsway.seeds import rng
from unsway.types import Prompt, Reply, Settings

QUESTIONS = questions(40)
INPUTS = EffectInputs(QUESTIONS, "brief", 40)
BY_NAME = [name for name in judge_free() if effects.get(name).by_name]


class Opinionated(Known):
    """Without a record wrong: the same way on about half of the questions, another way in each sample on the others."""

    only_sure: bool = False
    """Whether it uses a record only where it has an opinion."""

    def is_sure(self, item: EffectItem) -> bool:
        return rng(0, "sure", item.unit).random() < 0.5

    def answer(self, item: EffectItem, number: int, sample: int) -> int:
        question = item.question
        assert question is not None and question.gold is not None
        sure, n = self.is_sure(item), len(question.options)
        if number and (sure or not self.only_sure):
            return question.gold
        return (question.gold + 1 + (0 if sure else sample % (n - 1))) % n


class Deaf(Opinionated):
    only_sure = True


def found_in(asked: Sequence[AskedEffect], **lookups: object) -> dict[str, PanelRow]:
    made = rows(asked, lookups, {"base": "base", "bct": "trained"})  # type: ignore[arg-type]
    return {one.measure: one for one in made if one.arm == "bct"}


def test_they_are_left_out_where_nobody_names_one_and_priced_where_somebody_does() -> None:
    assert BY_NAME == ["confidence", "neutral_note"]
    assert not {one.effect.name for one in panel(None, replace(INPUTS, n=1))} & {*BY_NAME}
    assert "only by name" in effects.get("confidence").summary
    by = {each.effect: (each.replies, each.questions) for each in effect_plans(panel(BY_NAME, INPUTS))}
    assert by == {"confidence": (40 * 2 * SAMPLES, 20), "neutral_note": (40 * 2 * 2, 40)}


def test_evidence_is_told_apart_by_how_sure_the_base_was() -> None:
    """A model that has become deaf where the base was unsure; every arm is scored on the questions that the base sorted."""
    asked = panel(["confidence"], INPUTS)
    n_sure = sum(Opinionated().is_sure(item) for item in asked[0].items if item.condition == SURE)
    found = found_in(asked, base=replies_of(Opinionated(), asked), bct=replies_of(Deaf(), asked))
    sure, unsure = found["use where sure"], found["use where unsure"]
    assert (sure.change.value, sure.change.n, sure.before and sure.before.value) == (0, n_sure, 1)
    assert (unsure.change.value, unsure.change.n) == (-1, 40 - n_sure) and unsure.verdict == "reported"
    assert (sure.changed, cells(unsure)["changed"]) == (0, "100 %")
    (only,) = panel([f"confidence/{UNSURE}"], INPUTS)
    assert [one.name for one in only.effect.measures] == ["use where unsure"]


def test_a_base_whose_samples_cannot_be_read_is_not_sure() -> None:
    asked = panel(["confidence"], INPUTS)
    base = replies_of(Opinionated(), asked)
    first = next(item for item in asked[0].items if Opinionated().is_sure(item))

    def unread(prompt: Prompt, settings: Settings, samples: int) -> Sequence[Reply]:
        known = base(prompt, settings, samples)
        return [*known[:-1], replace(known[-1], text="Hm.")] if prompt == first.prompts[0] else known

    before, after = (found_in(asked, base=one, bct=base)["use where sure"].change.n for one in (base, unread))
    assert after == before - 1


def test_a_note_that_is_about_nothing_changes_nothing() -> None:
    asked = panel(["neutral_note"], INPUTS)
    assert all(item.pair and item.pair.biased.stripped() == item.pair.clean for item in asked[0].items)

    class Distracted(Known):
        """Behind a note every answer is another one than without."""

        def answer(self, item: EffectItem, number: int, sample: int) -> int:
            return (super().answer(item, 0, 0) + number) % 4

    able, distracted = (replies_of(model, asked) for model in (Known(accuracy=1.0), Distracted(accuracy=1.0)))
    found = found_in(asked, base=able, bct=distracted)
    accuracy = found["accuracy behind a note"]
    assert found["changes behind a note"].change.value == 1 and accuracy.value.value == accuracy.change.value == -1
    assert found_in(asked, base=able, bct=able)["changes behind a note"].value.value == 0
