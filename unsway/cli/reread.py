"""The verb `reread`: read stored replies again, with the current reader and, optionally, with a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.main import main
from unsway.cli.options import folder_argument, json_option, model_args_option, say, seed_option


@main.command()
@folder_argument
@click.option("--show", "many", type=click.IntRange(min=0), default=5, show_default=True, help="Changes to show.")
@click.option(
    "--second-reader",
    metavar="MODEL",
    help="A model that also reads the replies, to see how well the two readers agree.",
)
@click.option(
    "-n", "n", type=click.IntRange(min=1), default=200, show_default=True, help="Replies for the second reader."
)
@seed_option
@model_args_option
@json_option
def reread(folder: Path, many: int, second_reader: str | None, n: int, seed: int, model_args: dict[str, Any]) -> None:
    """Read the stored replies of FOLDER again with the current reader and say which answers changed.

    No model is asked, unless --second-reader names one. Its readings are stored in FOLDER/second_reader; from then on table
    and page say how often the first reader is wrong, by side, and give every BRR both as read and corrected for this.
    """
    from unsway.reporting import reread as report
    from unsway.studies.kept_outcomes import reread as reread_study
    from unsway.studies.kept_outcomes import second_reading

    options: dict[str, Any] = {"n": n, "seed": seed, "model_args": model_args}
    # ask first, so that only a call that succeeds reports the changes, and only once
    second = second_reading(folder, second_reader, **options) if second_reader else None
    rereading = reread_study(folder)
    body = report.body(rereading)
    lines = report.lines(rereading, many)
    if second is not None:
        body["second_reader"] = report.second_body(second)
        lines = lines + report.second_lines(second, many)
    say(body, "\n".join(lines))
