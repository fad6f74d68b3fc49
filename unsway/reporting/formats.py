"""Rows of equal keys as CSV, Markdown or LaTeX: what `--format` prints.

In: rows as dictionaries, or heads and cells. Out: text that ends in a newline. JSON is `json.dumps` of the same rows.

    written([{"bias": "post hoc", "brr": 0.31}], "csv")
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

Format: TypeAlias = Literal["csv", "md", "latex"]
_LINE_BREAK = re.compile(r"(?<!\s)\s*[\r\n]\s*")
_FORMULA = re.compile(r"^(?=[=@+\-\t\r])(?![+-](?:[\d.,∞ %+\-−<>\[\]eE]| to )*$)")
"""Matches the start of a text that a spreadsheet would take for a formula, except a number with its interval. A leading
apostrophe makes the spreadsheet read it as text."""
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "→": r"$\to$"}
_LATEX |= {"∞": r"$\infty$", "—": "---", "<": r"\textless{}", ">": r"\textgreater{}", "’": "'", "[": "{[}"}
_LATEX |= {char: "\\" + char for char in "{}$&#_%"}


def format_rows(rows: Sequence[Mapping[str, Any]], form: Format) -> str:
    """Write rows in a format; a missing key becomes an empty cell, and a nested value JSON."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    cells: list[list[str]] = []
    for row in rows:
        values = ["" if (value := row.get(head)) is None else value for head in heads]
        nested_types = (dict, list, tuple)
        cells.append([json.dumps(v, ensure_ascii=False) if isinstance(v, nested_types) else str(v) for v in values])
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(
            [[_FORMULA.sub("'", cell) for cell in row] for row in (heads, *cells)]
        )
        return out.getvalue()
    headings = [head.replace("_", " ") for head in heads]
    lines = markdown_table(headings, cells) if form == "md" else latex_table(headings, cells)
    return "\n".join(lines) + "\n"


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table; every text is escaped."""
    head, *body = (f"| {' | '.join(map(escape, row))} |" for row in (heads, *rows))
    return [head, "|---" * len(heads) + "|", *body]


def escape(text: str) -> str:
    """Escape text so Markdown shows it literally, on one line: no HTML, cell ends, emphasis, strike or links."""
    text = _LINE_BREAK.sub(" ", text)
    for char in "\\`*_[]|~":
        text = text.replace(char, "\\" + char)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def latex_table(heads: Sequence[str], rows: Sequence[Sequence[str]], columns: str = "") -> list[str]:
    """The lines of one `tabular` with booktabs rules; an empty row becomes some space between groups."""

    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(latex, cells)) + r" \\" if cells else r"\addlinespace"

    begin = rf"\begin{{tabular}}{{{columns or 'l' * len(heads)}}}"
    return [begin, r"\toprule", line(heads), r"\midrule", *map(line, rows), r"\bottomrule", r"\end{tabular}"]


def floating(tabular: str, caption: str = "", label: str = "") -> str:
    """Put a `tabular` into a `table` environment with caption and label; unchanged without either. Comments stay in front."""
    if not caption and not label:
        return tabular
    comments, begin, rest = tabular.partition(r"\begin{tabular}")
    caption_lines = [rf"\caption{{{latex(caption)}}}"] if caption else []
    caption_lines += [rf"\label{{{label}}}"] if label else []
    return comments + "\n".join([r"\begin{table}", r"\centering", *caption_lines, f"{begin}{rest}"]) + "\\end{table}\n"


def latex(text: str) -> str:
    """Escape text so LaTeX shows it literally, on one line."""
    return "".join(_LATEX.get(char, char) for char in _LINE_BREAK.sub(" ", text))
