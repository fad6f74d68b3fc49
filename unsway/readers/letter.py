"""The reader of an answer turn: the letter that a model gives when it is asked for it alone, after its reply.

In: a pair whose elicitation has an answer turn, a side, a reply. Out: a `Reading` of the reply's last words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from unsway.readers import readers
from unsway.readers.multiple_choice import MultipleChoice
from unsway.types import Pair, Reading, Reply, Side

LETTER = "letter"
"""The name of the reader."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Reads the last words alone, as the multiple-choice reader does."""

    versioned: str = f"{LETTER}@1/{MultipleChoice().versioned}"
    """Version of the reader, which moves with that of the multiple-choice reader."""

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """The option of the letter, as one of the question's own order."""
        return replace(MultipleChoice()(pair, side, replace(reply, reasoning=None)), by=self.versioned)


def first_reply(reply: Reply | None) -> Reply | None:
    """What a model said before it was asked for the letter; None where it said nothing."""
    if reply is None or not reply.turns:
        return reply
    return replace(
        reply,
        text=reply.turns[-1],
        turns=reply.turns[:-1],
        reasoning=(reply.turn_reasoning or ("",))[-1] or None,
        stop=(reply.turn_stops or ("end",))[-1],
        thought=(reply.turn_thoughts or ("unknown",))[-1],
        turn_stops=reply.turn_stops[:-1],
        turn_reasoning=reply.turn_reasoning[:-1],
        turn_thoughts=reply.turn_thoughts[:-1],
    )


def spoken(pair: Pair, reply: Reply) -> Reply:
    """The reply with its reasons, which judges are shown: of a pair with an answer turn, what was said before the letter."""
    return (first_reply(reply) or reply) if pair.rule.reader == LETTER else reply


readers.add(LETTER, Letter())
