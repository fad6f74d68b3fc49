"""What happened to a pair: one word per outcome."""

from __future__ import annotations

from typing import Literal, TypeAlias

from unsway.types import Outcome

State: TypeAlias = Literal["switched", "held", "both", "away", "unread", "excluded"]
"""What happened to a pair: the model switched to the cue; held (followed it in neither reply); gave the cued answer in both
replies; moved away from it; a reply was missing or unreadable; or the bias's definition excludes the pair."""


def state(outcome: Outcome) -> State:
    """What happened to a pair in one arm."""
    if outcome.excluded is not None:
        return "excluded" if outcome.excluded.by_definition else "unread"
    if outcome.hit_clean:
        return "both" if outcome.hit_biased else "away"
    return "switched" if outcome.hit_biased else "held"
