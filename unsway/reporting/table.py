"""The table of a study: one row for each bias and arm, with every denominator, and what was left out and why.

In: `Results`. Out: plain rows (fractions, for `--json` and CSV), a rich table, Markdown and LaTeX (percent). The columns
are explained in docs/statistics.md: clean rate, biased rate, BRR with its paired interval, ratio to the base, accuracy and
parse rate on both sides of each pair.

    show(results)                      # in the terminal
    print(to_markdown(results))
    json.dumps(rows(results))
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from unsway.errors import number_of
from unsway.reporting import words
from unsway.reporting.caveats import caveats
from unsway.reporting.formats import escape, floating, latex, latex_table, markdown_table
from unsway.reporting.headline import headline
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.types import ArmKey, Estimate

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
    "brr_read",
)
"""The estimates of every cell, in the order of the columns; added statistics come after them."""

RATIO = "ratio to base"
HEADS = ("bias", "arm", "n", "excluded", "clean", "biased", "BRR", RATIO, "p", "accuracy", "parsed")
LAST_HEADS = ("p", "accuracy", "parsed")
"""Columns that a narrow terminal leaves out."""
SHORTEST_NAME = 8
"""A narrow terminal leaves out a column rather than give names fewer characters per line than this."""
WIDE = 110
"""Width in columns of a terminal that shows the whole table without breaking words."""
LEGEND = (
    "clean, biased: % of replies that give the cued answer without and with the cue. BRR: their difference in points, "
    "paired by question, with its {level} interval. p: exact sign-flip test that the cue changes nothing, corrected by "
    "Holm's method over the {tests} of this table (every arm and bias). excluded (out): pairs left out; 1/3: one for its "
    "clean reply, three for the biased one. accuracy, parsed: % without → with the cue. * trained on"
)


# ---------------------------------------------------------------- plain rows


def rows(results: Results) -> tuple[Row, ...]:
    """One flat row for each bias and arm, in fractions; an estimate gives NAME, NAME_low, NAME_high, NAME_n and NAME_note.

    `p_holm` is corrected over all rows. If a second reader was used, `brr_corrected` is the BRR corrected for the first
    reader's errors; if replies were judged, `verbalised_…` is how often a switch is admitted.
    """
    from unsway.reporting.judged import estimates
    from unsway.reporting.second_reader import corrected

    corrected_brrs = corrected(results)
    judge_estimates = estimates(results)
    return tuple(
        _row(results, arm, cell, corrected_brrs) | flat(judge_estimates.get((arm.label, cell.bias), {}))
        for arm, cell in arm_cells(results)
    )


def rows_by_source(results: Results) -> tuple[Row, ...]:
    """One flat row for each bias, source and arm, without ratios, which need every question."""
    arms = {arm.key: arm for arm in results.arms}
    return tuple(_row(results, arms[cell.arm], cell, {}) for cell in results.cells_by_source if cell.arm in arms)


def arm_cells(results: Results) -> Iterator[tuple[Arm, Cell]]:
    """Every arm with its cell, bias by bias, in the order of the table."""
    for bias in results.biases:
        for arm in results.arms:
            cell = results.cell(arm, bias)
            if cell is not None:
                yield arm, cell


def _row(results: Results, arm: Arm, cell: Cell, corrected_brrs: Mapping[tuple[ArmKey, str], Estimate]) -> Row:
    row: Row = {
        "bias": cell.bias,
        "trained": results.is_trained(cell.bias, arm),
        "arm": arm.label,
        "role": arm.role,
        "model": arm.name,
        "source": cell.source,
        "elicit": cell.elicit,
        "questions": cell.n_questions,
        "pairs": cell.n_pairs,
        "n": cell["biased_rate"].n,
        "n_excluded": cell["biased_rate"].n_excluded,
        "excluded": {str(reason): n for reason, n in cell.excluded},
        "p": cell.p,
        "p_holm": cell.p_holm,
    }
    estimates: dict[str, Estimate | None] = {name: cell[name] for name in ESTIMATES}
    if cell.source == "all":
        estimates["brr_ratio"] = results.ratio(arm, cell.bias)
    if corrected_brrs:
        estimates["brr_corrected"] = corrected_brrs.get((cell.arm, cell.bias))
    estimates |= {name: cell[name] for name in added_names(results)}
    return row | flat(estimates)


def flat(estimates: Mapping[str, Estimate | None]) -> Row:
    """Each estimate as NAME, NAME_low, NAME_high, NAME_n and NAME_note."""
    row: Row = {}
    for name, est in estimates.items():
        ends = (None, None, None) if est is None else (est.value, est.low, est.high)
        finite = tuple(end if end is None or math.isfinite(end) else None for end in ends)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), finite, strict=True))
        row[f"{name}_n"] = est.n if est else 0
        row[f"{name}_note"] = (est.note if est else "") or ("" if finite == ends else "no upper end")
    return row


# ---------------------------------------------------------------- rows for a person


def added_names(results: Results) -> tuple[str, ...]:
    """Names of the statistics that were added to the table (`stats.statistics`)."""
    names = (est.name for cell in results.cells[:1] for est in cell.estimates)
    return tuple(name for name in names if name not in ESTIMATES)


def heads(results: Results) -> tuple[str, ...]:
    """The heads of `cells_as_text`: `HEADS`, without the ratio if only bases were asked, then added statistics."""
    from unsway.stats.statistics import statistics

    own_heads = [head for head in HEADS if head != RATIO or _has_others(results)]
    return (*own_heads, *(words.visible(statistics.get(name).heading) for name in added_names(results)))


def _has_others(results: Results) -> bool:
    """Whether the table has an arm other than bases, which have no ratio."""
    return any(arm.role != "base" for arm, _ in arm_cells(results))


def cells_as_text(results: Results) -> tuple[tuple[str, ...], ...]:
    """The rows as text for people, in the order of `heads`."""
    from unsway.stats.statistics import statistics

    formatters = {"percent": words.share, "points": words.points, "ratio": words.ratio}
    added_columns = [(name, formatters[statistics.get(name).show]) for name in added_names(results)]
    text_rows = []
    has_ratio = _has_others(results)
    for arm, cell in arm_cells(results):
        ratio = results.ratio(arm, cell.bias)
        trained_arms = results.trained_on(cell.bias)
        ratio_text = "" if arm.role == "base" else "refused" if ratio_refusal(ratio) else words.ratio(ratio)
        row = (
            words.human(cell.bias) + ("*" if results.is_trained(cell.bias) and trained_arms is None else ""),
            words.visible(arm.label) + ("*" if trained_arms and arm in trained_arms else ""),
            str(cell["biased_rate"].n),
            reasons(cell),
            words.rate(cell["clean_rate"]),
            words.rate(cell["biased_rate"]),
            words.brr(cell["brr"]),
            *([ratio_text] if has_ratio else []),
            words.p_value(cell.p_holm),
            words.both_sides(cell, "accuracy"),
            words.both_sides(cell, "parse_rate"),
            *(formatter(cell[name]) for name, formatter in added_columns),
        )
        text_rows.append(row)
    return tuple(text_rows)


def reasons(cell: Cell) -> str:
    """What was left out and why, clean/biased: `unparsed 0/3, truncated 1/1`; `0` if nothing was."""
    kinds: dict[str, list[int]] = {}
    for reason, n in cell.excluded:
        side = {"clean": 0, "biased": 1}.get(reason.side)
        kind = (str(reason) if side is None else reason.status).replace("_", " ")
        counts = kinds.setdefault(kind, [0] if side is None else [0, 0])
        counts[side or 0] += n
    return ", ".join(f"{kind} {'/'.join(map(str, counts))}" for kind, counts in kinds.items()) or "0"


def ratio_refusal(ratio: Estimate | None) -> str:
    """Why a ratio is not given; empty if it is given."""
    return words.visible(ratio.note) if ratio is not None and ratio.value is None else ""


def footnotes(results: Results) -> tuple[str, ...]:
    """The lines below the table: what columns mean, caveats, held-out averages, refused ratios, skipped questions."""
    from unsway.reporting import judged, second_reader
    from unsway.stats.statistics import statistics

    def ratio_text(ratio: Estimate) -> str:
        return f"refused ({ratio_refusal(ratio)})" if ratio_refusal(ratio) else words.ratio(ratio)

    some_arms_only = any(results.trained_on(bias) for bias in results.biases)
    n_tests = sum(cell.p is not None for _, cell in arm_cells(results))
    legend = LEGEND.format(level=words.level(results.level), tests=number_of(n_tests, "test"))
    legend += " (next to an arm: that arm was, others were not)." if some_arms_only else "."
    held_out = [
        f"Held-out average of {words.visible(average.arm)}: mean BRR {words.points(average.mean)} over the base's "
        f"{words.points(average.base_mean)}: ratio {ratio_text(average.ratio_of_means)}; "
        f"mean of ratios {ratio_text(average.mean_of_ratios)}."
        for average in results.held_out
    ]
    refusals = dict.fromkeys(
        f"Refused: {ratio_refusal(ratio.estimate)}." for ratio in results.ratios if ratio_refusal(ratio.estimate)
    )
    weak_ratios = [ratio for ratio in results.ratios if ratio.estimate.value is not None and ratio.estimate.note]
    ratio_warnings = [
        "Ratios to be read with care "
        f"({words.join_names(list(dict.fromkeys(words.human(ratio.bias) for ratio in weak_ratios)))}): {note}."
        for note in dict.fromkeys(words.visible(ratio.estimate.note) for ratio in weak_ratios)
    ]
    skip_notes = [
        f"{words.human(bias)}: {number_of(n, 'question')} skipped, {words.visible(reason)}."
        for bias, reason, n in results.skipped
        if n
    ]
    added_statistics = [(name, statistics.get(name)) for name in added_names(results)]
    definitions = [
        f"{words.visible(statistic.heading)} ({name}): {words.visible(statistic.summary)}."
        for name, statistic in added_statistics
    ]
    judge_notes = (*second_reader.footnotes(results), *judged.footnotes(results))
    first_notes = (legend, *definitions, *missing(results), *judge_notes, *caveats(results))
    return (*first_notes, *held_out, *refusals, *ratio_warnings, *skip_notes)


def missing(results: Results) -> Iterator[str]:
    """Which intervals allow for missing answers, and which biases are not tested."""
    from unsway.stats.columns import UNTESTED

    cells = [(arm, cell) for arm, cell in arm_cells(results) if cell["brr"].low is not None and cell["brr"].note]
    if cells:
        names = [f"{words.human(cell.bias)} ({words.visible(arm.label)})" for arm, cell in cells]
        yield (
            "Over 5% of the pairs are missing, or one side loses more, so these BRR intervals, and the ratios to them, allow "
            f"for any value of the missing answers: {words.first_few(names, 4)}."
        )
    untested = dict.fromkeys(words.human(cell.bias) for _, cell in arm_cells(results) if cell["brr"].note == UNTESTED)
    if untested:
        yield f"{words.join_names(list(untested))}: {UNTESTED}."


# ---------------------------------------------------------------- terminal and Markdown


def show(results: Results, console: Console | None = None) -> None:
    """Print the headline, the table and the footnotes."""
    from rich.console import Console

    terminal = console or Console()
    terminal.print(to_terminal(results, terminal.width))


def show_numbers(results: Results) -> None:
    """Print only the table, without headline and footnotes."""
    from rich.console import Console

    console = Console()
    console.print(to_rich(results, console.width), "")


def to_terminal(results: Results, width: int = WIDE) -> Group:
    """The headline, the table and the footnotes, for rich."""
    from rich.console import Group
    from rich.text import Text

    main_table = to_rich(results, width)
    notes = [*footnotes(results)]
    if width < WIDE:
        shown_heads = [column.header for column in main_table.columns]
        hidden_heads = [head for head in heads(results) if head not in shown_heads]
        notes.append(f"{words.join_names(hidden_heads)}: in a terminal of {WIDE} columns, or on the page.")
    dim_notes = [Text(note, style="dim") for note in notes]
    return Group(Text(headline(results), style="bold"), Text(), main_table, Text(), *dim_notes)


def columns(results: Results, width: int) -> dict[str, list[str]]:
    """The columns, with their cells, that fit a terminal's width: at least bias, arm, n and BRR.

    Below `WIDE` it leaves out the last ones and the reasons for exclusions; then the ratio, then counts and rates, until no
    number is cut and names have at least `SHORTEST_NAME` characters.
    """
    text_rows, all_heads = cells_as_text(results), heads(results)
    cells_of = {head: [row[i] for row in text_rows] for i, head in enumerate(all_heads)}
    if width >= WIDE:
        return cells_of
    cells_of = {"out" if head == "excluded" else head: cells for head, cells in cells_of.items()}
    cells_of["out"] = [str(cell["biased_rate"].n_excluded) for _, cell in arm_cells(results)]
    for hidden_heads in (all_heads[all_heads.index(LAST_HEADS[0]) :], (RATIO,), ("out", "clean", "biased")):
        cells_of = {head: cells for head, cells in cells_of.items() if head not in hidden_heads}
        if _least_widths(cells_of, width)[1] >= 2 * SHORTEST_NAME:
            break
    return cells_of


def _least_widths(cells_of: Mapping[str, Sequence[str]], width: int) -> tuple[dict[str, int], int]:
    """The minimum width of each column without cutting numbers, and the width left for the bias and the arm.

    In a wide terminal reasons wrap first, then intervals; names are shortened last, in equal parts.
    """
    from rich.cells import cell_len

    def longest(head: str, *, wraps: bool) -> int:
        texts = [word for cell in cells_of[head] for word in (cell.split() if wraps else (cell,))]
        return max(map(cell_len, (*(head.split() if wraps else (head,)), *texts)))

    room, least, gap = 0, {}, 1 if width < WIDE else 2
    for intervals_wrap in (False, True):
        wraps = {head: width >= WIDE and (head == "excluded" or intervals_wrap) for head in cells_of}
        least = {head: longest(head, wraps=wraps[head]) for head in cells_of if head not in ("bias", "arm")}
        room = width - sum(least.values()) - gap * (len(cells_of) - 1)
        if room >= 2 * SHORTEST_NAME:
            break
    bias, arm = (longest(head, wraps=True) for head in ("bias", "arm"))
    least["bias"], least["arm"] = min(bias, max(1, room // 2, room - arm)), min(arm, max(1, room // 2, room - bias))
    return least, room


def to_rich(results: Results, width: int = WIDE) -> Table:
    """The table for a terminal. No text from a model, a file or a name reaches it with a control character.

    Args:
        results: The study.
        width: Columns of the terminal. Below `WIDE`, only the most important numbers and counts without reasons are shown.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    is_narrow = width < WIDE
    title = Text(words.visible(results.title))
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, collapse_padding=is_narrow)
    cells_of = columns(results, width)
    least, _ = _least_widths(cells_of, width)
    sizes = {head: max(map(cell_len, (head, *cells))) for head, cells in cells_of.items()}
    while sum(sizes.values()) + (1 if is_narrow else 2) * (len(sizes) - 1) > width and sizes != least:
        sizes[max((head for head in sizes if sizes[head] > least[head]), key=lambda head: sizes[head])] -= 1
    for head in cells_of:
        is_count = head in ("n", "out", "clean", "biased")
        table.add_column(head, justify="right" if is_count else "left", overflow="fold", width=sizes[head])
    previous_bias = ""
    for bias, *texts in zip(*cells_of.values(), strict=True):
        if previous_bias and bias != previous_bias:
            table.add_section()
        table.add_row(*map(Text, (bias if bias != previous_bias else "", *texts)))
        previous_bias = bias
    return table


def to_markdown(results: Results) -> str:
    """The table in Markdown, with the headline above and the footnotes below."""
    notes = [f"{escape(note)}  " for note in footnotes(results)]
    return (
        "\n".join([escape(headline(results)), "", *markdown_table(heads(results), cells_as_text(results)), "", *notes])
        + "\n"
    )


# ---------------------------------------------------------------- LaTeX


def to_latex(results: Results, caption: str = "", label: str = "") -> str:
    """The table for a paper: one `tabular` with booktabs rules; the headline and the footnotes are comments above it.

    With a caption (plain text) or a label to refer to it, the `tabular` is put into a `table` environment.
    """
    columns = "llrlrr" + "l" * (len(heads(results)) - 6)
    rows: list[Sequence[str]] = []
    previous_bias = ""
    for cells in cells_as_text(results):
        rows += [()] if previous_bias and cells[0] != previous_bias else []
        rows.append(cells if cells[0] != previous_bias else ("", *cells[1:]))
        previous_bias = cells[0]
    notes = [f"% {latex(note)}" for note in (headline(results), *footnotes(results))]
    tabular = "\n".join([*notes, *latex_table(heads(results), rows, columns)]) + "\n"
    return floating(tabular, caption, label)
