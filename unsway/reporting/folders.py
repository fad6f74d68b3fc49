"""Output of the verbs that inspect a folder: its status, a cell with transcripts, the difference from another folder.

In: `Status`, `Results`, `Difference`. Out: plain rows and JSON bodies for programs, texts and rich tables for people. Control
characters in texts of models, files and names never reach a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.errors import UnknownName, number_of
from unsway.prompts.render import answer_on, letters_on
from unsway.reporting import table
from unsway.reporting.words import NONE, dollars, human, points, visible
from unsway.studies.inspect_folder import Difference, Status, studies
from unsway.studies.inspect_folder import status as status_of
from unsway.studies.readable import read_folders
from unsway.studies.redaction import redact_results as shown_results
from unsway.studies.results import Results, plain_name
from unsway.types import Prompt, Side

if TYPE_CHECKING:
    from rich.console import Group

    from unsway.studies.whereabouts import ArmPlace

REPLY_LINES, CUE_LINES = 30, 20
"""Maximum lines shown of a reply and of a cue."""
STEM = 1000
"""Maximum characters shown of a question."""

# ---------------------------------------------------------------- status


def status_body(status: Status) -> dict[str, Any]:
    """Everything of a status for a program."""
    body = {field.name: getattr(status, field.name) for field in fields(status)}
    cells = [cell._asdict() | {"state": cell.state} for cell in status.cells]
    running, places = [heartbeat._asdict() for heartbeat in status.running], [asdict(place) for place in status.places]
    return body | {"cells": cells, "running": running, "places": places}


def show_status(looks: Iterable[Status]) -> None:
    """Print each status in place of the previous one; outside a terminal, print only the last."""
    from rich.console import Console
    from rich.live import Live

    console = Console(width=None if sys.stdout.isatty() else 160)
    with Live(console=console, auto_refresh=False) as live:
        for status in looks:
            live.update(status_to_terminal(status), refresh=True)
    if not console.is_terminal:
        console.print()


def status_to_terminal(status: Status) -> Group:
    """The grid, for rich: a row for each arm and bias, a column for each source; then what runs, and the cost."""
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    sources = list(dict.fromkeys(cell.source for cell in status.cells))
    grid = Table(box=None, pad_edge=False)
    for heading in ("arm", "bias", *map(visible, sources)):
        grid.add_column(escape(heading), overflow="fold")  # never cut names
    states: dict[tuple[str, str], dict[str, str]] = {}
    for cell in status.cells:
        state_text = {"done": "done", "missing": "·"}.get(cell.state, f"{cell.n_replies:,}/{cell.n_planned:,}")
        state_text += f", {cell.n_failed:,} failed" if cell.n_failed and cell.state != "done" else ""
        states.setdefault((cell.arm, cell.bias), {})[cell.source] = state_text
    for (arm, bias), by_source in states.items():
        grid.add_row(Text(visible(arm)), Text(visible(bias)), *(by_source.get(source, "") for source in sources))

    lines = ["No model was asked yet. "]
    if status.n_planned:
        share = status.n_replies / status.n_planned
        lines = [f"{status.n_replies:,} of {number_of(status.n_planned, 'reply')} ({share:.0%}). "]
    if status.n_unknown:
        lines[0] += (
            f"What they cost is not known: {number_of(status.n_unknown, 'reply')} came without a count of tokens."
        )
    elif status.cost is None:
        lines[0] += "The price of a model is not known (--prices FILE)."
    else:
        remaining_cost = "" if status.cost_to_come is None else f", about {dollars(status.cost_to_come)} to come"
        estimate_note = (
            ", estimated from characters because the provider reports no tokens" if status.n_estimated else ""
        )
        lines[0] += f"{dollars(status.cost)} spent on replies{remaining_cost}{estimate_note}."
    for heartbeat in status.running:
        elapsed = heartbeat.seen - heartbeat.since
        remaining = ""
        if heartbeat.done and elapsed >= 1:  # estimated from the rate since its start
            remaining = f", about {(heartbeat.total - heartbeat.done) / heartbeat.done * elapsed / 60:.0f} min left"
        progress = (
            f"{heartbeat.done:,} of {heartbeat.total:,}{remaining}"
            if heartbeat.doing == "asking"
            else f"training, step {heartbeat.done:,}"
        )
        lines.append(f"Running: {visible(heartbeat.what)}, {progress}.")
    lines += [place_line(place) for place in status.places]
    return Group(grid, Text("\n".join(lines)))


def place_line(place: ArmPlace) -> str:
    """One line about an arm's place: state, machine, GPUs, training step, lost workers."""
    state = f"{place.state}, step {place.step:,}" if place.step else place.state
    location = f" on {visible(place.host)}" if place.host else ""
    location += f", GPU {visible(place.gpus)}" if place.gpus else ""
    lost_note = f"; {place.n_lost} lost before" if place.n_lost and place.state != "lost" else ""
    return f"{visible(place.arm)}: {state}{location}{lost_note}."


