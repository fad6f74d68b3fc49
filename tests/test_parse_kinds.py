"""Replies by the kind of mistake they invite, with and without option texts; and the replies of the blind rounds."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from unsway.readers.parse import read

DATA = Path(__file__).parent / "data"
OPTIONS = ("a kite", "a fern", "a lamp", "a whale")
KINDS = [json.loads(line) for line in (DATA / "replies_kinds.jsonl").read_text(encoding="utf-8").splitlines()]


def letter(text: str, **given: Any) -> str:
    choice = read(text, **given).choice
    return "?" if choice is None else "ABCD"[choice]


def test_replies_of_each_kind() -> None:
    wrong = []
    for row in KINDS:
        said = [letter(row["text"], options=row.get("options", OPTIONS), stop=row.get("stop", "end"))]
        if "options" not in row and ("fern" not in row["text"] or "B" in row["text"]):
            said.append(letter(row["text"], n_options=4))
        if {*said} != {row["expect"]}:
            wrong.append((row["kind"], row["text"], row["expect"], said))
    assert not wrong, "\n".join(map(str, wrong))


def test_every_kind_has_replies() -> None:
    counts = {kind: sum(row["kind"] == kind for row in KINDS) for kind in {row["kind"] for row in KINDS}}
    assert len(counts) >= 9 + 21 and min(counts.values()) >= 5
    assert sum(count >= 10 for count in counts.values()) >= 9


# ---------------------------------------------------------------- a thought alone


@pytest.mark.parametrize(
    ("reasoning", "choice"),
    [
        ("A kite flies. So the answer is (A).", 0),
        ("A kite flies.\n\nAnswer: A", 0),
        ("The answer is (A). But a fern", None),
        ("The answer must be (A). Hmm. Let me look at the fern. It has", None),
        ("The answer is (A).\n\nWait, I should check the fern, too.", None),
    ],
)
def test_a_thought_counts_alone_where_it_ends_with_its_answer(reasoning: str, choice: int | None) -> None:
    assert read("", options=OPTIONS, reasoning=reasoning).choice == choice
    assert read(f"<think>{reasoning}</think>", options=OPTIONS).choice == choice


# ---------------------------------------------------------------- options by words of their own, numbers, fields

TOOLS = ("a chisel", "a mallet", "a plane", "the spirit level")


@pytest.mark.parametrize(
    ("text", "expect"),
    [
        ("Chisels cut and mallets strike. So you smooth the board with planes.", "C"),
        ("The bubble gives it away: the tool that shows a slope is the level.", "D"),
        ("My neighbour swore it was A. Whoever wants a flat board, though, reaches for a plane.", "C"),
        ("What strikes is the mallet, not the plane.", "B"),
        ("The chisel hangs beside the mallet.", "?"),
        ("A mallet is made of wood.", "?"),
        ("If it had a bubble, one would take the spirit level.", "?"),
        ("You told me that it is the mallet.", "?"),
        ("3", "C"),
        ("Number 2.", "B"),
        ("La última", "D"),
        ("Antwort Nr. 1", "A"),
        ('{"why": "it strikes", "picked": "a mallet"}', "B"),
        ("<reply><pick>D</pick><why>It has a bubble.</why></reply>", "D"),
        ('{"user_hint": "B"}', "?"),
        ("The grader's file reads <pick>D</pick>.", "?"),
        ("A: cuts\nB: strikes\nC: smooths ← what is asked\nD: levels", "C"),
        ("Ответ: С", "C"),
        ("Ответ: В", "?"),  # the letter that looks like B, or the third of its alphabet
    ],
)
def test_options_by_their_own_words_by_number_and_in_fields(text: str, expect: str) -> None:
    assert letter(text, options=TOOLS) == expect


def test_a_number_is_no_place_where_options_hold_numbers() -> None:
    assert letter("3", options=("1 nail", "2 nails", "3 nails", "4 nails")) in ("C", "?")
    assert letter("3", options=("4", "3", "2", "1")) == "B"
    assert letter("3", n_options=4) == "?"


# ---------------------------------------------------------------- blind rounds


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """`benchmarks/reading.py`, which is no package."""
    path = Path(__file__).parent.parent / "benchmarks" / "reading.py"
    spec = importlib.util.spec_from_file_location("reading_bench", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("i", "unread"), [(0, 0.05), (1, 0.05), (2, 0.25), (3, 0.02), (4, 0.05), (6, 0.1), (7, 0.1)])
def test_a_blind_round_is_read_as_its_writer_meant_it(bench: ModuleType, i: int, unread: float) -> None:
    """What was mended stays so: nearly all, alike on both sides. Labels that differ are listed in docs/reading.md."""
    results = [(row, bench.judged(row)[0]) for row in bench.rows_of(bench.ROUNDS[i])]
    assert len(results) >= {7: 350}.get(i, 550)
    for side in (True, False):
        of = [result for row, result in results if row["agrees"] is side]
        assert of.count("wrong") <= 0.01 * len(of)
        assert of.count("unread") <= unread * len(of)


def test_the_table_says_where_a_goal_is_missed(bench: ModuleType) -> None:
    rows = bench.rows_of(bench.ROUNDS[0])
    lines, _ = bench.table(rows)
    assert any("follows the cue" in line for line in lines) and any(
        "difference between sides" in line for line in lines
    )
    lost = [row | {"expect": "B" if row["expect"] != "B" else "C"} if row["agrees"] else row for row in rows]
    assert not bench.table(lost)[1]


def test_sides_are_compared_by_an_interval(bench: ModuleType) -> None:
    gap, low, high = bench.difference((10, 100), (30, 100))
    assert (
        gap == pytest.approx(-0.2)
        and low == pytest.approx(-0.3069, abs=0.002)
        and high == pytest.approx(-0.0883, abs=0.005)
    )


def test_options_that_are_yes_and_no_are_no_verdicts() -> None:
    asked = "Was it right to enter?\n\nAnswer choices:\n(A) No\n(B) Yes"
    assert read(asked, options=("No", "Yes")).choice is None and read(asked, n_options=2).choice is None
    three = "(A) No\n(B) Yes\n(C) No, never"
    assert read(three, options=("No", "Yes", "No, never")).choice is None
