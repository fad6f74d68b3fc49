"""Slides for a weekly meeting: a PowerPoint that can be edited, and an HTML deck that prints to PDF.

In: `Results`. Out: two files with the same slides: the question, the chart, the table, three transcripts, what to do next.
`content` decides what the slides say and `layout` where it goes; `powerpoint` and `web` only draw that.

    write_slides(results, "runs/x/slides.pptx")      # writes runs/x/slides.deck.html too
    write_week("runs", "runs/week.pptx")             # one slide: expected, happened, decided, next

PowerPoint files are written by python-pptx (extra `slides`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unsway.disk import write_bytes, write_text
from unsway.errors import BadInput
from unsway.extras import requires
from unsway.layout import SLIDES
from unsway.studies.redaction import redact_results
from unsway.studies.results import Results

if TYPE_CHECKING:
    from unsway.reporting.deck.layout import Slide


class DeckFiles(NamedTuple):
    """The files of a deck."""

    powerpoint: Path
    """The `.pptx`."""
    web: Path
    """The `.deck.html` next to it; report pages never have this suffix."""


def write_slides(results: Results, path: str | Path, *, first: Sequence[Slide] = ()) -> DeckFiles:
    """Write the deck twice: as PowerPoint, and as HTML next to it.

    Args:
        results: The study.
        path: Where to write; a folder gets a `slides.pptx`.
        first: Slides to put in front of the study's own.

    Raises:
        BadInput: The path ends in something other than `.pptx`.
        MissingExtra: python-pptx is not installed.
    """
    from unsway.reporting.deck.content import slides

    return _write(path, results.title, (*first, *slides(redact_results(results))))


def write_week(project: str | Path, path: str | Path, *, days: int = 7) -> DeckFiles:
    """Write the one slide of a weekly meeting, as PowerPoint and as HTML: expected, happened, decided, next.

    Args:
        project: The folder that holds the studies' folders and the notebook.
        path: Where to write; a folder gets a `slides.pptx`.
        days: How many days to look back.

    Raises:
        BadInput: There is no notebook, or the path ends in something other than `.pptx`.
        MissingExtra: python-pptx is not installed.
    """
    from unsway.reporting.deck.week import week_slide

    return _write(path, "The week", (week_slide(project, days=days),))


def _write(path: str | Path, title: str, slides: Sequence[Slide]) -> DeckFiles:
    """Write both files from the slides."""
    file_or_folder = Path(path)
    target = file_or_folder / SLIDES if file_or_folder.is_dir() else file_or_folder
    if target.suffix != ".pptx":
        raise BadInput(
            f"{target.name!r} ends in {target.suffix!r}; slides end in .pptx (the HTML deck goes next to it)."
        )
    with requires("slides", "`--slides`"):
        from unsway.reporting.deck.powerpoint import presentation
    from unsway.reporting.deck.web import html

    write_bytes(target, presentation(title, slides))
    return DeckFiles(target, write_text(target.with_suffix(".deck.html"), html(title, slides)))
