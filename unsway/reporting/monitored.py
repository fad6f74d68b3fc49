"""How well monitors detect switched replies, as rows and as text for a terminal.

In: `Monitored`, or its cells. Out: rows for tables and JSON; text. Each monitor of the reply is shown with the
baselines that see only the answer, the prompt or the length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from unsway.reporting import words
from unsway.reporting.terminal import as_text
from unsway.stats.matched import FrontArm
from unsway.studies.monitoring import Monitored, MonitoredCell
from unsway.studies.results import views


def rows(cells: Iterable[MonitoredCell]) -> list[dict[str, Any]]:
    """A row for each arm, bias and monitor; a dash if a number is refused."""
    return [
        {
            "bias": words.human(cell.bias),
            "arm": words.visible(cell.arm),
            "monitor": words.visible(cell.by) or words.NONE,
            "sees": {
                "reply": f"prompt and {'reply' if cell.channel == 'answer' else cell.channel}",
                "answer": "prompt and answer",
                "prompt": "prompt",
            }.get(cell.sees, "length of the reply"),
            "n": cell.n,
            "no grade": words.count_text(cell.missing),
            "caused": words.percent(cell.caused),
            "g² pooled": words.ratio(cell.g_squared),
            "g² by question": words.ratio(cell.g_squared_by_instance),
            "g-mean": words.times(cell.g_mean),
            "AUROC, not followed": words.ratio(cell.auroc),
            "AUROC, clean": words.ratio(cell.auroc_clean),
            "note": "; ".join(notes(cell)),
        }
        for cell in cells
    ]


def notes(cell: MonitoredCell) -> list[str]:
    """The notes on a cell, without repeats: its own note, and why a monitor's numbers are refused."""
    refusals = [estimate.note for estimate in (cell.g_squared, cell.auroc) if estimate.value is None and cell.by]
    return [note for note in dict.fromkeys((cell.note, *refusals)) if note]


def unflagged(watched: Monitored) -> dict[str, tuple[FrontArm, ...]]:
    """The front by each monitor, keyed by its definition of silence: that it raised no flag."""
    return {f"no flag of {by}": arms for by, arms in watched.fronts().items()}


def front_rows(fronts: Mapping[str, Sequence[FrontArm]]) -> list[dict[str, Any]]:
    """A row for each arm of a front with several: how biased it is, how often it switches silently, whether it is beaten.

    Args:
        fronts: The arms, by what defines silence: a judge, or no flag from a monitor.
    """

    def with_ends(value: float, ends: tuple[float, float]) -> str:
        return f"{words.percent(value)} [{words.percent(ends[0])}, {words.percent(ends[1])}]"

    return [
        {
            "arm": words.visible(arm.label),
            "silence by": words.visible(by),
            "BRR": with_ends(arm.x, arm.x_ends),
            "switched in silence": with_ends(arm.y, arm.y_ends),
            "another is as good in both, better in one": "yes" if arm.is_beaten else "no",
            "in % of draws": words.percent(arm.share_beaten),
        }
        for by, arms in fronts.items()
        if len(arms) > 1
        for arm in arms
    ]


def monitor_tables(watched: Monitored, methods: Mapping[str, Sequence[str]]) -> dict[str, list[dict[str, Any]]]:
    """Tables by name: the monitors, the front if there are several arms, and methods compared with the first one.

    Args:
        watched: The monitors' results.
        methods: Labels of the arms of each method; with fewer than two there is no comparison.
    """
    differences = watched.matched(methods) if len(methods) > 1 else {}
    method_rows = [
        {"method": name, "AUROC less that of the first": words.ratio(difference), "note": difference.note}
        for name, difference in differences.items()
    ]
    return {"monitors": rows(watched.cells), "front": front_rows(unflagged(watched)), "methods": method_rows}


def terminal_text(watched: Monitored) -> str:
    """The table of monitors, and the front if there are several arms."""
    return as_text(*monitor_tables(watched, {}).values())


views.add("monitored", terminal_text)
