"""What a row learns of a reply: the words that were said, and before them the thought of a reasoning model.

In: a raw reply. Out: its target, or None where the reply is not whole.
A thought comes from the provider's reasoning channel, or from the text between the marks of the model's family. Rows keep it
in one form, whoever wrote it: `<think>`, the thought, `</think>`, the reply; a back-end writes it as its model does.
"""

from __future__ import annotations

from unsway.data.recipe import Thoughts
from unsway.errors import BadInput
from unsway.readers.channels import split
from unsway.types import Reply


def with_thought(thought: str, text: str) -> str:
    """A reply with the thought before it, in the form in which rows keep it."""
    return f"<think>\n{thought.strip()}\n</think>\n\n{text.lstrip()}"


def why_no_target(reply: Reply) -> str:
    """Why a reply is no target; empty where it is one."""
    found = split(reply.text)
    if reply.stop == "filter":
        return "was held back by a filter"
    if reply.stop == "length" or found.thought_kind == "cut":
        return "was cut"
    if not found.said.strip():
        return "is empty"
    return {"end": "", "unknown": "does not say how it ended"}.get(reply.stop, "did not end by itself")


def target(reply: Reply, thoughts: Thoughts) -> str | None:
    """What a row learns of a reply; None where it is not whole (`why_no_target`).

    Raises:
        BadInput: The thought is to be kept, and the provider shows none of it, or a summary.
    """
    if why_no_target(reply):
        return None
    found = split(reply.text)
    said = reply.text[found.said_span[0] :] if found.thought_kind == "full" else reply.text
    if thoughts == "drop":
        return said
    if reply.thought in ("hidden", "summary"):
        shown = "shows only a summary of its thoughts" if reply.thought == "summary" else "hides its thoughts"
        raise BadInput(
            f"{reply.model} {shown}, so they cannot be kept in targets, and targets without them teach it to answer without "
            "thinking. Take a model whose thoughts can be read, or build with thoughts='drop' (--thoughts drop) if that is "
            "what you want."
        )
    thought = reply.reasoning or (found.thought if found.thought_kind == "full" else "")
    return with_thought(thought, said) if thought.strip() else reply.text
