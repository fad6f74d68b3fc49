"""Rows as text for a terminal, for the views that are more than one table.

In: rows, each a mapping of headings to values. Out: tables without lines, behind one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from unsway.reporting import words


def as_text(*tables: Sequence[Mapping[str, Any]]) -> str:
    """Every table that has rows, 200 characters wide; a row without a value under a heading shows a dash there."""
    from rich.console import Console
    from rich.table import Table

    out = StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    for lines in tables:
        if lines:
            heads = dict.fromkeys(name for line in lines for name in line)
            shown = Table(*heads, box=None, pad_edge=False)
            for line in lines:
                shown.add_row(*(str(line.get(name, words.NONE)) for name in heads))
            console.print(shown)
            console.print()
    return out.getvalue().rstrip()
