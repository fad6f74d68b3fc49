"""Read folders of the first edition as current ones; nothing is written back until more is measured into them.

First-edition rows held the question inside each pair, named an arm by its model and intervention in one string, gave each
exclusion as one word, and left the counting rule of a pair to the installed bias.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from unsway import biases
from unsway.errors import BadInput
from unsway.registry import Ref
from unsway.stats.outcomes import NO_REPLY
from unsway.studies.arms import Arm
from unsway.types import ArmKey, Excluded, Outcome, Reading, Rule

NOW = 2
"""The edition noted in `arms.json`; a folder that notes none is of the first edition."""
RULES = {"are_you_sure": Rule("zero", "first_right"), "positional": Rule("zero")}
"""Counting rules of the first edition's own biases that differed from the default rule."""
_log = logging.getLogger(__name__)


def check_known(folder: Path, edition: int | None) -> None:
    """Raise `BadInput` for a folder of a later edition, which may hold data that this one would leave out."""
    if edition is not None and edition > NOW:
        raise BadInput(
            f"{str(folder)!r} was written by a later unsway: it is of edition {edition}, and this unsway reads {NOW} and "
            "before. Install the later one to read it."
        )


def rule_of(bias: str) -> Rule:
    """How pairs of a bias (`name@version`) were counted: by the rule of the bias, if it is installed."""
    name = Ref.parse(bias).name
    if name not in RULES and name not in biases.names():
        _log.warning(
            "%s is not installed, and its pairs are of the first edition, which do not say how they count: they are "
            "counted with their clean rate as asked. Install it to count them as it says.",
            bias,
        )
    return RULES.get(name) or biases.rule_of(name)


def arm_of(arm: Arm) -> Arm:
    """The arm with the intervention removed from its model's name; the first edition put both in one name."""
    return replace(arm, model=arm.model.removesuffix(f" + {arm.intervention}")) if arm.intervention else arm


def has_key(path: Path, key: str) -> bool:
    """Whether the first row of a JSONL file has a key; a file is written as a whole, so its rows are of one edition.

    A damaged first row counts as current; its damage is reported when it is read.
    """
    with path.open("rb") as file:
        first = file.readline()
    try:
        return bool(first) and key in json.loads(first)
    except (ValueError, TypeError, RecursionError):
        return True


def outcome(row: Mapping[str, Any], keys: Mapping[str, ArmKey]) -> Outcome:
    """The outcome of a row; `keys` maps first-edition names to arms."""
    values = {**row, "arm": keys.get(row["model"], ArmKey(row["model"])), "rule": rule_of(row["bias"])}
    del values["model"]
    for side in ("clean", "biased"):
        reading = row[side]
        span = row[side]["span"]
        values[side] = Reading(reading["choice"], reading["status"], reading["rule"], span and tuple(span))
        if reading["rule"] == "no_reply":
            values[side] = NO_REPLY
    reason = row["excluded"]
    excluded = None
    if reason and reason.startswith("no_"):
        excluded = Excluded("clean" if "clean" in reason else "biased", "no_reply")
    elif reason:
        side, _, status = reason.rpartition("_")
        excluded = Excluded(side, status)
    return Outcome(**values | {"excluded": excluded})
