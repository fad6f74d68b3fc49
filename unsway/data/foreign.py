"""Reads training rows that people and other programs wrote as examples.

In: a JSONL file, of our own rows or in one of the layouts below. Out: `Example`s.

    {"prompt": …, "completion": …}                       TRL; `prompt` alone may end with the assistant's turn
    {"messages": […]}                                    OpenAI; the last turn is the completion
    {"prompt": …, "chosen": …, "rejected": …}            TRL's preferences; without a prompt, both begin with it
    {"input": {"messages": […]}, "preferred_output": …}  OpenAI's preferences
    {"conversations": [{"from": …, "value": …}]}         ShareGPT
    {"instruction": …, "input": …, "output": …}          Alpaca

A chat does not record a cue, so it becomes an instruct row whose clean prompt is the chat. The loss is on one reply: the last
one, or the only one with a nonzero weight. Rows of weight 0 are left out and counted. Rows that cannot be trained on
unchanged (two weighted replies, another weight, a tool call) are refused.
Source: OpenAI's chat format for fine-tuning (`weight`), TRL's dataset formats, FastChat's ShareGPT files, Stanford Alpaca.
"""

from __future__ import annotations

import json
import logging
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import model_validator

from unsway.data.targets import with_thought
from unsway.errors import BadInput, kind_of
from unsway.rows import BadField, ForeignRow, read_rows
from unsway.store import loads
from unsway.types import Example, Part, Prompt, Turn

_log = logging.getLogger(__name__)
LAYOUTS = "'messages', 'prompt' and 'completion', 'prompt', 'chosen' and 'rejected', or 'conversations'"
"""The fields that a row may have, for errors."""
ROLES: Mapping[str, str] = {
    **{name: name for name in ("system", "user", "assistant")},
    **dict.fromkeys(("human", "prompter"), "user"),
    **dict.fromkeys(("gpt", "chatgpt", "bing", "bard", "model", "bot", "ai"), "assistant"),
    "developer": "system",
}
"""Names of the speakers in files, and ours."""
WEIGHTS = ("weight", "loss_weight", "sample_weight", "loss", "train")
"""Fields that say whether a row or a turn has loss: 1 or true, 0 or false."""
THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thought")
"""Fields of a turn that contain the thought before it."""
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        ("tools", "functions", "tool_calls", "function_call"), "holds tools, and unsway trains on text alone"
    ),
    **dict.fromkeys(("images", "image", "videos", "audio"), "holds more than text, and unsway trains on text alone"),
}
"""Fields that change what a row teaches, and that unsway does not support."""


class SpokenTurn(NamedTuple):
    """One turn of a chat."""

    role: str
    """system, user or assistant."""
    text: str
    """Its text, preceded by its thought if there is one."""
    weight: object
    """Whether it has loss, as in the file; None if not given."""


# ---------------------------------------------------------------- turns


def turns_of(value: object, field: str, speaker: str) -> list[SpokenTurn]:
    """The turns of a chat: a list of turns, one turn, or a plain text by `speaker`. Raises `BadField`."""
    if isinstance(value, str):
        value = [{"role": speaker, "content": value}]
    value = [value] if isinstance(value, dict) else value
    if not isinstance(value, list) or not value:
        raise BadField(field, f"must be a list of turns that is not empty, is {kind_of(value)}")
    turns = []
    for number, turn in enumerate(value):
        place = f"{field}.{number}"
        if not isinstance(turn, dict):
            raise BadField(place, f"must be an object, is {kind_of(turn)}")
        check_text_alone(turn, f"{place}.")
        role_key = "from" if "from" in turn else "role"
        text_key = "value" if "value" in turn else "content"
        role, text = turn.get(role_key), turn.get(text_key)
        if not isinstance(role, str) or role.lower() not in ROLES:
            raise BadField(f"{place}.{role_key}", f"is {str(role)[:60]!r}; allowed: system, user, assistant")
        if isinstance(text, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in text):
            text = "".join(str(part.get("text", "")) for part in text)
        if not isinstance(text, str):
            raise BadField(f"{place}.{text_key}", f"must be text, is {kind_of(text)}")
        thought = next((turn[name] for name in THOUGHTS if isinstance(turn.get(name), str) and turn[name].strip()), "")
        text = with_thought(thought, text) if thought and ROLES[role.lower()] == "assistant" else text
        turns.append(SpokenTurn(ROLES[role.lower()], text, weight_of(turn)))
    return turns


