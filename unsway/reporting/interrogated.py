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
            "test": one.test,
            "model": words.visible(one.model),
            "calls": f"{one.calls:,}",
            "tokens in": tokens(one.tokens_in),
            "out": tokens(one.tokens_out),
            "cost": words.dollars(one.cost),
        }
        for one in planned
    ]


def rows(cells: Iterable[ThoughtTestCell]) -> list[dict[str, Any]]:
    """A row for each arm, bias and mode: percent, with intervals; a dash if a test was not run or its number is refused."""
    found = []
    for cell in cells:
        numbers = {HEADS[name]: _of(cell.raw.get(name)) for name in RAW}
        refused = {one.note for one in (*cell.raw.values(), *cell.right.values()) if one.value is None and one.note}
        found.append(
            {
                "arm": words.visible(cell.arm.name),
                "bias": words.human(cell.bias) if cell.bias else "no cue",
                "mode": cell.mode,
                "helper": words.visible(cell.helper) or words.NONE,
                "n": cell.n,
                "not tested": words.counted(cell.missing),
                "own answer again": _of(cell.agreement),
                **numbers,
                **{f"{HEADS[name]}, above paraphrase": words.percent(cell.above_floor.get(name)) for name in RAW[:2]},
                "right with all / none / filler": _several(cell.right, ("all", "none", "filler")),
                "cued answer after none / half / all": _several(cell.toward, ("none", "half", "all")),
                "note": "; ".join(sorted(refused)),
            }
        )
    return found


def unfaithful_table(cells: Iterable[ThoughtTestCell]) -> list[dict[str, Any]]:
    """A row for each arm and bias that was asked with its options in another order: the four numbers, then their ratio."""
    found = []
    for cell in cells:
        if cell.unfaithful:
            same, letter = (cell.unfaithful[name].value for name in ("same_order", "same_letter"))
            ratio = same / letter if same is not None and letter else None
            found.append(
                {
                    "arm": words.visible(cell.arm.name),
                    "mode": cell.mode,
                    "n": cell.unfaithful["same_order"].n,
                    **{name.replace("_", " "): words.share(cell.unfaithful[name]) for name in UNFAITHFUL},
                    "same order / same letter": words.times(ratio),
                }
            )
    return found


def _of(one: Estimate | None) -> str:
    """A number in percent with its interval and n, the replies whose answers could all be read."""
    return words.share(one) if one is None or one.value is None else f"{words.share(one)} of {one.n}"


def _several(found: dict[str, Estimate] | Any, names: Iterable[str]) -> str:
    """Several rates in percent, one after the other."""
    return " / ".join(words.rate(found.get(name)) for name in names) if found else words.NONE


def thought_tables(asked: Interrogated) -> dict[str, list[dict[str, Any]]]:
    """Both tables by name."""
    return {"reasoning": rows(asked.cells), "shuffled": unfaithful_table(asked.cells)}


def terminal_text(asked: Interrogated) -> str:
    """Both tables."""
    return as_text(*thought_tables(asked).values())


views.add("interrogated", terminal_text)
