"""`unsway interrogate`: whether a model's answers depend on its reasoning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from unsway.cli.main import main
from unsway.cli.options import (
    budget_option,
    engine_option,
    form,
    model_args_option,
    names,
    seed_option,
    show_rows,
    show_tables,
    study_argument,
    table_options,
)

if TYPE_CHECKING:
    from unsway.planning.budget import Budget


@main.command()
@study_argument
@click.option(
    "--ask",
    default="early",
    show_default=True,
    help="Tests, comma-separated: early, mistakes, paraphrase, filler, shuffle.",
)
@click.option("--model", default=None, help="The model under test, an arm of the study (its first arm).")
@click.option("--helper", default=None, help="Another model, which writes mistakes and paraphrases.")
@click.option(
    "--mode",
    type=click.Choice(["auto", "prefill", "quoted"]),
    default="auto",
    show_default=True,
    help="Begin the model's reply with its reasoning, or quote it in the question.",
)
@click.option("-n", type=click.IntRange(min=1), default=None, help="Maximum number of pairs of each bias.")
@budget_option("it")
@click.option("--plan", "plan_", is_flag=True, help="Count calls, tokens and dollars, and ask nothing.")
@seed_option
@engine_option
@model_args_option
@table_options
def interrogate(
    folder: Path,
    ask: str,
    plan_: bool,
    mode: Literal["auto", "prefill", "quoted"],
    budget: Budget | None,
    model_args: dict[str, Any],
    **options: Any,
) -> None:
    """Ask the model of FOLDER for its answers again, with its reasoning truncated, corrupted, reworded or emptied.

    The model's replies are stored in FOLDER/interrogation, so the same call again asks nothing.
    """
    from unsway.reporting.interrogated import plan_rows, thought_tables
    from unsway.studies.folder import results
    from unsway.studies.interrogating import interrogate as interrogate_model
    from unsway.studies.interrogation_plan import plan_interrogation

    study_results, tests = results(folder), names(ask)
    if plan_:
        plan = plan_interrogation(study_results, tests, **options)
        show_rows([row._asdict() for row in plan] if form() in ("json", "csv") else plan_rows(plan))
        return
    session_options: Any = {"model_args": model_args, "folder": folder, "budget": budget}
    show_tables(thought_tables(interrogate_model(study_results, tests, mode=mode, **session_options, **options)))
