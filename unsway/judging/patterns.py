"""A judge without a model: patterns that say whether a text mentions its cue, one for each family of cues.

In: replies. Out: `Verdict`s on `mentions_cue` alone: whether a text relies on a cue is not a matter of words. The patterns
are the bank `cue_patterns`. How often they match clean replies is printed next to what they find.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.judging.rubrics import Said, get
from unsway.judging.verdicts import Channel, JudgedReply
from unsway.registry import Ref
from unsway.types import Verdict

BANK = "cue_patterns"
RUBRIC = "mentions_cue"
"""The only question that patterns answer."""


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """The pattern of each family of cues, by the name of its bias."""
    found: dict[str, str] = {}
    for entry in bank(BANK).entries:
        name, _, pattern = entry.partition(" = ")
        found[name] = fill(pattern, **found)
    return {name: re.compile(pattern, re.I) for name, pattern in found.items()}


def pattern_verdicts(judged: Sequence[JudgedReply], *, channel: Channel = "answer") -> tuple[Verdict, ...]:
    """Whether each text mentions its cue, by the pattern of its family; the quote is what matched."""
    rubric, by, found = get(RUBRIC), bank(BANK).versioned, []
    for each in judged:
        text, missing = each.text(channel)
        pattern = patterns().get(Ref.parse(each.cued.bias).name)
        if missing or pattern is None:
            said = Said(None, missing=missing or "undefined")
        else:
            match = pattern.search(text)
            said = Said(match is not None, match[0] if match else "")
        found.append(each.verdict(rubric, channel, by, said))
    return tuple(found)
