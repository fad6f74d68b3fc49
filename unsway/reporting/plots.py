"""How a chart looks: rows of names, a line for each arm, dots with intervals; in Vega-Lite.

In: the data of one chart (`Datum`), the arms, a palette. Out: a specification as plain JSON; building the same with Altair
would take half a second per page. The page's charts have no width, because only the page knows its own. Colours may be CSS
variables: Vega's SVG renderer writes them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from unsway.reporting import words
from unsway.studies.arms import Arm

Datum: TypeAlias = dict[str, str | float | None]
"""A dot. value, low, high: position in units of the axis; group, label, arm: its plot, band and line; the rest is text."""
Kind: TypeAlias = Literal["dots", "spans"]
"""dots: a value with its interval. spans: from a clean rate (a tick) to a biased one (a dot)."""

Spec: TypeAlias = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""The version of Vega-Lite."""
LABEL_ROOM = 150
"""Pixels left of every plot for names, so that all plots of a page align."""
LONGEST_LABEL, LONGEST_ARM = 20, 26
"""Characters of a name left of a plot, and in a legend; longer ones lose their middle."""
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
"""Fields shown when the mouse is over a dot, with their names."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the arms and of the frame; by default CSS variables, so dark mode and print need only CSS."""

    arms: Mapping[str, str] = field(
        default_factory=lambda: {
            "base": "var(--base)",
            "prompted": "var(--prompted)",
            "control": "var(--control)",
            "trained": "var(--trained)",
        }
    )
    """Colour of the first arm of each role."""
    more: tuple[str, ...] = tuple(f"var(--trained-{i})" for i in range(2, 9))
    """Colours of the second and further arms of a role."""
    ink: str = "var(--ink)"
    """Colour of names."""
    soft: str = "var(--soft)"
    """Colour of numbers and titles of axes."""
    line: str = "var(--line)"
    """Colour of the grid."""
    font: str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
    """CSS font family of all text."""


PRINT = Palette(
    arms={"base": "#6a7078", "prompted": "#a83c54", "control": "#8f5c0e", "trained": "#17697f"},
    more=("#7a4d9e", "#3f7a35", "#b0512c", "#2f4fa0", "#8a3f7f", "#5d6b14", "#7b5147"),
    ink="#000000",
    soft="#444444",
    line="#dddddd",
    font="Helvetica, Arial, sans-serif",
)
"""The page's light colours, as values: for papers, notebooks and slides."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis of a chart."""

    title: str
    """What it shows, with the unit."""
    domain: tuple[float, float]
    """Its two ends."""
    reference: float | None
    """Position of a vertical line: no sway, or no change. None for spans."""


class ArmLine(NamedTuple):
    """How an arm is drawn."""

    name: str
    """Name in the legend, shortened if long."""
    ink: str
    """Its colour, the same on every chart of a study."""
    shape: str
    """Shape of its dots."""


def colours(arms: Sequence[Arm], look: Palette) -> list[str]:
    """A colour for each arm: the first of a role gets the role's, others one of `more`; repeated only if these run out."""
    first_of_role = {arm.role: i for i, arm in reversed(list(enumerate(arms)))}
    role_colours = {look.arms[role] for role in first_of_role}
    spare_colours = [colour for colour in look.more if colour not in role_colours]
    arm_colours, n = [], 0
    for i, arm in enumerate(arms):
        is_first = first_of_role[arm.role] == i
        arm_colours.append(look.arms[arm.role] if is_first else spare_colours[n % len(spare_colours)])
        n += not is_first
    return arm_colours