def weight_of(row: Mapping[str, Any]) -> object:
    """The weight of a row or a turn; None if it has none."""
    return next((row[name] for name in WEIGHTS if row.get(name) is not None), None)


def is_learnt(weight: object, field: str) -> bool:
    """Whether a weight means loss. Raises `BadField` if it is neither 0 nor 1."""
    if not isinstance(weight, int | float) or weight not in (0, 1):
        raise BadField(field, f"is {str(weight)[:60]!r}; a weight is 0 or 1 here. Leave the row out, or give it 1")
    return bool(weight)


def check_text_alone(row: Mapping[str, Any], inside: str = "") -> None:
    """Raise `BadField` for fields that change the meaning of a row or a turn and are not supported."""
    for name, reason in REFUSED.items():
        if row.get(name):
            raise BadField(f"{inside}{name}", f"{reason}. Leave the row out")


# ---------------------------------------------------------------- rows


class TrainingRow(ForeignRow):
    """A row that can be trained on, in any of the layouts."""

    is_left_out: bool = False
    """Whether its weight is 0."""

    @abstractmethod
    def example(self, said_by: str) -> Example:
        """The row as an example; `said_by` is the writer of its completion, unless the row names one."""


class ExampleRow(TrainingRow):
    """Our own row: the fields of an example, and TRL's columns next to them."""

    value: Example
    """The example."""

    @classmethod
    def known_fields(cls) -> frozenset[str]:
        """The fields of an example, and TRL's columns."""
        return frozenset(field.name for field in fields(Example)) | {"prompt", "chosen", *WEIGHTS}

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Whether it has a clean prompt, as only our own rows do."""
        return "clean" in row

    @model_validator(mode="before")
    @classmethod
    def read_example(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Read the row as an example; TRL's columns, if there are any, must have the same content."""
        body = {name: value for name, value in row.items() if name not in ("prompt", "chosen", *WEIGHTS)}
        if "chosen" in row:
            body["completion"] = row["chosen"]
        for name in ("completion", "rejected"):
            if isinstance(body.get(name), list):
                (body[name],) = [turn.text for turn in turns_of(body[name], name, "assistant")][-1:]
        value: Example = loads(Example, json.dumps(body))
        if "prompt" in row:
            prompt_turns = [(turn.role, turn.text) for turn in turns_of(row["prompt"], "prompt", "user")]
            if prompt_turns != [(turn.role, turn.content) for turn in (value.biased or value.clean).messages()]:
                raise BadField(
                    "prompt", "differs from the parts of the row's own prompt; change both, or leave one out"
                )
        weight = weight_of(row)
        return {"value": value, "is_left_out": weight is not None and not is_learnt(weight, "weight")}

    def example(self, said_by: str) -> Example:
        """The row's own example."""
        return self.value


