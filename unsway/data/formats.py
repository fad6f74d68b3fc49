"""Training rows as other programs take them, and back in.

In: JSONL of `Example` rows, or of chats that others wrote. Out: `Example`s, or JSONL for OpenAI's fine-tuning or for TRL.
Source: OpenAI's chat format for fine-tuning (`messages`, the completion as the last turn, `weight` 0 on earlier replies) and
TRL's conversational prompt-completion format, whose loss falls on the completion alone, as ours does.
A row is read where it can be known: `messages` with or without `completion`, or `prompt` and `completion`.
`datasets.load_dataset("json")` reads such files too, but names neither line nor field of a bad row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from unsway.errors import BadInput, BadRow
from unsway.store import open_text, write_manifest, write_text
from unsway.types import Example, ExampleKind, Message

Format: TypeAlias = Literal["openai", "trl"]
FORMATS: tuple[Format, ...] = get_args(Format)
ROLES = ("system", "user", "assistant")
MOST_CHARACTERS = 4_000_000
"""Of one line: about a million tokens, more than any context that can be trained on; a longer line is no row."""


# ---------------------------------------------------------------- in


def read_examples(
    path: str | Path, *, kind: ExampleKind = "consistency", target_model: str = ""
) -> tuple[Example, ...]:
    """Rows of a JSONL file (or `.gz`), ours or others'.

    Args:
        path: The file.
        kind: What rows are that do not say.
        target_model: Who wrote the completions, where rows do not say.

    Raises:
        BadRow: A row is not what it must be; names line and field.
        BadInput: There are no rows, or the file is not text.
    """
    try:
        with open_text(path) as file:
            found = tuple(_rows(path, file, kind, target_model))
    except (UnicodeDecodeError, OSError, EOFError) as error:
        raise BadInput(
            f"{path} cannot be read as text: {error}. It must be UTF-8 JSONL, or that packed as .gz."
        ) from None
    if not found:
        raise BadInput(f"{path} holds no rows. It must have one JSON object a line.")
    return found


def _rows(path: str | Path, file: Iterable[str], kind: ExampleKind, target_model: str) -> Iterator[Example]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        if len(line) > MOST_CHARACTERS:
            raise BadRow(path, number, "row", f"has {len(line):,} characters; at most {MOST_CHARACTERS:,} are allowed")
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadRow(path, number, "row", f"is no JSON: {str(error)[:120]}") from None
        yield _Reader(path, number).example(row, kind, target_model)


class _Reader:
    """One row of a file; every complaint names the line and the field."""

    def __init__(self, path: str | Path, line: int) -> None:
        self.path, self.line = path, line

    def bad(self, field: str, problem: str) -> BadRow:
        return BadRow(self.path, self.line, field, problem)

    def example(self, row: Any, kind: ExampleKind, target_model: str) -> Example:
        """The row, whichever of the known shapes it has."""
        if not isinstance(row, dict):
            raise self.bad("row", f"must be a JSON object, is {type(row).__name__}")
        if "messages" not in row and "prompt" not in row:
            have = ", ".join(sorted(map(repr, row))[:8]) or "nothing"
            raise self.bad(
                "messages", f"is missing; a row has 'messages', or 'prompt' and 'completion' (it has {have})"
            )
        named = "messages" if "messages" in row else "prompt"
        messages = self.messages(row[named], named)
        if "completion" in row:
            completion = self.completion(row["completion"])
        else:
            messages, completion = self.last(messages, named)
        if not messages:
            raise self.bad(named, "has no turn before the completion")
        return Example(
            messages,
            completion,
            self.kind(row.get("kind", kind)),
            self.text(row, "pair_id") or None,
            self.text(row, "target_model") or target_model,
            self.weight(row.get("weight", 1.0)),
        )

    def messages(self, turns: Any, field: str) -> tuple[Message, ...]:
        """Turns; plain text is one turn of the user."""
        if isinstance(turns, str):
            turns = [{"role": "user", "content": turns}]
        if not isinstance(turns, list) or not turns:
            raise self.bad(field, f"must be a list of turns that is not empty, is {str(turns)[:60]!r}")
        return tuple(self.message(turn, f"{field}.{i}") for i, turn in enumerate(turns))

    def message(self, turn: Any, field: str) -> Message:
        """One turn."""
        if not isinstance(turn, dict):
            raise self.bad(field, f"must be an object with role and content, is {str(turn)[:60]!r}")
        role, content = turn.get("role"), turn.get("content")
        if role not in ROLES:
            raise self.bad(f"{field}.role", f"is {str(role)[:40]!r}; it must be one of {', '.join(ROLES)}")
        if not isinstance(content, str):
            raise self.bad(f"{field}.content", f"must be text, is {type(content).__name__}")
        return Message(role, content)

    def last(self, turns: tuple[Message, ...], field: str) -> tuple[tuple[Message, ...], str]:
        """The turns before the completion, and the completion, which is the last turn."""
        if turns[-1].role != "assistant":
            raise self.bad(field, f"ends with a turn of the {turns[-1].role}; the last one must be the assistant's")
        return turns[:-1], self.completion(turns[-1].content)

    def completion(self, value: Any) -> str:
        """What is trained on: text, or a list of one turn of the assistant."""
        if isinstance(value, list):
            turns = self.messages(value, "completion")
            if len(turns) != 1 or turns[0].role != "assistant":
                raise self.bad("completion", f"must be one turn of the assistant, is {len(turns)} turns or another's")
            value = turns[0].content
        if not isinstance(value, str) or not value.strip():
            raise self.bad("completion", f"must be text that is not empty, is {str(value)[:40]!r}")
        return value

    def kind(self, value: Any) -> ExampleKind:
        """What the row is for."""
        if value not in get_args(ExampleKind):
            raise self.bad("kind", f"is {str(value)[:40]!r}; it must be one of {', '.join(get_args(ExampleKind))}")
        known: ExampleKind = value
        return known

    def text(self, row: dict[str, Any], field: str) -> str:
        """A field that may be missing."""
        value = row.get(field)
        if value is not None and not isinstance(value, str):
            raise self.bad(field, f"must be text or null, is {type(value).__name__}")
        return value or ""

    def weight(self, value: Any) -> float:
        """How much the row counts."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise self.bad("weight", f"must be a number that is at least 0, is {str(value)[:40]!r}")
        return float(value)


