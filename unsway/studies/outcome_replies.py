"""Iterate over the replies behind outcomes, for judges, monitors and tables of transcripts.

In: `Results`. Out: for each outcome, its pair with a side and the reply on that side.
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
    """The pair's prompt on that side."""
    reply: Reply
    """The reply."""
    address: str
    """The address by which verdicts refer to the reply."""


def outcome_replies(results: Results) -> Iterator[OutcomeReply]:
    """Yield the biased and the clean reply of every outcome, except sides that were never asked."""
    pairs = {pair.id: pair for pair in results.pairs}
    for outcome in results.outcomes:
        pair = pairs[outcome.pair_id]
        sides: tuple[tuple[Side, Prompt], ...] = (("biased", pair.biased), ("clean", pair.clean))
        for side, prompt in sides:
            reply = results.reply(outcome.arm, prompt, outcome.sample)
            if reply is not None:
                yield OutcomeReply(outcome, pair, side, prompt, reply, reply_id(reply))
