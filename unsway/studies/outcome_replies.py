"""The replies behind outcomes, one after another: what judges, monitors and tables of transcripts go over.

In: `Results`. Out: each outcome with its pair, a side of it and what was said there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unsway.studies.results import Results
from unsway.types import Outcome, Pair, Prompt, Reply, Side
from unsway.types.address import reply_id


class OutcomeReply(NamedTuple):
    """One side of an outcome and its reply."""

    outcome: Outcome
    """The outcome."""
    pair: Pair
    """Its pair."""
    side: Side
    """Which side was answered."""
    prompt: Prompt
    """The prompt of that side, as it stands in the pair."""
    reply: Reply
    """The reply."""
    address: str
    """How verdicts name the reply."""


def outcome_replies(found: Results) -> Iterator[OutcomeReply]:
    """Every outcome's biased reply and its clean one, those that nobody was asked for left out."""
    pairs = {pair.id: pair for pair in found.pairs}
    for outcome in found.outcomes:
        pair = pairs[outcome.pair_id]
        sides: tuple[tuple[Side, Prompt], ...] = (("biased", pair.biased), ("clean", pair.clean))
        for side, prompt in sides:
            reply = found.reply(outcome.arm, prompt, outcome.sample)
            if reply is not None:
                yield OutcomeReply(outcome, pair, side, prompt, reply, reply_id(reply))
