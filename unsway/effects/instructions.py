"""Instruction following: does it still obey instructions about the form of its reply? Checked by code, without a judge.

The prompts are IFEval's 541 (arXiv 2311.07911) if they were fetched (`python -m unsway.assets ifeval`), else 68 of ours.
The main number is strict: the share of prompts with every instruction kept. A truncated reply counts as missing, because its
end was never written; prompts with an instruction that no check covers are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unsway import assets
from unsway.banks import bank
from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, side_effect
from unsway.readers.channels import split
from unsway.readers.instructions import UNCHECKED, Instruction, follows
from unsway.seeds import content_id, seed_int
from unsway.sources import tables
from unsway.types import Part, Prompt, Turn

CHECKS = "checks"
"""Key of the fact that holds an item's instructions as JSON: pairs of a check and its arguments."""


class InstructionTask(NamedTuple):
    """A prompt with instructions about the form of the reply."""

    prompt: str
    """What is asked."""
    instructions: tuple[Instruction, ...]
    """The instructions in it."""


def own_tasks() -> Iterator[InstructionTask]:
    """The tasks of the bank."""
    for entry in bank("instruction_tasks").entries:
        text, *orders = entry.split("\n> ")
        checks = (order.partition(" ") for order in orders)
        yield InstructionTask(
            text, tuple(Instruction(name, json.loads(arguments or "{}")) for name, _, arguments in checks)
        )


def ifeval_tasks() -> Iterator[InstructionTask]:
    """IFEval's prompts all of whose instructions can be checked."""
    for row in tables.rows(assets.need("ifeval") / "ifeval_input_data.jsonl"):
        if not UNCHECKED.intersection(row["instruction_id_list"]):
            orders = zip(row["instruction_id_list"], row["kwargs"], strict=True)
            yield InstructionTask(row["prompt"], tuple(Instruction(name, arguments) for name, arguments in orders))


def tasks() -> tuple[InstructionTask, ...]:
    """IFEval's tasks if they were fetched, else our own; a panel never downloads."""
    return tuple(own_tasks() if assets.folder_of("ifeval") is None else ifeval_tasks())


def check_instructions(item: EffectItem, replies: Replies, *, loose: bool = False) -> tuple[bool, ...] | None:
    """Which instructions the reply keeps; None if it is missing, truncated or filtered, or its thought never ended."""
    if not replies[0] or replies[0][0].stop in ("length", "filter"):
        return None
    channels = split(replies[0][0].text)
    if channels.thought_kind == "cut":
        return None
    orders = [Instruction(name, arguments) for name, arguments in json.loads(item.facts[CHECKS])]
    return follows(channels.said, orders, loose=loose)


def strict(item: EffectItem, replies: Replies) -> float | None:
    """1 if every instruction is kept, else 0."""
    is_kept = check_instructions(item, replies)
    return None if is_kept is None else float(all(is_kept))


def strict_share(item: EffectItem, replies: Replies) -> float | None:
    """The share of the instructions that are kept."""
    is_kept = check_instructions(item, replies)
    return None if is_kept is None else sum(is_kept) / len(is_kept)


def loosely(item: EffectItem, replies: Replies) -> float | None:
    """1 if one of the reply's variants keeps every instruction, else 0."""
    is_kept = check_instructions(item, replies, loose=True)
    return None if is_kept is None else float(all(is_kept))


@side_effect(
    "instructions",
    version=1,
    n=600,
    question="Does it still follow orders about form?",
    measures=(
        EffectMeasure(
            name="prompts, strict", summary="share of prompts of which every order is kept", score=strict, margin=0.04
        ),
        EffectMeasure(
            name="orders, strict", summary="share of orders that are kept, prompts as units", score=strict_share
        ),
        EffectMeasure(
            name="prompts, loose",
            summary="the same, where a first or last line or bold print may hide it",
            score=loosely,
        ),
    ),
)
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """A prompt for each task, in a seeded order."""
    ordered = sorted(tasks(), key=lambda task: seed_int(inputs.seed, "instructions", task.prompt))
    return tuple(map(item_of, ordered[: inputs.n]))


def item_of(task: InstructionTask) -> EffectItem:
    """One task as an item: its prompt, and its instructions as a fact."""
    orders: Sequence[tuple[str, object]] = [
        (instruction.check, dict(instruction.arguments)) for instruction in task.instructions
    ]
    prompt = Prompt((Turn("user", (Part("stem", task.prompt),)),))
    return EffectItem(content_id(task.prompt), (prompt,), facts={CHECKS: json.dumps(orders)})
