"""The reader of an answer turn: the letter that a model gives when asked for only the letter, after its reply.

In: a pair whose elicitation has an answer turn, a side, a reply. Out: a `Reading` of the model's last turn.
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
    """Reads only the last turn, as the multiple-choice reader does."""

    versioned: str = f"{LETTER}@1/{MultipleChoice().versioned}"
    """Version of the reader; it includes the multiple-choice reader's version."""

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """The option of the letter, in the question's own order."""
        return replace(MultipleChoice()(pair, side, replace(reply, reasoning=None)), by=self.versioned)


def first_reply(reply: Reply | None) -> Reply | None:
    """The model's reply before it was asked for the letter; unchanged if there was no earlier turn, None for None."""
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
    """The reply that judges see, with its reasons: for a pair with an answer turn, the reply before the letter."""
    return (first_reply(reply) or reply) if pair.rule.reader == LETTER else reply


readers.add(LETTER, Letter())
