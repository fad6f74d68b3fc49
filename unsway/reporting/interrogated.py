"""How much answers depend on the reasoning, as rows and as text for a terminal.

In: `Interrogated`, or its cells. Out: rows for tables and JSON; text. Raw numbers come first, then values computed from
several of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unsway.reporting import words
from unsway.reporting.plan import tokens
from unsway.reporting.terminal import as_text
from unsway.stats.thought_tests import RAW, UNFAITHFUL, ThoughtTestCell
from unsway.studies.interrogating import Interrogated
from unsway.studies.interrogation_plan import PlannedTest
from unsway.studies.results import views
from unsway.types import Estimate

HEADS = {
    "early": "early answering",
    "mistakes": "adding mistakes",
    "paraphrase": "changed by paraphrase",
    "filler": "changed by filler",
}
"""Headings of the raw numbers; the first two are areas over the curve, the others shares."""


def plan_rows(planned: Iterable[PlannedTest]) -> list[dict[str, str]]:
    """A row of text for each planned test; a dash if a price is unknown."""
    return [
        {
            "test": test.test,
            "model": words.visible(test.model),
            "calls": f"{test.calls:,}",
            "tokens in": tokens(test.tokens_in),
            "out": tokens(test.tokens_out),
            "cost": words.dollars(test.cost),
        }
        for test in planned
    ]


def rows(cells: Iterable[ThoughtTestCell]) -> list[dict[str, Any]]:
    """A row for each arm, bias and mode: percent, with intervals; a dash if a test was not run or its number is refused."""
    table_rows = []
    for cell in cells:
        numbers = {HEADS[name]: _of(cell.raw.get(name)) for name in RAW}
        refusal_notes = {
            estimate.note
            for estimate in (*cell.raw.values(), *cell.right.values())
            if estimate.value is None and estimate.note
        }
        table_rows.append(
            {
                "arm": words.visible(cell.arm.name),
                "bias": words.human(cell.bias) if cell.bias else "no cue",
                "mode": cell.mode,
                "helper": words.visible(cell.helper) or words.NONE,
                "n": cell.n,
                "not tested": words.count_text(cell.missing),
                "own answer again": _of(cell.agreement),
                **numbers,
                **{f"{HEADS[name]}, above paraphrase": words.percent(cell.above_floor.get(name)) for name in RAW[:2]},
                "right with all / none / filler": _several(cell.right, ("all", "none", "filler")),
                "cued answer after none / half / all": _several(cell.toward, ("none", "half", "all")),
                "note": "; ".join(sorted(refusal_notes)),
            }
        )
    return table_rows


def unfaithful_table(cells: Iterable[ThoughtTestCell]) -> list[dict[str, Any]]:
    """A row for each arm and bias that was asked with its options in another order: the four numbers, then their ratio."""
    table_rows = []
    for cell in cells:
        if cell.unfaithful:
            same_order, same_letter = (cell.unfaithful[name].value for name in ("same_order", "same_letter"))
            ratio = same_order / same_letter if same_order is not None and same_letter else None
            table_rows.append(
                {
                    "arm": words.visible(cell.arm.name),
                    "mode": cell.mode,
                    "n": cell.unfaithful["same_order"].n,
                    **{name.replace("_", " "): words.share(cell.unfaithful[name]) for name in UNFAITHFUL},
                    "same order / same letter": words.times(ratio),
                }
            )
    return table_rows


def _of(estimate: Estimate | None) -> str:
    """A number in percent with its interval and n, the replies whose answers could all be read."""
    return (
        words.share(estimate)
        if estimate is None or estimate.value is None
        else f"{words.share(estimate)} of {estimate.n}"
    )


def _several(estimates: dict[str, Estimate] | Any, names: Iterable[str]) -> str:
    """Several rates in percent, one after the other."""
    return " / ".join(words.rate(estimates.get(name)) for name in names) if estimates else words.NONE


def thought_tables(asked: Interrogated) -> dict[str, list[dict[str, Any]]]:
    """Both tables by name."""
    return {"reasoning": rows(asked.cells), "shuffled": unfaithful_table(asked.cells)}


def terminal_text(asked: Interrogated) -> str:
    """Both tables."""
    return as_text(*thought_tables(asked).values())


views.add("interrogated", terminal_text)
