"""The verb `served`: check whether a server really serves an adapter, on every replica."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import FOLDER, as_json, form, show_rows, table_options


@main.command()
@click.argument("adapter", type=FOLDER)
@click.option("--name", required=True, help="Name of the adapter at the server.")
@click.option("--base-name", required=True, help="Name of the base at the server.")
@click.option(
    "--url", "urls", multiple=True, help="An address of the server, http://…/v1; several for several replicas."
)
@click.option(
    "--replies", type=click.IntRange(min=1), default=4, show_default=True, help="Replies to each of ten prompts."
)
@table_options
def served(adapter: Path, name: str, base_name: str, urls: tuple[str, ...], replies: int) -> None:
    """Check that a server answers with ADAPTER under its name: its replies are those of the adapter here.

    Exit code 1 if a replica does not. Without --url, only checks whether vLLM accepts the adapter, and with what rank.
    """
    from unsway.models.engines.vllm import max_lora_rank
    from unsway.studies.served import check_served

    click.echo(f"--max-lora-rank {max_lora_rank(adapter)}", err=True)
    checks = check_served(adapter, name, base_name, urls, replies=replies) if urls else ()
    rows = [{"address": check.address, "verdict": check.verdict} for check in checks]
    if form() == "json":
        as_json(rows)
    elif rows:
        show_rows(rows)
    sys.exit(0 if all(check.is_right for check in checks) else 1)
