"""How a chart looks: rows of names, a line for each arm, dots with intervals; Vega-Lite through Vega-Altair.

In: data of one chart (`Datum`), the arms, a palette. Out: a Vega-Lite specification without widths; the page sets them,
for only it knows its own. Colours may be CSS variables: Vega's SVG renderer writes them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from unsway.reporting import words
from unsway.studies.results import Arm

if TYPE_CHECKING:
    import altair as alt

Datum: TypeAlias = dict[str, str | float | None]
"""A dot. value, low, high: where it is, in units of the axis; group, label, line: on which line; the rest is text."""
Spec: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal["dots", "spans"]

LABEL_ROOM = 150
"""Pixels left of every plot for names, so that all plots of a page align."""
EDGE = 14
"""Pixels right of every plot, for the last number of its axis."""
LINE = 15
"""Pixels of one arm's line."""
SHAPES = {"base": "circle", "prompted": "triangle-up", "control": "diamond", "trained": "square"}
"""Arms differ by shape as well as by colour."""
TOOLTIP = {
    "label": "bias",
    "arm": "arm",
    "shown": "value",
    "interval": "interval",
    "counts": "cued answers",
    "n": "n",
    "excluded": "excluded",
}
"""Fields that hovering shows, with their names."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the arms and of the frame; CSS variables in the page, so that dark mode and print are CSS alone."""

    arms: Mapping[str, str] = field(
        default_factory=lambda: {
            "base": "var(--base)",
            "prompted": "var(--prompted)",
            "control": "var(--control)",
            "trained": "var(--trained)",
        }
    )
    more: tuple[str, ...] = tuple(f"var(--trained-{i})" for i in range(2, 9))
    """For a second and further arm of one role."""
    ink: str = "var(--ink)"
    soft: str = "var(--soft)"
    line: str = "var(--line)"
    font: str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis of a chart."""

    title: str
    domain: tuple[float, float]
    reference: float | None
    """Where a rule stands: no sway, or no change."""


def colours(arms: Sequence[Arm], look: Palette) -> list[str]:
    """A colour for each arm: that of its role for the first one, then further ones, no two alike while they last."""
    firsts = {arm.role: i for i, arm in reversed(list(enumerate(arms)))}
    taken = {look.arms[role] for role in firsts}
    more = [colour for colour in look.more if colour not in taken]
    out, n = [], 0
    for i, arm in enumerate(arms):
        first = firsts[arm.role] == i
        out.append(look.arms[arm.role] if first else more[n % len(more)])
        n += not first
    return out


def chart(data: Sequence[Datum], arms: Sequence[Arm], look: Palette, axis: Axis, kind: Kind) -> Spec:
    """One plot for each group of the data, below each other, with one axis."""
    import altair as alt

    lines = words.shortened([words.visible(arm.label) for arm in arms])
    data = [row | {"line": lines[str(row["arm"])]} for row in data]
    groups = list(dict.fromkeys(str(row["group"]) for row in data))
    plots = []
    for group in groups:
        members = [row for row in data if row["group"] == group]
        plots.append(_plot(members, group, arms, look, axis, kind, last=group == groups[-1]))
    meta = {"legendEntry": 7 * max(map(len, lines.values())) + 32}
    spec: Spec = alt.vconcat(*plots, spacing=10, usermeta=meta).configure(**_config(look)).to_dict()
    return spec


def fit(spec: Spec, width: int) -> Spec:
    """The specification at a width in pixels; `draw` in charts.js does the same in the page."""
    inner = width - LABEL_ROOM - EDGE
    legend = spec["config"]["legend"] | {"columns": max(1, inner // spec["usermeta"]["legendEntry"])}
    plots = [plot | {"width": inner} for plot in spec["vconcat"]]
    return spec | {"vconcat": plots, "config": spec["config"] | {"legend": legend}}


def _plot(
    data: list[Datum], group: str, arms: Sequence[Arm], look: Palette, axis: Axis, kind: Kind, *, last: bool
) -> alt.LayerChart:
    """The plot of one group: a band for each label, in it a line for each arm."""
    import altair as alt

    encodings = _encodings(data, arms, look, axis, last=last)
    layers = [layer(look).encode(**_pick(encodings, layer)) for layer in _LAYERS[kind]]
    plot = alt.layer(*layers, data=alt.Data(values=data)).properties(height=alt.Step(LINE))
    return plot.properties(title=alt.Title(group, anchor="start", frame="bounds", offset=8)) if group else plot


def _encodings(data: list[Datum], arms: Sequence[Arm], look: Palette, axis: Axis, *, last: bool) -> dict[str, Any]:
    """Channels by name. Orders are scale domains, not sorts: Vega-Lite would write a sort's names into an expression."""
    import altair as alt

    names = list(words.shortened([words.visible(arm.label) for arm in arms]).values())
    labels = list(dict.fromkeys(str(row["label"]) for row in data))
    scale = alt.Scale(domain=list(axis.domain), nice=False, zero=False)
    below = alt.Axis(title=axis.title if last else None, tickCount=6, grid=True, format="~f")
    beside = alt.Axis(title=None, labelAlign="left", labelPadding=LABEL_ROOM, labelLimit=LABEL_ROOM - 8)
    band = alt.Scale(domain=labels, paddingInner=0.3, paddingOuter=0.15)
    ink = alt.Scale(domain=names, range=colours(arms, look))
    form = alt.Scale(domain=names, range=[SHAPES[arm.role] for arm in arms])
    return {
        "value": alt.X("value:Q", scale=scale, axis=below),
        "low": alt.X("low:Q", scale=scale, axis=below),
        "high": alt.X2("high"),
        "reference": alt.XDatum(axis.reference or 0.0, scale=scale, axis=below),
        "y": alt.Y("label:N", sort=None, axis=beside, scale=band),
        "yOffset": alt.YOffset("line:N", sort=None, scale=alt.Scale(domain=names)),
        "color": alt.Color("line:N", scale=ink, sort=None, title=None),
        "shape": alt.Shape("line:N", scale=form, sort=None, title=None),
        "tooltip": [alt.Tooltip(f"{key}:N", title=name) for key, name in TOOLTIP.items()],
        "description": alt.Description("said:N"),
    }


