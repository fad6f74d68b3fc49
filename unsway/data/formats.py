"""Training rows as files: our own, which TRL can read directly, and exports for OpenAI's fine-tuning and for TRL.

In: `Example`s. Out: JSONL. Our rows have the fields of an example and, next to them, TRL's conversational columns: `prompt`
(the biased one if there is one) and `completion`, or `prompt`, `chosen` and `rejected`. So `datasets.load_dataset("json")`
and TRL's trainers accept the file unchanged, with loss only on the completion.
Source: OpenAI's chat format for fine-tuning (`messages`, the completion as the last turn, `weight` 0 on earlier replies) and
TRL's conversational prompt-completion and preference formats.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from unsway.disk import write_text
from unsway.errors import BadInput, number_of
from unsway.store import dumps, write_jsonl, write_manifest
from unsway.types import Example, Message

Format: TypeAlias = Literal["openai", "trl"]
FORMATS: tuple[Format, ...] = get_args(Format)
ROWS_VERSION = 2
"""Version of the rows that unsway writes. 2: a row has its own stand-ins, its thought, and TRL's columns."""


def write_rows(path: str | Path, rows: Iterable[Example], **about: object) -> Path:
    """Write rows as our own file, which TRL can read too, with a manifest that holds `about`."""

    def as_row(row: Example) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(dumps(row))
        del fields["completion"], fields["rejected"]
        return trl_row((row.biased or row.clean).messages(), row.completion, row.rejected) | fields

    return write_jsonl(path, map(as_row, rows), kind="examples", rows_version=ROWS_VERSION, **about)


def chat_row(prompt: Sequence[Message], completion: str | None, rejected: str | None = None) -> dict[str, Any]:
    """A row of OpenAI's chat format, with loss only on the completion: earlier replies have weight 0."""
    turns: list[dict[str, Any]] = []
    for message in prompt:
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        turns.append(turn | {"weight": 0} if message.role == "assistant" else turn)
    return {"messages": [*turns, {"role": "assistant", "content": completion}]}


def trl_row(prompt: Sequence[Message], completion: str | None, rejected: str | None = None) -> dict[str, Any]:
    """A row of TRL's conversational prompt-completion format, or of its preference format if there is a rejected reply."""
    row: dict[str, Any] = {"prompt": [{"role": message.role, "content": message.content} for message in prompt]}
    names = ("chosen", "rejected") if rejected is not None else ("completion",)  # TRL would misread a null column
    replies = (text for text in (completion, rejected) if text is not None)
    return row | {name: [{"role": "assistant", "content": text}] for name, text in zip(names, replies, strict=False)}


def export(
    examples: Iterable[Example], path: str | Path, format: Format, side: Literal["biased", "clean"] = "biased"
) -> tuple[str, ...]:
    """Write rows for another program, with a manifest. Returns what the format cannot hold, one line for each thing.

    Args:
        examples: The rows.
        path: The file to write.
        format: The program that will read it.
        side: The prompt to write: biased for BCT, clean for its control. A row with one prompt gets that one.

    Raises:
        BadInput: There is no such format, or there are no rows, or one has no completion.
    """
    if format not in FORMATS:
        raise BadInput(f"There is no format {format!r}. Known: {', '.join(FORMATS)}.")
    rows = tuple(examples)
    shape = chat_row if format == "openai" else trl_row
    if not rows:
        raise BadInput("There are no rows to export.")
    is_preference = format == "trl" and side == "biased" and all(row.rejected is not None for row in rows)
    lines = []
    for number, row in enumerate(rows, 1):
        if row.completion is None:
            raise BadInput(f"row {number} has no completion, so there is nothing to learn from it. Leave it out.")
        prompt = row.clean if side == "clean" or row.biased is None else row.biased
        body = shape(prompt.messages(), row.completion, row.rejected if is_preference else None)
        lines.append(json.dumps(body, ensure_ascii=False) + "\n")
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(row.kind for row in rows).items()))
    models = sorted({row.said_by for row in rows if row.said_by})
    n_paired = sum(row.pair_id is not None for row in rows)
    n_both = sum(row.biased is not None for row in rows)
    n_rejected = 0 if is_preference else sum(row.rejected is not None for row in rows)
    other_side = "clean" if side == "biased" else "biased"
    losses = (
        f"kind is not kept ({kinds})",
        *(
            [f"{other_side} prompts, targets and parts are not kept (both are in {number_of(n_both, 'row')})"]
            if n_both
            else []
        ),
        *([f"pair_id is not kept (it is in {number_of(n_paired, 'row')})"] if n_paired else []),
        *([f"rejected replies are not kept (they are in {number_of(n_rejected, 'row')})"] if n_rejected else []),
        *([f"said_by is not kept ({', '.join(models)})"] if models else []),
    )
    write_manifest(write_text(path, "".join(lines)), rows=len(rows), format=format, not_kept=losses)
    return losses