class ChatRow(TrainingRow):
    """A chat whose last turn, or another text, is to be learnt."""

    said: tuple[SpokenTurn, ...]
    """The turns before the completion."""
    completion: str
    """The text to train on."""
    rejected: str | None = None
    """A rejected reply; None if there is none."""

    FIELD: ClassVar[str] = "messages"
    """The field with the chat."""
    OTHERS: ClassVar[tuple[str, ...]] = ("completion",)
    """The other fields that are read."""

    @classmethod
    def known_fields(cls) -> frozenset[str]:
        """The fields of the layout, fields for weights, and unsupported fields."""
        return frozenset((cls.FIELD, *cls.OTHERS, *WEIGHTS, *REFUSED, "label"))

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Whether a row has the field of this layout; a row with `messages` is a chat, whatever other fields repeat it."""
        return cls.FIELD in row

    @classmethod
    def columns(cls, row: dict[str, Any]) -> tuple[list[SpokenTurn], list[SpokenTurn]]:
        """The turns of the prompt, and the turn to learn. Raises `BadField`."""
        if cls.FIELD not in row:
            raise BadField("messages", f"is missing; a row has {LAYOUTS}. The row has: {', '.join(row) or 'nothing'}")
        before = turns_of(row[cls.FIELD], cls.FIELD, "user")
        if "completion" in row:
            return before, turns_of(row["completion"], "completion", "assistant")
        if before[-1].role != "assistant":
            raise BadField(
                cls.FIELD, f"ends with a turn of the {before[-1].role}; the last one must be the assistant's"
            )
        return before[:-1], before[-1:]

    @model_validator(mode="before")
    @classmethod
    def read_layout(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Find the prompt and the reply with loss."""
        check_text_alone(row)
        if row.get("label") is False:
            raise BadField(
                "label", "is false: the row shows what not to say, which no method here learns. Leave it out"
            )
        before, after = cls.columns(row)
        if len(after) != 1 or after[0].role != "assistant":
            raise BadField("completion", f"must be text or one turn of the assistant, is {len(after)} turns")
        turns = [*before, *after]
        weight = weight_of(row)
        target_index = len(before)
        is_left_out = weight is not None and not is_learnt(weight, "weight")
        if any(turn.weight is not None for turn in turns):
            indices = [i for i, turn in enumerate(turns) if turn.role == "assistant"]
            with_loss = [
                i for i in indices if turns[i].weight is None or is_learnt(turns[i].weight, f"{cls.FIELD}.{i}.weight")
            ]
            if len(with_loss) > 1:
                numbers = " and ".join(str(i + 1) for i in with_loss)
                raise BadField(cls.FIELD, f"has loss on turns {numbers}, and a row has it on one. Write a row for each")
            target_index = with_loss[0] if with_loss else target_index
            is_left_out = is_left_out or not with_loss
        if not target_index:
            raise BadField(cls.FIELD, "has no turn before the completion")
        if not turns[target_index].text.strip():
            raise BadField("completion", "must be text that is not empty, is empty text")
        return {"said": tuple(turns[:target_index]), "completion": turns[target_index].text, "is_left_out": is_left_out}

    def example(self, said_by: str) -> Example:
        """The chat as an instruct row."""
        return Example(
            clean=Prompt(tuple(Turn(turn.role, (Part("stem", turn.text),)) for turn in self.said)),  # type: ignore[arg-type]
            biased=None,
            completion=self.completion,
            target=None,
            options=(),
            kind="instruct",
            pair_id=None,
            said_by=said_by,
            rejected=self.rejected,
        )


class PromptRow(ChatRow):
    """TRL's prompt and completion."""

    FIELD = "prompt"


class ShareGptRow(ChatRow):
    """ShareGPT's conversations; the system turn may be in a separate field."""

    FIELD = "conversations"
    OTHERS = ("system",)

    @classmethod
    def columns(cls, row: dict[str, Any]) -> tuple[list[SpokenTurn], list[SpokenTurn]]:
        """The turns, after the system turn."""
        before, after = super().columns(row)
        return [*(turns_of(row["system"], "system", "system") if row.get("system") else []), *before], after


class AlpacaRow(ChatRow):
    """Alpaca's instruction with its input, and the output."""

    FIELD = "instruction"
    OTHERS = ("input", "output", "system")

    @classmethod
    def columns(cls, row: dict[str, Any]) -> tuple[list[SpokenTurn], list[SpokenTurn]]:
        """Instruction and input as one user turn, in Alpaca's format."""
        values = [row[name] for name in ("instruction", "input") if row.get(name)]
        texts = [turn.text for text in values for turn in turns_of(text, "instruction", "user")]
        before = turns_of(row["system"], "system", "system") if row.get("system") else []
        if not texts or "output" not in row:
            raise BadField("output" if texts else "instruction", "is missing; a row has 'instruction' and 'output'")
        return [*before, SpokenTurn("user", "\n\n".join(texts), None)], turns_of(row["output"], "output", "assistant")


