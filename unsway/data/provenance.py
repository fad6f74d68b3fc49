"""Where each row of a training set comes from: one line a row, in a file beside it.

In: the pair and the reply that made a row. Out: `Provenance`, in `bct.provenance.jsonl` beside `bct.jsonl`; line i is about
row i of `bct.jsonl` and of `control.jsonl`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unsway.biases.registry import get
from unsway.prompts.render import letter
from unsway.store import read_jsonl, read_manifest
from unsway.types import Pair, Prompt, Reply, Settings


@dataclass(frozen=True, slots=True)
class Provenance:
    """What one row was made of; empty, or None, where it is an instruct row."""

    model: str
    """Who wrote the completion."""
    weights: str
    prompt_id: str
    """The clean prompt that was asked."""
    sample: int
    settings: Settings
    question_id: str = ""
    source: str = ""
    """Of the question: `name@revision`; of an instruct row: where its task is from."""
    pair_id: str = ""
    bias: str = ""
    """`name/form@version`."""
    elicit: str = ""
    """`name@version`."""
    form: str | None = None
    stance: Literal["for", "against"] | None = None
    """What the cue says of the cued option."""
    cued: int | None = None
    """Index of the cued option."""
    place: str | None = None
    """Where the cue is: front, before_options, after_options, end, or turns where it is not within the question's turn."""
    target: str = ""
    """Of the pair: toward, away or change."""


def of_pair(pair: Pair, reply: Reply) -> Provenance:
    """Where a consistency row, and its control, come from."""
    name = pair.bias.partition("@")[0]
    cued = pair.target.cued
    return Provenance(
        reply.model,
        reply.weights,
        reply.prompt_id,
        reply.sample,
        reply.settings,
        pair.question.id,
        pair.question.source,
        pair.id,
        pair.bias,
        pair.elicit,
        name.partition("/")[2] or _form(pair, cued),
        pair.target.stance,
        cued,
        place(pair.biased),
        pair.target.kind,
    )


def _form(pair: Pair, cued: int | None) -> str | None:
    """The form that was drawn, as the cue shows it; None where it names its option in neither way."""
    cue = pair.biased.cue()
    if cued is None or "form" not in get(pair.bias.partition("@")[0]).wants:
        return None
    if f'"{pair.question.options[cued]}"' in cue:
        return "quoted"
    return "letter" if f"({letter(cued)})" in cue else None


def of_task(reply: Reply, source: str) -> Provenance:
    """Where an instruct row comes from."""
    return Provenance(reply.model, reply.weights, reply.prompt_id, reply.sample, reply.settings, source=source)


def place(prompt: Prompt) -> str:
    """Where the cue of a prompt is."""
    parts = prompt.turns[-1].parts or ()
    kinds = [part.kind for part in parts]
    if any(p.kind == "cue" for turn in prompt.turns[:-1] for p in turn.parts or ()) or "cue" not in kinds:
        return "turns"
    at = kinds.index("cue")
    if "stem" not in kinds[:at]:
        return "front"
    if "option" not in kinds[:at]:
        return "before_options"
    return "end" if "instruction" in kinds[:at] else "after_options"


def beside(path: str | Path) -> Path:
    """The provenance of a file of rows; that of `control.jsonl` is that of `bct.jsonl`."""
    place = Path(path)
    return place.with_name(
        "bct.provenance.jsonl" if place.name == "control.jsonl" else f"{place.stem}.provenance.jsonl"
    )


def read_beside(path: str | Path) -> tuple[Provenance, ...] | None:
    """The provenance of a file, or None where it has none or is not the file that was written with it."""
    found = beside(path)
    if not found.exists() or read_manifest(path) is None:
        return None
    return tuple(read_jsonl(found, Provenance))
