"""`unsway monitor`: whether a monitor that does not know the cue can tell which answers the cue decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.main import main
from unsway.cli.options import (
    budget_option,
    model_args_option,
    names,
    seed_option,
    show_tables,
    study_argument,
    table_options,
)


@main.command()
@study_argument
@click.option("--by", required=True, help="The monitor: any model that `unsway measure` takes.")
@click.option(
    "--no-baselines", is_flag=True, help="Leave out the monitors that see only the answer or only the prompt."
)
@click.option(
    "--channel",
    type=click.Choice(["answer", "thinking", "summary"]),
    default="answer",
    show_default=True,
    help="What it sees of each reply.",
)
@click.option("-n", type=click.IntRange(min=1), default=None, help="Maximum number of pairs of each arm and bias.")
@budget_option("the monitor")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="NAME=ARM,ARM…",
    help="A method and its checkpoints or seeds; methods are compared with the first at an equal BRR. Repeat it.",
)
@seed_option
@model_args_option
@table_options
def monitor(folder: Path, by: str, no_baselines: bool, methods: tuple[str, ...], **options: Any) -> None:
    """Ask a monitor whether something other than the merits decided each answer of FOLDER.

    It sees the prompt as sent and the reply, but is not told about any cue. Grades are stored in FOLDER/verdicts.jsonl.
    """
    from unsway.reporting.monitored import monitor_tables
    from unsway.studies.folder import results
    from unsway.studies.monitoring import monitor as monitor_replies

    curves = {name: names(arms) for name, _, arms in (method.partition("=") for method in methods)}
    monitoring = monitor_replies(results(folder), by, baselines=not no_baselines, folder=folder, **options)
    show_tables(monitor_tables(monitoring, curves))
