"""The reader of requests. A judge decides whether a reply answers or declines, so this reader decides nothing.

In: a request and a reply. Out: a `Reading` without a value. Once there are verdicts on the rubric `request_outcome`, they
are used instead (`unsway.stats.outcomes`). A reply without a verdict is missing: neither a refusal nor an answer.
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
    """A reading without a value: truncated for a cut reply, refused for a filtered one, else without a verdict."""
    if reply.stop == "length":
        return Reading(None, "truncated", "cut")
    return Reading(None, "refused", "filter") if reply.stop == "filter" else Reading(None, "unparsed", "no_verdict")
