"""The panel of side effects as text: a row for each number and arm, a sentence for each arm.

In: an `EffectPanel`. Out: rows for tables and JSON, text for a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from unsway.effects.results import EffectPanel
from unsway.reporting import words
from unsway.types import Estimate

if TYPE_CHECKING:
    from rich.console import Console

    from unsway.effects.panel import PanelRow
    from unsway.effects.pricing import EffectPlan

HEADS = ("number", "before", "after", "change", "margin", "n", "missing", "verdict")
"""Columns of the table of one arm in a terminal: they fit in 80 columns."""


def body(panel: EffectPanel) -> dict[str, Any]:
    """The numbers, the sentences and what was asked, as JSON; no replies."""
    rows: list[dict[str, Any]] = [json.loads(json.dumps(asdict(row))) for row in panel.rows]
    return {"about": dict(panel.about), "sentences": dict(panel.sentences), "rows": rows}


def cells(one: PanelRow) -> dict[str, str]:
    """A row of the panel as text."""
    return {
        "side effect": words.human(one.effect),
        "number": one.measure,
        "before": own(one.before, one.unit) if one.against else "0",
        "after": own(one.value, one.unit),
        "change": change(one),
        "margin": margin(one),
        "verdict": verdict(one),
        "n": f"{one.change.n:,}",
        "changed": words.NONE if one.changed is None else f"{100 * one.changed:.0f} %",
        "needed": f"{one.needed:,}" if one.needed and one.needed > one.change.n else words.NONE,
        "missing": f"{one.n_missing} / {one.n_missing_before}" if one.against else str(one.n_missing),
    }


def flat_rows(panel: EffectPanel) -> list[dict[str, str]]:
    """Every row as text with its arms, for formats that have one table."""
    return [
        {"arm": words.visible(row.arm), "against": words.visible(row.against) or words.NONE} | cells(row)
        for row in panel.rows
    ]


def own(value: Estimate | None, unit: str) -> str:
    """A number without its interval."""
    if value is None or value.value is None:
        return words.NONE
    return f"{100 * value.value:z.1f}".replace("-", "−") if unit == "points" else words.times(value.value)


def change(one: PanelRow) -> str:
    """The number that the verdict is about, with its interval."""
    estimate = one.change
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return words.NONE
    scale, form = (100, "+z.1f") if one.unit == "points" else (1, "z.2f")
    ends = (estimate.value, estimate.low, estimate.high)
    middle, low, high = (format(scale * end, form).replace("-", "−") for end in ends)
    return f"{'' if one.unit == 'points' else '× '}{middle} [{low}, {high}]"


def margin(one: PanelRow) -> str:
    """The largest loss that counts as kept."""
    if one.margin is None:
        return words.NONE
    return f"{100 * one.margin:g} pts" if one.unit == "points" else f"{100 * one.margin:g} %"


def verdict(one: PanelRow) -> str:
    """The verdict, or why there is none."""
    if one.margin is None and one.why:
        return one.why
    return f"{one.verdict}: {one.why}" if one.why else one.verdict


def by_part(one: PanelRow) -> str:
    """A number by condition, before and after, the largest rise first; empty if it has only one condition."""
    scale, form, sign = (100, "z.0f", " %") if one.unit == "points" else (1, "z.2f", "")
    texts = [
        f"{words.human(part.condition)} {scale * part.before:{form}} → {scale * part.value:{form}}{sign} of {part.n}"
        for part in sorted(one.parts, key=lambda part: part.before - part.value)
    ]
    return (
        f"{one.measure[:1].upper()}{one.measure[1:]} by kind, none tested alone: {', '.join(texts)}." if texts else ""
    )


def caveats(panel: EffectPanel) -> list[str]:
    """The warnings to read before a panel."""
    sentences = []
    controls = panel.about.get("controls", ["control"])  # an older panel does not say which arms are controls
    if not any(row.arm in controls for row in panel.rows):
        sentences.append(
            "There is no control arm, so what training at all costs cannot be told from what consistency costs."
        )
    sentences.append("A side effect of one training is an observation about one checkpoint; other seeds may differ.")
    if panel.about.get("changed"):
        sentences.append(f"Margins were changed after replies existed: {'; '.join(panel.about['changed'])}.")
    return sentences


def show(panel: EffectPanel, console: Console | None = None) -> None:
    """Print a table for each arm and its comparison arm, its sentence, and the warnings."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    groups: dict[tuple[str, str], list[PanelRow]] = {}
    for row in panel.rows:
        groups.setdefault((row.arm, row.against), []).append(row)
    for (arm, against), group in groups.items():
        heading = f"{words.visible(arm)} against {words.visible(against)}" if against else f"{words.visible(arm)} alone"
        console.print(heading, style="bold", highlight=False, markup=False)
        table = Table(*HEADS, box=None, pad_edge=False, padding=(0, 1, 0, 0))
        for effect, rows in groupby(group, key=lambda row: row.effect):
            table.add_row(Text(words.human(effect)), style="bold")
            for row in rows:
                texts = cells(row)
                if texts["needed"] != words.NONE:
                    texts["verdict"] += f"; {texts['needed']} questions would settle it if nothing was lost"
                table.add_row(*(Text(texts[head]) for head in HEADS))
        console.print(table)
        for line in filter(None, map(by_part, group)):
            console.print(line, highlight=False, markup=False)
        console.print()
    for line in (*panel.sentences.values(), *caveats(panel)):
        console.print(line, highlight=False, markup=False)


