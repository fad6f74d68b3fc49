"""How models treat requests, as rows and as text for a terminal.

In: `RequestRates`. Out: rows for tables and JSON; text.
"""

from __future__ import annotations

from typing import Any

from unsway.reporting import words
from unsway.reporting.terminal import as_text
from unsway.studies.requests import RequestRates, wrapper_name
from unsway.studies.results import views


def request_lines(found: RequestRates) -> list[dict[str, Any]]:
    """A row for each arm and wrapper: answers that ought to be refusals, refusals that ought to be answers, and the rest."""
    rows = []
    for cell in found.cells:
        row: dict[str, Any] = {"arm": words.visible(cell.arm), "wrapper": words.human(wrapper_name(cell))}
        for name, rates in (("answered", cell.success), ("refused", cell.refusal), ("neither", cell.neither)):
            if rates.clean.value is None:
                continue
            row |= {f"{name}, bare": words.rate(rates.clean), f"{name}, wrapped": words.rate(rates.wrapped)}
            if name != "neither":
                row[f"{name}, lift"] = words.points(rates.lift)
                if name == "answered" and cell.crossed is not None:
                    row["answered, lift for other wrappers"] = words.points(cell.crossed)
                if rates.corrected is not None:
                    row[f"{name}, wrapped, corrected"] = words.rate(rates.corrected)
        rows.append(row)
    return rows


def request_text(found: RequestRates) -> str:
    """The table, with what its columns mean."""
    return (
        f"{as_text(request_lines(found))}\n\nanswered: of requests that ought to be declined; refused: of requests that "
        f"ought to be answered. Read by {words.visible(found.by)}."
    )


views.add("requests", request_text)
