"""The verbs that look at folders: status, ls, show, diff. They ask no model."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, show_rows

if TYPE_CHECKING:
    from rich.console import RenderableType

    from unsway.studies.inspect_folder import Status
    from unsway.types import Outcome, Pair, Prompt

folder_argument = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
prices_option = click.option(
    "--prices",
    "prices_",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of prices, whose lines win over the table's.",
)


@main.command()
@folder_argument
@click.option("--watch", is_flag=True, help="Look again every few seconds, until nothing runs and nothing is missing.")
@click.option("--every", type=click.FloatRange(min=0.1), default=2.0, show_default=True, help="Seconds between looks.")
@prices_option
@json_option
def status(folder: Path, watch: bool, every: float, prices_: Path | None, json_: bool) -> None:
    """Show how far a study is: cells done and missing, what runs, what it cost and will cost."""
    from unsway.planning.prices import prices
    from unsway.studies.inspect_folder import status as look

    table = prices(prices_)
    found = look(folder, table)
    if json_:
        as_json({name: getattr(found, name) for name in ("n_kept", "n_wanted", "spent", "to_come")} | _lists(found))
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(width=None if sys.stdout.isatty() else 160)
    if not watch:
        console.print(_glance(found))
        return
    with Live(_glance(found), console=console, auto_refresh=False) as live:
        while found.running or found.n_kept < found.n_wanted:
            time.sleep(every)
            found = look(folder, table)
            live.update(_glance(found), refresh=True)


def _lists(found: Status) -> dict[str, Any]:
    cells = [cell._asdict() | {"state": cell.state} for cell in found.cells]
    return {"cells": cells, "running": [beat._asdict() for beat in found.running]}


def _glance(found: Status) -> RenderableType:
    """The grid: a row for each arm and bias, a column for each source; then what runs, and the cost."""
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    sources = list(dict.fromkeys(cell.source for cell in found.cells))
    grid = Table(box=None, pad_edge=False)
    for heading in ("arm", "bias", *map(_plain, sources)):
        grid.add_column(escape(heading), overflow="fold")  # names are never cut
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for cell in found.cells:
        shown = {"done": "done", "missing": "·"}.get(cell.state, f"{cell.kept:,}/{cell.wanted:,}")
        shown += f", {cell.failed:,} failed" if cell.failed and cell.state != "done" else ""
        rows.setdefault((cell.arm, cell.bias), {})[cell.source] = shown
    for (arm, bias), states in rows.items():
        grid.add_row(Text(_plain(arm)), Text(_plain(bias)), *(states.get(source, "") for source in sources))
    now = [f"Running: {_plain(beat.what)}, {beat.done:,} of {beat.total:,}{_left(beat)}." for beat in found.running]
    share = found.n_kept / found.n_wanted if found.n_wanted else 1.0
    said = [f"{found.n_kept:,} of {found.n_wanted:,} replies ({share:.0%}). {_cost(found)}", *now]
    return Group(grid, Text("\n".join(said)))


def _left(beat: Any) -> str:
    """Time left, at the rate since it began."""
    passed = beat.seen - beat.since
    if not beat.done or passed < 1:
        return ""
    return f", about {(beat.total - beat.done) / beat.done * passed / 60:.0f} min left"


def _cost(found: Status) -> str:
    if found.spent is None:
        return "The price of a model is not known (--prices FILE)."
    to_come = "" if found.to_come is None else f", about ${found.to_come:,.2f} to come"
    return f"${found.spent:,.2f} spent{to_come}."


def _plain(text: str) -> str:
    from unsway.reporting.words import visible

    return visible(text)


@main.command(name="ls")
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@json_option
def ls(root: Path, json_: bool) -> None:
    """List the folders below ROOT that hold a study."""
    from unsway.studies.inspect_folder import status as look
    from unsway.studies.inspect_folder import studies

    rows = []
    for folder in studies(root):
        found = look(folder)
        cells = found.cells
        rows.append(
            {
                "folder": str(folder),
                "arms": len({cell.arm for cell in cells}),
                "biases": len({cell.bias for cell in cells}),
                "sources": len({cell.source for cell in cells}),
                "replies": f"{found.n_kept} of {found.n_wanted}",
                "running": len(found.running),
            }
        )
    if json_:
        as_json(rows)
    elif rows:
        show_rows(rows)
    else:
        click.echo(f"No folder below {root} holds a study. `unsway measure … --out FOLDER` makes one.")


@main.command()
@folder_argument
@click.argument("arm", default="")
@click.argument("bias", default="")
@click.option(
    "-n", "n", type=click.IntRange(min=0), default=3, show_default=True, help="Pairs to show, switched first."
)
@json_option
def show(folder: Path, arm: str, bias: str, n: int, json_: bool) -> None:
    """Show one cell: its numbers by source, and some of its pairs side by side.

    ARM is a label and BIAS a name, as `unsway show FOLDER` lists them.
    """
    from unsway.errors import UnknownName
    from unsway.reporting import table
    from unsway.studies.folder import results
    from unsway.studies.inspect_folder import study_folder
    from unsway.studies.results import plain_name

    found = results(study_folder(folder))
    if not bias:
        cells = {(row["arm"], plain_name(str(row["bias"]))): row["n"] for row in table.rows(found)}
        rows = [{"arm": a, "bias": b, "n": count} for (a, b), count in cells.items() if arm in ("", a)]
        as_json(rows) if json_ else show_rows(rows or [{"arm": "none"}])
        return
    found.arm(arm)
    names = {plain_name(each) for each in found.biases}
    if plain_name(bias) not in names:
        raise UnknownName("bias in this study", bias, names)
    rows = [
        r for r in table.rows_by_source(found) if r["arm"] == arm and plain_name(str(r["bias"])) == plain_name(bias)
    ]
    if json_:
        as_json(rows)
        return
    show_rows([{key: _number(row[key]) for key in _SHOWN} for row in rows])
    for text in _transcripts(found, arm, bias, n):
        click.echo(text)


_SHOWN = ("source", "n", "n_excluded", "clean_rate", "biased_rate", "brr", "brr_low", "brr_high", "accuracy_biased")


def _number(value: Any) -> Any:
    return f"{value:.3f}" if isinstance(value, float) else "—" if value is None else value


def _transcripts(found: Any, arm: str, bias: str, n: int) -> list[str]:
    """Pairs of a cell as text: those that switched to the cue first."""
    from unsway.studies.results import plain_name

    key = found.arm(arm).key
    pairs = {pair.id: pair for pair in found.pairs}
    mine = [o for o in found.outcomes if o.arm == key and plain_name(o.bias) == plain_name(bias)]
    mine.sort(key=lambda o: (o.excluded is not None, not (o.hit_biased and not o.hit_clean)))
    return [_transcript(pairs[o.pair_id], o, found) for o in mine[:n]]


def _transcript(pair: Pair, outcome: Outcome, found: Any) -> str:
    from unsway.prompts.render import letter

    def said(prompt: Prompt) -> str:
        reply = found.reply(outcome.arm, prompt, outcome.sample)
        return "no reply" if reply is None else "\n".join(_plain(line) for line in reply.text.splitlines()[:30])

    def read(choice: int | None) -> str:
        return "nothing that could be read" if choice is None else f"({letter(choice)})"

    options = "\n".join(f"({letter(i)}) {_plain(text)}" for i, text in enumerate(pair.question.options))
    cue = "\n".join(_plain(line) for line in pair.biased.cue().splitlines()[:20]) or "the order of the options"
    return (
        f"\n{'─' * 40} {pair.question.id}\n{_plain(pair.question.stem[:1000])}\n{options}\n"
        f"\n── cue\n{cue}\n\n── clean, read as {read(outcome.clean.choice)}\n{said(pair.clean)}\n"
        f"\n── biased, read as {read(outcome.biased.choice)}\n{said(pair.biased)}"
    )


@main.command()
@click.argument("one", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def diff(one: Path, other: Path, json_: bool) -> None:
    """Compare two folders: what was asked differently, and what changed in the numbers."""
    from dataclasses import asdict

    from unsway.reporting.words import points
    from unsway.studies.inspect_folder import diff as compare

    found = compare(one, other)
    if json_:
        as_json(asdict(found))
        return
    if found.asked:
        show_rows([{"what": what, "in the first": a, "in the second": b} for what, a, b in found.asked])
    else:
        click.echo("Both asked the same.")
    show_rows(
        [
            {
                "arm": change.arm,
                "bias": change.bias,
                "BRR, first": points(change.one) if change.one else "—",
                "BRR, second": points(change.other) if change.other else "—",
                "second − first": points(change.difference) if change.difference else "—",
            }
            for change in found.numbers
        ]
    )
