"""Rows as text for a terminal, for the views that are more than one table.

In: rows, each a mapping of headings to values. Out: tables without lines, behind one another. A name that looks like
rich's markup, such as `[red]`, is shown as it is, and a control character in one by its code.
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
    from rich.text import Text

    columns = {
        words.visible(name.replace("_", " ")): [words.visible(str(one[name])) for one in rows]
        for name in (rows[0] if rows else ())
    }
    whole = [max(map(len, [head, *cells])) for head, cells in columns.items()]
    least = [max(map(len, " ".join([head, *cells]).split())) for head, cells in columns.items()]
    fits, sizes = sum(least) + len(least) <= width, list(whole)
    while fits and sum(sizes) + len(sizes) > width:  # the widest gives way, down to its longest word
        sizes[max((i for i, size in enumerate(sizes) if size > least[i]), key=lambda i: sizes[i])] -= 1
    is_narrow = sum(whole) + 2 * len(whole) - 2 > width
    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0) if is_narrow else (0, 1))
    for i, (head, cells) in enumerate(columns.items()):
        is_name = not any(" " in cell for cell in cells) and not (fits and len(head) > sizes[i])  # no head is cut
        stays = fits or (i == 0 and whole[0] + 8 * (len(columns) - 1) <= width)
        shown.add_column(
            Text(head), overflow="fold", no_wrap=is_name and stays, width=sizes[i] if fits and is_narrow else None
        )
    for row in zip(*columns.values(), strict=True):
        shown.add_row(*map(Text, row))
    return shown


def as_text(*tables: Sequence[Mapping[str, Any]]) -> str:
    """Every table that has rows, 200 characters wide; a row without a value under a heading shows a dash there."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    for lines in tables:
        if lines:
            heads = dict.fromkeys(name for line in lines for name in line)
            shown = Table(box=None, pad_edge=False)
            for head in heads:
                shown.add_column(Text(words.visible(head)))
            for line in lines:
                shown.add_row(*(Text(words.visible(str(line.get(name, words.NONE)))) for name in heads))
            console.print(shown)
            console.print()
    return out.getvalue().rstrip()
