"""People's labels as rows: how well labellers agree, and what they found in each arm.

In: `Agreement`s or `ArmShare`s. Out: rows of text for a table, bodies for a program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from unsway.judging.agreement import Agreement, ArmShare
from unsway.reporting import words
from unsway.types import Estimate


def rows(entries: Iterable[Agreement | ArmShare]) -> list[dict[str, str]]:
    """A row for each: numbers with their intervals and n, or why there is none."""

    def text(value: Any) -> str:
        if value is None:
            return words.NONE
        if not isinstance(value, Estimate):
            return words.visible(" / ".join(value) if isinstance(value, tuple) else str(value))
        if value.value is None:
            return f"{words.NONE} ({words.visible(value.note)})"
        return f"{words.ratio(value)}, n {value.n}"

    return [{name: text(value) for name, value in row._asdict().items()} for row in entries]


def bodies(entries: Iterable[Agreement | ArmShare]) -> list[dict[str, Any]]:
    """Everything of each for a program."""
    records = [record._asdict() for record in entries]
    return [{k: asdict(v) if isinstance(v, Estimate) else v for k, v in record.items()} for record in records]