def study_rows(root: str | Path) -> list[dict[str, Any]]:
    """A row for each folder below a folder that holds a study; a warning names one that cannot be read."""
    return [study_row(folder, status) for folder, status in read_folders(studies(root), status_of)]


def study_row(folder: object, status: Status) -> dict[str, Any]:
    """The row of a folder in a list of folders."""
    cells = status.cells
    return {
        "folder": str(folder),
        "arms": len({cell.arm for cell in cells}),
        "biases": len({cell.bias for cell in cells}),
        "sources": len({cell.source for cell in cells}),
        "replies": f"{status.n_replies} of {status.n_planned}",
        "running": len(status.running),
    }


# ---------------------------------------------------------------- one cell


def cell_list(results: Results, arm: str = "") -> list[dict[str, Any]]:
    """The measured arms and biases, with the number of counted pairs; only one arm if its label is given.

    Raises:
        UnknownName: There is no such arm.
    """
    if arm:
        results.arm(arm)
    rows = [row for row in table.rows(results) if arm in ("", row["arm"])]
    return [{"arm": row["arm"], "bias": plain_name(str(row["bias"])), "n": row["n"]} for row in rows]


def cell_rows(results: Results, arm: str, bias: str) -> list[table.Row]:
    """The numbers of one cell by source. Raises `UnknownName` for the arm or the bias."""
    results.arm(arm)
    names = {plain_name(name) for name in results.biases}
    if plain_name(bias) not in names:
        raise UnknownName("bias in this study", bias, names)
    cell_key = (arm, plain_name(bias))
    return [row for row in table.rows_by_source(results) if (row["arm"], plain_name(str(row["bias"]))) == cell_key]


def short_rows(results: Results, arm: str, bias: str) -> list[dict[str, str]]:
    """The most important numbers of one cell by source, as text in percent and points."""
    from unsway.reporting.estimates import estimate_rows

    cell_items = {"model": visible(arm), "bias": human(bias)}.items()
    rows = (row for row in estimate_rows(results, "source") if cell_items <= row.items())
    return [{head: text for head, text in row.items() if head not in ("model", "bias")} for row in rows]


def transcripts(results: Results, arm: str, bias: str, n: int, *, reveal: bool = False) -> list[str]:
    """Pairs of a cell as text, side by side with the replies; those that switched to the cue come first.

    Redacted pairs are shown by length and hash, unless `reveal` says otherwise.
    """
    results = results if reveal else shown_results(results)
    key = results.arm(arm).key
    pairs = {pair.id: pair for pair in results.pairs}
    outcomes = [
        outcome for outcome in results.outcomes if outcome.arm == key and plain_name(outcome.bias) == plain_name(bias)
    ]
    outcomes.sort(
        key=lambda outcome: (outcome.excluded is not None, not (outcome.hit_biased and not outcome.hit_clean))
    )
    texts = []
    for outcome in outcomes[:n]:
        pair = pairs[outcome.pair_id]
        option_items = (
            () if pair.question.is_request else enumerate(pair.question.options)
        )  # a request shows no options
        options = "".join(f"{letters_on(pair, i)} {visible(text)}\n" for i, text in option_items)
        cue = _lines(pair.biased.cue(), CUE_LINES) or "the order of the options"
        texts.append(f"\n{'─' * 40} {pair.question.id}\n{visible(pair.question.stem[:STEM])}\n{options}\n── cue\n{cue}")
        sides: tuple[tuple[Side, Prompt, int | None], ...] = (
            ("clean", pair.clean, outcome.clean.choice),
            ("biased", pair.biased, outcome.biased.choice),
        )
        for side, prompt, option in sides:
            reply = results.reply(key, prompt, outcome.sample)
            choice = "nothing that could be read" if option is None else f"({answer_on(pair, side, option)})"
            reply_text = "no reply" if reply is None else _lines(reply.text, REPLY_LINES)
            texts[-1] += f"\n\n── {side}, read as {choice}\n{reply_text}"
    return texts


def _lines(text: str, n: int) -> str:
    return "\n".join(visible(line) for line in text.splitlines()[:n])


# ---------------------------------------------------------------- two folders


def asked_rows(difference: Difference) -> list[dict[str, str]]:
    """What two folders asked differently."""
    return [{"what": name, "in the first": first, "in the second": second} for name, first, second in difference.asked]


def change_rows(difference: Difference) -> list[dict[str, str]]:
    """What changed in the numbers."""
    return [
        {
            "arm": change.arm,
            "bias": change.bias,
            "BRR, first": points(change.one) if change.one else NONE,
            "BRR, second": points(change.other) if change.other else NONE,
            "second − first": points(change.difference) if change.difference else NONE,
        }
        for change in difference.numbers
    ]
