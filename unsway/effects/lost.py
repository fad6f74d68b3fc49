"""Where an arm lost what the base had: a few prompts with both replies for each number, for a person to read.

In: what was asked, the replies of each arm, and the rows of a panel. Out: `LostItem`s, the largest losses of each number
first. Numbers that a judge reads are left out: their prompts and replies are not for a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from unsway.effects.asked import AskedEffect, Lookup
from unsway.effects.definition import EffectMeasure, choice
from unsway.effects.panel import PanelRow
from unsway.effects.scoring import counted, scored_replies

MOST = 2
"""Items of a number and an arm."""
LONGEST = 700
"""Characters of a prompt and of a reply, of which the middle is left out where there are more: a page stays below 5 MB."""
SINGLY: tuple[str, ...] = ("change", "kept", "level", "rate")
"""Kinds of numbers that one question can lose by itself."""


@dataclass(frozen=True, slots=True)
class LostItem:
    """One prompt with the replies of two arms."""

    effect: str
    """`name@version`."""
    measure: str
    """Name of the number."""
    arm: str
    """Label of the arm."""
    score: float
    """What its reply scored."""
    before: float
    """What that of the base scored; 0 where the number stands against 0."""
    asked: str
    """The last prompt of the item that the two answered otherwise; where the number stands against 0, the last of all."""
    said: str
    """What the arm said to it first."""
    said_before: str
    """What the base said to it first."""


def lost_items(
    asked: Sequence[AskedEffect], lookups: Mapping[str, Lookup], found: Sequence[PanelRow], base: str
) -> tuple[LostItem, ...]:
    """The largest losses of every number with a margin against the base, or against 0, a few for each arm."""
    items = []
    for one in (counted(each, lookups[base]) for each in asked if each.effect.judge is None):
        for measure in one.effect.measures:
            rows = (row for row in found if (row.effect, row.measure) == (one.effect.versioned, measure.name))
            for row in rows if measure.margin is not None and measure.kind in SINGLY else ():
                if row.arm != base and row.against in (base, ""):
                    worst = sorted(
                        _losses(one, measure, lookups, row, base), key=lambda item: -abs(item.score - item.before)
                    )
                    items += worst[:MOST]
    return tuple(items)


def _losses(
    one: AskedEffect, measure: EffectMeasure, lookups: Mapping[str, Lookup], row: PanelRow, base: str
) -> Iterator[LostItem]:
    """Every item that scored worse in the arm of a row."""
    for item in one.items:
        if measure.conditions and item.condition not in measure.conditions:
            continue
        replies = [scored_replies(one, item, lookups[label]) for label in (row.arm, base)]
        now, then = (measure.score(item, each) for each in replies)
        then = then if row.against else 0.0
        if now is None or then is None or isnan(now) or isnan(then) or (now <= then if measure.rises else now >= then):
            continue
        # the prompts that the two arms answer otherwise: of evidence that counts less, what was said without it may be why
        answers = [
            {choice(item.question, each[n]) for each in replies} for n in range(len(item.prompts)) if row.against
        ]
        changed = [n for n, both in enumerate(answers) if len(both) == 2]
        at = changed[-1] if changed else -1
        said, said_before = (each[at][0].text if each[at] else "" for each in replies)
        asked = "\n\n".join(turn.text() for turn in item.prompts[at].turns if turn.parts)
        half = LONGEST // 2
        texts = (
            text if len(text) <= LONGEST else f"{text[:half]} […] {text[-half:]}" for text in (asked, said, said_before)
        )
        yield LostItem(row.effect, row.measure, row.arm, now, then, *texts)
