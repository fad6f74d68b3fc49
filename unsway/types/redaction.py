"""What may be shown of requests that may do harm, and of the replies to them: how long a text is, and a hash.

In: pairs and replies. Out: the same values with their texts exchanged. Kept files stay raw; whatever a person is shown of a
study passes through here.

    >>> redact("ten little words")
    '[redacted: 16 characters, sha256 afae394d263b]'
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from unsway.types.prompts import Prompt, Turn
from unsway.types.rows import Pair, Reply


def redact(text: str) -> str:
    """The length and a hash of a text; an empty one, or one of white space alone, stays as it is."""
    if not text.strip():
        return text
    return f"[redacted: {len(text):,} characters, sha256 {sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}]"


def redacted_prompt(prompt: Prompt) -> Prompt:
    """The prompt with every part redacted but instructions, which are the same for every request."""
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
    """The pair as it may be shown: as it is, or redacted where its rule says so. Its id and its question's id stay."""
    if not pair.rule.redacted:
        return pair
    question = replace(pair.question, stem=redact(pair.question.stem))
    return replace(pair, question=question, clean=redacted_prompt(pair.clean), biased=redacted_prompt(pair.biased))


def shown_reply(pair: Pair, reply: Reply) -> Reply:
    """The reply to a pair as it may be shown: as it is, or with everything the model said redacted."""
    if not pair.rule.redacted:
        return reply
    return replace(
        reply,
        text=redact(reply.text),
        reasoning=None if reply.reasoning is None else redact(reply.reasoning),
        turns=tuple(map(redact, reply.turns)),
    )
