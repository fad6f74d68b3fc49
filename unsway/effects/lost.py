"""Examples of losses: for each number, a few prompts with the replies of base and arm, for a person to read.

In: what was asked, the replies of each arm, and the rows of a panel. Out: `LostItem`s, the largest losses of each number
first. Numbers read by a judge are left out: their prompts and replies should not be on a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from unsway.effects.asked import AskedEffect, Lookup
from unsway.effects.definition import EffectMeasure, choice
from unsway.effects.panel import PanelRow
from unsway.effects.scoring import scored_replies, select_items

MOST = 2
"""Maximum items for each number and arm."""
LONGEST = 700
"""Maximum characters of a prompt and of a reply; the middle of longer ones is left out, to keep a page below 5 MB."""
SINGLY: tuple[str, ...] = ("change", "kept", "level", "rate")
"""Kinds of numbers for which a single question can show a loss."""


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
    """The score of its reply."""
    before: float
    """The base's score; 0 if the number is compared with 0."""
    asked: str
    """The item's last prompt that the two answered differently; if the number is compared with 0, the item's last prompt."""
    said: str
    """The arm's first reply to it."""
    said_before: str
    """The base's first reply to it."""


def lost_items(
    asked_effects: Sequence[AskedEffect], lookups: Mapping[str, Lookup], panel_rows: Sequence[PanelRow], base: str
) -> tuple[LostItem, ...]:
    """The largest losses of every number with a margin against the base, or against 0, a few for each arm."""
    items = []
    for asked_effect in (
        select_items(asked_effect, lookups[base]) for asked_effect in asked_effects if asked_effect.effect.judge is None
    ):
        for measure in asked_effect.effect.measures:
            measure_rows = (
                row for row in panel_rows if (row.effect, row.measure) == (asked_effect.effect.versioned, measure.name)
            )
            for row in measure_rows if measure.margin is not None and measure.kind in SINGLY else ():
                if row.arm != base and row.against in (base, ""):
                    worst = sorted(
                        _losses(asked_effect, measure, lookups, row, base),
                        key=lambda item: -abs(item.score - item.before),
                    )
                    items += worst[:MOST]
    return tuple(items)


def _losses(
    asked_effect: AskedEffect, measure: EffectMeasure, lookups: Mapping[str, Lookup], row: PanelRow, base: str
) -> Iterator[LostItem]:
    """Every item that scored worse in the arm of a row."""
    for item in asked_effect.items:
        if measure.conditions and item.condition not in measure.conditions:
            continue
        replies = [scored_replies(asked_effect, item, lookups[label]) for label in (row.arm, base)]
        now, then = (measure.score(item, arm_replies) for arm_replies in replies)
        then = then if row.against else 0.0
        if now is None or then is None or isnan(now) or isnan(then) or (now <= then if measure.rises else now >= then):
            continue
        # prompts answered differently: if evidence counts less, the reply without it may be the reason
        answers = [
            {choice(item.question, arm_replies[n]) for arm_replies in replies}
            for n in range(len(item.prompts))
            if row.against
        ]
        changed = [n for n, choices in enumerate(answers) if len(choices) == 2]
        index = changed[-1] if changed else -1
        reply_text, reply_before = (arm_replies[index][0].text if arm_replies[index] else "" for arm_replies in replies)
        prompt_text = "\n\n".join(turn.text() for turn in item.prompts[index].turns if turn.parts)
        half = LONGEST // 2
        texts = (
            text if len(text) <= LONGEST else f"{text[:half]} […] {text[-half:]}"
            for text in (prompt_text, reply_text, reply_before)
        )
        yield LostItem(row.effect, row.measure, row.arm, now, then, *texts)
