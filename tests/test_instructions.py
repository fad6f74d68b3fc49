"""Orders about the form of a reply: what each check accepts and refuses, and what holds of all of them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unsway.errors import BadInput, UnknownName
from unsway.readers.instructions import CHECKS, Instruction, compares, follows, loose_versions, sentences, signature

KEEPS_AND_BREAKS: Mapping[str, tuple[Mapping[str, Any], str, str]] = {
    "keywords:existence": ({"keywords": ["wool", "Evening"]}, "Woollen socks every evening.", "Wool socks."),
    "keywords:frequency": ({"keyword": "tea", "frequency": 2, "relation": "at least"}, "Tea is tea.", "Tea."),
    "keywords:forbidden_words": ({"forbidden_words": ["art"]}, "A part of it.", "Modern ART."),
    "keywords:letter_frequency": (
        {"letter": "Z", "let_frequency": 2, "let_relation": "less than"},
        "A zoo.",
        "Zigzag.",
    ),
    "length_constraints:number_sentences": (
        {"num_sentences": 2, "relation": "at least"},
        "It is 3.5 m. Dr. Lee knows.",
        "Dr. Lee knows it, e.g. by heart.",
    ),
    "length_constraints:number_words": ({"num_words": 3, "relation": "less than"}, "Two words", "Now three words"),
    "length_constraints:number_paragraphs": ({"num_paragraphs": 2}, "One\n***\nTwo\n***", "One\n***\n***\nTwo"),
    "length_constraints:nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        "One.\n\n'Then, two.",
        "Then.\n\nTwo.",
    ),
    "detectable_content:number_placeholders": ({"num_placeholders": 2}, "[a] and [b c]", "[a] and [b"),
    "detectable_content:postscript": ({"postscript_marker": "P.P.S"}, "Bye.\np. p.s write", "Bye.\nP.S. write"),
    "combination:repeat_prompt": ({"prompt_to_repeat": "Name it."}, " name IT. Rhine.", "Rhine. Name it."),
    "combination:two_responses": ({}, "One******Two", "One******One"),
    "detectable_format:number_bullet_lists": ({"num_bullets": 2}, "* one\n - two", "* one\n** two **"),
    "detectable_format:constrained_response": ({}, "My answer is no.", "My answer is no"),
    "detectable_format:number_highlighted_sections": ({"num_highlights": 2}, "*a* and **b c**", "*a* and * *"),
    "detectable_format:multiple_sections": (
        {"section_spliter": "Part", "num_sections": 2},
        "Part 1\nx\nPart 2\ny",
        "Part one\nPart 2",
    ),
    "detectable_format:json_format": ({}, '```json\n{"a": [1]}\n```', '{"a": [1]} There it is.'),
    "detectable_format:title": ({}, "<<A poem>>\nTick", "<< >>\nTick"),
    "startend:end_checker": ({"end_phrase": "Any question?"}, 'So it is. any question?"', "Any question? No."),
    "startend:quotation": ({}, ' "Yes." ', '"'),
    "change_case:capital_word_frequency": (
        {"capital_frequency": 2, "capital_relation": "at least"},
        "GO, TEAM-MATES, GO",
        "GO team",
    ),
    "change_case:english_capital": ({}, "MIND THE 2 STEPS!", "MIND the step"),
    "change_case:english_lowercase": ({}, "mind the 2 steps!", "Mind the step"),
    "punctuation:no_comma": ({}, "One; two.", "One, two."),
}
"""For every check its arguments, a reply that keeps to it and one that does not."""


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_what_each_check_accepts_and_refuses(name: str) -> None:
    arguments, keeps, breaks = KEEPS_AND_BREAKS[name]
    order = Instruction(name, arguments)
    assert (order.holds(keeps), order.holds(breaks), order.holds("")) == (True, False, False)
    assert set(arguments) == {each for each in signature(name).strip("()").split(", ") if each}


@given(st.text(alphabet="aA1 .,!?\"'*<>[]-{}\n\t`PSs0$(", max_size=200))
def test_checks_are_pure_and_loose_is_never_stricter(reply: str) -> None:
    orders = [Instruction(name, arguments) for name, (arguments, *_) in KEEPS_AND_BREAKS.items()]
    strict, loose = follows(reply, orders), follows(reply, orders, loose=True)
    assert strict == follows(reply, orders)
    assert all(lenient for lenient, firm in zip(loose, strict, strict=True) if firm)
    assert len(loose_versions(reply)) == 8 and loose_versions(reply)[0] == reply


@given(st.integers(0, 30), st.integers(0, 30))
def test_at_least_and_less_than_are_opposites(count: int, number: int) -> None:
    assert compares(count, "at least", number) != compares(count, "less than", number)


@given(st.lists(st.sampled_from(["It rains.", "Who knows?", "Stop!", "Mr. Ray has 2.5 dogs."]), min_size=1, max_size=8))
def test_sentences_are_counted_one_by_one(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == len(parts)
    assert sentences(" ".join(parts) + " And a rest") == len(parts) + 1


@given(st.lists(st.text(alphabet="abc D", min_size=1), min_size=1, max_size=6))
def test_a_json_dump_is_json_in_any_fence(words: list[str]) -> None:
    order = Instruction("detectable_format:json_format")
    text = json.dumps(words)
    assert all(order.holds(each) for each in (text, f"```\n{text}\n```", f"```JSON\n{text}```"))
    assert not order.holds(f"{text} {text}")


def test_a_zero_is_a_number_and_a_none_is_nothing() -> None:
    order = Instruction("keywords:frequency", {"keyword": "x", "frequency": 0, "relation": "at least", "letter": None})
    assert order.arguments["frequency"] == 0 and order.holds("anything")


def test_what_no_check_can_answer_is_refused() -> None:
    with pytest.raises(UnknownName, match="punctuation:no_comma"):
        Instruction("punctuation:no_commas")
    with pytest.raises(BadInput, match=r"missing a required argument: 'relation'.*\(num_words, relation\)"):
        Instruction("length_constraints:number_words", {"num_words": 3})
    with pytest.raises(BadInput, match=r"'at most'.*'at least' or 'less than'"):
        Instruction("length_constraints:number_words", {"num_words": 3, "relation": "at most"}).holds("x")


@pytest.mark.parametrize(
    ("name", "arguments", "reply"),
    [
        ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"}, ". " * 15_000),
        ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"}, "." * 30_000 + "x"),
        ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[" * 60_000),
        ("detectable_format:title", {}, "<<" * 15_000),
        ("detectable_format:json_format", {}, "```json" + "\n" * 30_000),
    ],
)
def test_a_reply_that_loops_takes_no_longer_than_its_length(name: str, arguments: dict[str, Any], reply: str) -> None:
    """Each took seconds, and sixteen times as long for a reply four times as long."""
    start = time.process_time()
    assert not Instruction(name, arguments).holds(reply)
    assert time.process_time() - start < 0.5
