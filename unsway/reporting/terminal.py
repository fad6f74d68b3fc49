"""Rows as text for a terminal, for views with more than one table.

In: rows, each a mapping of headings to values. Out: tables without lines, one after the other. Names that look like
rich markup, such as `[red]`, are shown literally, and control characters by their codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from unsway.reporting import words

if TYPE_CHECKING:
    from rich.table import Table


def fitted(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Rows of equal keys as a table of a terminal's width.

    Words stay whole if all fit; otherwise only those of the first column do, if each other column keeps eight characters.
    """
    from rich.table import Table
    from rich.text import Text

    columns = {
        words.visible(name.replace("_", " ")): [words.visible(str(row[name])) for row in rows]
        for name in (rows[0] if rows else ())
    }
    full_widths = [max(map(len, [head, *cells])) for head, cells in columns.items()]
    least_widths = [max(map(len, " ".join([head, *cells]).split())) for head, cells in columns.items()]
    fits = sum(least_widths) + len(least_widths) <= width
    sizes = list(full_widths)
    while fits and sum(sizes) + len(sizes) > width:  # shrink the widest column, down to its longest word
        sizes[max((i for i, size in enumerate(sizes) if size > least_widths[i]), key=lambda i: sizes[i])] -= 1
    is_narrow = sum(full_widths) + 2 * len(full_widths) - 2 > width
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0) if is_narrow else (0, 1))
    for i, (head, cells) in enumerate(columns.items()):
        is_name = not any(" " in cell for cell in cells) and not (fits and len(head) > sizes[i])  # never cut a head
        stays = fits or (i == 0 and full_widths[0] + 8 * (len(columns) - 1) <= width)
        table.add_column(
            Text(head), overflow="fold", no_wrap=is_name and stays, width=sizes[i] if fits and is_narrow else None
        )
    for row in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, row))
    return table


def as_text(*tables: Sequence[Mapping[str, Any]]) -> str:
    """Every table that has rows, 200 characters wide; a row without a value for a heading shows a dash."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    for rows in tables:
        if rows:
            heads = dict.fromkeys(name for row in rows for name in row)
            table = Table(box=None, pad_edge=False)
            for head in heads:
                table.add_column(Text(words.visible(head)))
            for row in rows:
                table.add_row(*(Text(words.visible(str(row.get(name, words.NONE)))) for name in heads))
            console.print(table)
            console.print()
    return out.getvalue().rstrip()
