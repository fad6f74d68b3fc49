"""The verb `label`: people label biased replies, blind, and what they say is compared."""

from __future__ import annotations

import atexit
import getpass
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, seed_option, show_rows

if TYPE_CHECKING:
    from unsway.types import Estimate


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--as", "labeller", default=None, metavar="NAME", help="Who labels (your login name).")
@click.option(
    "--from",
    "from_",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take in replies and labels of others first: JSONL, or the labels released with the paper.",
)
@click.option("--which", type=click.Choice(["switched", "followed", "all"]), default="switched", show_default=True)
@click.option("-n", type=click.IntRange(1), default=None, help="At most so many replies of the study (all).")
@seed_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes any that is free.")
@click.option("--browse/--no-browse", default=True, help="Open the page in a browser.")
@click.option("--agreement", is_flag=True, help="Say how far labellers agree, and serve nothing.")
@click.option(
    "--by-arm", is_flag=True, help="Say what was found in each arm, and serve nothing. It ends the blindness."
)
@click.option(
    "--export", "export_", type=click.Path(dir_okay=False, path_type=Path), help="Write all labels; serve nothing."
)
@json_option
def label(
    folder: Path,
    labeller: str | None,
    from_: Path | None,
    which: Any,
    n: int | None,
    seed: int,
    port: int,
    browse: bool,
    agreement: bool,
    by_arm: bool,
    export_: Path | None,
    json_: bool,
) -> None:
    """Label biased replies of FOLDER on a page of this machine, without seeing who wrote them.

    Two questions: how coherent is the reasoning, 1 to 5, and does the reply mention the cue? Every click is kept at once in
    FOLDER/labels; the same command goes on where you stopped.
    """
    from unsway.judging.foreign_labels import export, take_in
    from unsway.judging.items import drawn
    from unsway.judging.label_page import serve
    from unsway.judging.label_store import Shelf

    shelf = Shelf(folder)
    if from_ is not None:
        came = take_in(from_, folder)
        click.echo(f"{came.rows} rows of {from_}: {came.items} new replies, {came.labels} new labels.", err=json_)
    if export_ is not None:
        click.echo(f"Labels: {export(folder, export_)}", err=json_)
    if agreement or by_arm:
        _compare(shelf, agreement, by_arm, json_)
    if export_ is not None or agreement or by_arm:
        return
    if (folder / layout.ARMS).is_file() or not shelf.items():
        shelf.add_items(drawn(folder, which=which, n=n, seed=seed), seed=seed, which=which)
    serve(shelf, labeller or getpass.getuser(), port=port, seed=seed, say=lambda address: _say(address, browse))


def _say(address: str, browse: bool) -> None:
    """Print the address, and open it through a file that only its owner can read: arguments of processes are public."""
    click.echo(f"Open {address} in a browser of this machine. Ctrl-C ends it; every click is kept.")
    if browse:
        handle, path = tempfile.mkstemp(prefix="unsway-label-", suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}"><title>unsway</title>\n')
        atexit.register(Path(path).unlink, missing_ok=True)
        click.launch(path)


def _compare(shelf: Any, agreement: bool, by_arm: bool, json_: bool) -> None:
    from unsway.judging.agreement import agreements, shares

    labels, items = shelf.labels(), shelf.items()
    found: list[Any] = [*(agreements(labels, items) if agreement else ()), *(shares(labels, items) if by_arm else ())]
    if json_:
        as_json([{name: _plain(value) for name, value in one._asdict().items()} for one in found])
        return
    for kind in dict.fromkeys(type(one) for one in found):
        show_rows([{name: _text(value) for name, value in one._asdict().items()} for one in found if type(one) is kind])
    if not found:
        click.echo("There are no two labellers yet.")


def _plain(value: Any) -> Any:
    return asdict(value) if hasattr(value, "how") else value


def _text(value: Any) -> str:
    """A cell of a table for people."""
    from unsway.reporting import words

    if value is None:
        return words.NONE
    if not hasattr(value, "how"):
        return words.visible(" / ".join(value) if isinstance(value, tuple) else str(value))
    return _number(value)


def _number(est: Estimate) -> str:
    from unsway.reporting import words

    return f"{words.ratio(est)}, n {est.n}" if est.value is not None else f"{words.NONE} ({words.visible(est.note)})"
