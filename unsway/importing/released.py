"""Prompts released with arXiv 2403.05518 as they are: both arms of each row, what they aim at, and what is dropped.

In: a released test file (`.jsonl` or `.jsonl.gz`). Out: a `PairSet` like that of `pairs`, so that everything after it is the
same; what is dropped stands in its `skipped`, with the reason.
Fields of a row: original_question, original_dataset, unbiased_question, biased_question (lists of role and content),
bias_name, ground_truth (a letter) and biased_option (a letter, or "NOT X").

    asked = released.load("truthfulqa_suggested_answer.jsonl.gz", n=100)
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from difflib import SequenceMatcher
from pathlib import Path
from string import ascii_uppercase
from typing import Any, cast, get_args

from unsway.errors import BadInput, BadRow
from unsway.pairing import PairSet, Skipped
from unsway.seeds import content_id, digest
from unsway.sources.checks import MIN_OPTIONS
from unsway.store import open_text
from unsway.types import AwayFrom, Pair, Part, Prompt, Question, Role, Target, Toward, Turn

RELEASE = "chua2024"
"""Stands for a version in the names of biases, elicitations and sources of released rows."""
ELICIT = f"cot@{RELEASE}"
"""All released test prompts ask for reasoning."""
OUR_NAMES: Mapping[str, str] = {
    "wrong_few_shot": "wrong_few_shot_arbitrary",
    "spurious_few_shot_squares": "spurious_squares",
    "spurious_few_shot_hindsight": "spurious_hindsight",
}
"""Released names of biases that have another name here; the others have the same. The released few-shot prompts are of
the reading that labels the other examples arbitrarily (docs/parity.md)."""
NO_OPTION = frozenset({"spurious_hindsight"})
"""Biases whose stored option means nothing: they are followed by any answer but the right one."""
EMPTY, GOLD = "the biased prompt is empty", "the cued option is the right one"
TWICE = "the same row was there before"
MAX_LINE = 1_000_000
"""Longest row, in characters; the longest released one has about 30,000."""


def load(path: str | Path, *, n: int | None = None, seed: int = 0, keep_gold: bool = False) -> PairSet:
    """The pairs of a released file.

    Args:
        path: The file.
        n: At most so many pairs, in a seeded order of questions that is the same for every file; None takes all.
        seed: Seed of that order.
        keep_gold: Keep rows whose cue points to the right option, under the bias `NAME/gold`: following such a cue is
            right, so that they are no part of a biased reasoning rate (SPEC §2).

    Raises:
        BadInput: The file cannot be read, or holds no usable row.
        BadRow: A row is not of the released form; file, line and field are named.
    """
    file = Path(path)
    found = [_pair_or_skip(file, line, row, seed, keep_gold) for line, row in _rows(file)]
    usable: dict[str, Pair] = {}
    again = [each for each in found if isinstance(each, Pair) and usable.setdefault(each.id, each) is not each]
    dropped = (
        *(each for each in found if isinstance(each, Skipped)),
        *(Skipped(each.question.id, each.bias, TWICE) for each in again),
    )
    if not usable:
        raise BadInput(f"{file}: none of its {len(found)} rows can be asked. {_why(dropped)}")
    ordered = sorted(usable.values(), key=lambda pair: digest("released order", seed, pair.question.id))
    return PairSet(tuple(ordered[:n]), dropped)


def _why(dropped: tuple[Skipped, ...]) -> str:
    counted = PairSet((), dropped).reasons()
    return " ".join(f"{count} × {reason}." for (_, reason), count in counted.items())


# ---------------------------------------------------------------- rows


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and row. Raises `BadInput` and `BadRow`."""
    try:
        with open_text(file) as lines:
            for line, text in enumerate(lines, 1):
                if len(text) > MAX_LINE:
                    raise BadRow(file, line, "row", f"has {len(text)} characters; at most {MAX_LINE} are allowed")
                if text.strip():
                    yield line, _object(file, line, text)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"Cannot read {file}: {error}. It must be a .jsonl or .jsonl.gz file in UTF-8.") from error