# ---------------------------------------------------------------- layers


def _rule(look: Palette) -> alt.Chart:
    """The reference: no sway, or no change."""
    import altair as alt

    once = alt.Data(values=[{}])
    return alt.Chart(once).mark_rule(color=look.soft, aria=False, strokeWidth=1)


def _line(look: Palette) -> alt.Chart:
    """The interval."""
    import altair as alt

    return alt.Chart().mark_rule(strokeWidth=1.5, clip=True, aria=False, opacity=0.9)


def _wide(look: Palette) -> alt.Chart:
    """An invisible band over the interval, easier to point at than a line."""
    import altair as alt

    return alt.Chart().mark_rule(strokeWidth=LINE - 1, opacity=0, clip=True, aria=False)


def _dot(look: Palette) -> alt.Chart:
    """The value."""
    import altair as alt

    return alt.Chart().mark_point(filled=True, size=52, opacity=1)


def _bar(look: Palette) -> alt.Chart:
    """The clean rate, from which a span starts."""
    import altair as alt

    return alt.Chart().mark_tick(thickness=2, size=LINE - 4, clip=True, aria=False)


Layer: TypeAlias = Callable[[Palette], "alt.Chart"]
_LAYERS: dict[str, tuple[Layer, ...]] = {"dots": (_rule, _line, _wide, _dot), "spans": (_line, _wide, _bar, _dot)}
_CHANNELS: dict[Layer, tuple[str, ...]] = {
    _rule: ("reference",),
    _line: ("low", "high", "y", "yOffset", "color"),
    _wide: ("low", "high", "y", "yOffset", "tooltip"),
    _dot: ("value", "y", "yOffset", "color", "shape", "tooltip", "description"),
    _bar: ("low", "y", "yOffset", "color"),
}


def _pick(encodings: dict[str, Any], layer: Layer) -> dict[str, Any]:
    """The channels of a layer, with places on the axis under the names that Vega-Lite gives them."""
    places = {"value": "x", "low": "x", "high": "x2", "reference": "x"}
    return {places.get(name, name): encodings[name] for name in _CHANNELS[layer]}


def _config(look: Palette) -> dict[str, Any]:
    """Quiet frame: no box, hairlines, the page's own type."""
    axis = {"labelColor": look.soft, "titleColor": look.soft, "labelFontSize": 12, "titleFontSize": 12}
    axis |= {"titleFontWeight": "normal", "domain": False, "ticks": False, "gridColor": look.line, "labelPadding": 6}
    return {
        "font": look.font,
        "background": "transparent",
        "padding": {"left": 1, "right": EDGE - 2, "top": 2, "bottom": 2},
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"grid": False, "labelColor": look.ink, "labelFontSize": 13},
        "title": {"color": look.soft, "fontSize": 12, "fontWeight": 600},
        "legend": {
            "orient": "top",
            "labelColor": look.ink,
            "labelFontSize": 13,
            "labelLimit": 240,
            "symbolSize": 70,
            "offset": 6,
            "padding": 0,
        },
    }
