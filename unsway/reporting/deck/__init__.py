"""Slides for a weekly meeting: a PowerPoint that can be edited, and an HTML deck that prints to PDF.

In: `Results`. Out: two files with the same slides: the question, one chart, the table, three transcripts, what to do next.
`content` decides what the slides say and `layout` where it goes; `powerpoint` and `web` only draw that.

    write_slides(results, "runs/x/slides.pptx")      # writes runs/x/slides.html too

PowerPoint is written by python-pptx (extra `slides`).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from unsway.disk import write_bytes, write_text
from unsway.errors import BadInput
from unsway.extras import requires
from unsway.layout import SLIDES
from unsway.studies.redaction import shown
from unsway.studies.results import Results


class DeckFiles(NamedTuple):
    """The files of a deck."""

    powerpoint: Path
    """The `.pptx`."""
    web: Path
    """The `.html` next to it."""


def write_slides(results: Results, path: str | Path) -> DeckFiles:
    """Write the deck twice: as PowerPoint, and as HTML next to it.

    Args:
        results: The study.
        path: Where to write; a folder gets a `slides.pptx`.

    Raises:
        BadInput: The path ends in something other than `.pptx`.
        MissingExtra: python-pptx is not installed.
    """
    given = Path(path)
    target = given / SLIDES if given.is_dir() else given
    if target.suffix != ".pptx":
        raise BadInput(
            f"{target.name!r} ends in {target.suffix!r}; slides end in .pptx (the HTML deck goes next to it)."
        )
    with requires("slides", "`--slides`"):
        from unsway.reporting.deck.powerpoint import presentation
    from unsway.reporting.deck.content import slides
    from unsway.reporting.deck.web import html

    deck = slides(shown(results))
    write_bytes(target, presentation(results.title, deck))
    return DeckFiles(target, write_text(target.with_suffix(".html"), html(results.title, deck)))
