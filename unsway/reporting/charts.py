"""The charts of a study: which numbers each one shows, what it says, and the same numbers as a table.

In: `Results`. Out: Altair charts to restyle, `Figure`s for the page, files for a paper. Fractions become percentage points
here; the look of the marks is defined in `plots`. Vega draws page and files alike, so the two cannot disagree.

    chart(results, "brr").properties(title="How far each cue moves the model")
    write_figure(results, "brr", "brr.pdf")
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from unsway.disk import write_bytes, write_text
from unsway.errors import BadInput, UnknownName, expect
from unsway.extras import requires
from unsway.reporting import words
from unsway.reporting.plots import LABEL_ROOM, PRINT, Axis, Datum, Kind, Palette, Spec, draw
from unsway.reporting.table import arm_cells
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.types import Estimate
from unsway.types.kinds import checked

if TYPE_CHECKING:
    import altair as alt

    from unsway.stats.estimates import Cell

HEADS = ("group", "bias", "arm", "value", "interval", "cued answers", "n", "excluded", "note")
"""Columns of the table with a chart's numbers."""
_KEYS = ("group", "label", "arm", "shown", "interval", "counts", "n", "excluded", "note")
WIDEST_RATIO = 3.0
"""End of the axis for ratios; an interval may reach far beyond, and the table shows it in full."""
EMPTY_AXIS = 10.0
"""Length of an axis, in points or percent, if every number is 0."""
NAMED = 4
"""How many dots without a number a caption names; the chart's table lists all."""
FORMATS = (".png", ".svg", ".pdf")
PNG_SCALE = 3.0
"""Pixels to a point: 216 dots an inch, above the 200 that most journals ask for line art at column width."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, what it says, and its numbers."""

    id: str
    """The name by which `chart` and `unsway figure` find it."""
    title: str
    """A heading."""
    caption: str
    """What the chart shows, and which dots have no number."""
    data: tuple[Datum, ...]
    """Its dots."""
    arms: tuple[Arm, ...]
    """The arms of the study; one without a dot is not drawn."""
    axis: Axis
    """Its horizontal axis."""
    kind: Kind
    """How a dot is drawn."""
    rows: tuple[tuple[str, ...], ...]
    """The numbers as text under `HEADS`, including refused ones."""

    def draw(self, look: Palette = PRINT, width: int | None = 640) -> Spec:
        """The chart in Vega-Lite; a width of None leaves the width open."""
        return draw(self.data, self.arms, look, self.axis, self.kind, width)

    @property
    def spec(self) -> Spec:
        """The specification for the page: CSS colours, no width."""
        return self.draw(Palette(), None)


@checked
def chart(results: Results, name: str, *, look: Palette = PRINT, width: int = 640) -> alt.VConcatChart:
    """One chart of the page as an Altair object, to restyle, combine or save.

    Args:
        results: The study.
        name: brr, rates, ratio, source, accuracy, switch_toward or switch_away.
        look: Colours and font.
        width: Pixels of the whole chart.

    Raises:
        UnknownName: The study has no such chart.
    """
    expect(results, Results, "results are expected: chart(unsway.measure(…), 'brr')")
    expect(look, Palette, "colours and a font are expected (look=), as unsway.reporting.charts.PRINT")
    with requires("report", "A chart"):
        import altair as alt

    return alt.VConcatChart.from_dict(figure(results, name).draw(look, width))


def write_figure(results: Results, name: str, path: str | Path, *, width: int = 480) -> Path:
    """Write one chart of the page for a paper.

    Args:
        results: The study.
        name: brr, rates, ratio, source, accuracy, switch_toward or switch_away.
        path: Where to write; the suffix is the format: .png, .svg or .pdf.
        width: Width of the whole figure in points; 480 is a page of text, 240 about a column.

    Raises:
        BadInput: The suffix is no format, or the width leaves no room for the plot.
        UnknownName: The study has no such chart.
    """
    with requires("report", "A figure"):
        import vl_convert

    target = Path(path)
    if target.suffix not in FORMATS:
        raise BadInput(f"{target.name!r} ends in {target.suffix!r}; a figure can be {', '.join(FORMATS)}.")
    if width < LABEL_ROOM + 60:
        raise BadInput(f"A figure {width} points wide has no room for its plot; take {LABEL_ROOM + 60} or more.")
    spec = json.dumps(figure(results, name).draw(PRINT, width) | {"background": "white"})
    if target.suffix == ".svg":
        return write_text(target, vl_convert.vegalite_to_svg(spec))
    if target.suffix == ".pdf":
        return write_bytes(target, vl_convert.vegalite_to_pdf(spec))
    return write_bytes(target, vl_convert.vegalite_to_png(spec, scale=PNG_SCALE))