# ---------------------------------------------------------------- out


def chat_row(example: Example) -> dict[str, Any]:
    """A row of OpenAI's chat format, with loss on the completion alone: earlier replies have weight 0."""
    turns: list[dict[str, Any]] = []
    for message in example.messages:
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        turns.append(turn | {"weight": 0} if message.role == "assistant" else turn)
    return {"messages": [*turns, {"role": "assistant", "content": example.completion}]}


def trl_row(example: Example) -> dict[str, Any]:
    """A row of TRL's conversational prompt-completion format."""
    prompt = [{"role": message.role, "content": message.content} for message in example.messages]
    return {"prompt": prompt, "completion": [{"role": "assistant", "content": example.completion}]}


def export(examples: Iterable[Example], path: str | Path, format: Format) -> tuple[str, ...]:
    """Write rows for another program, with a manifest; returns what the format could not keep, a line for each.

    Raises:
        BadInput: There is no such format, or there are no rows.
    """
    if format not in FORMATS:
        raise BadInput(f"The format is {format!r}; it is one of {', '.join(FORMATS)}.")
    rows, shape = tuple(examples), chat_row if format == "openai" else trl_row
    if not rows:
        raise BadInput("There are no rows to export.")
    lost = _lost(rows)
    written = write_text(path, "".join(json.dumps(shape(row), ensure_ascii=False) + "\n" for row in rows))
    write_manifest(written, rows=len(rows), format=format, not_kept=lost)
    return lost


def _lost(rows: tuple[Example, ...]) -> tuple[str, ...]:
    """What rows say beyond messages and completion."""
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(row.kind for row in rows).items()))
    models = sorted({row.target_model for row in rows if row.target_model})
    weighted = sum(row.weight != 1.0 for row in rows)
    paired = sum(row.pair_id is not None for row in rows)
    lines = [f"kind is not kept ({kinds}); name it when the file is read back"]
    lines += [f"weight is not kept: {weighted} of {len(rows)} rows have another than 1"] if weighted else []
    lines += [f"pair_id is not kept ({paired} rows have one)"] if paired else []
    lines += [f"target_model is not kept ({', '.join(models)})"] if models else []
    return tuple(lines)
