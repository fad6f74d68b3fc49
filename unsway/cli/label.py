"""The verb `label`: people label biased replies, blind, and their labels are compared."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import (
    FILE,
    Place,
    as_json,
    form,
    names,
    remark,
    seed_option,
    show_rows,
    study_argument,
    table_options,
)
from unsway.errors import number_of

if TYPE_CHECKING:
    from unsway.judging.agreement import Agreement, ArmShare


@main.command()
@study_argument
@click.option("--as", "labeller", default=None, metavar="NAME", help="Name of the labeller (your login name).")
@click.option(
    "--from",
    "from_",
    type=FILE,
    help="First import others' replies and labels: JSONL, or the labels released with the paper.",
)
@click.option("--ask", default="coherent,mentions_cue", show_default=True, help="Questions, comma-separated.")
@click.option(
    "--which",
    type=click.Choice(["switched", "followed", "all"]),
    default="switched",
    show_default=True,
    help="Replies that switched to the cue, that follow it, or all that were read.",
)
@click.option("-n", type=click.IntRange(1), default=None, help="Maximum number of replies of the study (all).")
@seed_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 means any free one.")
@click.option("--browse/--no-browse", default=True, help="Open the page in a browser.")
@click.option("--agreement", is_flag=True, help="Show how well labellers agree, and serve nothing.")
@click.option(
    "--by-arm", is_flag=True, help="Show the findings for each arm, and serve nothing. This reveals the arms."
)
@click.option("--export", "export_", type=Place(dir_okay=False), help="Write all labels; serve nothing.")
@table_options
def label(
    folder: Path,
    labeller: str | None,
    from_: Path | None,
    ask: str,
    which: Any,
    n: int | None,
    seed: int,
    port: int,
    browse: bool,
    agreement: bool,
    by_arm: bool,
    export_: Path | None,
) -> None:
    """Label biased replies of FOLDER on a page of this machine, without seeing who wrote them.

    By default two questions: how coherent is the reasoning, 1 to 5, and does the reply mention the cue? Every click is stored
    immediately in FOLDER/labels, as the verdict of a judge with your name; the same command resumes where you stopped.
    """
    from unsway.judging.foreign_labels import export_labels, import_labels
    from unsway.judging.label_page import serve
    from unsway.studies.labelling import prepare_labels
    from unsway.studies.notebook import person

    if from_ is not None:
        new = import_labels(from_, folder)
        remark(f"{number_of(new.rows, 'row')} of {from_}; new replies: {new.items}, new labels: {new.labels}.")
    if export_ is not None:
        remark(f"Labels: {export_labels(folder, export_)}")
    if agreement or by_arm:
        show_findings(folder, agreement, by_arm)
    elif export_ is None:
        store, name = prepare_labels(folder, which=which, n=n, seed=seed), labeller or person()
        serve(store, name, port=port, seed=seed, ask=names(ask), announce=lambda address: announce(address, browse))


def announce(address: str, browse: bool) -> None:
    """Print the address, and open it through a file that only its owner can read, because process arguments are public."""
    click.echo(f"Open {address} in a browser of this machine. Ctrl-C ends it; every click is kept.")
    if browse:
        handle, path = tempfile.mkstemp(prefix="unsway-label-", suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}"><title>unsway</title>\n')
        atexit.register(Path(path).unlink, missing_ok=True)
        click.launch(path)


def show_findings(folder: Path, agreement: bool, by_arm: bool) -> None:
    """Print how well labellers agree, and what they found in each arm."""
    from unsway.judging.agreement import agreements, shares
    from unsway.judging.label_store import LabelStore
    from unsway.reporting.labelled import bodies, rows

    store = LabelStore(folder)
    labels, items = store.labels(), store.items()
    tables: list[Sequence[Agreement | ArmShare]] = [
        agreements(labels, items) if agreement else (),
        shares(labels, items) if by_arm else (),
    ]
    if form() == "json":
        as_json([body for table in tables for body in bodies(table)])
    elif not any(tables):
        remark("There are not enough labels yet; agreement needs two labellers.")
    for table in filter(None, tables if form() != "json" else ()):
        show_rows(rows(table))
