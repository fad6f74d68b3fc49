"""The multiple-choice reader: which option a reply commits to last.

In: a pair, a side, a reply. Out: a `Reading` whose value is the index of an option of the question.
"""

from __future__ import annotations

from dataclasses import dataclass

from unsway.readers import readers
from unsway.readers.parse import PARSER, reading_of
from unsway.types import Pair, Reading, Reply, Side


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """Reads the option that a reply commits to last (`unsway.readers.parse`)."""

    versioned: str = PARSER
    """Version of the reader."""

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """The last option committed to, in the question's own order."""
        order = pair.order if side == "biased" else tuple(range(len(pair.question.options)))
        reading = reading_of(reply.text, reply.reasoning, reply.stop, tuple(pair.question.options[i] for i in order))
        if reading.choice is None or order[reading.choice] == reading.choice:
            return reading
        return Reading(order[reading.choice], reading.status, reading.rule, reading.span, reading.by)


readers.add("mcq", MultipleChoice())
