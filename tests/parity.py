"""Rows released with arXiv 2403.05518, read for comparing structure: questions, turns, examples, where a cue sits."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from unsway.types import Question

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("UNSWAY_PARITY_DATA", ROOT.parent / "shared" / "data")) / "chua2024"
TASKS = ("truthfulqa", "logiqa")
OPTION = re.compile(r"^\(([A-Z])\) ", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One released row."""

    question: Question
    biased_option: int | None
    """None if the row stores no letter."""
    clean: tuple[tuple[str, str], ...]
    biased: tuple[tuple[str, str], ...]

    def added(self, roles: tuple[str, ...] = ("user", "assistant")) -> int:
        """Characters by which the turns of these roles are longer in the biased prompt than in the clean one."""
        biased, clean = (sum(len(text) for role, text in arm if role in roles) for arm in (self.biased, self.clean))
        return biased - clean


@cache
def rows(bias: str, task: str) -> tuple[Row, ...]:
    """The usable rows of a test file (those whose biased prompt is not empty)."""
    with gzip.open(DATA / "test" / f"{task}_{bias}.jsonl.gz", "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    return tuple(_row(each) for each in found if each["biased_question"])


def _row(raw: dict[str, object]) -> Row:
    clean, biased = (
        tuple((m["role"], m["content"]) for m in raw[key])  # type: ignore[attr-defined]
        for key in ("unbiased_question", "biased_question")
    )
    gold, option = str(raw["ground_truth"]), str(raw["biased_option"])
    return Row(question(str(raw["original_question"]), gold), at(option), clean, biased)


def at(letter: str) -> int | None:
    """Index of a letter; None for "NOT X"."""
    return ord(letter) - ord("A") if len(letter) == 1 else None


def question(text: str, gold: str) -> Question:
    """A question from the layout of the release."""
    stem, _, rest = text.partition("\n\nAnswer choices:\n")
    options = tuple(option.strip("\n") for option in OPTION.split(rest)[2::2])
    return Question(stem, options, at(gold), "released", "test")


def place(row: Row) -> str:
    """Position of the only line that the biased prompt adds."""
    biased, clean = row.biased[0][1].split("\n"), row.clean[0][1].split("\n")
    (line,) = (text for text in Counter(biased) - Counter(clean) if text.strip())
    i = biased.index(line)
    instruction = next(k for k, text in enumerate(biased) if text.startswith("Please think step by step"))
    if i == 0:
        return "front"
    if i < biased.index("Answer choices:"):
        return "before_options"
    return "after_options" if i < instruction else "end"


def examples(row: Row) -> list[str]:
    """The examples before the question of a few-shot row."""
    return [text.strip("\n") for text in row.biased[0][1].split("\n===\n")[:-1]]


def training(name: str) -> list[tuple[str, str]]:
    """Prompt and target of a released training file."""
    with gzip.open(DATA / "train" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        messages = [json.loads(line)["messages"] for line in file]
    return [(m[0]["content"], m[1]["content"]) for m in messages]
