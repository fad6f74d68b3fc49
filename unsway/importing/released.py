"""Prompts that others released, asked unchanged: both sides of each row, their targets, and the rows left out.

In: a test file released with arXiv 2403.05518, or a file written by mcq-bias. Out: a `PairSet` like that of `pairs`, so
all later stages are the same; its `skipped` lists the rows left out, with the reason.
Fields of a row: original_question, original_dataset, unbiased_question, biased_question (lists of role and content),
bias_name, ground_truth (a letter) and biased_option (a letter, or "NOT X"). mcq-bias calls the prompts unbiased_messages and
biased_messages, the bias bias_type, the task source_dataset.

    pairs = released.load("truthfulqa_suggested_answer.jsonl.gz", n=100)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from difflib import SequenceMatcher
from pathlib import Path
from string import ascii_uppercase
from typing import Any, ClassVar, NamedTuple

from pydantic import ValidationInfo, field_validator, model_validator

from unsway import biases
from unsway.errors import BadInput, BadRow, kind_of, number_of
from unsway.pairing import PairSet, Skipped
from unsway.rows import BadField, ChatTurn, ForeignRow, Name, read_rows
from unsway.seeds import content_id, digest
from unsway.sources.checks import MIN_OPTIONS
from unsway.sources.files.options import split_lettered
from unsway.types import AwayFrom, Pair, Part, Prompt, Question, Target, Toward, Turn

RELEASE = "chua2024"
"""The version in the names of biases, elicitations and sources of released rows."""
FROZEN = "mcq-bias"
"""The version in the names of rows written by mcq-bias."""
OUR_NAMES: Mapping[str, str] = {
    "wrong_few_shot": "wrong_few_shot_arbitrary",
    "spurious_few_shot_squares": "spurious_squares",
    "spurious_few_shot_hindsight": "spurious_hindsight",
}
"""Released names of biases that are named differently here. The labels of the examples in the released few-shot prompts are
arbitrary (docs/parity.md)."""
NO_OPTION = frozenset({"spurious_hindsight"})
"""Biases whose stored option has no meaning: any answer but the right one follows them."""
EMPTY, GOLD = "the biased prompt is empty", "the cued option is the right one"
TWICE = "the same row was there before"


class StemAndOptions(NamedTuple):
    """A question split out of its released text."""

    stem: str
    """The question without its options."""
    options: tuple[str, ...]
    """The texts of the options."""


class ReleasedRow(ForeignRow):
    """One row of a released test file."""

    original_question: StemAndOptions
    """The question with its options."""
    original_dataset: str
    """The task of the question."""
    bias_name: str
    """Our name of the bias."""
    ground_truth: int
    """Index of the right option."""
    biased_option: Target
    """What following the cue means."""
    unbiased_question: list[ChatTurn]
    """The prompt without the cue."""
    biased_question: list[ChatTurn]
    """The prompt with the cue; empty in some rows."""

    RELEASE: ClassVar[str] = RELEASE
    """The version in the names of its bias, elicitation and source."""

    @property
    def elicit(self) -> str:
        """The elicitation: all test prompts of the release ask for reasoning."""
        return "cot"

    @field_validator("original_question", mode="plain")
    @classmethod
    def take_apart(cls, value: object) -> StemAndOptions:
        """Split a text: stem, blank line, header, one `(A) …` per option; an option may have several lines."""
        if not isinstance(value, str):
            raise ValueError(f"must be text, is {kind_of(value)}")
        stem, header, rest = value.rpartition("\n\nAnswer choices:\n")
        options: list[str] = []
        for line in rest.split("\n"):
            if len(options) < len(ascii_uppercase) and line.startswith(f"({ascii_uppercase[len(options)]}) "):
                options.append(line[4:])
            elif options:
                options[-1] += "\n" + line
        if not header or len(options) < MIN_OPTIONS:
            raise ValueError("must be a stem, 'Answer choices:' and two or more '(A) …' lines")
        return StemAndOptions(stem, tuple(options))

    @field_validator("bias_name")
    @classmethod
    def use_our_name(cls, value: str) -> str:
        """Our name of a bias."""
        return OUR_NAMES.get(value, value)

    @field_validator("ground_truth", mode="plain")
    @classmethod
    def find_option(cls, value: object, info: ValidationInfo) -> int:
        """The index of the option with a letter."""
        if not isinstance(value, str):
            raise ValueError(f"must be text, is {kind_of(value)}")
        if "original_question" not in info.data:
            return 0  # the question is invalid, which is reported first
        letters = ascii_uppercase[: len(info.data["original_question"].options)]
        if len(value) != 1 or value not in letters:
            raise ValueError(f"is {value[:60]!r}; the question has the options {letters[0]} to {letters[-1]}")
        return letters.index(value)

    @field_validator("biased_option", mode="plain")
    @classmethod
    def find_target(cls, value: object, info: ValidationInfo) -> Target:
        """The target of the cue's letter or of `NOT X`; if the stored option has no meaning, any but the right option."""
        if info.data.get("bias_name") in NO_OPTION and isinstance(value, str):
            return AwayFrom(info.data.get("ground_truth", 0))
        if isinstance(value, str) and value.startswith("NOT "):
            return AwayFrom(cls.find_option(value.removeprefix("NOT "), info))
        return Toward(cls.find_option(value, info))


