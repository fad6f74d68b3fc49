"""The slides as a PowerPoint file: real titles, real tables, a chart whose numbers and intervals can be edited.

In: `Slide`s. Out: the bytes of a .pptx. Written by python-pptx, which has no error bars and no highlight: both are put into
the XML that it made (ECMA-376, 21.2.2.55 and 21.1.2.3.4). The chart's workbook is ours, by XlsxWriter, for two reasons: it
has the lengths of the error bars in columns of its own, and names that begin with `=` are text in it, not formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Pt

from unsway.reporting import words
from unsway.reporting.deck import layout as at
from unsway.reporting.deck.layout import Bars, Mark, Paragraph, Slide, Table, Text
from unsway.reporting.deck.look import ANSWER, CUE, HEAD, INK, LINES, NOTE_SIZE, NOTE_TOP, SOFT, TITLE_TOP

_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""PowerPoint's own table style without fills or lines."""
_INKS: dict[Mark, str] = {"soft": SOFT}
_GROUNDS: dict[Mark, str] = {"cue": CUE, "answer": ANSWER}


def presentation(title: str, slides: Sequence[Slide]) -> bytes:
    """A whole presentation."""
    made = Presentation()
    made.slide_width, made.slide_height = Pt(at.WIDTH), Pt(at.HEIGHT)
    made.core_properties.title = at.cut(title, 200)
    made.core_properties.author = "unsway"
    for number, slide in enumerate(slides, 1):
        _slide(made, slide, number)
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def _slide(made: Any, slide: Slide, number: int) -> None:
    page = made.slides.add_slide(made.slide_layouts[5])  # title only
    title = page.shapes.title
    title.left, title.top, title.width, title.height = (
        Pt(x) for x in (at.LEFT, TITLE_TOP, at.INNER, at.TOP - TITLE_TOP - 16)
    )
    _write(title.text_frame, (at.line(slide.title, "strong"),), slide.title_size)
    for item in slide.items:
        if isinstance(item, Text):
            _text(page, item)
        elif isinstance(item, Table):
            _table(page, item)
        else:
            _bars(page, item)
    foot = Text((at.LEFT, NOTE_TOP, at.INNER - 60, 34), (at.line(slide.note, "soft"),), NOTE_SIZE)
    _text(page, foot)
    _text(page, Text((at.LEFT + at.INNER - 40, NOTE_TOP, 40, 34), (at.line(str(number), "soft"),), NOTE_SIZE))


# ---------------------------------------------------------------- text


def _text(page: Any, item: Text) -> None:
    left, top, width, height = item.box
    box = page.shapes.add_textbox(Pt(left), Pt(top), Pt(width), Pt(height))
    _write(box.text_frame, item.paragraphs, item.size, item.gap)


def _write(frame: Any, paragraphs: Sequence[Paragraph], size: float, gap: float = 0.0) -> None:
    """Paragraphs into a frame without margins, from the top and the left."""
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.TOP
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for i, pieces in enumerate(paragraphs):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT  # the title of the template is centred
        paragraph.space_before = Pt(gap if i else 0)
        for piece in pieces:
            _run(paragraph, piece.text, piece.mark, size)


def _run(paragraph: Any, text: str, mark: Mark, size: float) -> None:
    run = paragraph.add_run()
    run.text = words.visible(text)
    run.font.size, run.font.bold, run.font.name = Pt(size), mark == "strong", at.FONT
    run.font.color.rgb = RGBColor.from_string(_INKS.get(mark, INK)[1:])
    if mark in _GROUNDS:
        ground = f'<a:highlight {nsdecls("a")}><a:srgbClr val="{_GROUNDS[mark][1:]}"/></a:highlight>'
        run.font._element.find(qn("a:solidFill")).addnext(parse_xml(ground))


# ---------------------------------------------------------------- table


def _table(page: Any, item: Table) -> None:
    left, top, width, height = item.box
    frame = page.shapes.add_table(len(item.rows), len(item.widths), Pt(left), Pt(top), Pt(width), Pt(height))
    table = frame.table
    table._tbl.tblPr.find(qn("a:tableStyleId")).text = _NO_STYLE
    table.first_row, table.horz_banding = True, False
    for column, points in zip(table.columns, item.widths, strict=True):
        column.width = Pt(points)
    for i, (row, points) in enumerate(zip(item.rows, item.heights, strict=True)):
        table.rows[i].height = Pt(points)
        for cell, lines in zip(table.rows[i].cells, row, strict=True):
            _cell(cell, lines, item, head=i == 0)


def _cell(cell: Any, lines: Sequence[str], item: Table, *, head: bool) -> None:
    first, rest = lines[0], lines[1:]
    _write(cell.text_frame, (at.line(first, "strong" if head else ""),), item.size)
    for text in rest:
        paragraph = cell.text_frame.add_paragraph()
        _run(paragraph, text, "soft", item.small)
    cell.margin_left = cell.margin_right = Pt(4)
    cell.margin_top = cell.margin_bottom = Pt(3)
    cell.vertical_anchor = MSO_ANCHOR.TOP
    edge = f'<a:lnB {nsdecls("a")} w="9525"><a:solidFill><a:srgbClr val="{LINES[1:]}"/></a:solidFill></a:lnB>'
    cell._tc.get_or_add_tcPr().append(parse_xml(edge))
    if head:
        cell.fill.solid()
        cell.fill.fore_color.rgb = RGBColor.from_string(HEAD[1:])


