"""The slide of a weekly meeting: what was expected, what happened, what was decided, what is next.

In: a folder of studies with its notebook. Out: one `Slide`, its four parts side by side in two rows. Nothing is asked.

    week_slide("runs").items
"""

from __future__ import annotations

from pathlib import Path

from unsway.reporting.deck import layout as at
from unsway.reporting.deck.layout import Paragraph, Slide, Text, cut, line
from unsway.reporting.week import week_parts

BETWEEN, GAP = 28.0, 4.0
"""Space in points between the parts, and between lines."""
SIZES = (20, 18, 16, 15, 14, 13, 12)
"""Font sizes to try; all parts use the same one."""
LONGEST = 170
"""Maximum characters of a line of the slide."""


def week_slide(project: str | Path, *, days: int = 7) -> Slide:
    """Build the slide. Each part shows as many lines as fit and counts the rest; Expected and Happened show the newest.

    Args:
        project: The folder that holds the studies' folders and the notebook.
        days: How many days to look back.

    Raises:
        BadInput: There is no notebook.
    """
    parts = week_parts(project, days=days)
    notes = parts.pop("Notes")
    width, height = (at.INNER - BETWEEN) / 2, (at.BODY - BETWEEN) / 2
    lines = {
        head: [cut(text, LONGEST) for text in (part if head == "Next" else part[::-1])] for head, part in parts.items()
    }
    bodies = [_fit_part(head, part, width, height) for head, part in lines.items()]
    size = min(at.largest(body, width, height, SIZES, GAP) for body in bodies)
    items = []
    for i, body in enumerate(bodies):
        row, column = divmod(i, 2)
        box = (at.LEFT + column * (width + BETWEEN), at.TOP + row * (height + BETWEEN), width, height)
        items.append(Text(box, body, size, GAP))
    note = cut(" ".join(notes), 260)
    return Slide(f"The last {days} days: expected, happened, decided, next", tuple(items), note)


def _fit_part(head: str, lines: list[str], width: float, height: float) -> tuple[Paragraph, ...]:
    """The paragraphs of a part: as many of its lines as fit at the smallest size, and the number of the rest."""

    def body(n_shown: int) -> tuple[Paragraph, ...]:
        rest = [line(f"and {len(lines) - n_shown} more", "soft")] if n_shown < len(lines) else []
        return (line(head, "strong"), *(line(text) for text in lines[:n_shown] or ["Nothing."]), *rest)

    def fits(n_shown: int) -> bool:
        return at.height_of(body(n_shown), width, SIZES[-1], GAP) <= height

    return body(next((n_shown for n_shown in range(max(len(lines), 1), 1, -1) if fits(n_shown)), 1))
