"""The table of a study: one row for each bias and arm, with every denominator and what was excluded and why.

In: `Results`. Out: plain rows (fractions, for `--json` and CSV), a rich table and Markdown (percent).
Columns follow SPEC §4: clean rate, biased rate, BRR with its paired interval, ratio to the base, accuracy and parse
rate of both arms of each pair.

    show(results)                      # in the terminal
    print(to_markdown(results))
    json.dumps(rows(results))
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from unsway.reporting import words
from unsway.reporting.caveats import doubts
from unsway.studies.results import Arm, Results
from unsway.types import Estimate

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

    from unsway.stats.estimates import Cell

Row: TypeAlias = dict[str, str | int | float | bool | dict[str, int] | None]

ESTIMATES = (
    "clean_rate",
    "biased_rate",
    "brr",
    "switch_toward",
    "switch_away",
    "switch_total",
    "accuracy_clean",
    "accuracy_biased",
    "parse_rate_clean",
    "parse_rate_biased",
    "brr_missing_hit",
    "brr_missing_miss",
)
"""The estimates of a cell, in the order of the columns."""

HEADS = ("bias", "arm", "n", "excluded", "clean", "biased", "BRR", "ratio to base", "accuracy", "parsed")
LAST_HEADS = ("accuracy", "parsed")
"""Columns for which a narrow terminal has no room."""
WIDE = 110
"""Columns of a terminal that shows all of them without breaking words."""
LEGEND = (
    "clean, biased: % of replies that give the cued answer without and with the cue. BRR: their difference in points, "
    "paired by question, with its interval. excluded: pairs left out, for the clean/for the biased reply. accuracy, "
    "parsed: % without → with the cue. * trained on"
)
_ARMS = ((0, "clean"), (1, "biased"))


# ---------------------------------------------------------------- plain rows


def rows(results: Results) -> tuple[Row, ...]:
    """One flat row for each bias and arm, fractions inside; an estimate gives NAME, NAME_low, NAME_high and NAME_n."""
    return tuple(_row(results, arm, cell) for arm, cell in _measured(results))


def rows_by_source(results: Results) -> tuple[Row, ...]:
    """The same for each bias, source and arm (without ratios, which need every question)."""
    arms = {arm.model: arm for arm in results.arms}
    cells = (cell for cell in results.cells_by_source if cell.model in arms)
    return tuple(_row(results, arms[cell.model], cell) for cell in cells)


def _measured(results: Results) -> Iterator[tuple[Arm, Cell]]:
    """Arms and their cells, bias by bias."""
    for bias in results.biases:
        for arm in results.arms:
            cell = results.cell(arm, bias)
            if cell is not None:
                yield arm, cell


def _row(results: Results, arm: Arm, cell: Cell) -> Row:
    row: Row = {"bias": cell.bias, "trained": results.is_trained(cell.bias, arm), "arm": arm.label, "role": arm.role}
    row |= {"model": arm.model, "source": cell.source, "elicit": cell.elicit, "questions": cell.n_questions}
    row |= {"pairs": cell.n_pairs, "n": cell["brr"].n, "n_excluded": cell["brr"].n_excluded}
    row["excluded"] = {str(reason): n for reason, n in cell.excluded}
    for name in ESTIMATES:
        row |= _flat(name, cell[name])
    if cell.source == "all":
        row |= _flat("brr_ratio", results.ratio(arm, cell.bias))
    return row


def _flat(name: str, est: Estimate | None) -> Row:
    if est is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None, f"{name}_n": 0, f"{name}_note": ""}
    ends = {name: est.value, f"{name}_low": est.low, f"{name}_high": est.high}
    endless = any(value is not None and not math.isfinite(value) for value in ends.values())
    body: Row = {key: value if value is None or math.isfinite(value) else None for key, value in ends.items()}
    return body | {f"{name}_n": est.n, f"{name}_note": est.note or ("no upper end" if endless else "")}


# ---------------------------------------------------------------- rows for a person


def cells_as_text(results: Results) -> tuple[tuple[str, ...], ...]:
    """The rows as a person reads them, in the order of `HEADS`."""
    return tuple(_as_text(results, arm, cell) for arm, cell in _measured(results))


def _as_text(results: Results, arm: Arm, cell: Cell) -> tuple[str, ...]:
    ratio, taught = results.ratio(arm, cell.bias), results.trained_on(cell.bias)
    star = "*" if results.is_trained(cell.bias) and taught is None else ""
    return (
        words.human(cell.bias) + star,
        words.visible(arm.label) + ("*" if taught and arm in taught else ""),
        str(cell["brr"].n),
        reasons(cell),
        words.rate(cell["clean_rate"]),
        words.rate(cell["biased_rate"]),
        words.points(cell["brr"]),
        "" if arm.role == "base" else "refused" if refused(ratio) else words.ratio(ratio),
        f"{words.rate(cell['accuracy_clean'])} → {words.rate(cell['accuracy_biased'])}",
        f"{words.rate(cell['parse_rate_clean'])} → {words.rate(cell['parse_rate_biased'])}",
    )


def reasons(cell: Cell) -> str:
    """What was left out and why, clean/biased: `unparsed 0/3, truncated 1/1`; `0` where nothing was."""
    kinds: dict[str, list[int]] = {}
    for reason, n in cell.excluded:
        side, kind = _SIDES.get(reason, (None, reason.replace("_", " ")))
        counts = kinds.setdefault(kind, [0] if side is None else [0, 0])
        counts[side or 0] += n
    return ", ".join(f"{kind} {'/'.join(map(str, counts))}" for kind, counts in kinds.items()) or "0"


_KINDS = ("unparsed", "ambiguous", "refused", "truncated")
_SIDES: dict[str, tuple[int, str]] = {f"{side}_{kind}": (i, kind) for i, side in _ARMS for kind in _KINDS}
_SIDES |= {f"no_{side}_reply": (i, "no reply") for i, side in _ARMS}
"""Reason to which arm of the pair it is about, and what it says."""


def refused(est: Estimate | None) -> str:
    """Why a ratio is not given; empty where it is."""
    return words.visible(est.note) if est is not None and est.value is None else ""


def footnotes(results: Results) -> tuple[str, ...]:
    """What belongs under the table: doubts about the replies, held-out averages, questions that could not be put."""
    held = [
        f"Held-out average of {words.visible(one.arm)}: ratio of mean BRRs {_value(one.ratio_of_means)}; "
        f"mean of ratios {_value(one.mean_of_ratios)}."
        for one in results.held_out
    ]
    notes = dict.fromkeys(f"Refused: {refused(one.estimate)}." for one in results.ratios if refused(one.estimate))
    left = [
        f"{words.human(bias)}: {n} questions skipped, {words.visible(why)}." for bias, why, n in results.skipped if n
    ]
    at_arms = any(results.trained_on(bias) for bias in results.biases)
    legend = LEGEND + (" (beside an arm: that arm was, others were not)." if at_arms else ".")
    return (legend, *doubts(results), *held, *notes, *left)


def _value(est: Estimate) -> str:
    why = refused(est)
    return f"refused ({why})" if why else words.ratio(est)


# ---------------------------------------------------------------- terminal and Markdown


def to_rich(results: Results, width: int = WIDE) -> Table:
    """The table for a terminal. No text from a model, a file or a name reaches it with a control character.

    Args:
        results: The study.
        width: Columns of the terminal; one of less than `WIDE` gets the numbers that come first, and counts for reasons.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(words.visible(results.title)), title_justify="left", box=None, pad_edge=False)
    narrow = width < WIDE
    for head in HEADS[: -len(LAST_HEADS)] if narrow else HEADS:
        if head in ("n", "excluded", "clean", "biased") and (narrow or head != "excluded"):
            table.add_column("out" if head == "excluded" else head, justify="right", no_wrap=True)
        else:
            table.add_column(head, overflow="fold", no_wrap=narrow and head in ("BRR", "ratio to base"))
    before = ""
    for row, cells in zip(rows(results), cells_as_text(results), strict=True):
        if before and cells[0] != before:
            table.add_section()
        shown = [cells[0] if cells[0] != before else "", *cells[1:]]
        if narrow:
            shown[HEADS.index("excluded")] = str(row["n_excluded"])
        table.add_row(*(Text(text) for text in shown[: len(table.columns)]))
        before = cells[0]
    return table


