"""How far does the reasoning hold together? A mark from 1 to 5; from 4 on it is coherent (arXiv 2403.05518, §5)."""

from __future__ import annotations

import re

from unsway.banks import bank
from unsway.judging.rubrics import rubric
from unsway.types import Pair, Side

_MARK = re.compile(r"[\s*_#>`-]{0,9}coherence[\s*_`]{0,9}:[\s*_`]{0,9}([1-5])[\s*_`.]{0,9}", re.I)
_ALONE = re.compile(r"[\s*_`]{0,9}([1-5])[\s*_`.]{0,9}")


@rubric("coherent", bank("coherence"), summary="How far the reasoning holds together, 1 to 5", yes_from=4, scale=(1, 5))
def coherent(words: str, pair: Pair, side: Side) -> int | None:
    """The mark; None if the words hold none in the requested form, or several."""
    lines = [line for line in words.splitlines() if line.strip()]
    matches = [match for line in lines if (match := _MARK.fullmatch(line))]
    if not matches and len(lines) == 1:
        matches = [match for match in [_ALONE.fullmatch(lines[0])] if match]
    marks = {int(match[1]) for match in matches}
    return marks.pop() if len(marks) == 1 else None
