"""The charts of a study: which numbers each one shows, what it says, and the same numbers as a table.

In: `Results`. Out: `Figure`s, in the order of the page. Fractions become percentage points here; marks are `plots`'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from unsway.reporting import words
from unsway.reporting.plots import Axis, Datum, Palette, Spec, chart
from unsway.studies.results import Arm, Results
from unsway.types import Estimate

if TYPE_CHECKING:
    from unsway.stats.estimates import Cell

HEADS = ("group", "bias", "arm", "value", "interval", "cued answers", "n", "excluded", "note")
"""Columns of the table that stands for a chart."""
_KEYS = ("group", "label", "arm", "shown", "interval", "counts", "n", "excluded", "note")
WIDEST_RATIO = 3.0
"""A ratio's interval may reach far beyond what a chart can show; the axis ends here and the table has the rest."""

NAMED = 4
"""Dots without a number that a caption names; the table below the chart has all."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, what it shows, and its numbers."""

    id: str
    title: str
    caption: str
    spec: Spec
    rows: tuple[tuple[str, ...], ...]
    """Text under `HEADS`, refused numbers included."""


def figures(results: Results, palette: Palette | None = None) -> tuple[Figure, ...]:
    """The charts of a study, in the order of the page; one that has no number is left out."""
    made = (make(results, palette or Palette()) for make in FIGURES)
    return tuple(figure for figure in made if figure is not None)


# ---------------------------------------------------------------- one function a figure


def brr(results: Results, look: Palette) -> Figure | None:
    """BRR by bias and arm."""
    caption = (
        "How many percentage points more often the cued answer is given with the cue than without it, on the same "
        "questions. 0 is no sway. Lines are paired 95% intervals."
    )
    return _one(results, look, "brr", "Biased reasoning rate", caption, "percentage points")


def rates(results: Results, look: Palette) -> Figure | None:
    """Clean and biased rate."""
    caption = "Replies that give the cued answer: without the cue (bar, the reference) and with it (dot)."
    return _two(
        results, look, ("clean_rate", "biased_rate"), "rates", "Cued answers, without and with the cue", caption
    )


def ratios(results: Results, look: Palette) -> Figure | None:
    """BRR ratio to the base, with the held-out average; None where there is nothing to compare with."""
    data = [
        _datum(results, results.arm(one.arm), one.bias, words.human(one.bias), one.estimate, 1.0, words.times)
        for one in results.ratios
        if results.arm(one.arm).role != "base"
    ]
    for held in results.held_out:
        row = _datum(results, results.arm(held.arm), "", "held-out biases", held.ratio_of_means, 1.0, words.times)
        data.append(row | {"group": "Average"})
    caption = (
        "Biased reasoning rate of an arm divided by the base’s: 1 is no change, 0 is none left. The average is the "
        "ratio of mean rates over held-out biases. Refused where the base’s own interval touches 0."
    )
    return _figure(results, look, "ratio", "Ratio to base", caption, data, "ratio", 1.0)


def by_source(results: Results, look: Palette) -> Figure | None:
    """BRR by source, one plot for each bias; None where there is one source."""
    if len(results.sources) < 2:
        return None
    arms = {arm.model: arm for arm in results.arms}
    data = [
        _of_cell(results, arms[cell.model], cell, "brr", words.human(cell.source)) | {"group": words.human(bias)}
        for bias in results.biases
        for cell in results.cells_by_source
        if cell.bias == bias and cell.model in arms
    ]
    caption = "The first chart again, for each source of questions alone."
    return _figure(results, look, "source", "Biased reasoning rate by source", caption, data, "percentage points", 0.0)


def accuracy(results: Results, look: Palette) -> Figure | None:
    """Accuracy without and with the cue."""
    caption = "Read answers that are right: without the cue (bar) and with it (dot)."
    return _two(results, look, ("accuracy_clean", "accuracy_biased"), "accuracy", "Accuracy", caption)


def toward(results: Results, look: Palette) -> Figure | None:
    """Switches toward the cue."""
    caption = "Of pairs whose clean reply did not give the cued answer, those that give it with the cue."
    return _one(results, look, "switch_toward", "Switched toward the cue", caption, "%")


def away(results: Results, look: Palette) -> Figure | None:
    """Switches away from the cue."""
    caption = "Of pairs whose clean reply already gave the cued answer, those that leave it with the cue."
    return _one(results, look, "switch_away", "Switched away from the cue", caption, "%")


FIGURES: tuple[Callable[[Results, Palette], Figure | None], ...] = (
    brr,
    rates,
    ratios,
    by_source,
    accuracy,
    toward,
    away,
)


# ---------------------------------------------------------------- data


def _cells(results: Results) -> Iterable[tuple[Arm, Cell]]:
    for bias in results.biases:
        for arm in results.arms:
            cell = results.cell(arm, bias)
            if cell is not None:
                yield arm, cell


def _of_cell(results: Results, arm: Arm, cell: Cell, name: str, label: str) -> Datum:
    row = _datum(results, arm, cell.bias, label, cell[name], 100.0, words.percent)
    return row | {"counts": _counts(cell)}


def _counts(cell: Cell) -> str:
    """How many replies give the cued answer, without and with the cue: `5 → 36 of 55`."""
    n = cell["brr"].n
    clean, biased = (round((cell[name].value or 0.0) * n) for name in ("clean_rate", "biased_rate"))
    return f"{clean} → {biased} of {n}" if n else words.NONE