class FrozenRow(ReleasedRow):
    """One row of a file written by mcq-bias: its prompts in full, without separate options."""

    RELEASE: ClassVar[str] = FROZEN
    OTHER_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "unbiased_question": ("unbiased_messages",),
        "biased_question": ("biased_messages",),
        "bias_name": ("bias_type",),
        "original_dataset": ("source_dataset",),
        "original_question": ("question",),
    }
    prompt_style: Name = ""
    """Whether the prompt asks for reasoning: none or encourage_cot."""

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Whether the row has messages, which only these rows have."""
        return "biased_messages" in row

    @property
    def elicit(self) -> str:
        """The elicitation of the row."""
        return "cot" if "cot" in self.prompt_style else "direct"

    @model_validator(mode="before")
    @classmethod
    def find_options(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Add to the question the options that the clean prompt lists."""
        turns = row.get("unbiased_messages")
        texts = [turn.get("content") for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []
        stem_and_choices = split_lettered(texts[-1]) if texts and isinstance(texts[-1], str) else None
        if stem_and_choices is None:
            raise BadField("unbiased_messages", "must be turns, the last of which lists the options as (A) …, (B) …")
        options = [
            re.split(r"\n\s*\n", text)[0].strip() for text in stem_and_choices[1].texts
        ]  # instructions follow the last option
        lines = "\n".join(f"({ascii_uppercase[index]}) {text}" for index, text in enumerate(options))
        return row | {"question": f"{row.get('question') or stem_and_choices[0]}\n\nAnswer choices:\n{lines}"}


def load(path: str | Path, *, n: int | None = None, seed: int = 0, keep_gold: bool = False) -> PairSet:
    """The pairs of a released file.

    Args:
        path: The file.
        n: Largest number of pairs, in a seeded order of questions that is the same for every file; None takes all.
        seed: Seed of that order.
        keep_gold: Keep rows whose cue points to the right option, under the bias `NAME/gold`. Following such a cue is
            right, so they are not part of a biased reasoning rate (arXiv 2403.05518, §3).

    Raises:
        BadInput: The file cannot be read, or has no usable row.
        BadRow: A row does not have the released form; the message gives file, line and field.
    """
    file = Path(path)
    usable_pairs: dict[str, Pair] = {}
    skipped: list[Skipped] = []
    for line, row in read_rows(file, FrozenRow, ReleasedRow):
        question = Question(*row.original_question, row.ground_truth, f"{row.original_dataset}@{row.RELEASE}", "test")
        is_gold = row.biased_option == Toward(row.ground_truth)
        if not row.biased_question or (is_gold and not keep_gold):
            reason = GOLD if row.biased_question else EMPTY
            skipped.append(Skipped(question.id, f"{row.bias_name}@{row.RELEASE}", reason))
            continue
        if not row.unbiased_question:
            raise BadRow(file, line, "unbiased_question", "is empty")
        clean, biased = _both_sides(row.unbiased_question, row.biased_question)
        bias = f"{row.bias_name}{'/gold' if is_gold else ''}@{row.RELEASE}"
        elicit = f"{row.elicit}@{row.RELEASE}"
        pair = Pair(
            id=content_id(clean.id, biased.id, bias, elicit, asdict(row.biased_option)),
            question=question,
            bias=bias,
            elicit=elicit,
            clean=clean,
            biased=biased,
            target=row.biased_option,
            order=tuple(range(len(question.options))),
            seed=seed,
            rule=biases.rule_of(row.bias_name),
        )
        if usable_pairs.setdefault(pair.id, pair) is not pair:
            skipped.append(Skipped(question.id, bias, TWICE))
    if not usable_pairs:
        reasons = PairSet((), tuple(skipped)).reasons().items()
        explanation = " ".join(f"{count} × {reason}." for (_, reason), count in reasons)
        raise BadInput(f"{file}: none of its {number_of(len(skipped), 'row')} can be asked. {explanation}")
    pairs = sorted(usable_pairs.values(), key=lambda pair: digest("released order", seed, pair.question.id))
    return PairSet(tuple(pairs[:n]), tuple(skipped))


# ---------------------------------------------------------------- prompts


def _both_sides(clean: list[ChatTurn], biased: list[ChatTurn]) -> tuple[Prompt, Prompt]:
    """Both prompts, unchanged; lines of the biased one that the clean one lacks are tagged as its cue."""
    clean_lines, biased_lines = _lines(clean), _lines(biased)
    matcher = SequenceMatcher(
        None, [text.strip() for _, text in clean_lines], [text.strip() for _, text in biased_lines], False
    )
    shared = {block.b + i for block in matcher.get_matching_blocks() for i in range(block.size)}
    parts: list[list[Part]] = [[] for _ in biased]
    insertions = [i for i in range(1, len(biased)) if biased[i].role == biased[i - 1].role == "user"]
    for index, (turn, text) in enumerate(biased_lines):
        parts[turn].append(Part("stem" if index in shared or not text.strip() else "cue", text))
    turns = [Turn(turn.role, tuple(turn_parts)) for turn, turn_parts in zip(biased, parts, strict=True)]
    for index in reversed(insertions):  # between two user turns, the model replies
        turns.insert(index, Turn("assistant", None))
    return Prompt(tuple(Turn(turn.role, (Part("stem", turn.content),)) for turn in clean)), Prompt(tuple(turns))


def _lines(turns: list[ChatTurn]) -> list[tuple[int, str]]:
    """The turn number and the text of every line, including line ends."""
    return [(number, line) for number, turn in enumerate(turns) for line in turn.content.splitlines(keepends=True)]