# ---------------------------------------------------------------- chart


def _bars(page: Any, item: Bars) -> None:
    data = CategoryChartData()
    data.categories = item.categories
    for one in item.series:
        data.add_series(one.name, one.values)
    left, top, width, height = (Pt(x) for x in item.box)
    frame = page.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, left, top, width, height, data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", words.visible(item.said[:4000]))
    chart = frame.chart
    chart.part.chart_workbook.update_from_xlsx_blob(_workbook(item))
    chart.font.size, chart.font.name = Pt(item.size), at.FONT
    chart.font.color.rgb = RGBColor.from_string(INK[1:])
    chart.has_title = False
    chart.has_legend = len(item.series) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    _axes(chart, item)
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 45, 0
    for place, (drawn, one) in enumerate(zip(plot.series, item.series, strict=True)):
        drawn.format.fill.solid()
        drawn.format.fill.fore_color.rgb = RGBColor.from_string(one.colour[1:])
        drawn.invert_if_negative = False
        drawn._element.find(qn("c:cat")).addprevious(_error_bars(item, place))


def _axes(chart: Any, item: Bars) -> None:
    """Names at the left whatever the sign of a bar, the first on top; hairlines up from the values."""
    names, values = chart.category_axis, chart.value_axis
    names.reverse_order = True
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    names.format.line.color.rgb = RGBColor.from_string(SOFT[1:])
    names.has_major_gridlines = False
    values.tick_label_position = XL_TICK_LABEL_POSITION.HIGH  # the order is reversed, so that high is below
    values.minimum_scale, values.maximum_scale = item.domain
    values.major_unit = item.ticks[1] - item.ticks[0]
    values.has_major_gridlines = True
    values.major_gridlines.format.line.color.rgb = RGBColor.from_string(LINES[1:])
    values.format.line.fill.background()
    values.tick_labels.number_format, values.tick_labels.number_format_is_linked = "0;−0", False
    values.has_title = True
    values.axis_title.text_frame.text = item.title
    run = values.axis_title.text_frame.paragraphs[0].runs[0]
    run.font.size, run.font.bold = Pt(item.size - 2), False
    run.font.color.rgb = RGBColor.from_string(SOFT[1:])


def _lengths(item: Bars, place: int) -> tuple[list[float | None], list[float | None]]:
    """How far the interval of each bar reaches beyond it, up and down."""
    one = item.series[place]
    rows = list(zip(one.values, one.lows, one.highs, strict=True))
    up = [None if value is None or high is None else round(high - value, 2) for value, _, high in rows]
    down = [None if value is None or low is None else round(value - low, 2) for value, low, _ in rows]
    return up, down


def _columns(item: Bars, place: int) -> tuple[int, int]:
    """Columns of the workbook, from 0, that hold the lengths of a series: after the names and all values."""
    return 1 + len(item.series) + 2 * place, 2 + len(item.series) + 2 * place


def _workbook(item: Bars) -> bytes:
    """What opens in PowerPoint at “Edit data”: names, values, and how far each interval reaches."""
    from xlsxwriter import Workbook

    out = BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sheet1")
        for row, name in enumerate(item.categories, 1):
            sheet.write_string(row, 0, name)
        for place, one in enumerate(item.series):
            up, down = _lengths(item, place)
            above, below = _columns(item, place)
            for column, head, numbers in (
                (1 + place, one.name, one.values),
                (above, f"{one.name}, interval above", up),
                (below, f"{one.name}, interval below", down),
            ):
                sheet.write_string(0, column, head)
                for row, number in enumerate(numbers, 1):
                    if number is not None:
                        sheet.write_number(row, column, number)
    return out.getvalue()


def _error_bars(item: Bars, place: int) -> Any:
    """Both lengths of every bar, as references to the workbook with the numbers beside them."""
    from xlsxwriter.utility import xl_range_abs

    parts = []
    for tag, column, lengths in zip(("plus", "minus"), _columns(item, place), _lengths(item, place), strict=True):
        cells = f"Sheet1!{xl_range_abs(1, column, len(lengths), column)}"
        points = "".join(f'<c:pt idx="{i}"><c:v>{x}</c:v></c:pt>' for i, x in enumerate(lengths) if x is not None)
        cache = f'<c:formatCode>General</c:formatCode><c:ptCount val="{len(lengths)}"/>{points}'
        parts.append(f"<c:{tag}><c:numRef><c:f>{cells}</c:f><c:numCache>{cache}</c:numCache></c:numRef></c:{tag}>")
    ink = f'<a:ln w="15875"><a:solidFill><a:srgbClr val="{INK[1:]}"/></a:solidFill></a:ln>'
    return parse_xml(
        f'<c:errBars {nsdecls("c", "a")}><c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="1"/>'
        f"{''.join(parts)}<c:spPr>{ink}</c:spPr></c:errBars>"
    )
