"""`unsway verdicts`: import verdicts from elsewhere, and export them to Inspect and Scout."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import FILE, Place, as_json, folder_argument, form, json_option


@main.command()
@folder_argument
@click.option("--from", "from_", type=FILE, help="Import verdicts that were made elsewhere first: JSONL.")
@click.option(
    "--inspect",
    "inspect_",
    type=Place(file_okay=False),
    help="Write the logs of FOLDER there, with its verdicts as scores.",
)
@click.option(
    "--scout",
    type=Place(file_okay=False),
    help="Write replies and verdicts there as a table of transcripts for Inspect Scout.",
)
@json_option
def verdicts(folder: Path, from_: Path | None, inspect_: Path | None, scout: Path | None) -> None:
    """Import and export what judges said of the replies of FOLDER.

    Made by `unsway judge`, `unsway monitor` and `unsway label`, or elsewhere.
    """
    from unsway.studies.verdict_exchange import exchange_verdicts

    if not (from_ or inspect_ or scout):
        raise click.UsageError("Say what to do: --from FILE, --inspect FOLDER or --scout FOLDER.")
    exchange = exchange_verdicts(folder, imported=from_, inspect=inspect_, scout=scout)
    click.echo("\n".join(exchange.lines()), err=form() == "json")
    if form() == "json":
        as_json(exchange.body())
