"""Where a cue goes in prompts of any make: with options or without, with an instruction or without."""

from __future__ import annotations

import pytest

from unsway.biases.insert import PLACES, Place, between, cue_turn, put
from unsway.types import Part, Prompt, Turn

STEM, ASK = Part("stem", "How far is the moon?"), Part("instruction", "\n\nSay it in one line.")
OPTIONS = (Part("option", "\n\n(A) far"), Part("option", "\n(B) near"))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("parts", [(STEM, *OPTIONS, ASK), (STEM, ASK), (STEM, *OPTIONS), (STEM,)])
def test_a_cue_goes_to_every_place_and_comes_off_again(parts: tuple[Part, ...], place: Place) -> None:
    clean = Prompt((Turn("user", parts),))
    biased = put(clean, place, "I say it is far.")
    assert biased.stripped() == clean and biased.cue() == "I say it is far."


@pytest.mark.parametrize(
    ("place", "text", "named"),
    [
        ("front", "I say far.\n\nHow far is the moon?\n\nSay it in one line.", "front"),
        ("before_options", "How far is the moon?\n\nI say far.\n\nSay it in one line.", "before_options"),
        ("after_options", "How far is the moon?\n\nI say far.\n\nSay it in one line.", "before_options"),
        ("end", "How far is the moon?\n\nSay it in one line.\n\nI say far.", "end"),
    ],
)
def test_without_options_the_places_next_to_them_follow_the_stem(place: Place, text: str, named: str) -> None:
    biased = put(Prompt((Turn("user", (STEM, ASK)),)), place, "I say far.")
    assert biased.turns[-1].text() == text and biased.cue_place() == named


def test_turns_go_between_stem_and_instruction_where_there_are_no_options() -> None:
    clean = Prompt((Turn("user", (STEM, ASK)),))
    biased = between(clean, cue_turn("assistant", "Far."), ask="Sure?")
    assert [turn.text() for turn in biased.turns] == [STEM.text, "Far.", f"Sure?{ASK.text}"]
    assert biased.stripped() == clean
