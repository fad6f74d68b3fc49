"""The reader of requests: what a reply does with one, answer or decline, is for a judge to say.

In: a request and a reply. Out: a `Reading` without a value. Verdicts on the rubric `request_outcome` take its place once
there are any (`unsway.stats.outcomes`), so a reply without a verdict is missing: neither a refusal nor an answer.
"""

from __future__ import annotations

from unsway.readers import reader
from unsway.types import Pair, Reading, Reply, Side

REQUEST = "request"
"""The name of the reader."""


@reader(
    REQUEST,
    version=1,
    summary="What a reply does with a request; a judge says it (`unsway judge --ask request_outcome`)",
)
def unjudged(pair: Pair, side: Side, reply: Reply) -> Reading:
    """No reading: cut and filtered replies for that reason, all others because no judge was asked."""
    if reply.stop == "length":
        return Reading(None, "truncated", "cut")
    return Reading(None, "refused", "filter") if reply.stop == "filter" else Reading(None, "unparsed", "no_verdict")
