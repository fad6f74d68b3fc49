"""Slides for a weekly meeting: a PowerPoint that can be edited, and an HTML deck that prints to PDF.

In: `Results`. Out: two files with the same slides: the question, one chart, the table, three telling transcripts, what to
do next. `content` decides what is said, `layout` where it stands; `powerpoint` and `web` only draw that.

    write_slides(results, "runs/x/slides.pptx")      # and runs/x/slides.html beside it

PowerPoint is written by python-pptx (extra `slides`).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from unsway import layout, store
from unsway.errors import BadInput, MissingExtra
from unsway.studies.results import Results


class Written(NamedTuple):
    """The files of a deck."""

    powerpoint: Path
    web: Path


def write_slides(results: Results, path: str | Path) -> Written:
    """Write the deck twice: as PowerPoint, and as HTML beside it.

    Args:
        results: The study.
        path: Where to; a folder gets a `slides.pptx`.

    Raises:
        BadInput: The path ends in something other than `.pptx`.
        MissingExtra: python-pptx is not installed.
    """
    given = Path(path)
    target = given / layout.SLIDES if given.is_dir() else given
    if target.suffix != ".pptx":
        raise BadInput(
            f"{target.name!r} ends in {target.suffix!r}; slides end in .pptx (the HTML deck is put beside it)."
        )
    try:
        from unsway.reporting.deck.powerpoint import presentation
    except ModuleNotFoundError as error:
        raise MissingExtra("`--slides`", "slides", str(error.name)) from error
    from unsway.reporting.deck.content import slides
    from unsway.reporting.deck.web import html

    deck = slides(results)
    store.write_bytes(target, presentation(results.title, deck))
    return Written(target, store.write_text(target.with_suffix(".html"), html(results.title, deck)))
