"""A chart for a paper: the page's own chart as PNG, SVG or PDF, in print colours and at a given width.

In: `Results`, the name of a figure, a path whose suffix says the format. Out: the file. Drawn by Vega through
vl-convert, so the file and the page cannot disagree.
"""

from __future__ import annotations

import json
from pathlib import Path

from unsway import store
from unsway.errors import BadInput, UnknownName
from unsway.reporting import charts
from unsway.reporting.plots import LABEL_ROOM, Palette, fit
from unsway.studies.results import Results

PRINT = Palette(
    arms={"base": "#6a7078", "prompted": "#a83c54", "control": "#8f5c0e", "trained": "#17697f"},
    more=("#7a4d9e", "#3f7a35", "#b0512c", "#2f4fa0", "#8a3f7f", "#5d6b14", "#7b5147"),
    ink="#000000",
    soft="#444444",
    line="#dddddd",
    font="Helvetica, Arial, sans-serif",
)
"""The page's light colours, as values."""
FORMATS = (".png", ".svg", ".pdf")
PNG_SCALE = 3.0
"""Pixels to a point: 216 dots an inch, above the 200 that most journals ask for line art at column width."""


def write_figure(results: Results, name: str, path: str | Path, *, width: int = 480) -> Path:
    """Write one chart of the page.

    Args:
        results: The study.
        name: Name of the figure: brr, rates, ratio, source, accuracy, switch_toward, switch_away.
        path: Where to; its suffix is the format: png, svg or pdf.
        width: Width of the whole figure in points; 480 is a page of text, 240 about a column.

    Raises:
        BadInput: The suffix is no format, or the width leaves no room for the plot.
        UnknownName: The study has no such figure.
    """
    target = Path(path)
    if target.suffix not in FORMATS:
        raise BadInput(f"{target.name!r} ends in {target.suffix!r}; a figure can be {', '.join(FORMATS)}.")
    if width < LABEL_ROOM + 60:
        raise BadInput(f"A figure {width} points wide has no room for its plot; take {LABEL_ROOM + 60} or more.")
    made = {figure.id: figure for figure in charts.figures(results, PRINT)}
    if name not in made:
        raise UnknownName("figure of this study", name, made)
    return _write(json.dumps(fit(made[name].spec, width) | {"background": "white"}), target)


def _write(spec: str, target: Path) -> Path:
    import vl_convert

    if target.suffix == ".svg":
        return store.write_text(target, vl_convert.vegalite_to_svg(spec))
    if target.suffix == ".pdf":
        return store.write_bytes(target, vl_convert.vegalite_to_pdf(spec))
    return store.write_bytes(target, vl_convert.vegalite_to_png(spec, scale=PNG_SCALE))
