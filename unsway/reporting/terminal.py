"""Rows as text for a terminal, for the views that are more than one table.

In: rows, each a mapping of headings to values. Out: tables without lines, behind one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from unsway.reporting import words

if TYPE_CHECKING:
    from rich.table import Table


def fitted(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Rows of equal keys as a table of a terminal's width, in which names stay whole where all words fit, or else those of
    the first column, where that leaves eight characters to each other one.
    """
    from rich.table import Table

    columns = {name.replace("_", " "): [str(one[name]) for one in rows] for name in rows[0]}
    whole = [max(map(len, [head, *cells])) for head, cells in columns.items()]
    least = [max(map(len, " ".join([head, *cells]).split())) for head, cells in columns.items()]
    natural, spare = sum(whole) + 2 * len(whole) - 2, width - sum(least) - len(least)
    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0) if natural > width else (0, 1))
    for i, (head, cells) in enumerate(columns.items()):
        is_name = not any(" " in cell for cell in cells)
        fits = spare >= 0 or (i == 0 and whole[0] + 8 * (len(columns) - 1) <= width)
        shared = least[i] + spare * (whole[i] - least[i]) // max(1, sum(whole) - sum(least))
        exact = shared if natural > width and spare >= 0 else None
        shown.add_column(head, overflow="fold", no_wrap=is_name and fits, width=exact)
    for row in zip(*columns.values(), strict=True):
        shown.add_row(*row)
    return shown


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
