"""What every intervention that needs no reply keeps: question, cue and their place at the end, on both sides alike."""

from __future__ import annotations

import pytest

from unsway import interventions
from unsway.pairing import pairs
from unsway.studies.values import INTERVENTION
from unsway.testing import scripted, toy_questions

MADE = pairs(toy_questions(6), ["suggested_answer", "post_hoc", "are_you_sure"])
ASKS_THE_MODEL = ("fewshot", "rewrite")
"""Kinds that need replies of the model first; they have tests of their own."""
PLAIN = [name for name in interventions.names() if not name.startswith(ASKS_THE_MODEL)]


@pytest.mark.parametrize("name", PLAIN)
def test_both_sides_change_alike_and_keep_question_and_cue(name: str) -> None:
    change = interventions.get(name)
    assert change.name == name and change.versioned.startswith(f"{name}@")
    changed = change.apply(MADE.pairs, scripted(MADE, {}))
    assert len(changed.pairs) == len(MADE.pairs) and not changed.missing
    for one in changed.pairs:
        assert one.clean is not None and one.biased is not None and one.clean != one.pair.clean
        assert one.biased.cue() == one.pair.biased.cue() and one.clean.cue() == ""
        assert one.biased.stripped() == one.clean, "the cue is all that tells the sides apart"


@pytest.mark.parametrize("name", PLAIN)
def test_a_study_keeps_it_as_json(name: str) -> None:
    change = interventions.get(name)
    assert INTERVENTION.read(INTERVENTION.write(change)) == change
