"""Training rows as other programs write them, read and exported.

In: JSONL of `Example` rows, or of chats that others wrote. Out: `Example`s, or JSONL for OpenAI's fine-tuning or for TRL.
A row has `messages` or `prompt`, with or without a `completion`; without one, the last turn is the completion.
Source: OpenAI's chat format for fine-tuning (`messages`, the completion as the last turn, `weight` 0 on earlier replies) and
TRL's conversational prompt-completion format, whose loss falls on the completion alone, as ours does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, Field, model_validator

from unsway.errors import BadInput, kind_of
from unsway.rows import BadField, ChatTurn, ForeignRow, read_rows
from unsway.store import write_manifest, write_text
from unsway.types import Example, ExampleKind, Message

Format: TypeAlias = Literal["openai", "trl"]
FORMATS: tuple[Format, ...] = get_args(Format)


# ---------------------------------------------------------------- in


def _turns(value: object) -> object:
    """The turns of a chat; a plain text is one turn of the user."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list) or not value:
        raise ValueError(f"must be a list of turns that is not empty, is {kind_of(value)}")
    return value


def _completion(value: object) -> object:
    """The text to train on, which TRL writes as a list of one turn of the assistant."""
    if isinstance(value, list):
        if len(value) != 1 or not isinstance(value[0], dict) or value[0].get("role") != "assistant":
            raise ValueError(f"must be text or one turn of the assistant, is {kind_of(value)}")
        value = value[0].get("content")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be text that is not empty, is {kind_of(value)}")
    return value


class ChatRow(ForeignRow):
    """A chat to train on, as OpenAI writes it."""

    messages: Annotated[list[ChatTurn], BeforeValidator(_turns)] = Field(
        description="a row has 'messages', or 'prompt' and 'completion'"
    )
    """The turns before the completion."""
    completion: Annotated[str, BeforeValidator(_completion)] = Field(
        description="write the text to train on, or end with a turn of the assistant"
    )
    """What is trained on."""
    kind: ExampleKind | None = None
    """What the row is for; None where it does not say."""
    pair_id: str | None = None
    """The pair that it was made from."""
    target_model: str | None = None
    """The model that wrote the completion."""
    weight: float = Field(1.0, ge=0, allow_inf_nan=False)
    """How much the row counts."""

    @model_validator(mode="before")
    @classmethod
    def _take_last_turn(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Makes the last turn the completion where the row has no other."""
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


class PromptRow(ChatRow):
    """The same with the turns under the name that TRL gives them."""

    OTHER_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {"messages": ("prompt",)}

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Rows that have both fields are chats: the prompt is then a copy of their first turn."""
        return "prompt" in row and "messages" not in row


def read_examples(
    path: str | Path, *, kind: ExampleKind = "consistency", target_model: str = ""
) -> tuple[Example, ...]:
    """Rows of a JSONL file (or `.gz`), ours or others'.

    Args:
        path: The file.
        kind: What rows are for that do not say.
        target_model: Who wrote the completions, where rows do not say.

    Raises:
        BadRow: A row is not what it must be; names line and field.
        BadInput: There are no rows, or the file is not text.
    """
    rows = (row for _, row in read_rows(path, PromptRow, ChatRow))
    found = tuple(
        Example(
            messages=tuple(Message(turn.role, turn.content) for turn in row.messages),
            completion=row.completion,
            kind=row.kind or kind,
            pair_id=row.pair_id or None,
            target_model=row.target_model or target_model,
            weight=row.weight,
        )
        for row in rows
    )
    if not found:
        raise BadInput(f"{path} holds no rows. It must have one JSON object a line.")
    return found


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
    """Write rows for another program, with a manifest. Returns what the format cannot keep, a line for each thing.

    Raises:
        BadInput: There is no such format, or there are no rows.
    """
    if format not in FORMATS:
        raise BadInput(f"There is no format {format!r}. Known: {', '.join(FORMATS)}.")
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