def draw(
    data: Sequence[Datum], arms: Sequence[Arm], look: Palette, axis: Axis, kind: Kind, width: int | None = None
) -> Spec:
    """One plot for each group of the data, below each other, with one axis.

    Args:
        data: The dots.
        arms: The arms of the study, in order; arms without a dot are left out without changing the others' colours.
        look: Colours.
        axis: The axis that all plots share.
        kind: How a dot is drawn.
        width: Pixels of the whole chart; None leaves it to charts.js, which does the same in the page.
    """
    names = [words.visible(arm.label) for arm in arms]
    dotted_names = {row["arm"] for row in data}
    drawn_names = [name for name in names if name in dotted_names]
    labels = list(dict.fromkeys(str(row["label"]) for row in data))
    short_names = dict(zip(drawn_names, words.distinct(drawn_names, LONGEST_ARM), strict=True))
    short_labels = dict(zip(labels, words.distinct(labels, LONGEST_LABEL), strict=True))
    arm_lines = [
        ArmLine(short_names[name], ink, SHAPES[arm.role])
        for name, ink, arm in zip(names, colours(arms, look), arms, strict=True)
        if name in dotted_names
    ]
    data = [row | {"line": short_names[str(row["arm"])], "band": short_labels[str(row["label"])]} for row in data]
    groups = list(dict.fromkeys(str(row["group"]) for row in data))
    entry_width = 7 * max(map(len, short_names.values())) + 32
    # a plain frame: no box, thin lines, the page's own font
    axis_style = {"labelColor": look.soft, "titleColor": look.soft, "labelFontSize": 12, "titleFontSize": 12}
    axis_style |= {
        "titleFontWeight": "normal",
        "domain": False,
        "ticks": False,
        "gridColor": look.line,
        "labelPadding": 6,
    }
    config: Spec = {
        "font": look.font,
        "background": "transparent",
        "padding": {"left": 1, "right": EDGE - 2, "top": 2, "bottom": 2},
        "view": {"stroke": None},
        "axis": axis_style,
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
    size: Spec = {"height": {"step": LINE}}
    if width is not None:
        size["width"] = width - LABEL_ROOM - EDGE
        config["legend"]["columns"] = max(1, size["width"] // entry_width)
    plots = []
    for group in groups:
        members = [row for row in data if row["group"] == group]
        layers = _layers(members, arm_lines, look, axis, kind, is_last=group == groups[-1])
        title = {"title": {"text": group, "anchor": "start", "frame": "bounds", "offset": 8}} if group else {}
        plots.append({"data": {"values": members}, "layer": layers} | size | title)
    return {
        "$schema": SCHEMA,
        "config": config,
        "vconcat": plots,
        "spacing": 10,
        "usermeta": {"legendEntry": entry_width},
    }


def _layers(
    data: list[Datum], arm_lines: Sequence[ArmLine], look: Palette, axis: Axis, kind: Kind, *, is_last: bool
) -> list[Spec]:
    """The marks of one plot: a band for each label, in it a line for each arm.

    Orders are scale domains, not sorts: Vega-Lite would write the names of a sort into an expression.
    """
    names = [arm_line.name for arm_line in arm_lines]
    labels = list(dict.fromkeys(str(row["band"]) for row in data))
    on_axis = {
        "scale": {"domain": list(axis.domain), "nice": False, "zero": False},
        "axis": {"title": axis.title if is_last else None, "tickCount": 6, "grid": True, "format": "~f"},
    }
    name_axis = {"title": None, "labelAlign": "left", "labelPadding": LABEL_ROOM, "labelLimit": LABEL_ROOM - 8}
    bands = {"domain": labels, "paddingInner": 0.3, "paddingOuter": 0.15}
    line = {
        "y": names_encoding("band") | {"sort": None, "axis": name_axis, "scale": bands},
        "yOffset": names_encoding("line") | {"sort": None, "scale": {"domain": names}},
    }
    of_arms = names_encoding("line") | {"sort": None, "title": None}
    color = of_arms | {"scale": {"domain": names, "range": [arm_line.ink for arm_line in arm_lines]}}
    shape = of_arms | {"scale": {"domain": names, "range": [arm_line.shape for arm_line in arm_lines]}}
    tooltip = [names_encoding(key) | {"title": name} for key, name in TOOLTIP.items()]
    low, value = ({"field": name, "type": "quantitative"} | on_axis for name in ("low", "value"))
    interval_x = {"x": low, "x2": {"field": "high"}}

    reference = {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": look.soft, "aria": False, "strokeWidth": 1},
        "encoding": {"x": {"datum": axis.reference or 0.0} | on_axis},
    }
    interval = {
        "mark": {"type": "rule", "strokeWidth": 1.5, "clip": True, "aria": False, "opacity": 0.9},
        "encoding": interval_x | line | {"color": color},
    }
    target = {  # an invisible band over the interval, easier to point at than a line
        "mark": {"type": "rule", "strokeWidth": LINE - 1, "opacity": 0, "clip": True, "aria": False},
        "encoding": interval_x | line | {"tooltip": tooltip},
    }
    clean = {
        "mark": {"type": "tick", "thickness": 2, "size": LINE - 4, "clip": True, "aria": False},
        "encoding": {"x": low, "color": color} | line,
    }
    texts = {"tooltip": tooltip, "description": names_encoding("said")}
    dot = {
        "mark": {"type": "point", "filled": True, "size": 52, "opacity": 1},
        "encoding": {"x": value, "color": color, "shape": shape} | line | texts,
    }
    return [reference, interval, target, dot] if kind == "dots" else [interval, target, clean, dot]


def names_encoding(field: str) -> Spec:
    """An encoding of a field of names."""
    return {"field": field, "type": "nominal"}