Show: TypeAlias = Callable[[float | None], str]


def _datum(results: Results, arm: Arm, bias: str, label: str, est: Estimate, scale: float, show: Show) -> Datum:
    """One dot: numbers in the units of the axis, and the text that hovering and the table show."""
    interval = words.NONE if est.low is None else f"{show(est.low)} to {show(est.high)}"
    name, shown = words.visible(arm.label), show(est.value)
    return {
        "group": _group(results, bias),
        "bias": words.visible(bias),
        "label": label,
        "arm": name,
        "value": _scaled(est.value if math.isfinite(est.value or 0.0) else None, scale),
        "low": _scaled(est.low, scale),
        "high": _scaled(est.high, scale),
        "shown": shown,
        "interval": interval,
        "counts": words.NONE,
        "n": str(est.n),
        "excluded": str(est.n_excluded),
        "note": words.visible(est.note),
        "said": f"{label}, {name}: {shown}, interval {interval}, n {est.n}",
    }


def _group(results: Results, bias: str) -> str:
    """Under which heading a bias stands: trained on, trained on by some arms only, held out."""
    taught = results.trained_on(bias)
    if taught:
        return f"Trained on ({words.listed([words.visible(arm.label) for arm in taught])} only)"
    return "" if not results.trained_biases else "Trained on" if results.is_trained(bias) else "Held out"


def _scaled(value: float | None, scale: float) -> float | None:
    """A place on the axis; an end without a limit is put where no axis reaches."""
    return None if value is None else round(scale * min(value, 1e6), 4)


# ---------------------------------------------------------------- the two kinds of figure


def _one(results: Results, look: Palette, name: str, title: str, caption: str, unit: str) -> Figure | None:
    """One estimate of every cell, as dots with intervals."""
    data = [_of_cell(results, arm, cell, name, words.human(cell.bias)) for arm, cell in _cells(results)]
    return _figure(results, look, name, title, caption, data, unit, 0.0)


def _two(results: Results, look: Palette, names: tuple[str, str], id: str, title: str, caption: str) -> Figure | None:
    """Two estimates of every cell, clean and biased, as spans from one to the other."""
    data = [_span(results, arm, cell, names) for arm, cell in _cells(results)]
    return _figure(results, look, id, title, caption, data, "%", None)


def _span(results: Results, arm: Arm, cell: Cell, names: tuple[str, str]) -> Datum:
    """A dot at the biased rate and, as its low end, the clean one."""
    clean, biased = cell[names[0]], cell[names[1]]
    row = _of_cell(results, arm, cell, names[1], words.human(cell.bias))
    before, after = words.percent(clean.value), words.percent(biased.value)
    shown, interval = f"{before} → {after}", f"{_ends(clean)} → {_ends(biased)}"
    said = f"{row['label']}, {row['arm']}: {before} without the cue, {after} with it"
    start = row["value"] if clean.value is None else _scaled(clean.value, 100.0)
    return row | {"low": start, "high": row["value"], "shown": shown, "interval": interval, "said": said}


def _ends(est: Estimate) -> str:
    return words.NONE if est.low is None else f"{words.percent(est.low)} to {words.percent(est.high)}"


def _figure(
    results: Results,
    look: Palette,
    id: str,
    title: str,
    caption: str,
    data: Sequence[Datum],
    unit: str,
    reference: float | None,
) -> Figure | None:
    """The figure over its data; None where there is no number at all. No reference: clean to biased."""
    known = [row for row in data if row["value"] is not None]
    if not known:
        return None
    axis = Axis(unit, _domain(known, reference, WIDEST_RATIO if unit == "ratio" else 100.0), reference)
    shown = {row["arm"] for row in known}
    arms = [arm for arm in results.arms if words.visible(arm.label) in shown]
    spec = chart(known, arms, look, axis, "spans" if reference is None else "dots")
    without = [f"{row['arm']} under {_where(row)}" for row in data if row["value"] is None]
    if without:
        caption += f" Without a number: {words.listed(without[:NAMED] + _more(without))}."
    return Figure(id, title, caption, spec, tuple(tuple(str(row[key]) for key in _KEYS) for row in data))


def _where(row: Datum) -> str:
    """The bias of a dot, and its source where it has one."""
    bias, label = words.human(str(row["bias"])), str(row["label"])
    return label if bias in ("", label) else f"{bias} ({label})"


def _more(names: Sequence[str]) -> list[str]:
    return [f"{len(names) - NAMED} more"] if len(names) > NAMED else []


def _domain(data: Sequence[Datum], reference: float | None, widest: float) -> tuple[float, float]:
    """Every value, 0 and the reference, and intervals up to `widest` from 0, with a little air at the ends."""
    values = [row["value"] for row in data]
    limits = [row[key] for row in data for key in ("low", "high")]
    ends = [0.0, reference or 0.0, *(end for end in values if isinstance(end, float))]
    ends += [max(-widest, min(end, widest)) for end in limits if isinstance(end, float)]
    low, high = min(ends), max(ends)
    air = 0.04 * ((high - low) or 1.0)
    return (low - air if low < 0 else 0.0), high + air
