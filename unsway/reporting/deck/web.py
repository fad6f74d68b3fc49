"""The slides as one HTML file that prints to PDF, a slide a page; no script, no request.

In: `Slide`s. Out: HTML. Jinja2 escapes every text. The content security policy allows this style sheet, the chart, which is
an image in the file, and nothing else. Vega-Lite draws the chart through vl-convert, as in the rest of the report; inside an
image, SVG runs no script.
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
    drawn = []
    for slide in slides:
        items: list[dict[str, Any]] = []
        for item in slide.items:
            if isinstance(item, Text):
                items.append({"kind": "text", "paragraphs": item.paragraphs})
            elif isinstance(item, Table):
                items.append({"kind": "table", "head": item.rows[0], "rows": item.rows[1:], "n": len(item.widths)})
            else:
                items.append({"kind": "image", "source": _chart_image(item), "said": item.said})
        drawn.append((slide, items))
    allowed = policy((css,), img_src="data:")
    template = environment().get_template("deck.html.j2")
    return template.render(title=at.cut(title, 200), css=trusted(css), csp=allowed, slides=drawn)


def _style_sheet(slides: Sequence[Slide]) -> str:
    """The style sheet, with a rule for each box, because the policy allows no style attribute."""

    def pt(points: float) -> str:
        return f"calc({points:g}*var(--pt))"  # points of a slide, whatever size it is shown in

    def place(name: str, box: Box, size: float | None = None) -> str:
        left, top, width, height = map(pt, box)
        font = f";font-size:{pt(size)}" if size else ""
        return f"{name}{{left:{left};top:{top};width:{width};height:{height}{font}}}"

    colours = "".join(f"--{name}:{value};" for name, value in COLOURS.items())
    rules = [f":root{{{colours}}}", asset("deck.css"), f".slide{{width:{pt(at.WIDTH)};height:{pt(at.HEIGHT)}}}"]
    rules.append(place(".title", (at.LEFT, at.TITLE_TOP, at.INNER, at.TOP - at.TITLE_TOP - 16)))
    rules.append(place(".note", (at.LEFT, at.NOTE_TOP, at.INNER - 60, 34), at.NOTE_SIZE))
    rules.append(place(".number", (at.LEFT + at.INNER - 40, at.NOTE_TOP, 40, 34), at.NOTE_SIZE))
    for number, slide in enumerate(slides, 1):
        rules.append(f"#slide-{number} .title{{font-size:{pt(slide.title_size)}}}")
        for i, item in enumerate(slide.items, 1):
            name = f"#item-{number}-{i}"
            rules.append(place(name, item.box, item.size))
            if isinstance(item, Text):
                rules.append(f"{name} p+p{{margin-top:{pt(item.gap)}}}")
            elif isinstance(item, Table):
                rules.append(f"{name} small{{font-size:{pt(item.small)}}}")
                rules += (f"{name} col:nth-child({j}){{width:{pt(width)}}}" for j, width in enumerate(item.widths, 1))
    return "\n".join(rules) + "\n"


def _chart_image(bars: Bars) -> str:
    """Bars with intervals, as an SVG in a data address. Names are data and scale domains, never expressions."""
    with requires("slides", "`--slides`"):
        import altair as alt
        from vl_convert import vegalite_to_svg

    rows = []
    for one in bars.series:
        for name, value, low, high in zip(bars.categories, one.values, one.lows, one.highs, strict=True):
            if value is not None:
                rows.append({"name": name, "arm": one.name, "value": value, "low": low, "high": high})
    data, arms = alt.Data(values=rows), [one.name for one in bars.series]
    bands = alt.Scale(domain=list(bars.categories), paddingInner=0.3, paddingOuter=0.1)
    left = alt.Axis(title=None, labelLimit=bars.box[2] * 0.34, labelPadding=8)
    line: dict[str, Any] = {
        "y": alt.Y("name:N", sort=None, scale=bands, axis=left),
        "yOffset": alt.YOffset("arm:N", sort=None, scale=alt.Scale(domain=arms)),
    }
    inks = alt.Scale(domain=arms, range=[one.colour for one in bars.series])
    legend = alt.Legend(title=None, orient="top", labelLimit=300) if len(arms) > 1 else None
    axis = alt.Axis(title=bars.title, grid=True, format="~f", values=list(bars.ticks))
    value_x = alt.X("value:Q", axis=axis, scale=alt.Scale(domain=list(bars.domain)))
    colour = alt.Color("arm:N", sort=None, scale=inks, legend=legend)
    bar = alt.Chart(data).mark_bar().encode(x=value_x, color=colour, **line)
    interval = alt.Chart(data).mark_rule(color=at.INK, strokeWidth=1.5).encode(x="low:Q", x2="high", **line)
    zero = alt.Chart(alt.Data(values=[{}])).mark_rule(color=at.SOFT).encode(x=alt.datum(0))
    chart = alt.layer(bar, interval, zero).properties(width=bars.box[2], height=bars.box[3])
    axes = {"labelFontSize": bars.size, "titleFontSize": bars.size - 2, "labelColor": at.INK, "titleColor": at.SOFT}
    axes |= {"gridColor": at.LINES, "domain": False, "ticks": False, "titleFontWeight": "normal"}
    # vl-convert measures names in Liberation Sans; a browser without it takes up to a fifth more, which is no reason to cut
    longest = max(map(len, arms))
    room, between = (10 + 0.1 * bars.size * n for n in (max(map(len, bars.categories)), longest))
    columns = max(1, int(0.9 * bars.box[2] / (at.CHAR * bars.size * longest + 3 * bars.size)))
    spec = chart.configure(
        font="Arial, Liberation Sans, sans-serif",
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        padding={"left": room, "right": 8, "top": 5, "bottom": 5},
        axis=alt.AxisConfig(**axes),
        axisY=alt.AxisConfig(grid=False),
        legend=alt.LegendConfig(labelFontSize=bars.size, symbolType="square", columns=columns, columnPadding=between),
        view=alt.ViewConfig(stroke=None),
    ).to_dict()
    svg: str = vegalite_to_svg(json.dumps(spec))
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