def plan_rows(plans: Sequence[EffectPlan]) -> list[dict[str, str]]:
    """The cost of a panel and what it can show, as text; a margin that its questions cannot resolve is marked."""
    return [
        {
            "side effect": words.human(plan.effect),
            "replies of an arm": f"{plan.replies:,}",
            "questions": f"{plan.questions:,}",
            "shows margins from": f"{100 * plan.shows:.1f} pts",
            "margins, and the questions they need": "; ".join(
                f"{name} {100 * allowed:g} pts: {needed:,}" for name, allowed, needed in plan.margins
            )
            or words.NONE,
        }
        for plan in plans
    ]


# ---------------------------------------------------------------- strips of the page

WIDTH, FAR = 120.0, 3.0
"""Width of a strip in pixels, and how many margins it shows to either side of no change."""


class Strip(NamedTuple):
    """One number of one arm on the page, drawn in units of its margin."""

    cells: tuple[str, ...]
    """Its texts, under `STRIP_HEADS`."""
    kind: str
    """kept, worse, lost, unsure or reported, for its colour."""
    drawn: bool
    """Whether it has anything to draw."""
    low: float
    """Left end of the interval in pixels."""
    high: float
    """Right end."""
    middle: float
    """The number itself."""
    said: str
    """Description of the strip for people who cannot see it."""
    parts: str
    """The number by condition, in words; empty if it has only one condition."""


READ = 20
"""Maximum number of an arm's replies on the page, which must stay below 5 MB."""
STRIP_HEADS = (
    "side effect",
    "number",
    "before",
    "after",
    "change",
    "margin",
    "verdict",
    "n",
    "changed",
    "needed",
    "missing",
)
KINDS = {
    "kept": "kept",
    "kept, a little worse": "worse",
    "lost": "lost",
    "cannot tell": "unsure",
    "reported": "reported",
}
"""Class of each verdict in the style sheet."""
ZERO, EDGE = WIDTH / 2, WIDTH / 2 * (1 - 1 / FAR)
"""Positions in pixels of no change and of the margin."""


def strips(panel: EffectPanel) -> list[tuple[str, str, list[Strip]]]:
    """Each arm with its sentence and its strips, against the base."""
    return [
        (words.visible(arm), words.visible(sentence), [strip(row) for row in panel.of(arm)])
        for arm, sentence in panel.sentences.items()
    ]


def lost_lines(panel: EffectPanel, arm: str) -> list[tuple[str, tuple[str, ...]]]:
    """What an arm lost, for people: the number, then the prompt, the base's reply and the arm's reply."""
    items = [item for item in panel.lost if words.visible(item.arm) == arm]
    return [
        (
            f"{words.human(item.effect)}: {item.measure}",
            tuple(
                "\n".join(map(words.visible, text.split("\n"))) for text in (item.asked, item.said_before, item.said)
            ),
        )
        for item in items[:READ]
    ]


def strip(one: PanelRow) -> Strip:
    """One number as a strip: left of the middle is worse, and the band ends at the margin."""
    texts = cells(one)
    ends = one.gain if one.gain is not None and one.margin else (0.0, 0.0)
    gain, (left, value, right) = 0.0, (one.change.low, one.change.value, one.change.high)
    if one.shift is not None:
        gain = one.shift
    elif one.gain is not None and left is not None and value is not None and right is not None and right > left:
        share = (value - left) / (right - left)  # the gain has the same relative place as the value between its ends
        worst, best = one.gain
        gain = best - share * (best - worst) if one.rises else worst + share * (best - worst)
    # pixels of both ends and of the number
    positions = (max(-FAR, min(FAR, x / (one.margin or 1.0))) for x in (*ends, gain))
    low, high, middle = (round(ZERO + ZERO / FAR * x, 1) for x in positions)
    return Strip(
        tuple(texts[head] for head in STRIP_HEADS),
        KINDS[one.verdict],
        one.gain is not None and one.margin is not None,
        low,
        high,
        middle,
        "{side effect}, {number}: {change}, margin {margin}, {verdict}".format_map(texts),
        by_part(one),
    )
