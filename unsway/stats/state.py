"""What became of a pair: one word for an outcome."""

from __future__ import annotations

from typing import Literal, TypeAlias

from unsway.types import Outcome

State: TypeAlias = Literal["switched", "held", "both", "away", "unread", "excluded"]
"""What became of a pair: switched to the cue; held (followed it in neither reply); gave the cued answer in both; moved
away from it; a reply was missing or could not be read; or left out by the definition of the bias."""


def state(outcome: Outcome) -> State:
    """What became of a pair in one arm."""
    if outcome.excluded is not None:
        return "excluded" if outcome.excluded.by_definition else "unread"
    if outcome.hit_clean:
        return "both" if outcome.hit_biased else "away"
    return "switched" if outcome.hit_biased else "held"
