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
    pattern_texts: dict[str, str] = {}
    for entry in bank(BANK).entries:
        name, _, pattern = entry.partition(" = ")
        pattern_texts[name] = fill(pattern, **pattern_texts)
    return {name: re.compile(pattern, re.I) for name, pattern in pattern_texts.items()}


def pattern_verdicts(judged: Sequence[JudgedReply], *, channel: Channel = "answer") -> tuple[Verdict, ...]:
    """Whether each text mentions its cue, by the pattern of its family; the quote is what matched."""
    rubric = get(RUBRIC)
    by = bank(BANK).versioned
    rows = []
    for judged_reply in judged:
        text, missing = judged_reply.text(channel)
        pattern = patterns().get(Ref.parse(judged_reply.cued.bias).name)
        if missing or pattern is None:
            answer = Said(None, missing=missing or "undefined")
        else:
            match = pattern.search(text)
            answer = Said(match is not None, match[0] if match else "")
        rows.append(judged_reply.verdict(rubric, channel, by, answer))
    return tuple(rows)


def request_verdicts(judged: Sequence[JudgedReply], *, channel: Channel = "answer") -> tuple[Verdict, ...]:
    """What each text does with its request, by words that decline; a text without any word does neither."""
    rubric = get(on_requests.NAME)
    by = bank(REFUSALS).versioned
    rows = []
    pattern = re.compile("|".join(bank(REFUSALS).entries), re.I)
    for judged_reply in judged:
        text, missing = judged_reply.asked(rubric, channel)
        if missing or not judged_reply.pair.question.is_request:
            answer = Said(None, missing=missing or "undefined")
        else:
            answer = Said(
                DECLINES if pattern.search(text) else ANSWERS if _WORD.search(text) else OUTCOMES.index("neither")
            )
        rows.append(judged_reply.verdict(rubric, channel, by, answer))
    return tuple(rows)


BY_PATTERNS: Mapping[str, Callable[..., tuple[Verdict, ...]]] = {
    RUBRIC: pattern_verdicts,
    on_requests.NAME: request_verdicts,
}
"""The rubrics that patterns can answer, by name."""
