"""The slides as a PowerPoint file: real titles, real tables, a chart whose numbers and intervals can be edited.

In: `Slide`s. Out: the bytes of a .pptx. python-pptx writes it, but has neither error bars nor highlights, so both are added
to the XML it made (ECMA-376, 21.2.2.55 and 21.1.2.3.4). The chart's workbook is written here with XlsxWriter, for two
reasons: it has the lengths of the error bars in columns of its own, and names that begin with `=` stay text, not formulas.
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

NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""Id of PowerPoint's built-in table style without fills or lines."""
HIGHLIGHTS: dict[Mark, str] = {"cue": at.CUE, "answer": at.ANSWER}
"""Colours behind text."""


def presentation(title: str, slides: Sequence[Slide]) -> bytes:
    """The whole presentation."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Pt(at.WIDTH), Pt(at.HEIGHT)
    deck.core_properties.title = at.cut(title, 200)
    deck.core_properties.author = "unsway"
    for number, slide in enumerate(slides, 1):
        page = deck.slides.add_slide(deck.slide_layouts[5])  # title only
        title_shape = page.shapes.title
        title_shape.left, title_shape.top, title_shape.width = Pt(at.LEFT), Pt(at.TITLE_TOP), Pt(at.INNER)
        title_shape.height = Pt(at.TOP - at.TITLE_TOP - 16)
        _write(title_shape.text_frame, (at.line(slide.title, "strong"),), slide.title_size)
        footnote = Text((at.LEFT, at.NOTE_TOP, at.INNER - 60, 34), (at.line(slide.note, "soft"),), at.NOTE_SIZE)
        number_box = (at.LEFT + at.INNER - 40, at.NOTE_TOP, 40.0, 34.0)
        for item in (*slide.items, footnote, Text(number_box, (at.line(str(number), "soft"),), at.NOTE_SIZE)):
            if isinstance(item, Text):
                box = page.shapes.add_textbox(*map(Pt, item.box))
                _write(box.text_frame, item.paragraphs, item.size, item.gap)
            elif isinstance(item, Table):
                _add_table(page, item)
            else:
                _add_chart(page, item)
    out = BytesIO()
    deck.save(out)
    return out.getvalue()


def _write(frame: Any, paragraphs: Sequence[Paragraph], size: float, gap: float = 0.0) -> None:
    """Write paragraphs into a frame without margins, from the top left."""
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.TOP
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for i, pieces in enumerate(paragraphs):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT  # the title of the template is centred
        paragraph.space_before = Pt(gap if i else 0)
        for piece in pieces:
            _add_run(paragraph, piece.text, piece.mark, size)


def _add_run(paragraph: Any, text: str, mark: Mark, size: float) -> None:
    run = paragraph.add_run()
    run.text = words.visible(text)
    run.font.size, run.font.bold, run.font.name = Pt(size), mark == "strong", at.FONT
    run.font.color.rgb = _rgb(at.SOFT if mark == "soft" else at.INK)
    if mark in HIGHLIGHTS:
        highlight = f'<a:highlight {nsdecls("a")}><a:srgbClr val="{HIGHLIGHTS[mark][1:]}"/></a:highlight>'
        run.font._element.find(qn("a:solidFill")).addnext(parse_xml(highlight))


def _rgb(colour: str) -> Any:
    """Convert `#rrggbb` to a python-pptx colour."""
    return RGBColor.from_string(colour[1:])


# ---------------------------------------------------------------- table


def _add_table(page: Any, item: Table) -> None:
    frame = page.shapes.add_table(len(item.rows), len(item.widths), *map(Pt, item.box))
    table = frame.table
    table._tbl.tblPr.find(qn("a:tableStyleId")).text = NO_STYLE
    table.first_row, table.horz_banding = True, False
    for column, points in zip(table.columns, item.widths, strict=True):
        column.width = Pt(points)
    edge_xml = f'<a:lnB {nsdecls("a")} w="9525"><a:solidFill><a:srgbClr val="{at.LINES[1:]}"/></a:solidFill></a:lnB>'
    for i, (row, points) in enumerate(zip(item.rows, item.heights, strict=True)):
        table.rows[i].height = Pt(points)
        for cell, (first, *rest) in zip(table.rows[i].cells, row, strict=True):
            _write(cell.text_frame, (at.line(first, "" if i else "strong"),), item.size)
            for text in rest:
                _add_run(cell.text_frame.add_paragraph(), text, "soft", item.small)
            cell.margin_left = cell.margin_right = Pt(4)
            cell.margin_top = cell.margin_bottom = Pt(3)
            cell.vertical_anchor = MSO_ANCHOR.TOP
            cell._tc.get_or_add_tcPr().append(parse_xml(edge_xml))
            if i == 0:
                cell.fill.solid()
                cell.fill.fore_color.rgb = _rgb(at.HEAD)


# ---------------------------------------------------------------- chart


def _add_chart(page: Any, item: Bars) -> None:
    """Add a bar chart whose error bars refer to its workbook."""
    data = CategoryChartData()
    data.categories = item.categories
    for series in item.series:
        data.add_series(series.name, series.values)
    frame = page.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *map(Pt, item.box), data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", words.visible(item.said[:4000]))
    chart = frame.chart
    chart.part.chart_workbook.update_from_xlsx_blob(_workbook(item))
    chart.font.size, chart.font.name = Pt(item.size), at.FONT
    chart.font.color.rgb = _rgb(at.INK)
    chart.has_title = False
    chart.has_legend = len(item.series) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    # names always on the left, the first on top; thin grid lines at the values
    category_axis, value_axis = chart.category_axis, chart.value_axis
    category_axis.reverse_order = True
    category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    category_axis.format.line.color.rgb = _rgb(at.SOFT)
    category_axis.has_major_gridlines = False
    value_axis.tick_label_position = XL_TICK_LABEL_POSITION.HIGH  # the order is reversed, so high is at the bottom
    value_axis.minimum_scale, value_axis.maximum_scale = item.domain
    value_axis.major_unit = item.ticks[1] - item.ticks[0]
    value_axis.has_major_gridlines = True
    value_axis.major_gridlines.format.line.color.rgb = _rgb(at.LINES)
    value_axis.format.line.fill.background()
    value_axis.tick_labels.number_format, value_axis.tick_labels.number_format_is_linked = "0;−0", False
    value_axis.has_title = True
    value_axis.axis_title.text_frame.text = item.title
    run = value_axis.axis_title.text_frame.paragraphs[0].runs[0]
    run.font.size, run.font.bold = Pt(item.size - 2), False
    run.font.color.rgb = _rgb(at.SOFT)
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 45, 0
    for i, (chart_series, series) in enumerate(zip(plot.series, item.series, strict=True)):
        chart_series.format.fill.solid()
        chart_series.format.fill.fore_color.rgb = _rgb(series.colour)
        chart_series.invert_if_negative = False
        chart_series._element.find(qn("c:cat")).addprevious(_error_bars(item, i))


Lengths = list[float | None]


def _error_columns(item: Bars, i: int) -> tuple[tuple[int, Lengths], tuple[int, Lengths]]:
    """How far the intervals of series `i` reach above and below its bars, each with its column in the workbook, from 0."""
    series = item.series[i]
    above: Lengths = [
        None if value is None or high is None else round(high - value, 2)
        for value, high in zip(series.values, series.highs, strict=True)
    ]
    below: Lengths = [
        None if value is None or low is None else round(value - low, 2)
        for value, low in zip(series.values, series.lows, strict=True)
    ]
    first_column = 1 + len(item.series) + 2 * i  # after the names and all values
    return (first_column, above), (first_column + 1, below)


def _workbook(item: Bars) -> bytes:
    """The workbook that PowerPoint opens at “Edit data”: names, values, and the reach of each interval."""
    from xlsxwriter import Workbook

    out = BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sheet1")
        for row, name in enumerate(item.categories, 1):
            sheet.write_string(row, 0, name)
        for i, series in enumerate(item.series):
            (above_column, above), (below_column, below) = _error_columns(item, i)
            for column, head, numbers in (
                (1 + i, series.name, series.values),
                (above_column, f"{series.name}, interval above", above),
                (below_column, f"{series.name}, interval below", below),
            ):
                sheet.write_string(0, column, head)
                for row, number in enumerate(numbers, 1):
                    if number is not None:
                        sheet.write_number(row, column, number)
    return out.getvalue()


def _error_bars(item: Bars, i: int) -> Any:
    """Both lengths of every bar of series `i`, as references to the workbook with a copy of the numbers."""
    from xlsxwriter.utility import xl_range_abs

    parts = []
    for tag, (column, lengths) in zip(("plus", "minus"), _error_columns(item, i), strict=True):
        cells = f"Sheet1!{xl_range_abs(1, column, len(lengths), column)}"
        points = "".join(f'<c:pt idx="{j}"><c:v>{x}</c:v></c:pt>' for j, x in enumerate(lengths) if x is not None)
        cache = f'<c:formatCode>General</c:formatCode><c:ptCount val="{len(lengths)}"/>{points}'
        parts.append(f"<c:{tag}><c:numRef><c:f>{cells}</c:f><c:numCache>{cache}</c:numCache></c:numRef></c:{tag}>")
    line_xml = f'<a:ln w="15875"><a:solidFill><a:srgbClr val="{at.INK[1:]}"/></a:solidFill></a:ln>'
    return parse_xml(
        f'<c:errBars {nsdecls("c", "a")}><c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="1"/>'
        f"{''.join(parts)}<c:spPr>{line_xml}</c:spPr></c:errBars>"
    )