def to_terminal(results: Results, width: int = WIDE) -> Group:
    """Headline, table and footnotes."""
    from rich.console import Group
    from rich.text import Text

    notes = [Text(note, style="dim") for note in footnotes(results)]
    if width < WIDE:
        notes.append(
            Text(f"{' and '.join(LAST_HEADS)}, and why pairs are out: {WIDE} columns, or the page.", style="dim")
        )
    return Group(Text(words.headline(results), style="bold"), Text(), to_rich(results, width), Text(), *notes)


def show(results: Results, console: Console | None = None) -> None:
    """Print headline, table and footnotes."""
    from rich.console import Console

    shown = console or Console()
    shown.print(to_terminal(results, shown.width))


def to_markdown(results: Results) -> str:
    """The table as Markdown, with the headline above and the footnotes below."""
    lines = [markdown_row(HEADS), markdown_row(["---"] * len(HEADS))]
    lines += [markdown_row([escape(text) for text in cells]) for cells in cells_as_text(results)]
    notes = [escape(note) for note in footnotes(results)]
    return "\n".join([escape(words.headline(results)), "", *lines, "", *(f"{note}  " for note in notes)]) + "\n"


def markdown_row(cells: tuple[str, ...] | list[str]) -> str:
    """Cells that Markdown takes as they are (`escape`) as one line of a table."""
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Text that Markdown shows as it is: no HTML, no cell ends, no emphasis, no links."""
    for char in "\\`*_[]|":
        text = text.replace(char, "\\" + char)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# ---------------------------------------------------------------- LaTeX

_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "→": r"$\to$"}
_LATEX |= {"∞": r"$\infty$", "—": "---", "<": r"\textless{}", ">": r"\textgreater{}", "’": "'", "[": "{[}"}
_LATEX |= {char: "\\" + char for char in "{}$&#_%"}


def to_latex(results: Results) -> str:
    """The table for a paper: one `tabular` with the rules of the booktabs package; footnotes as comments above it."""
    lines = [f"% {_latex(note)}" for note in (words.headline(results), *footnotes(results))]
    lines += [r"\begin{tabular}{llrlrrllll}", r"\toprule", _latex_row(HEADS), r"\midrule"]
    before = ""
    for cells in cells_as_text(results):
        if before and cells[0] != before:
            lines.append(r"\addlinespace")
        lines.append(_latex_row(cells if cells[0] != before else ("", *cells[1:])))
        before = cells[0]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex_row(cells: tuple[str, ...]) -> str:
    return " & ".join(map(_latex, cells)) + r" \\"


def _latex(text: str) -> str:
    """Text that LaTeX prints as it is: nothing in it is a command."""
    return "".join(_LATEX.get(char, char) for char in text)
