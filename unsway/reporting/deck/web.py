"""The slides as one HTML file that prints to PDF, one slide per page; no script, no network request.

In: `Slide`s. Out: HTML. Jinja2 escapes every text. The content security policy allows only this style sheet and the chart,
which is an embedded image. Vega-Lite draws the chart through vl-convert, as in the rest of the report; inside an image, SVG
runs no script.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from unsway.extras import requires
from unsway.reporting.deck import layout as at
from unsway.reporting.deck.layout import Bars, Box, Slide, Table, Text
from unsway.reporting.markup import asset, environment, policy, trusted
from unsway.reporting.plots import SCHEMA, names_encoding

COLOURS = {
    "ink": at.INK,
    "soft": at.SOFT,
    "lines": at.LINES,
    "head": at.HEAD,
    "cue": at.CUE,
    "answer": at.ANSWER,
}
"""CSS variables of the style sheet."""


def html(title: str, slides: Sequence[Slide]) -> str:
    """The whole deck."""
    css = _style_sheet(slides)
    pages = []
    for slide in slides:
        items: list[dict[str, Any]] = []
        for item in slide.items:
            if isinstance(item, Text):
                items.append({"kind": "text", "paragraphs": item.paragraphs})
            elif isinstance(item, Table):
                items.append({"kind": "table", "head": item.rows[0], "rows": item.rows[1:], "n": len(item.widths)})
            else:
                items.append({"kind": "image", "source": _chart_image(item), "said": item.said})
        pages.append((slide, items))
    content_policy = policy((css,), img_src="data:")
    template = environment().get_template("deck.html.j2")
    return template.render(title=at.cut(title, 200), css=trusted(css), csp=content_policy, slides=pages)


def _style_sheet(slides: Sequence[Slide]) -> str:
    """The style sheet, with a rule for each box, because the policy allows no style attribute."""

    def pt(points: float) -> str:
        return f"calc({points:g}*var(--pt))"  # one point of a slide, at any display size

    def box_rule(name: str, box: Box, size: float | None = None) -> str:
        left, top, width, height = map(pt, box)
        font = f";font-size:{pt(size)}" if size else ""
        return f"{name}{{left:{left};top:{top};width:{width};height:{height}{font}}}"

    colours = "".join(f"--{name}:{value};" for name, value in COLOURS.items())
    rules = [f":root{{{colours}}}", asset("deck.css"), f".slide{{width:{pt(at.WIDTH)};height:{pt(at.HEIGHT)}}}"]
    rules.append(box_rule(".title", (at.LEFT, at.TITLE_TOP, at.INNER, at.TOP - at.TITLE_TOP - 16)))
    rules.append(box_rule(".note", (at.LEFT, at.NOTE_TOP, at.INNER - 60, 34), at.NOTE_SIZE))
    rules.append(box_rule(".number", (at.LEFT + at.INNER - 40, at.NOTE_TOP, 40, 34), at.NOTE_SIZE))
    for number, slide in enumerate(slides, 1):
        rules.append(f"#slide-{number} .title{{font-size:{pt(slide.title_size)}}}")
        for i, item in enumerate(slide.items, 1):
            name = f"#item-{number}-{i}"
            rules.append(box_rule(name, item.box, item.size))
            if isinstance(item, Text):
                rules.append(f"{name} p+p{{margin-top:{pt(item.gap)}}}")
            elif isinstance(item, Table):
                rules.append(f"{name} small{{font-size:{pt(item.small)}}}")
                rules += (f"{name} col:nth-child({j}){{width:{pt(width)}}}" for j, width in enumerate(item.widths, 1))
    return "\n".join(rules) + "\n"


def _chart_image(bars: Bars) -> str:
    """Bars with intervals, as an SVG in a data address. Names are data and scale domains, never expressions."""
    with requires("slides", "`--slides`"):
        from vl_convert import vegalite_to_svg

    rows = []
    for series in bars.series:
        for name, value, low, high in zip(bars.categories, series.values, series.lows, series.highs, strict=True):
            if value is not None:
                rows.append({"name": name, "arm": series.name, "value": value, "low": low, "high": high})
    arms = [series.name for series in bars.series]
    bands = {"domain": list(bars.categories), "paddingInner": 0.3, "paddingOuter": 0.1}
    name_axis = {"title": None, "labelLimit": bars.box[2] * 0.34, "labelPadding": 8}
    line = {
        "y": names_encoding("name") | {"sort": None, "scale": bands, "axis": name_axis},
        "yOffset": names_encoding("arm") | {"sort": None, "scale": {"domain": arms}},
    }
    inks = {"domain": arms, "range": [series.colour for series in bars.series]}
    legend = {"title": None, "orient": "top", "labelLimit": 300} if len(arms) > 1 else None
    axis = {"title": bars.title, "grid": True, "format": "~f", "values": list(bars.ticks)}
    value_x = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"domain": list(bars.domain)}}
    colour = names_encoding("arm") | {"sort": None, "scale": inks, "legend": legend}
    bar = {"mark": {"type": "bar"}, "encoding": {"x": value_x, "color": colour} | line}
    interval = {
        "mark": {"type": "rule", "color": at.INK, "strokeWidth": 1.5},
        "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}} | line,
    }
    zero = {"data": {"values": [{}]}, "mark": {"type": "rule", "color": at.SOFT}, "encoding": {"x": {"datum": 0}}}
    axis_style = {
        "labelFontSize": bars.size,
        "titleFontSize": bars.size - 2,
        "labelColor": at.INK,
        "titleColor": at.SOFT,
    }
    axis_style |= {"gridColor": at.LINES, "domain": False, "ticks": False, "titleFontWeight": "normal"}
    # vl-convert measures names in Liberation Sans; other fonts take up to a fifth more, which must not cut names
    longest = max(map(len, arms))
    room, between = (10 + 0.1 * bars.size * n for n in (max(map(len, bars.categories)), longest))
    columns = max(1, int(0.9 * bars.box[2] / (at.CHAR * bars.size * longest + 3 * bars.size)))
    legend_style = {"labelFontSize": bars.size, "symbolType": "square", "columns": columns, "columnPadding": between}
    config = {
        "font": "Arial, Liberation Sans, sans-serif",
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": room, "right": 8, "top": 5, "bottom": 5},
        "axis": axis_style,
        "axisY": {"grid": False},
        "legend": legend_style,
        "view": {"stroke": None},
    }
    size = {"width": bars.box[2], "height": bars.box[3]}
    spec = {"$schema": SCHEMA, "config": config, "data": {"values": rows}, "layer": [bar, interval, zero]} | size
    svg: str = vegalite_to_svg(json.dumps(spec))
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
