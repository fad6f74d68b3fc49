"""Training rows as other programs write them, read and exported.

In: JSONL of `Example` rows, or of chats that others wrote. Out: `Example`s, or JSONL for OpenAI's fine-tuning or for TRL.
A chat becomes an instruct row whose clean prompt is the chat, because it does not say what was put into it.
It has `messages` or `prompt`, with or without a `completion`; without one, the last turn is the completion.
Source: OpenAI's chat format for fine-tuning (`messages`, the completion as the last turn, `weight` 0 on earlier replies) and
TRL's conversational prompt-completion format, whose loss falls on the completion alone, as ours does.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import Field, field_validator, model_validator

from unsway.disk import write_text
from unsway.errors import BadInput, kind_of
from unsway.rows import BadField, ChatTurn, ForeignRow, read_rows
from unsway.store import loads, write_manifest
from unsway.types import Example, Message, Part, Prompt, Turn

Format: TypeAlias = Literal["openai", "trl"]
FORMATS: tuple[Format, ...] = get_args(Format)


# ---------------------------------------------------------------- in


class TrainingRow(ForeignRow):
    """A row that can be trained on, in one of the layouts below."""

    @abstractmethod
    def example(self, said_by: str) -> Example:
        """The row as an example; `said_by` wrote its completion where it does not say who did."""


class ExampleRow(TrainingRow):
    """A row of our own."""

    value: Example
    """All of it."""

    @classmethod
    def known_fields(cls) -> frozenset[str]:
        """The fields of an example."""
        return frozenset(field.name for field in fields(Example))

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Only rows of our own have a clean prompt."""
        return "clean" in row

    @model_validator(mode="before")
    @classmethod
    def read_example(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Read the row as an example."""
        return {"value": loads(Example, json.dumps(row))}

    def example(self, said_by: str) -> Example:
        """The row as it is."""
        return self.value


class ChatRow(TrainingRow):
    """A chat to train on, as OpenAI writes it."""

    messages: list[ChatTurn] = Field(description="a row has 'messages', or 'prompt' and 'completion'")
    """The turns before the completion."""
    completion: str = Field(description="write the text to train on, or end with a turn of the assistant")
    """What is trained on."""

    @model_validator(mode="before")
    @classmethod
    def take_last_turn(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Make the last turn the completion where the row has no other."""
        field = "messages" if "messages" in row else "prompt"
        if "completion" in row:
            return row
        match row.get(field):
            case [{"role": "assistant"}]:
                raise BadField(field, "has no turn before the completion")
            case [*before, {"role": "assistant", "content": str(text)}]:
                return row | {field: before, "completion": text}
            case [*_, {"role": "system" | "user" as role, "content": str()}]:
                raise BadField(field, f"ends with a turn of the {role}; the last one must be the assistant's")
        return row

    @field_validator("messages", mode="before")
    @classmethod
    def read_turns(cls, value: object) -> object:
        """The turns of a chat; a plain text is one turn of the user."""
        if isinstance(value, str):
            return [{"role": "user", "content": value}]
        if not isinstance(value, list) or not value:
            raise ValueError(f"must be a list of turns that is not empty, is {kind_of(value)}")
        return value

    @field_validator("completion", mode="before")
    @classmethod
    def read_completion(cls, value: object) -> object:
        """The text to train on, which TRL writes as a list of one turn of the assistant."""
        if isinstance(value, list):
            if len(value) != 1 or not isinstance(value[0], dict) or value[0].get("role") != "assistant":
                raise ValueError(f"must be text or one turn of the assistant, is {kind_of(value)}")
            value = value[0].get("content")
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"must be text that is not empty, is {kind_of(value)}")
        return value

    def example(self, said_by: str) -> Example:
        """The chat as an instruct row."""
        return Example(
            clean=Prompt(tuple(Turn(turn.role, (Part("stem", turn.content),)) for turn in self.messages)),
            biased=None,
            completion=self.completion,
            target=None,
            options=(),
            kind="instruct",
            pair_id=None,
            said_by=said_by,
        )


class PromptRow(ChatRow):
    """The same with the turns under the name that TRL gives them."""

    OTHER_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {"messages": ("prompt",)}

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Rows that have both fields are chats: the prompt is then a copy of their first turn."""
        return "prompt" in row and "messages" not in row


def read_examples(path: str | Path, *, said_by: str = "") -> tuple[Example, ...]:
    """Rows of a JSONL file (or `.gz`), ours or others'.

    Args:
        path: The file.
        said_by: The model that wrote the completions of chats.

    Raises:
        BadRow: A row is not what it must be; names line and field.
        BadInput: There are no rows, or the file is not text.
    """
    layouts: tuple[type[TrainingRow], ...] = (ExampleRow, PromptRow, ChatRow)
    found = tuple(row.example(said_by) for _, row in read_rows(path, *layouts))
    if not found:
        raise BadInput(f"{path} holds no rows. It must have one JSON object a line.")
    return found


# ---------------------------------------------------------------- out


def chat_row(prompt: Sequence[Message], completion: str) -> dict[str, Any]:
    """A row of OpenAI's chat format, with loss on the completion alone: earlier replies have weight 0."""
    turns: list[dict[str, Any]] = []
    for message in prompt:
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        turns.append(turn | {"weight": 0} if message.role == "assistant" else turn)
    return {"messages": [*turns, {"role": "assistant", "content": completion}]}


def trl_row(prompt: Sequence[Message], completion: str) -> dict[str, Any]:
    """A row of TRL's conversational prompt-completion format."""
    turns = [{"role": message.role, "content": message.content} for message in prompt]
    return {"prompt": turns, "completion": [{"role": "assistant", "content": completion}]}


def export(
    examples: Iterable[Example], path: str | Path, format: Format, side: Literal["biased", "clean"] = "biased"
) -> tuple[str, ...]:
    """Write rows for another program, with a manifest. Returns what the format cannot keep, a line for each thing.

    Args:
        examples: The rows.
        path: The file to write.
        format: Who is to read it.
        side: The prompt that is written: biased for BCT, clean for its control. A row with one prompt has that one.

    Raises:
        BadInput: There is no such format, or there are no rows, or one has no completion.
    """
    if format not in FORMATS:
        raise BadInput(f"There is no format {format!r}. Known: {', '.join(FORMATS)}.")
    rows, shape = tuple(examples), chat_row if format == "openai" else trl_row
    if not rows:
        raise BadInput("There are no rows to export.")
    lines = []
    for number, row in enumerate(rows, 1):
        if row.completion is None:
            raise BadInput(f"row {number} has no completion, so there is nothing to learn from it. Leave it out.")
        prompt = row.clean if side == "clean" or row.biased is None else row.biased
        lines.append(json.dumps(shape(prompt.messages(), row.completion), ensure_ascii=False) + "\n")
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(row.kind for row in rows).items()))
    models = sorted({row.said_by for row in rows if row.said_by})
    paired, both = sum(row.pair_id is not None for row in rows), sum(row.biased is not None for row in rows)
    other = "clean" if side == "biased" else "biased"
    lost = (
        f"kind is not kept ({kinds})",
        *([f"{other} prompts, targets and parts are not kept ({both} rows have both prompts)"] if both else []),
        *([f"pair_id is not kept ({paired} rows have one)"] if paired else []),
        *([f"said_by is not kept ({', '.join(models)})"] if models else []),
    )
    write_manifest(write_text(path, "".join(lines)), rows=len(rows), format=format, not_kept=lost)
    return lost
