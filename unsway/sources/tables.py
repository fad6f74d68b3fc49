"""Rows of the files in which question sets are published.

In: a file of any kind that `rows/opening.py` supports. Out: its rows as dictionaries.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
LONGEST = 20_000_000
"""Longest row, in characters; published files contain requests with many examples."""


def rows(path: Path) -> Iterator[Row]:
    """Rows of a published file. Raises `BadRow` if one cannot be read."""
    from unsway.errors import BadRow
    from unsway.rows.opening import Opening

    for _, row in Opening(path, LONGEST):
        if isinstance(row, BadRow):
            raise row
        yield row


def once(rows: Iterator[Row], *keys: str) -> Iterator[Row]:
    """Rows whose value at a path of keys has not occurred before."""
    values = set()
    for row in rows:
        value: Any = row
        for key in keys:
            value = value[key]
        if value not in values:
            values.add(value)
            yield row
