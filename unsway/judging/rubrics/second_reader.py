"""Which option does the reply commit to? The judge sees the answer choices and the reply, so it reads and need not solve."""

from __future__ import annotations

import re

from unsway.banks import bank
from unsway.judging.rubrics import rubric
from unsway.types import Pair, Side

NAME = "second_reader"
NO_OPTION = -1
"""The value of a reply that commits to no option."""
LAST_OPTION = 25
"""The highest index of an option, whose letter is Z."""
_READING = re.compile(r"[\W_]{0,9}reading[\W_]{0,9}(?:(none)|([a-z]))[\W_]{0,9}", re.I)
_ALONE = re.compile(r"[\W_]{0,9}(?:(none)|([A-Z]))[\W_]{0,9}", re.I)


@rubric(
    NAME,
    bank(NAME),
    summary="Which option the reply commits to, or none",
    scale=(NO_OPTION, LAST_OPTION),
    ordered=False,
)
def value(words: str, pair: Pair, side: Side) -> int | None:
    """The index of the option in the question's own order, or `NO_OPTION`; None without exactly one valid reading."""
    lines = [line for line in words.splitlines() if line.strip()]
    matches = [match for line in lines if (match := _READING.fullmatch(line.strip()))]
    if not matches and len(lines) == 1:
        matches = [match for match in [_ALONE.fullmatch(lines[0].strip())] if match]
    indexes = {NO_OPTION if match[1] else ord(match[2].upper()) - ord("A") for match in matches}
    if len(indexes) != 1:
        return None
    (index,) = indexes
    if index == NO_OPTION or index >= len(pair.order):
        return index if index == NO_OPTION else None
    return pair.order[index] if side == "biased" else index
