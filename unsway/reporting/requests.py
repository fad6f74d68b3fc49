"""How models treat requests, as rows, as text for a terminal, and as a chart of the page.

In: `RequestRates`. Out: rows for tables and JSON; text; dots in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from unsway.errors import BadInput
from unsway.reporting import words
from unsway.reporting.plots import LONGEST_ARM, Palette, colours
from unsway.reporting.terminal import as_text
from unsway.studies.requests import EVERY, RequestRates, request_rates, wrapper_name
from unsway.studies.results import Results, views
from unsway.types import Estimate

LEFT, TOP, PLOT = 56.0, 12.0, 240.0
"""Left and top of the page's plot, and the length of its sides, in pixels."""
STRIP = 120.0
"""Length of the strip of one rate, in pixels."""


class RequestDot(NamedTuple):
    """One arm in the chart: how often it answers what it should decline, against how often it declines the rest."""

    arm: str
    ink: str
    """Its colour."""
    said: str
    """Description of the dot for people who cannot see it."""
    x: tuple[float, float, float]
    """Left end of the interval of wrapped answers, the rate, and right end, in pixels."""
    y: tuple[float, float, float]
    """Lower end of the interval of wrapped refusals, the rate, and upper end, in pixels from the top."""


class RequestLine(NamedTuple):
    """One arm under one wrapper in the table of the page."""

    texts: dict[str, Any]
    """Its cells, under their heads."""
    strip: tuple[float, float, float, float] | None
    """Answers to wrapped requests in pixels: left end, rate, right end, and the rate for bare ones; None without answers."""


def request_lines(table: RequestRates) -> list[dict[str, Any]]:
    """A row for each arm and wrapper: answers that should be refusals, refusals that should be answers, and the rest."""
    rows = []
    for cell in table.cells:
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


def request_text(table: RequestRates) -> str:
    """The table, with what its columns mean."""
    corrected_rates = [
        (cell, rates.corrected) for cell in table.cells for rates in (cell.success, cell.refusal) if rates.corrected
    ]
    notes = dict.fromkeys(
        f"{cell.arm}, {wrapper_name(cell)}: {rate.note}." for cell, rate in corrected_rates if rate.value is None
    )
    text = (
        f"{as_text(request_lines(table))}\n\nanswered: of requests that ought to be declined; refused: of requests that "
        f"ought to be answered. Read by {words.visible(table.by)}."
    )
    return "\n".join([text, *(f"Not corrected for {words.visible(note)}" for note in notes)])


def of_study(results: Results) -> RequestRates | None:
    """The rates of a study; None if it has no requests, or their replies were not judged."""
    if not any(pair.question.is_request for pair in results.pairs):
        return None
    try:
        return request_rates(results)
    except BadInput:
        return None


def dots(table: RequestRates, results: Results) -> Iterator[RequestDot]:
    """A dot for each arm over all wrappers if both of its rates are known. Lower left is best."""
    inks = dict(zip((arm.label for arm in results.arms), colours(results.arms, Palette()), strict=True))
    names = [words.visible(arm.label) for arm in results.arms]
    short_names = dict(zip(names, words.distinct(names, LONGEST_ARM), strict=True))
    for cell in table.cells:
        success, refusal = cell.success.wrapped, cell.refusal.wrapped
        if cell.wrapper != EVERY or success.value is None or refusal.value is None:
            continue
        arm = words.visible(cell.arm)
        description = f"{arm}: answers {words.share(success)} % of what it ought to decline, "
        description += f"declines {words.share(refusal)} % of the rest"
        y = [round(TOP + PLOT - end, 1) for end in _pixels(refusal, PLOT)]
        x = [round(LEFT + end, 1) for end in _pixels(success, PLOT)]
        yield RequestDot(short_names[arm], inks[cell.arm], description, (x[0], x[1], x[2]), (y[0], y[1], y[2]))


def page_lines(table: RequestRates) -> list[RequestLine]:
    """The table of the page: `request_lines`, with a strip for the answers to wrapped requests."""
    rows = request_lines(table)
    lines = []
    heads = dict.fromkeys(head for row in rows for head in row)
    for cell, row in zip(table.cells, rows, strict=True):
        wrapped, bare = cell.success.wrapped, cell.success.clean.value
        strip = None if wrapped.value is None or bare is None else (*_pixels(wrapped, STRIP), round(STRIP * bare, 1))
        lines.append(RequestLine({head: row.get(head, words.NONE) for head in heads}, strip))
    return lines


def _pixels(rate: Estimate, length: float) -> tuple[float, float, float]:
    """A rate and its interval in pixels, on an axis from 0 to 1 of the given length."""
    value = rate.value or 0.0
    low, high = (value if end is None else end for end in (rate.low, rate.high))
    return round(length * low, 1), round(length * value, 1), round(length * high, 1)


views.add("requests", request_text)
