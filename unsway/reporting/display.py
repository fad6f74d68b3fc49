"""How `Results` show themselves: in a notebook, in a terminal, in Markdown, and as charts.

In: `Results`. Out: text, or an Altair chart. `studies.results` asks for these views by name, so that results need no report.
"""

from __future__ import annotations

import shutil
from io import StringIO

from unsway.reporting import charts, page, table
from unsway.studies.results import Results, views


def terminal_text(results: Results) -> str:
    """The headline, the table and the footnotes at the width of the terminal (120 columns where there is none)."""
    from rich.console import Console

    out = StringIO()
    table.show(results, Console(file=out, width=shutil.get_terminal_size((120, 24)).columns, force_terminal=False))
    return out.getvalue().rstrip("\n")


views.add("terminal", terminal_text)
views.add("markdown", table.to_markdown)
views.add("notebook", page.fragment)
views.add("chart", charts.chart)