def figures(results: Results) -> tuple[Figure, ...]:
    """The charts of a study in the order of the page; one without any number is left out."""
    return tuple(figure for make in FIGURES.values() if (figure := make(results)) is not None)


def figure(results: Results, name: str) -> Figure:
    """Return the chart with a name, with its caption and numbers. Raises `UnknownName` if the study has no such chart."""
    result = FIGURES[name](results) if name in FIGURES else None
    if result is None:
        raise UnknownName("figure of this study", name, [figure.id for figure in figures(results)])
    return result


# ---------------------------------------------------------------- one function a chart


def brr(results: Results) -> Figure | None:
    """BRR by bias and arm."""
    caption = (
        "How many percentage points more often the cued answer is given with the cue than without it, on the same "
        f"questions. 0 is no sway. Lines are paired {words.level(results.level)} intervals; they allow for missing answers "
        "where these may matter."
    )
    return _dots(results, "brr", "Biased reasoning rate", caption, "percentage points")


def rates(results: Results) -> Figure | None:
    """Clean and biased rate."""
    caption = "Replies that give the cued answer: without the cue (bar, the reference) and with it (dot)."
    return _spans(results, "rates", "Cued answers, without and with the cue", caption, "clean_rate", "biased_rate")


def ratios(results: Results) -> Figure | None:
    """BRR ratio to the base, with the held-out average; None if there is nothing to compare with."""
    data = [
        _datum(results, results.arm(ratio.arm), ratio.bias, words.human(ratio.bias), ratio.estimate, 1.0, words.times)
        for ratio in results.ratios
        if results.arm(ratio.arm).role != "base"
    ]
    for average in results.held_out:
        dot = _datum(results, results.arm(average.arm), "", "held-out biases", average.ratio_of_means, 1.0, words.times)
        data.append(dot | {"group": "Average"})
    caption = (
        "Biased reasoning rate of an arm divided by the base’s: 1 is no change, 0 is none left. The average is the "
        "ratio of mean rates over held-out biases. Refused where the base’s own interval is not above 0."
    )
    return _figure(results, "ratio", "Ratio to base", caption, data, "ratio", 1.0)


def by_source(results: Results) -> Figure | None:
    """BRR by source, one plot for each bias; None if there is only one source."""
    if len(results.sources) < 2:
        return None
    arms = {arm.key: arm for arm in results.arms}
    data = [
        _cell_datum(results, arms[cell.arm], cell, "brr", words.human(cell.source)) | {"group": words.human(bias)}
        for bias in results.biases
        for cell in results.cells_by_source
        if cell.bias == bias and cell.arm in arms
    ]
    caption = "The first chart again, for each source of questions alone."
    return _figure(results, "source", "Biased reasoning rate by source", caption, data, "percentage points", 0.0)


def accuracy(results: Results) -> Figure | None:
    """Accuracy without and with the cue."""
    caption = "Read answers that are right: without the cue (bar) and with it (dot)."
    return _spans(results, "accuracy", "Accuracy", caption, "accuracy_clean", "accuracy_biased")


def toward(results: Results) -> Figure | None:
    """Switches toward the cue."""
    caption = "Of pairs whose clean reply did not give the cued answer, those that give it with the cue."
    return _dots(results, "switch_toward", "Switched toward the cue", caption, "%")


def away(results: Results) -> Figure | None:
    """Switches away from the cue."""
    caption = "Of pairs whose clean reply already gave the cued answer, those that leave it with the cue."
    return _dots(results, "switch_away", "Switched away from the cue", caption, "%")


FIGURES: dict[str, Callable[[Results], Figure | None]] = {
    "brr": brr,
    "rates": rates,
    "ratio": ratios,
    "source": by_source,
    "accuracy": accuracy,
    "switch_toward": toward,
    "switch_away": away,
}
"""The charts by name, in the order of the page."""


# ---------------------------------------------------------------- data


Show: TypeAlias = Callable[[float | None], str]