class PreferenceRow(ChatRow):
    """A preferred and a rejected reply: TRL's prompt, chosen and rejected, or OpenAI's input and two outputs."""

    NAMES: ClassVar[Mapping[str, str]] = {"preferred_output": "chosen", "non_preferred_output": "rejected"}
    """OpenAI's names of the two replies."""

    @classmethod
    def known_fields(cls) -> frozenset[str]:
        """The fields of both layouts, and ShareGPT's."""
        names = ("prompt", "messages", "conversations", "input", "chosen", "rejected", "system", *cls.NAMES)
        return super().known_fields().union(names)

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Whether it names two replies."""
        return any(name in row for name in ("chosen", "rejected", *cls.NAMES))

    @model_validator(mode="before")
    @classmethod
    def read_layout(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Find both replies and the prompt, with which both may begin."""
        check_text_alone(row)
        row = {cls.NAMES.get(name, name): value for name, value in row.items()}
        for name in ("chosen", "rejected"):
            if name not in row:
                raise BadField(name, "is missing; a preference has 'prompt', 'chosen' and 'rejected'")
        chosen, rejected = (turns_of(row[name], name, "assistant") for name in ("chosen", "rejected"))
        for name, turns in (("chosen", chosen), ("rejected", rejected)):
            if turns[-1].role != "assistant" or not turns[-1].text.strip():
                raise BadField(name, "must end with a turn of the assistant that is not empty")
        if chosen[:-1] != rejected[:-1]:
            raise BadField(
                "rejected", "goes apart from 'chosen' before its last turn; only their last turns may differ"
            )
        prompt = row.get("input", {}).get("messages") if isinstance(row.get("input"), dict) else None
        field = next((name for name in ("prompt", "messages", "conversations") if row.get(name)), "input.messages")
        prompt = row.get(field, prompt)
        before = turns_of(prompt, field, "user") if prompt else []
        if row.get("system"):
            before = [*turns_of(row["system"], "system", "system"), *before]
        lead = chosen[:-1]  # repeats the prompt, or continues it
        if not lead or [turn.text for turn in before] not in (
            [turn.text for turn in lead[:n]] for n in range(len(lead) + 1)
        ):
            lead = [*before, *lead]
        if not lead:
            raise BadField("prompt", "is missing; a preference has 'prompt', 'chosen' and 'rejected'")
        weight = weight_of(row)
        return {
            "said": tuple(lead),
            "completion": chosen[-1].text,
            "rejected": rejected[-1].text,
            "is_left_out": weight is not None and not is_learnt(weight, "weight"),
        }


ROWS: tuple[type[TrainingRow], ...] = (ExampleRow, PreferenceRow, ShareGptRow, AlpacaRow, ChatRow, PromptRow)
"""All layouts; the first that fits is used, and the last but one for all other rows."""


def read_examples(path: str | Path, *, said_by: str = "") -> tuple[Example, ...]:
    """Rows of a JSONL file (or `.gz`), ours or others'. Rows of weight 0 are left out, and logged with their lines.

    Args:
        path: The file.
        said_by: The model that wrote the completions of chats.

    Raises:
        BadRow: A row is invalid; the message gives line and field.
        BadInput: There are no rows, all have weight 0, or the file is not text.
    """
    examples: list[Example] = []
    left_out_lines: list[int] = []
    rows: Iterable[tuple[int, TrainingRow]] = read_rows(path, *ROWS)
    for line, row in rows:
        if row.is_left_out:
            left_out_lines.append(line)
        else:
            examples.append(row.example(said_by))
    if left_out_lines:
        lines = ", ".join(map(str, left_out_lines[:5])) + (" …" if len(left_out_lines) > 5 else "")
        n = len(examples) + len(left_out_lines)
        if not examples:
            raise BadInput(
                f"All {n} rows of {path} have weight 0, so there is nothing to train on. Give 1 to those to learn."
            )
        _log.warning(
            "%d of %d rows of %s have weight 0 and are left out (lines %s).", len(left_out_lines), n, path, lines
        )
    if not examples:
        raise BadInput(f"{path} holds no rows. It must have one JSON object a line.")
    return tuple(examples)
