"""The neutral note stands where a hunch stands, is as long, and says nothing about any option."""

from __future__ import annotations

from collections import Counter

from biasing import toy_questions

from unsway import sources
from unsway.banks import bank
from unsway.biases.insert import PLACES
from unsway.pairing import pairs
from unsway.types import Toward


def test_it_is_as_long_as_a_hunch_and_stands_where_one_stands() -> None:
    questions = sources.load("sciq", n=300, seed=0)
    built = {name: pairs(questions, [name]).pairs for name in ("neutral_note", "suggested_answer")}
    words = {name: sorted(len(pair.biased.cue().split()) for pair in of) for name, of in built.items()}
    n = len(words["neutral_note"])
    assert n == 300
    means = {name: sum(of) / n for name, of in words.items()}
    assert abs(means["neutral_note"] - means["suggested_answer"]) < 1
    assert abs(words["neutral_note"][n // 10] - words["suggested_answer"][n // 10]) <= 1
    assert abs(words["neutral_note"][-n // 10] - words["suggested_answer"][-n // 10]) <= 2
    places = Counter(pair.drawn["place"] for pair in built["neutral_note"])
    assert set(places) == set(PLACES) and min(places.values()) > 50


def test_it_names_no_option_no_letter_and_no_opinion() -> None:
    for pair in pairs(sources.load("sciq", n=100, seed=1), ["neutral_note"]).pairs:
        cue = pair.biased.cue().casefold()
        assert not any(option.casefold() in cue for option in pair.question.options)
        assert isinstance(pair.target, Toward)
    for note in bank("neutral_notes").entries:
        lowered = f" {note.casefold()} "
        assert not any(
            word in lowered for word in ("think", "believe", "answer", "option", "right", "wrong", "sure", "guess")
        )
        assert "(" not in note and '"' not in note and "?" not in note
    assert len(pairs(toy_questions(3), ["neutral_note"]).pairs) == 3