def _datum(results: Results, arm: Arm, bias: str, label: str, est: Estimate, scale: float, show: Show) -> Datum:
    """One dot: numbers in the units of the axis, and the texts of its tooltip and its row in the table."""
    trained_arms = results.trained_on(bias)
    group = "" if not results.trained_biases else "Trained on" if results.is_trained(bias) else "Held out"
    if trained_arms:
        group = (
            f"Trained on ({words.join_names([words.visible(trained_arm.label) for trained_arm in trained_arms])} only)"
        )
    interval = words.NONE if est.low is None else f"{show(est.low)} to {show(est.high)}"
    name, value_text = words.visible(arm.label), show(est.value)
    return {
        "group": group,
        "bias": words.visible(bias),
        "label": label,
        "arm": name,
        "value": _on_axis(est.value if math.isfinite(est.value or 0.0) else None, scale),
        "low": _on_axis(est.low, scale),
        "high": _on_axis(est.high, scale),
        "shown": value_text,
        "interval": interval,
        "counts": words.NONE,
        "n": str(est.n),
        "excluded": str(est.n_excluded),
        "note": words.visible(est.note),
        "said": f"{label}, {name}: {value_text}, interval {interval}, n {est.n}",
    }


def _cell_datum(results: Results, arm: Arm, cell: Cell, name: str, label: str) -> Datum:
    """A dot for one estimate of a cell; its counts say how many replies give the cued answer: `5 → 36 of 55`."""
    n = cell["brr"].n
    clean, biased = (round((cell[rate].value or 0.0) * n) for rate in ("clean_rate", "biased_rate"))
    counts = f"{clean} → {biased} of {n}" if n else words.NONE
    show: Show = partial(words.point, of=cell[name], signed=False) if name == "brr" else words.percent
    return _datum(results, arm, cell.bias, label, cell[name], 100.0, show) | {"counts": counts}


def _on_axis(value: float | None, scale: float) -> float | None:
    """A position on the axis; an infinite end is placed beyond every axis."""
    return None if value is None else round(scale * min(value, 1e6), 4)


# ---------------------------------------------------------------- the two kinds of chart


def _dots(results: Results, name: str, title: str, caption: str, unit: str) -> Figure | None:
    """One estimate of every cell, as dots with intervals."""
    data = [_cell_datum(results, arm, cell, name, words.human(cell.bias)) for arm, cell in arm_cells(results)]
    return _figure(results, name, title, caption, data, unit, 0.0)


def _spans(results: Results, id: str, title: str, caption: str, clean: str, biased: str) -> Figure | None:
    """Two estimates of every cell, as spans that end in a dot at the biased one."""

    def ends(est: Estimate) -> str:
        return words.NONE if est.low is None else f"{words.percent(est.low)} to {words.percent(est.high)}"

    data = []
    for arm, cell in arm_cells(results):
        dot = _cell_datum(results, arm, cell, biased, words.human(cell.bias))
        before, after = words.percent(cell[clean].value), words.percent(cell[biased].value)
        start = _on_axis(cell[clean].value, 100.0)
        dot |= {
            "low": dot["value"] if start is None else start,
            "high": dot["value"],
            "shown": f"{before} → {after}",
            "interval": f"{ends(cell[clean])} → {ends(cell[biased])}",
            "said": f"{dot['label']}, {dot['arm']}: {before} without the cue, {after} with it",
        }
        data.append(dot)
    return _figure(results, id, title, caption, data, "%", None)


def _figure(
    results: Results, id: str, title: str, caption: str, data: Sequence[Datum], unit: str, reference: float | None
) -> Figure | None:
    """Build the figure from its dots; None if no dot has a number. Without a reference, dots are drawn as spans."""
    numbered_dots = [dot for dot in data if dot["value"] is not None]
    if not numbered_dots:
        return None
    unnumbered = []
    for dot in data:
        if dot["value"] is None:
            bias, label = words.human(str(dot["bias"])), str(dot["label"])
            unnumbered.append(f"{dot['arm']} under {label if bias in ('', label) else f'{bias} ({label})'}")
    if unnumbered:
        caption += f" Without a number: {words.first_few(unnumbered, NAMED)}."
    # the axis covers all values, 0, the reference, and intervals up to the widest allowed, with a little space
    widest = WIDEST_RATIO if unit == "ratio" else 100.0
    positions = [0.0, reference or 0.0]
    for dot in numbered_dots:
        positions += [dot["value"]] if isinstance(dot["value"], float) else []
        positions += [max(-widest, min(end, widest)) for end in (dot["low"], dot["high"]) if isinstance(end, float)]
    low, high = min(positions), max(positions)
    high += EMPTY_AXIS * (high == low)
    space = 0.04 * (high - low)
    return Figure(
        id=id,
        title=title,
        caption=caption,
        data=tuple(numbered_dots),
        arms=results.arms,
        axis=Axis(unit, (low - space if low < 0 else 0.0, high + space), reference),
        kind="spans" if reference is None else "dots",
        rows=tuple(tuple(str(dot[key]) for key in _KEYS) for dot in data),
    )
