"""What a reply shows of a model's thinking: the text that can be read, and which kind of thought it is.

In: an output of Inspect. Out: `ShownThought`. Inspect 0.3.285 puts encrypted thoughts and signatures where a readable thought
stands otherwise: `reasoning` can be read only where `redacted` is false; what can be read of a redacted thought is its
`summary` (Inspect AI's reference of ContentReasoning). Whether a provider shows all of a thought or a summary, a redacted one
does not say; the bank `thoughts` has what is known of each family of models.
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
    """What can be read of the thinking before one reply."""

    text: str
    """The readable text; empty where there is none."""
    kind: Thought
    """What it is."""


def shown_thought(output: ModelOutput, model: str, stop: Stop) -> ShownThought:
    """What an output shows of the thinking: the text of its reasoning channel, and the kind wherever the thought stands.

    Args:
        output: The output of one turn.
        model: The model, by the name under which it was asked.
        stop: Why the turn ended, in our words.
    """
    content = output.message.content if output.choices else ""
    parts = [part for part in content if part.type == "reasoning"] if isinstance(content, list) else []
    known, texts, kinds = shows(model), [], set[Thought]()
    for part in parts:
        text = readable(part)
        if text:
            texts.append(text)
            if part.redacted:  # whether its text is all of it or a summary is known only of the family
                kinds.add(known)
            elif text == part.summary:
                kinds.add("summary")
            else:  # a family that shows summaries has them here too, where a server in between calls them reasoning
                kinds.add("full" if part.summary or known == "unknown" else known)
        elif part.redacted or part.reasoning:
            kinds.add("hidden")
    if not texts:
        inside = split(
            output.completion
        ).thought_kind  # of a thought that stands in the text, between its family's marks
        is_hidden = kinds or (output.usage and output.usage.reasoning_tokens)
        return ShownThought("", inside if inside != "none" else "hidden" if is_hidden else "none")
    text = "\n".join(texts)
    if stop == "length" and not output.completion.strip():
        return ShownThought(text, "cut")
    if len(kinds) > 1:  # of one part all can be read, of another not
        return ShownThought(text, "unknown" if "unknown" in kinds else "summary")
    return ShownThought(text, kinds.pop())


def readable(part: ContentReasoning) -> str:
    """What can be read of one piece of reasoning: its text unless that is redacted, else its summary, else nothing."""
    # OpenRouter's details that Inspect cannot read stand in both, as JSON that may hold an encrypted thought
    is_raw = (part.signature or "").endswith(part.reasoning)
    return part.reasoning if part.reasoning and not part.redacted and not is_raw else part.summary or ""


def shows(model: str) -> Thought:
    """What a family of models shows of its thinking: full, summary, or unknown."""
    found: dict[str, Thought] = {}
    for entry in bank("thoughts").entries:
        beginning, kind, _ = entry.split()
        if re.search(rf"(?:^|[/.:]){re.escape(beginning)}", model.lower()):
            found[beginning] = "full" if kind == "full" else "summary"
    return found[max(found, key=len)] if found else "unknown"
