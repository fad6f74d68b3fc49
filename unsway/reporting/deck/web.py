"""The slides as one HTML file that prints to PDF, a slide a page; no script, no request.

In: `Slide`s. Out: HTML. Jinja2 escapes every text; the content security policy has room for this style sheet, for the
chart, which is an image in the file, and for nothing else. The chart is drawn by Vega-Lite through vl-convert, as in the
rest of the report; inside an image, SVG runs nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from unsway.reporting.deck import layout as at
from unsway.reporting.deck.layout import Bars, Item, Slide, Table, Text
from unsway.reporting.deck.look import ANSWER, CUE, HEAD, INK, LINES, NOTE_SIZE, NOTE_TOP, SOFT, TITLE_TOP
from unsway.reporting.markup import asset, environment, policy, trusted

_COLOURS = {"ink": INK, "soft": SOFT, "lines": LINES, "head": HEAD, "cue": CUE, "answer": ANSWER}


def html(title: str, slides: Sequence[Slide]) -> str:
    """The whole deck."""
    css = _css(slides)
    template = environment().get_template("deck.html.j2")
    drawn = [(slide, [_item(item) for item in slide.items]) for slide in slides]
    return template.render(
        title=at.cut(title, 200), css=trusted(css), csp=policy((css,), img_src="data:"), slides=drawn
    )


# ---------------------------------------------------------------- places


def _css(slides: Sequence[Slide]) -> str:
    """The style sheet, and a rule for each box: the policy allows no style attribute."""
    colours = "".join(f"--{name}:{value};" for name, value in _COLOURS.items())
    rules = [f":root{{{colours}}}", asset("deck.css"), f".slide{{width:{_pt(at.WIDTH)};height:{_pt(at.HEIGHT)}}}"]
    rules.append(_rule(".title", (at.LEFT, TITLE_TOP, at.INNER, at.TOP - TITLE_TOP - 16)))
    rules.append(_rule(".note", (at.LEFT, NOTE_TOP, at.INNER - 60, 34), NOTE_SIZE))
    rules.append(_rule(".number", (at.LEFT + at.INNER - 40, NOTE_TOP, 40, 34), NOTE_SIZE))
    for number, slide in enumerate(slides, 1):
        rules.append(f"#slide-{number} .title{{font-size:{_pt(slide.title_size)}}}")
        for place, item in enumerate(slide.items, 1):
            rules += _rules(f"#item-{number}-{place}", item)
    return "\n".join(rules) + "\n"


def _rules(name: str, item: Item) -> Iterator[str]:
    yield _rule(name, item.box, item.size)
    if isinstance(item, Text):
        yield f"{name} p+p{{margin-top:{_pt(item.gap)}}}"
    elif isinstance(item, Table):
        yield f"{name} small{{font-size:{_pt(item.small)}}}"
        for column, width in enumerate(item.widths, 1):
            yield f"{name} col:nth-child({column}){{width:{_pt(width)}}}"


def _rule(name: str, box: tuple[float, float, float, float], size: float | None = None) -> str:
    left, top, width, height = map(_pt, box)
    font = f";font-size:{_pt(size)}" if size else ""
    return f"{name}{{left:{left};top:{top};width:{width};height:{height}{font}}}"


def _pt(points: float) -> str:
    """Points of a slide, however large it is shown."""
    return f"calc({points:g}*var(--pt))"


# ---------------------------------------------------------------- what stands there


def _item(item: Item) -> dict[str, Any]:
    if isinstance(item, Text):
        return {"kind": "text", "paragraphs": item.paragraphs}
    if isinstance(item, Table):
        return {"kind": "table", "head": item.rows[0], "rows": item.rows[1:], "n": len(item.widths)}
    return {"kind": "image", "source": _image(item), "said": item.said}


def _image(item: Bars) -> str:
    from vl_convert import vegalite_to_svg

    svg: str = vegalite_to_svg(json.dumps(_spec(item)))
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _spec(item: Bars) -> dict[str, Any]:
    """Bars with intervals. Names are data and scale domains, never expressions."""
    import altair as alt

    names, arms = list(item.categories), [one.name for one in item.series]
    data = alt.Data(values=list(_data(item)))
    axis = alt.Axis(title=item.title, grid=True, format="~f", values=list(item.ticks))
    scale = alt.Scale(domain=names, paddingInner=0.3, paddingOuter=0.1)
    beside = alt.Axis(title=None, labelLimit=item.box[2] * 0.34, labelPadding=8)
    where: dict[str, Any] = {
        "y": alt.Y("name:N", sort=None, scale=scale, axis=beside),
        "yOffset": alt.YOffset("arm:N", sort=None, scale=alt.Scale(domain=arms)),
    }
    ink = alt.Scale(domain=arms, range=[one.colour for one in item.series])
    legend = alt.Legend(title=None, orient="top", labelLimit=300) if len(arms) > 1 else None
    colour = alt.Color("arm:N", sort=None, scale=ink, legend=legend)
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(x=alt.X("value:Q", axis=axis, scale=alt.Scale(domain=list(item.domain))), color=colour, **where)
    )
    lines = alt.Chart(data).mark_rule(color=INK, strokeWidth=1.5).encode(x="low:Q", x2="high", **where)
    zero = alt.Chart(alt.Data(values=[{}])).mark_rule(color=SOFT).encode(x=alt.datum(0))
    chart = alt.layer(bars, lines, zero).properties(width=item.box[2], height=item.box[3])
    config = {"labelFontSize": item.size, "titleFontSize": item.size - 2, "labelColor": INK, "titleColor": SOFT}
    config |= {"gridColor": LINES, "domain": False, "ticks": False, "titleFontWeight": "normal"}
    spec: dict[str, Any] = chart.configure(
        font="Arial, Liberation Sans, sans-serif",
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        axis=alt.AxisConfig(**config),
        axisY=alt.AxisConfig(grid=False),
        legend=alt.LegendConfig(labelFontSize=item.size, symbolType="square", columns=_columns(item)),
        view=alt.ViewConfig(stroke=None),
    ).to_dict()
    return spec


def _columns(item: Bars) -> int:
    """Entries of the legend beside each other."""
    widest = max(len(one.name) for one in item.series)
    return max(1, int(0.9 * item.box[2] / (at.CHAR * item.size * widest + 3 * item.size)))


def _data(item: Bars) -> Iterator[dict[str, Any]]:
    for one in item.series:
        for name, value, low, high in zip(item.categories, one.values, one.lows, one.highs, strict=True):
            if value is not None:
                yield {"name": name, "arm": one.name, "value": value, "low": low, "high": high}