def _object(file: Path, line: int, text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRow(file, line, "row", f"is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise BadRow(file, line, "row", "must be an object")
    for name in ("original_question", "original_dataset", "bias_name", "ground_truth", "biased_option"):
        if not isinstance(row.get(name), str):
            raise BadRow(file, line, name, f"must be text; the row has {', '.join(map(str, row))[:200]}")
    return row


def _pair_or_skip(file: Path, line: int, row: dict[str, Any], seed: int, keep_gold: bool) -> Pair | Skipped:
    """A row as a pair, or why it is dropped."""
    name = OUR_NAMES.get(row["bias_name"], row["bias_name"])
    question = _question(file, line, row)
    biased = _messages(file, line, row, "biased_question")
    if not biased:
        return Skipped(question.id, f"{name}@{RELEASE}", EMPTY)
    target = _target(file, line, row, name, question)
    if target == Toward(question.gold or 0):
        if not keep_gold:
            return Skipped(question.id, f"{name}@{RELEASE}", GOLD)
        name += "/gold"
    clean, cued = _arms(_messages(file, line, row, "unbiased_question"), biased)
    if not clean.turns:
        raise BadRow(file, line, "unbiased_question", "is empty")
    bias = f"{name}@{RELEASE}"
    return Pair(
        id=content_id(clean.id, cued.id, bias, ELICIT, asdict(target)),
        question=question,
        bias=bias,
        elicit=ELICIT,
        clean=clean,
        biased=cued,
        target=target,
        order=tuple(range(len(question.options))),
        seed=seed,
    )


def _question(file: Path, line: int, row: dict[str, Any]) -> Question:
    """The question from its released layout: stem, blank line, a header, one `(A) …` an option."""
    stem, header, rest = row["original_question"].rpartition("\n\nAnswer choices:\n")
    options: list[str] = []
    for text in rest.split("\n"):
        if len(options) < len(ascii_uppercase) and text.startswith(f"({ascii_uppercase[len(options)]}) "):
            options.append(text[4:])
        elif options:
            options[-1] += "\n" + text
    if not header or len(options) < MIN_OPTIONS:
        raise BadRow(file, line, "original_question", "must be a stem, 'Answer choices:' and two or more '(A) …' lines")
    gold = _place(file, line, row, "ground_truth", row["ground_truth"], len(options))
    return Question(stem, tuple(options), gold, f"{row['original_dataset']}@{RELEASE}", "test")


def _place(file: Path, line: int, row: dict[str, Any], field: str, letter: str, n_options: int) -> int:
    """A letter as the index of an option of the question."""
    allowed = ascii_uppercase[:n_options]
    if len(letter) != 1 or letter not in allowed:
        raise BadRow(
            file, line, field, f"is {row[field]!r}; the question has the options {allowed[0]} to {allowed[-1]}"
        )
    return ascii_uppercase.index(letter)


def _target(file: Path, line: int, row: dict[str, Any], name: str, question: Question) -> Target:
    if name in NO_OPTION and question.gold is not None:
        return AwayFrom(question.gold)
    stored: str = row["biased_option"]
    option = _place(file, line, row, "biased_option", stored.removeprefix("NOT "), len(question.options))
    return AwayFrom(option) if stored.startswith("NOT ") else Toward(option)


# ---------------------------------------------------------------- prompts


def _messages(file: Path, line: int, row: dict[str, Any], field: str) -> list[tuple[Role, str]]:
    """Role and content of each message."""
    messages = row.get(field)
    if not isinstance(messages, list):
        raise BadRow(file, line, field, "must be a list of messages")
    found: list[tuple[Role, str]] = []
    for message in messages:
        body = message if isinstance(message, dict) else {}
        role, content = body.get("role"), body.get("content")
        if role not in get_args(Role) or not isinstance(content, str):
            raise BadRow(file, line, field, f"a message must have a role of {get_args(Role)} and a text as content")
        found.append((cast(Role, role), content))
    return found


def _arms(clean: list[tuple[Role, str]], biased: list[tuple[Role, str]]) -> tuple[Prompt, Prompt]:
    """Both prompts to the letter; lines of the biased one that the clean one does not have are tagged as cue."""
    ours, theirs = _lines(clean), _lines(biased)
    matcher = SequenceMatcher(None, [text.strip() for _, text in ours], [text.strip() for _, text in theirs], False)
    shared = {block.b + i for block in matcher.get_matching_blocks() for i in range(block.size)}
    in_clean = Prompt(tuple(Turn(role, (Part("stem", text),)) for role, text in clean))
    parts: list[list[Part]] = [[] for _ in biased]
    for place, (turn, text) in enumerate(theirs):
        kept = place in shared or not text.strip()
        parts[turn].append(Part("stem" if kept else "cue", text))
    return in_clean, Prompt(tuple(Turn(role, tuple(p)) for (role, _), p in zip(biased, parts, strict=True)))


def _lines(messages: list[tuple[Role, str]]) -> list[tuple[int, str]]:
    """Number of the turn and text of every line, line ends kept."""
    return [(turn, text) for turn, (_, content) in enumerate(messages) for text in content.splitlines(keepends=True)]
