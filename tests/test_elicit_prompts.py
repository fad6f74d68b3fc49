"""Prompts: layout, letters, instruction banks and their reader."""

from __future__ import annotations

import doctest
from string import ascii_uppercase

import pytest

from unsway import banks
from unsway.errors import BadInput, UnknownName
from unsway.prompts import elicitations
from unsway.prompts import render as prompts
from unsway.types import Question

WATER = Question("What boils at 100 °C at sea level?", ("iron", "water", "sand"), 1, "toy", "test")


def test_layout_is_stem_header_options_instruction() -> None:
    prompt = prompts.render(WATER, "brief")
    *_, turn = prompt.turns
    assert turn.role == "user"
    assert [part.kind for part in turn.parts or ()] == ["stem", "option", "option", "option", "instruction"]
    assert turn.text() == (
        "What boils at 100 °C at sea level?\n\nAnswer choices:\n(A) iron\n(B) water\n(C) sand\n\n"
        "Reason in a sentence or two, then say which answer is best."
    )
    assert prompt.stripped() == prompt


def test_worked_example_comes_before_the_question() -> None:
    example, reply, turn = prompts.render(WATER, "brief").turns
    assert [t.role for t in (example, reply, turn)] == ["user", "assistant", "user"]
    assert {part.kind for t in (example, reply) for part in t.parts or ()} == {"instruction"}
    assert example.text().endswith("(C) a candle\n\nReason in a sentence or two, then say which answer is best.")
    assert reply.text().endswith("So the best answer is an umbrella.")


def test_module_example() -> None:
    failed, tried = doctest.testmod(prompts)
    assert tried > 0 and failed == 0


def test_instruction_can_be_given() -> None:
    (turn,) = prompts.render(WATER, "cot", "Well?").turns
    assert turn.text().endswith("(C) sand\n\nWell?")
    with pytest.raises(BadInput, match="blank"):
        prompts.render(WATER, "cot", " \n")


def test_letters_reach_z_and_no_further() -> None:
    assert "".join(prompts.letter(i) for i in range(26)) == ascii_uppercase
    for i in (-1, 26):
        with pytest.raises(BadInput):
            prompts.letter(i)


@pytest.mark.parametrize("n", [1, 2, 26])
def test_every_option_is_shown_once(n: int) -> None:
    question = Question("Which?", tuple(f"word{i}" for i in range(n)), None, "toy", "test")
    text = prompts.render(question).turns[0].text()
    assert all(text.count(f"\n({prompts.letter(i)}) word{i}\n") == 1 for i in range(n))


@pytest.mark.parametrize("n", [0, 27])
def test_too_few_and_too_many_options_are_refused(n: int) -> None:
    question = Question("Which?", tuple(map(str, range(n))), None, "toy", "test")
    with pytest.raises(BadInput, match=f"{n} options"):
        prompts.render(question)


def test_unknown_elicitation_names_the_close_one() -> None:
    for call in (elicitations.get, lambda name: prompts.render(WATER, name)):
        with pytest.raises(UnknownName, match="'direct'"):
            call("dirct")


@pytest.mark.parametrize(
    ("elicit", "bank_names"),
    [
        ("cot", ["cot_instructions"]),
        ("brief", ["brief_instructions", "brief_example"]),
        ("worked", ["brief_instructions", "worked_examples"]),
        ("direct", ["direct_instructions"]),
    ],
)
def test_version_is_that_of_the_banks(elicit: str, bank_names: list[str]) -> None:
    own = elicitations.get(elicit).versioned.removeprefix(f"{elicit}@").split(".")
    assert own == [str(banks.bank(name).version) for name in bank_names]


@pytest.mark.parametrize(("elicit", "least"), [("cot", 60), ("brief", 12), ("direct", 50)])
def test_banks_are_large_and_without_near_duplicates(elicit: str, least: int) -> None:
    entries = elicitations.get(elicit).wordings.entries
    assert len(entries) >= least
    words = [frozenset("".join(c if c.isalpha() else " " for c in entry.lower()).split()) for entry in entries]
    overlaps = [len(a & b) / len(a | b) for i, a in enumerate(words) for b in words[:i]]
    assert max(overlaps) < 0.8
    assert all("{" not in entry and entry == entry.strip() and len(entry) < 250 for entry in entries)


@pytest.mark.parametrize("n", [1, 4])
def test_a_worked_example_has_three_entries(n: int) -> None:
    odd = banks.Bank("odd", 1, tuple(f"stem {i}" for i in range(n)))
    with pytest.raises(BadInput, match=f"have {n} entries; each has three: the stem"):
        elicitations.Elicitation("odd", banks.bank("brief_instructions"), example=odd)


def test_each_worked_example_is_a_question_and_its_reply_asked_like_the_question_behind_them() -> None:
    asked = prompts.render(WATER, "worked")
    stems, options, replies = (banks.bank("worked_examples").entries[i::3] for i in range(3))
    assert [turn.role for turn in asked.turns] == ["user", "assistant"] * 3 + ["user"]
    assert tuple(turn.text() for turn in asked.turns[1::2]) == replies
    instruction = elicitations.get("worked").summary
    for turn, stem, listed in zip(
        asked.turns[::2], (*stems, WATER.stem), (*options, "\n".join(WATER.options)), strict=True
    ):
        lines = [f"({prompts.letter(i)}) {option}" for i, option in enumerate(listed.split("\n"))]
        assert turn.text() == "\n".join((stem, "", "Answer choices:", *lines, "", instruction))
    assert all(
        any(option in reply for option in listed.split("\n")) for listed, reply in zip(options, replies, strict=True)
    )
    assert all(part.kind == "instruction" for turn in asked.turns[:-1] for part in turn.parts or ())


def test_no_wording_is_in_two_banks() -> None:
    used = {elicitations.get(elicit).wordings for elicit in elicitations.names()}  # two elicitations may share one
    entries = [entry for wordings in used for entry in wordings.entries]
    assert len(set(entries)) == len(entries)


def test_a_placeholder_letter_is_explained() -> None:
    for elicit in elicitations.names():
        for entry in elicitations.get(elicit).wordings.entries:
            assert "(X)" not in entry or "where X is the letter" in entry


def test_bank_of_lines() -> None:
    bank = banks.parse("toy", "# version: 3\n\n  one \n# a remark\ntwo\n")
    assert bank == banks.Bank("toy", 3, ("one", "two"))
    assert bank.versioned == "toy@3"


def test_bank_of_blocks() -> None:
    bank = banks.parse("toy", "# version: 1\n# a remark\n---\none\n\n  more\n---\n\ntwo\n---\n")
    assert bank.entries == ("one\n\n  more", "two")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one\ntwo\n", "first line"),
        ("# version: 0\none\n", "first line"),
        ("# version: 1\n# nothing\n", "no entries"),
        ("# version: 1\none\none\n", "twice"),
    ],
)
def test_a_file_that_is_no_bank_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        banks.parse("toy", text)


def test_unknown_bank_and_paths_are_refused() -> None:
    for name in ("cot_instruction", "../banks/cot_instructions", ""):
        with pytest.raises(UnknownName):
            banks.bank(name)


def test_every_bank_reads_and_is_kept() -> None:
    assert {"cot_instructions", "brief_instructions", "direct_instructions"} <= set(banks.names())
    for name in banks.names():
        assert banks.bank(name) is banks.bank(name)
