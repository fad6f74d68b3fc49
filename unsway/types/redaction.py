"""Redacts requests that may be harmful, and the replies to them: shows only the length and a hash of a text.

In: pairs and replies. Out: the same values with their texts replaced. Stored files stay raw; everything that people see of
a study is redacted here first.

    >>> redact("ten little words")
    '[redacted: 16 characters, sha256 afae394d263b]'
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from unsway.types.prompts import Prompt, Turn
from unsway.types.rows import Pair, Reply


def redact(text: str) -> str:
    """The length and a hash of a text; an empty or blank text stays unchanged."""
    if not text.strip():
        return text
    return f"[redacted: {len(text):,} characters, sha256 {sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}]"


def redacted_prompt(prompt: Prompt) -> Prompt:
    """The prompt with all parts redacted except instructions, which are the same for every request."""
    return Prompt(
        tuple(
            Turn(
                turn.role,
                None
                if turn.parts is None
                else tuple(
                    part if part.kind == "instruction" else replace(part, text=redact(part.text)) for part in turn.parts
                ),
            )
            for turn in prompt.turns
        )
    )


def shown_pair(pair: Pair) -> Pair:
    """The pair for display: redacted if its rule says so, else unchanged. Its id and its question's id stay."""
    if not pair.rule.redacted:
        return pair
    question = replace(pair.question, stem=redact(pair.question.stem))
    return replace(pair, question=question, clean=redacted_prompt(pair.clean), biased=redacted_prompt(pair.biased))


def shown_reply(pair: Pair, reply: Reply) -> Reply:
    """The reply to a pair for display: with all of the model's text redacted if the pair's rule says so, else unchanged."""
    if not pair.rule.redacted:
        return reply
    return replace(
        reply,
        text=redact(reply.text),
        reasoning=None if reply.reasoning is None else redact(reply.reasoning),
        turns=tuple(map(redact, reply.turns)),
    )
