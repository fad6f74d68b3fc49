"""How much a reply shows of a model's thinking: the readable text, and the kind of thought.

In: an Inspect output. Out: `ShownThought`. Inspect 0.3.285 stores encrypted thoughts and signatures in the field for readable
ones: `reasoning` is readable only if `redacted` is false, and the readable text of a redacted thought is its `summary`
(Inspect AI's reference of ContentReasoning). A redacted thought does not say whether its provider shows all or a summary;
the bank `thoughts` records what is known about each family of models.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from unsway.banks import bank
from unsway.readers.channels import split
from unsway.types import Stop, Thought

if TYPE_CHECKING:
    from inspect_ai.model import ContentReasoning, ModelOutput


class ShownThought(NamedTuple):
    """The readable part of the thinking before one reply."""

    text: str
    """The readable text; empty if there is none."""
    kind: Thought
    """The kind of thought."""


def shown_thought(output: ModelOutput, model: str, stop: Stop) -> ShownThought:
    """The thinking in an output: the text of its reasoning channel, and the kind of thought, also of one in the reply.

    Args:
        output: The output of one turn.
        model: The name by which the model was asked.
        stop: Why the turn ended, in our words.
    """
    content = output.message.content if output.choices else ""
    parts = [part for part in content if part.type == "reasoning"] if isinstance(content, list) else []
    family_kind = shows(model)
    texts = []
    kinds = set[Thought]()
    for part in parts:
        text = readable(part)
        if text:
            texts.append(text)
            if part.redacted:  # only the family tells whether this is all of it or a summary
                kinds.add(family_kind)
            elif text == part.summary:
                kinds.add("summary")
            else:  # also a summary, for a family that shows summaries, even if an intermediate server calls it reasoning
                kinds.add("full" if part.summary or family_kind == "unknown" else family_kind)
        elif part.redacted or part.reasoning:
            kinds.add("hidden")
    if not texts:
        kind_in_text = split(output.completion).thought_kind  # a thought inside the text, between its family's marks
        is_hidden = kinds or (output.usage and output.usage.reasoning_tokens)
        return ShownThought("", kind_in_text if kind_in_text != "none" else "hidden" if is_hidden else "none")
    text = "\n".join(texts)
    if stop == "length" and not output.completion.strip():
        return ShownThought(text, "cut")
    if len(kinds) > 1:  # some parts are fully readable, others are not
        return ShownThought(text, "unknown" if "unknown" in kinds else "summary")
    return ShownThought(text, kinds.pop())


def readable(part: ContentReasoning) -> str:
    """The readable text of one piece of reasoning: its text unless redacted, else its summary, else nothing."""
    # OpenRouter details that Inspect cannot parse are in both fields, as JSON that may contain an encrypted thought
    is_raw = (part.signature or "").endswith(part.reasoning)
    return part.reasoning if part.reasoning and not part.redacted and not is_raw else part.summary or ""


def shows(model: str) -> Thought:
    """How much a family of models shows of its thinking: full, summary, or unknown."""
    kinds: dict[str, Thought] = {}
    for entry in bank("thoughts").entries:
        beginning, kind, _ = entry.split()
        if re.search(rf"(?:^|[/.:]){re.escape(beginning)}", model.lower()):
            kinds[beginning] = "full" if kind == "full" else "summary"
    return kinds[max(kinds, key=len)] if kinds else "unknown"
