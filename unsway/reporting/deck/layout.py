"""Layout of slides: texts, tables and bars in boxes, in points, and whether they fit.

In: text and the size of a box. Out: `Slide`s that the PowerPoint and the HTML deck draw alike. Fonts are not measured:
line counts assume characters a little wider than Arial's, so text becomes smaller rather than being cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, TypeAlias

from unsway.reporting import words
from unsway.reporting.plots import PRINT

WIDTH, HEIGHT = 960.0, 540.0
"""Points of a slide: 13.33 by 7.5 inches, PowerPoint's 16:9."""
LEFT, TOP, INNER, BODY = 44.0, 112.0, 872.0, 376.0
"""Left, top, width and height of the body; a note goes below it."""
TITLE_TOP, NOTE_TOP, NOTE_SIZE = 30.0, 502.0, 12.0
"""Points: top of the title, top of the note, font size of the note."""
CHAR, LINE = 0.56, 1.22
"""Width of a character and height of a line, in font sizes. Arial's English text is about 0.5 wide; capitals are wider."""
BOLD = 0.7
"""Width of a character in bold, wide enough for bold DejaVu Sans where neither Arial nor an equivalent is installed."""
NAME_ROOM, BAR_ROOM = 20.0, 6.0
"""Height in points of a group's name, and of a bar, in a chart."""
FONT = "Arial"
"""Available on every machine, or replaced by a font of equal widths (Liberation Sans)."""
INK, SOFT, LINES, HEAD = "#1c1e20", PRINT.soft, PRINT.line, "#f0f0ec"
"""Colours of text, of secondary text, of lines, and behind the head of a table: the light colours of the page."""
CUE, ANSWER = "#ffe3a3", "#bfe0ea"
"""Highlight colours of cues and of the answers that were read."""

Mark: TypeAlias = Literal["", "cue", "answer", "soft", "strong"]
"""How a piece of text is drawn: plain, highlighted as cue or as answer, in grey, in bold."""
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one kind, on one line."""

    text: str
    """The text, without line ends."""
    mark: Mark = ""
    """How it is drawn."""


Paragraph: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A box of paragraphs in one font size."""

    box: Box
    """Its place."""
    paragraphs: tuple[Paragraph, ...]
    """From top to bottom."""
    size: float
    """Font size."""
    gap: float = 0.0
    """Points between paragraphs."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first row is the head. A cell has one line, or two, of which the second is smaller."""

    box: Box
    """Its place."""
    rows: tuple[tuple[tuple[str, ...], ...], ...]
    """Rows of cells of lines."""
    widths: tuple[float, ...]
    """Points of each column."""
    size: float
    """Font size of first lines."""
    small: float
    """Font size of second lines."""

    @property
    def heights(self) -> tuple[float, ...]:
        """Height of each row."""
        return tuple(row_height(row, self.size, self.small) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Series:
    """One arm of a bar chart, in percentage points; None where there is no number."""

    name: str
    """Name in the legend."""
    colour: str
    """Colour of its bars, as `#rrggbb`."""
    values: tuple[float | None, ...]
    """One for each category."""
    lows: tuple[float | None, ...]
    """Lower ends of the intervals."""
    highs: tuple[float | None, ...]
    """Upper ends of the intervals."""


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart with intervals: a group of bars for each category, a bar for each series."""

    box: Box
    """Its place."""
    title: str
    """What the axis shows."""
    categories: tuple[str, ...]
    """Names of the groups."""
    series: tuple[Series, ...]
    """The bars of each group."""
    size: float
    """Font size."""
    said: str
    """The numbers as text, for people who cannot see the chart."""
    domain: tuple[float, float]
    """Both ends of the axis, in multiples of ten; it covers every bar, every interval and 0."""

    @property
    def ticks(self) -> tuple[int, ...]:
        """Positions of the axis lines."""
        low, high = map(int, self.domain)
        step = 10 if high - low <= 100 else 20
        return tuple(range(ceil(low / step) * step, high + 1, step))


Item: TypeAlias = Text | Table | Bars


@dataclass(frozen=True, slots=True)
class Slide:
    """A title, the items below it, and a note at the foot."""

    title: str
    """One or two lines."""
    items: tuple[Item, ...]
    """What the body shows."""
    note: str = ""
    """Small print."""

    @property
    def title_size(self) -> float:
        """The largest font size at which the title takes at most two lines."""
        return largest((line(self.title, "strong"),), INNER, 66, (30, 26, 22, 19))


# ---------------------------------------------------------------- text


def line(text: str, mark: Mark = "") -> Paragraph:
    """A paragraph of one piece."""
    return (Piece(text, mark),)


def cut(text: str, most: int) -> str:
    """The text on one line, without control characters, cut to at most `most` characters."""
    safe = words.visible(text[: 2 * most])
    return safe if len(safe) <= most and len(text) <= 2 * most else safe[: most - 1].rstrip() + "…"


def paragraphs(pieces: Sequence[Piece]) -> tuple[Paragraph, ...]:
    """Split pieces at line ends into paragraphs; empty lines are dropped, control characters shown by their codes."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *rest = piece.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines[-1].append(replace(piece, text=words.visible(first)))
        lines += [[replace(piece, text=words.visible(text))] for text in rest]
    without_empty = (tuple(piece for piece in paragraph if piece.text) for paragraph in lines)
    return tuple(paragraph for paragraph in without_empty if any(piece.text.strip() for piece in paragraph))


# ---------------------------------------------------------------- does it fit


def n_lines(paragraph: Paragraph, width: float, size: float) -> int:
    """Number of lines of a paragraph in a box, wrapped at spaces and inside words longer than a line."""
    from rich.cells import cell_len

    is_bold = all(piece.mark == "strong" for piece in paragraph)
    room = max(1, int(width / ((BOLD if is_bold else CHAR) * size)))
    lines, n_used = 1, 0
    for word in "".join(piece.text for piece in paragraph).split(" "):
        length = cell_len(word)
        if n_used and n_used + 1 + length <= room:
            n_used += 1 + length
            continue
        lines += bool(n_used) + max(0, ceil(length / room) - 1)
        n_used = length % room or min(length, room)
    return lines


def height_of(paragraphs: Sequence[Paragraph], width: float, size: float, gap: float = 0.0) -> float:
    """Height of paragraphs in points."""
    lines = sum(n_lines(paragraph, width, size) for paragraph in paragraphs)
    return LINE * size * lines + gap * max(0, len(paragraphs) - 1)


def largest(
    paragraphs: Sequence[Paragraph], width: float, height: float, sizes: Sequence[float], gap: float = 0.0
) -> float:
    """The first of the sizes at which the paragraphs fit, or the last if none fits."""
    return next((size for size in sizes if height_of(paragraphs, width, size, gap) <= height), sizes[-1])


def row_height(row: Sequence[Sequence[str]], size: float, small: float) -> float:
    """Height of a row of a table: its tallest cell, with padding."""
    has_second_line = any(len(cell) > 1 and cell[1] for cell in row)
    return LINE * (size + (small if has_second_line else 0)) + 8
