"""The banks of wordings: placeholders, duplicates, and that everything in them is drawn about evenly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from random import Random

import pytest
from biasing import (
    NAMES,
    ONE_TURN,
    build,
    even,
    place,
)
from test_biases import OWN_BANKS

from unsway import banks, biases
from unsway.banks import bank
from unsway.biases import shots

PLACEHOLDERS = {
    "answer_keys": {"letter"},
    "argument_requests": {"letter"},
    "comparisons": {"instruction"},
    "fact_openings": {"letter"},
    "gamble_stories": {"name", "odds", "outcome"},
    "graders": {"letter"},
    "hunches_against": {"answer"},
    "hunches_for": {"answer"},
    "majorities": {"answer", "share"},
    "metadata": {"id", "letter"},
    "planted_answers": {"letter"},
    "planted_reasons": {"text"},
    "professors": {"answer"},
    "reward_histories": {"table"},
    "user_reasons": {"letter", "text"},
}
FEWEST = {
    "hunches_for": 50,
    "hunches_against": 40,
    "argument_openings": 6,
    "argument_closings": 6,
    "demos": 24,
    "reply_pairs": 80,
}


@pytest.mark.parametrize("name", OWN_BANKS)
def test_bank(name: str) -> None:
    entries = bank(name).entries
    assert len(entries) >= FEWEST.get(name, 1 if name == "argument_requests" else 4)
    folded = [re.sub(r"\W+", " ", entry.casefold()).strip() for entry in entries]
    assert len(set(folded)) == len(entries), "two entries differ in case and punctuation only"
    for entry in entries:
        found = set(re.findall(r"\{(\w+)\}", entry))
        if name == "distractor_facts":
            assert found in ({"letter", "char", "place"}, {"letter", "char", "length"})
        else:
            assert found == PLACEHOLDERS.get(name, set()), entry


@pytest.mark.parametrize("name", ["cot_instructions", "direct_instructions"])
def test_instruction_banks_are_wide_enough(name: str) -> None:
    assert len(bank(name).entries) >= {"cot_instructions": 60, "direct_instructions": 50}[name]


def _pattern(entry: str) -> re.Pattern[str]:
    pieces = re.split(r"\{\w+\}", entry)
    return re.compile(".{1,300}?".join(map(re.escape, pieces)), re.DOTALL)


def _finders(name: str) -> list[Callable[[str], object]]:
    if name == "demos":
        return [lambda text, stem=demo.stem: stem in text for demo in shots.demos()]
    return [
        _pattern(entry.split("\n")[0] if name == "gamble_stories" else entry).search for entry in bank(name).entries
    ]


BY_LENGTH = "neutral_note"
"""Its notes are chosen to be as long as a hunch, which is drawn for its length alone."""
DRAWN = [
    (each.name, name)
    for each in biases.all_biases()
    for name in each.banks
    if not name.endswith("_instructions") and each.name != BY_LENGTH
]


@pytest.mark.parametrize(("name", "bank_name"), DRAWN)
def test_every_phrasing_is_drawn_about_evenly(name: str, bank_name: str) -> None:
    cues = _cues(name, "direct" if bank_name.endswith("_direct") else "cot")
    if name == "post_hoc" and bank_name.endswith("_direct"):
        assert len(cues) >= 600
    finders = _finders(bank_name)
    counts = [sum(bool(find(cue)) for cue in cues) for find in finders]
    if bank_name == "distractor_facts":
        halves = [("{place}" in entry) for entry in bank(bank_name).entries]
        for half in (True, False):
            even([n for n, is_half in zip(counts, halves, strict=True) if is_half == half], f"{name} {bank_name}")
    else:
        even(counts, f"{name} {bank_name}")


@cache
def _cues(name: str, elicit: str) -> tuple[str, ...]:
    return tuple(pair.biased.cue() for pair in build([name], elicit, n=300))


@pytest.mark.parametrize(
    "name",
    [
        "suggested_answer",
        "suggested_against",
        "authority_professor",
        "majority_vote",
        "leaked_answer_key",
        "user_wrong_reasoning",
    ],
)
@pytest.mark.parametrize("elicit", ONE_TURN)
def test_four_places_are_drawn_about_evenly(name: str, elicit: str) -> None:
    places = Counter(place(pair.biased) for pair in build([name], elicit, n=150))
    assert set(places) == {"front", "before_options", "after_options", "end"}
    even(list(places.values()), f"{name} places")


def test_examples_are_short() -> None:
    """Room in a context of 2,048 tokens (about 4 characters each) for the question and a reply."""
    longest = max(len(t.text()) for p in build(NAMES, "cot", n=20) for t in p.biased.turns if t.parts is not None)
    assert longest < 4000
    for demo in shots.demos():
        assert len(" ".join((demo.stem, demo.right, *demo.wrong, demo.reason)).split()) <= 60
        assert not re.search(r"\b[B-E]\b|\bA\b(?! [a-z])", demo.reason), "a reason names a letter"


def test_shots_are_even_over_places_and_options() -> None:
    posed = [shots.pose(shots.demos()[i % len(shots.demos())], Random(i)) for i in range(3000)]
    for n in (2, 3, 4):
        even([sum(s.right == at for s in posed if len(s.options) == n) for at in range(n)], f"right place of {n}")


def test_names_of_banks_exist() -> None:
    assert {name for each in biases.all_biases() for name in each.banks} <= set(banks.names())
