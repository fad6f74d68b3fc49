"""The verb `run`: a whole study, here or on several machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.forecast import show_scores_of
from unsway.cli.main import main
from unsway.cli.options import form, model_args_option, out_option, prices_option, show_results, table_options


@main.command()
@click.argument("study", type=click.Path(exists=True, path_type=Path))
@out_option()
@click.option(
    "--on", "on", default="", metavar="ray[:ADDRESS]", help="Where: this process; ray (all of this machine), ray:auto."
)
@click.option(
    "--gpus", type=click.IntRange(min=0), help="GPUs of each local model; several share a fit (1 where there are any)."
)
@click.option(
    "--cpus", type=click.FloatRange(min=0), default=1.0, show_default=True, help="CPU cores of each arm, with --on ray."
)
@click.option("--max-cost", type=click.FloatRange(min=0), help="US dollars that the folder may cost; stops before.")
@prices_option
@model_args_option
@table_options
def run(
    study: Path,
    out: Path,
    on: str,
    gpus: int | None,
    cpus: float,
    max_cost: float | None,
    prices_: Path | None,
    model_args: dict[str, Any],
) -> None:
    """Run STUDY, a study's JSON or a folder that holds one: ask and train what OUT lacks, and show every number."""
    from unsway.planning.prices import prices
    from unsway.studies import read_study
    from unsway.studies import run as run_study
    from unsway.studies.clusters import executor

    cluster = executor(on, gpus=gpus, cpus=cpus) if on else None
    table = prices(prices_)
    results = run_study(read_study(study), out, on=cluster, max_cost=max_cost, price_table=table, model_args=model_args)
    show_results(results)
    if form() == "text":
        show_scores_of(out)
