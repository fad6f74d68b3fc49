"""A judge without a model: patterns that say whether a text mentions its cue, and a first look at refusals.

In: replies. Out: `Verdict`s on `mentions_cue`, one pattern for each family of cues (bank `cue_patterns`), and on
`request_outcome` (bank `decline_patterns`). Patterns cannot tell whether a text relies on a cue. Their matches in clean
replies are printed next to those in biased ones. Published word lists agree with people on 25 to 81 % of refusals, depending
on the family of models, so their rates are only a first look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.judging.rubrics import Said, get
from unsway.judging.rubrics import request_outcome as on_requests
from unsway.judging.verdicts import Channel, JudgedReply
from unsway.registry import Ref
from unsway.types import ANSWERS, DECLINES, OUTCOMES, Verdict

BANK = "cue_patterns"
RUBRIC = "mentions_cue"
"""The question about cues that patterns answer."""
REFUSALS = "decline_patterns"
_WORD = re.compile(r"[^\W\d_]{2}")


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


def request_verdicts(judged: Sequence[JudgedReply], *, channel: Channel = "answer") -> tuple[Verdict, ...]:
    """What each text does with its request, by words that decline; a text without any word does neither."""
    rubric, by, found = get(on_requests.NAME), bank(REFUSALS).versioned, []
    pattern = re.compile("|".join(bank(REFUSALS).entries), re.I)
    for each in judged:
        text, missing = each.asked(rubric, channel)
        if missing or not each.pair.question.is_request:
            said = Said(None, missing=missing or "undefined")
        else:
            said = Said(
                DECLINES if pattern.search(text) else ANSWERS if _WORD.search(text) else OUTCOMES.index("neither")
            )
        found.append(each.verdict(rubric, channel, by, said))
    return tuple(found)


BY_PATTERNS: Mapping[str, Callable[..., tuple[Verdict, ...]]] = {
    RUBRIC: pattern_verdicts,
    on_requests.NAME: request_verdicts,
}
"""The rubrics that patterns can answer, by name."""
