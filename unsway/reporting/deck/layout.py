"""What stands where on a slide, and whether it fits: texts, tables and bars in boxes, in points.

In: text and the size of a box. Out: `Slide`s that the PowerPoint and the HTML deck draw alike. Nothing measures fonts:
lines are counted with a width that is on the safe side of Arial's, so that text is smaller rather than cut by an edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Literal, TypeAlias

from unsway.reporting import words

WIDTH, HEIGHT = 960.0, 540.0
"""Points of a slide: 13.33 by 7.5 inches, the 16:9 of PowerPoint."""
LEFT, TOP, INNER, BODY = 44.0, 112.0, 872.0, 376.0
"""Where the body begins, and its width and height; a note stands below it."""
CHAR, LINE = 0.56, 1.22
"""Width of a character and height of a line, in font sizes. Arial's English text is about 0.5 wide; capitals are wider."""
BOLD = 0.7
"""Width of a character of a title: of DejaVu Sans in bold, too, which stands in where there is neither Arial nor a twin."""
FONT = "Arial"
"""On every machine, or with a twin of equal widths (Liberation Sans)."""

Mark: TypeAlias = Literal["", "cue", "answer", "soft", "strong"]
"""How a piece of text is drawn: as it is, on the colour of cues or of read answers, in grey, in bold."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one kind, on one line."""

    text: str
    mark: Mark = ""


Paragraph: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A box of paragraphs of one font size."""

    box: tuple[float, float, float, float]
    """Left, top, width, height."""
    paragraphs: tuple[Paragraph, ...]
    size: float
    gap: float = 0.0
    """Points between paragraphs."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the first of which is the head; a cell is a line, or two of which the second is smaller."""

    box: tuple[float, float, float, float]
    rows: tuple[tuple[tuple[str, ...], ...], ...]
    widths: tuple[float, ...]
    size: float
    small: float

    @property
    def heights(self) -> tuple[float, ...]:
        """Height of each row."""
        return tuple(row_height(row, self.size, self.small) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Series:
    """One arm of a bar chart, in points; None where there is no number."""

    name: str
    colour: str
    values: tuple[float | None, ...]
    lows: tuple[float | None, ...]
    highs: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart with intervals: a group of bars for each category, a bar for each series."""

    box: tuple[float, float, float, float]
    title: str
    """What the axis shows."""
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    size: float
    said: str
    """The numbers as text, for those who cannot see it."""

    @property
    def domain(self) -> tuple[float, float]:
        """Ends of the axis, on whole tens: every bar, every interval and 0."""
        ends = [end for one in self.series for end in (*one.values, *one.lows, *one.highs) if end is not None]
        return 10.0 * floor(min(0.0, *ends) / 10), 10.0 * ceil(max(10.0, *ends) / 10)

    @property
    def ticks(self) -> tuple[int, ...]:
        """Where the axis has its lines."""
        low, high = map(int, self.domain)
        step = 10 if high - low <= 100 else 20
        return tuple(range(ceil(low / step) * step, high + 1, step))


Item: TypeAlias = Text | Table | Bars


@dataclass(frozen=True, slots=True)
class Slide:
    """A title, what stands below it, and a note at the foot."""

    title: str
    items: tuple[Item, ...]
    note: str = ""

    @property
    def title_size(self) -> float:
        """The largest font size at which the title takes two lines or fewer."""
        return largest((line(self.title, "strong"),), INNER * CHAR / BOLD, 66, (30, 26, 22, 19))


# ---------------------------------------------------------------- text


def line(text: str, mark: Mark = "") -> Paragraph:
    """A paragraph of one piece."""
    return (Piece(text, mark),)


def cut(text: str, most: int) -> str:
    """The text on one line, without control characters, at most so many characters."""
    shown = words.visible(text[: 2 * most])
    return shown if len(shown) <= most and len(text) <= 2 * most else shown[: most - 1].rstrip() + "…"


def distinct(names: Sequence[str], most: int) -> tuple[str, ...]:
    """Names of at most so many characters that still differ: of a long one, its beginning and its end; else a number."""
    found: list[str] = []
    for name in names:
        shown = _ends_of(words.visible(name[:1000]), most)
        again, number = shown, 2
        while again in found:
            again, number = f"{shown[: most - 4]} ({number})", number + 1
        found.append(again)
    return tuple(found)


def _ends_of(text: str, most: int) -> str:
    tail = most // 2 - 1
    return text if len(text) <= most else f"{text[: most - tail - 1].rstrip()}…{text[-tail:].lstrip()}"


def paragraphs(pieces: Sequence[Piece]) -> tuple[Paragraph, ...]:
    """Pieces that may hold line ends, as paragraphs; empty lines go, control characters are shown by their codes."""
    found: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *rest = _ends(piece.text).split("\n")
        found[-1].append(replace(piece, text=words.visible(first)))
        found += [[replace(piece, text=words.visible(text))] for text in rest]
    kept = (tuple(piece for piece in pieces_ if piece.text) for pieces_ in found)
    return tuple(one for one in kept if any(piece.text.strip() for piece in one))


def _ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


# ---------------------------------------------------------------- does it fit


def n_lines(paragraph: Paragraph, width: float, size: float) -> int:
    """Lines of a paragraph in a box, wrapped at spaces and, where a word is longer than a line, inside it."""
    from rich.cells import cell_len

    room = max(1, int(width / (CHAR * size)))
    lines, used = 1, 0
    for word in "".join(piece.text for piece in paragraph).split(" "):
        long = cell_len(word)
        if used and used + 1 + long <= room:
            used += 1 + long
            continue
        lines += bool(used) + max(0, ceil(long / room) - 1)
        used = long % room or min(long, room)
    return lines


def height_of(paragraphs: Sequence[Paragraph], width: float, size: float, gap: float = 0.0) -> float:
    """Points that paragraphs take."""
    lines = sum(n_lines(one, width, size) for one in paragraphs)
    return LINE * size * lines + gap * max(0, len(paragraphs) - 1)


def largest(
    paragraphs: Sequence[Paragraph], width: float, height: float, sizes: Sequence[float], gap: float = 0.0
) -> float:
    """The first of the sizes at which paragraphs fit; the last one where none does."""
    return next((size for size in sizes if height_of(paragraphs, width, size, gap) <= height), sizes[-1])


def row_height(row: Sequence[Sequence[str]], size: float, small: float) -> float:
    """Height of a row of a table: its tallest cell, with air."""
    two = any(len(cell) > 1 and cell[1] for cell in row)
    return LINE * (size + (small if two else 0)) + 8
