"""`unsway interrogate`: whether a model's answers depend on its reasoning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.main import main
from unsway.cli.options import (
    as_json,
    engine_option,
    form,
    model_args_option,
    model_arguments,
    names,
    seed_option,
    show_rows,
    table_options,
)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--ask",
    default="early",
    show_default=True,
    help="Tests with commas: early, mistakes, paraphrase, filler, shuffle.",
)
@click.option("--model", default="", help="The model under test, an arm of the study (its first arm).")
@click.option("--helper", default="", help="Another model, which writes mistakes and paraphrases.")
@click.option(
    "--mode",
    type=click.Choice(["auto", "prefill", "quoted"]),
    default="auto",
    show_default=True,
    help="Begin the model's reply with its reasoning, or quote it in the question.",
)
@click.option("-n", type=click.IntRange(min=1), default=None, help="At most so many pairs of each bias.")
@click.option("--max-cost", type=click.FloatRange(min=0), help="US dollars that it may cost; stops before.")
@click.option("--plan", "plan_", is_flag=True, help="Count calls, tokens and dollars, and ask nothing.")
@seed_option
@engine_option
@model_args_option
@table_options
def interrogate(folder: Path, ask: str, model: str, plan_: bool, max_cost: float | None, **options: Any) -> None:
    """Ask the model of FOLDER for its answers again, with its reasoning cut, spoilt, reworded or emptied.

    What the model says is kept in FOLDER/interrogation, so the same call again asks nothing.
    """
    from unsway.planning.budget import Budget
    from unsway.planning.prices import prices
    from unsway.reporting.interrogated import rows, unfaithful_table
    from unsway.studies.folder import results
    from unsway.studies.interrogating import interrogate as interrogate_model
    from unsway.studies.interrogation_plan import plan_interrogation

    found, n, seed = results(folder), options["n"], options["seed"]
    if plan_:
        named = model or found.arms[0].model
        plan = plan_interrogation(
            found, names(ask), model=named, helper=options["helper"], n=n, seed=seed, prices=prices()
        )
        lines = [row._asdict() for row in plan]
        as_json(lines) if form() == "json" else show_rows(lines)
        return
    asked = interrogate_model(
        found,
        names(ask),
        model=model or None,
        helper=options["helper"] or None,
        mode=options["mode"],
        n=n,
        seed=seed,
        model_args=model_arguments(options["model_args"], options["engine"]),
        folder=folder,
        budget=None if max_cost is None else Budget(max_cost, prices()),
    )
    if form() == "json":
        as_json({"reasoning": rows(asked.cells), "shuffled": unfaithful_table(asked.cells)})
        return
    for lines in (rows(asked.cells), unfaithful_table(asked.cells)):
        if lines:
            show_rows(lines)
