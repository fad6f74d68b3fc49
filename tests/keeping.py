"""Write studies into a folder as `measure` would, without asking a model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, GenerateConfig, Model

from unsway.pairing import PairSet
from unsway.store import ReplyStore
from unsway.studies.arms import Arm, ArmRole
from unsway.studies.folder import keep, write_arms, write_pairs
from unsway.studies.results import Results
from unsway.testing import Script, scripted_replies
from unsway.types import Prompt, Reply, Settings

ROLES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def kept(study: Results, folder: Path) -> Path:
    """Write pairs, arms and replies into the folder."""
    write_pairs(folder, study.pairs)
    write_arms(folder, study.arms, study.skipped)
    store = ReplyStore(folder / "replies.jsonl")
    for reply in study.replies:
        store.add(reply)
    return folder


def scripted_arm(
    asked: PairSet, script: Script, label: str, role: ArmRole = "base", training: str = ""
) -> tuple[Arm, tuple[Reply, ...]]:
    """An arm and the replies of a scripted model, for pairs with a single reply."""
    said = tuple(replace(one, model=f"scripted/{label}") for one in scripted_replies(asked, script))
    return Arm(label, said[0].model, script.weights, role, training=training), said


def keep_arm(folder: Path, asked: PairSet, script: Script, label: str, role: ArmRole = "base") -> None:
    """Add an arm of a scripted model to a folder."""
    arm, said = scripted_arm(asked, script, label, role)
    store = ReplyStore(folder / "replies.jsonl")
    for reply in said:
        store.add(reply)
    keep(folder, asked, arm)


def ask_directly(prompts: Iterable[Prompt], model: Model, **_: object) -> tuple[Reply, ...]:
    """The replies that `ask` gets from a scripted model at temperature 0, without Inspect's slow eval."""

    async def said() -> tuple[Reply, ...]:
        replies = []
        for prompt in {prompt.id: prompt for prompt in prompts}.values():
            messages = [ROLES[m.role](content=m.content) for m in prompt.messages()]
            output = await model.api.generate(messages, [], "none", GenerateConfig())
            weights = getattr(model.api, "weights", "")
            replies.append(
                Reply(prompt.id, str(model), weights, 0, output.completion, None, (), "end", Settings(), 1, 1)
            )
        return tuple(replies)

    return asyncio.run(said())
