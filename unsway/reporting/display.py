"""How `Results` are displayed: in a notebook, in a terminal, in Markdown, and as charts.

In: `Results`. Out: text, or an Altair chart. `studies.results` finds these views by name, so it does not import `reporting`.
"""

from __future__ import annotations

import importlib
import shutil
from importlib.util import find_spec
from io import StringIO
from typing import Any, Literal

from unsway.extras import requires
from unsway.reporting import charts, page, table
from unsway.studies.results import Results, views


def terminal_text(results: Results) -> str:
    """The headline, the table and the footnotes at the width of the terminal (120 columns if there is none)."""
    from rich.console import Console

    out = StringIO()
    table.show(results, Console(file=out, width=shutil.get_terminal_size((120, 24)).columns, force_terminal=False))
    return out.getvalue().rstrip("\n")


def data_frame(results: Results) -> Any:
    """The rows of the table as a data frame of pandas or polars, whichever is installed.

    Every column holds numbers, words or truth values: `excluded_REASON` is how many pairs were left out for a reason.

    Raises:
        MissingExtra: Neither pandas nor polars is installed.
    """
    rows: list[dict[str, Any]] = []
    for row in table.rows_by_source(results):
        numbers: dict[str, Any] = {**row}
        rows.append(numbers | {f"excluded_{reason}": n for reason, n in numbers.pop("excluded").items()})
    columns = {
        name: [row.get(name, 0 if name.startswith("excluded_") else None) for row in rows]
        for name in dict.fromkeys(name for row in rows for name in row)
    }
    backend: Literal["pandas", "polars"] = "polars" if find_spec("polars") and not find_spec("pandas") else "pandas"
    with requires("frame", "A data frame"):
        import narwhals

        importlib.import_module(backend)
    return narwhals.from_dict(columns, backend=backend).to_native()


views.add("terminal", terminal_text)
views.add("markdown", table.to_markdown)
views.add("notebook", page.fragment)
views.add("chart", charts.chart)
views.add("frame", data_frame)
