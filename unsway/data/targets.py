"""The part of a reply that a row learns: the text said, preceded by a reasoning model's thought.

In: a raw reply. Out: its target, or None if the reply is incomplete.
A thought comes from the provider's reasoning channel, or from the text between its family's marks. Rows store it in one form,
for all models: `<think>`, the thought, `</think>`, the reply. A back-end rewrites it in the form of its model.
"""

from __future__ import annotations

from unsway.data.recipe import Thoughts
from unsway.errors import BadInput
from unsway.readers.channels import split
from unsway.types import Reply


def with_thought(thought: str, text: str) -> str:
    """A reply preceded by its thought, in the form that rows store."""
    return f"<think>\n{thought.strip()}\n</think>\n\n{text.lstrip()}"


def why_no_target(reply: Reply) -> str:
    """Why a reply cannot be a target; empty if it can."""
    channels = split(reply.text)
    if reply.stop == "filter":
        return "was held back by a filter"
    if reply.stop == "length" or channels.thought_kind == "cut":
        return "was cut"
    if not channels.said.strip():
        return "is empty"
    return {"end": "", "unknown": "does not say how it ended"}.get(reply.stop, "did not end by itself")


def target(reply: Reply, thoughts: Thoughts) -> str | None:
    """The target of a reply; None if the reply is incomplete (`why_no_target`).

    Raises:
        BadInput: The thought is to be kept, but the provider shows none of it, or only a summary.
    """
    if why_no_target(reply):
        return None
    channels = split(reply.text)
    text = reply.text[channels.said_span[0] :] if channels.thought_kind == "full" else reply.text
    if thoughts == "drop":
        return text
    if reply.thought in ("hidden", "summary"):
        problem = "shows only a summary of its thoughts" if reply.thought == "summary" else "hides its thoughts"
        raise BadInput(
            f"{reply.model} {problem}, so they cannot be kept in targets, and targets without them teach it to answer "
            "without thinking. Take a model whose thoughts can be read, or build with thoughts='drop' (--thoughts drop) if "
            "that is what you want."
        )
    thought = reply.reasoning or (channels.thought if channels.thought_kind == "full" else "")
    return with_thought(thought, text) if thought.strip() else reply.text
