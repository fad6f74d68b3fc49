"""The verb `plan`: what a study would cost and what it could show, before anything is asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import Sectioned, main
from unsway.cli.measure import OPTIONS, measure, say_skipped, settings_of, wanted
from unsway.cli.options import PATH, as_json, form, names, prices_option, remark, show_rows, table_options

if TYPE_CHECKING:
    from unsway.studies.named_plan import NamedPlan

SHARED = (
    *("questions", "prompts", "keep_gold", "n", "columns", "skip_bad", "split", "biases", "arguments", "elicit"),
    *("samples", "temperature", "max_tokens", "effort", "thinking_budget", "seed"),
)
"""Options of `measure` that say what is asked, used here unchanged."""
SECTIONS = {
    "Questions and cues": OPTIONS["Questions and cues"],
    "Prompts and sampling": OPTIONS["Prompts and sampling"],
    "What is counted besides": "judges ask effects",
    "Cost and power": "prices_ half_width",
    "What comes out": "out format json quiet verbose",
}
"""The options under the headings of the help page."""


@main.command(cls=Sectioned, sections=SECTIONS)
@click.argument("models")
@click.option(
    "--out",
    type=PATH,
    help="Folder of the study: prompts answered in it are not counted, its runs give the rate; the plan is stored there.",
)
@click.option(
    "--half-width",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Desired half-width of the BRR's interval; 0.05 is five points to either side.",
)
@prices_option
@click.option("--judge", "judges", default="", help="Also count the calls of these judges, comma-separated.")
@click.option(
    "--ask",
    default="mentions_cue,relies_on_cue",
    show_default=True,
    help="Rubrics that the judges are asked, comma-separated.",
)
@click.option(
    "--effects",
    default="",
    help="Side effects to price too, comma-separated; 'all' except those that need a judge or run only by name.",
)
@table_options
def plan(models: str, prices_: Path | None, judges: str, ask: str, effects: str, **options: Any) -> None:
    """Plan a study of MODELS (comma-separated): prompts, tokens, dollars, minutes, and what it could show.

    No model is asked and no key is needed. The plan stored by --out is compared with the next `unsway measure`
    into that folder.
    """
    from unsway.planning.prices import prices
    from unsway.reporting.plan import named_body
    from unsway.studies.named_plan import plan_named

    if not names(models):
        raise click.UsageError("Name at least one model.")
    limits: Any = {"folder": options["out"], "half_width": options["half_width"], "samples": options["samples"]}
    limits |= {"judges": names(judges), "ask": names(ask), "effects": None if effects == "all" else names(effects)}
    settings = settings_of(options)
    named_plan = plan_named(names(models), wanted(options), settings=settings, price_table=prices(prices_), **limits)
    as_json(named_body(named_plan)) if form() == "json" else show_plan(named_plan)


def show_plan(named_plan: NamedPlan) -> None:
    """Print the plan; what is skipped or planned with stand-ins goes to stderr."""
    from logging import getLogger

    from rich.console import Console

    from unsway.planning.stand_ins import ARGUMENT_WORDS
    from unsway.reporting.effects import plan_rows
    from unsway.reporting.plan import BIAS_HEADS, MODEL_HEADS, bias_rows, judge_sentence, model_rows, to_terminal

    if named_plan.stand_ins:
        getLogger(__name__).warning(
            "%s: counted with stand-ins of %d words, because no arguments are given. Have a model write them (`unsway data "
            "arguments`) and name the file (--arguments FILE).",
            ", ".join(named_plan.stand_ins),
            ARGUMENT_WORDS,
        )
    say_skipped(named_plan.pairs)
    if form() == "text":
        Console(width=None if sys.stdout.isatty() else 120).print(to_terminal(named_plan.plan))
    else:
        for heads, rows in ((MODEL_HEADS, model_rows(named_plan.plan)), (BIAS_HEADS, bias_rows(named_plan.plan))):
            show_rows([dict(zip(heads, row, strict=True)) for row in rows])
    for judging in named_plan.judging:
        remark(judge_sentence(judging))
    if named_plan.effects:
        show_rows(plan_rows(named_plan.effects))
        remark(f"{named_plan.n_effect_replies:,} replies of each arm: what several side effects ask is asked once.")


plan.params += [option for option in measure.params if option.name in SHARED]
