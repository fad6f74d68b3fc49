"""The verb `plan`: what a study would take and what it could show, before anything is asked."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.measure import measure, say_skipped, wanted
from unsway.cli.options import as_json, form, names, remark, show_rows, table_options

if TYPE_CHECKING:
    from unsway.effects.panel import AskedEffect
    from unsway.pairing import PairSet
    from unsway.planning.plan import Plan
    from unsway.types import Settings

SHARED = (
    *("questions", "prompts", "keep_gold", "n", "columns", "skip_bad", "split", "biases", "arguments", "elicit"),
    *("samples", "temperature", "max_tokens", "effort", "thinking_budget", "seed"),
)
"""Options of `measure` that say what is asked; they are the same here."""


@main.command()
@click.argument("models")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the study: what it holds is not asked again, its runs tell the rate; the plan is kept there.",
)
@click.option(
    "--half-width",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Half-width of the BRR's interval that is wanted; 0.05 is five points to either side.",
)
@click.option(
    "--prices",
    "prices_",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of prices, whose lines win over the table's.",
)
@click.option("--judge", "judges", default="", help="Also count the calls of these judges, with commas.")
@click.option(
    "--ask", default="mentions_cue,relies_on_cue", show_default=True, help="What they are asked, with commas."
)
@click.option(
    "--effects", "panel_", default="", help="Side effects to price too, with commas, or 'all' without a judge."
)
@table_options
def plan(
    models: str,
    out: Path | None,
    half_width: float,
    prices_: Path | None,
    judges: str,
    ask: str,
    panel_: str,
    **options: Any,
) -> None:
    """Plan a study of MODELS (comma-separated): prompts, tokens, dollars, minutes, and what it could show.

    No model is asked and no key is needed. The plan that --out keeps is what the next `unsway measure` into that folder
    is compared with.
    """
    from unsway.effects.pricing import effect_plans, lengths
    from unsway.judging.planned import judge_plan
    from unsway.models.session import name_of
    from unsway.planning.plan import Evidence, Goal, keep_plan
    from unsway.planning.plan import plan as plan_pairs
    from unsway.planning.prices import prices
    from unsway.reporting.effects import plan_rows as effect_rows
    from unsway.reporting.plan import body, judge_sentence
    from unsway.types import Settings

    decoding = {name: options[name] for name in ("temperature", "max_tokens", "effort", "thinking_budget", "seed")}
    settings = Settings(**decoding)
    named, goal = [*map(name_of, names(models))], Goal(half_width)
    if not named:
        raise click.UsageError("Name at least one model.")
    pairs, stand_ins = wanted(options).planned(named[0])
    evidence = Evidence.of(out, prices(prices_))
    asked = panel_of(panel_, pairs, options, settings)
    more = lengths(asked, names(options["elicit"])[0], settings)
    samples = options["samples"]
    found = plan_pairs(pairs, named, samples=samples, settings=settings, evidence=evidence, goal=goal, more=more)
    if out is not None:
        keep_plan(out, found, pairs)
    judging = judge_plan(pairs, len(named), names(ask), names(judges), evidence.prices)
    if form() == "json":
        priced = {"effects": [each._asdict() for each in effect_plans(asked)]} if asked else {}
        as_json(body(found) | {"judges": [asdict(one) for one in judging]} | priced)
        return
    show_plan(found, pairs, stand_ins)
    for one in judging:
        remark(judge_sentence(one))
    if asked:
        show_rows(effect_rows(effect_plans(asked)))
        remark(f"{len(more):,} replies of each arm: what several side effects ask is asked once.")


def panel_of(wanted_: str, pairs: PairSet, options: Any, settings: Settings) -> tuple[AskedEffect, ...]:
    """What the side effects of these names ask, on the questions of the pairs."""
    from unsway.effects.definition import EffectInputs
    from unsway.effects.panel import panel

    questions = {pair.question.id: pair.question for pair in pairs if pair.question.gold is not None}
    chosen = None if wanted_ == "all" else names(wanted_)
    inputs = EffectInputs(tuple(questions.values()), names(options["elicit"])[0], len(questions), options["seed"])
    return panel(chosen, inputs, settings, own_sizes=True)


def show_plan(found: Plan, pairs: PairSet, stand_ins: tuple[str, ...]) -> None:
    """The plan in the terminal; what is skipped or counted with stand-ins on stderr."""
    from rich.console import Console

    from unsway.planning.stand_ins import ARGUMENT_WORDS
    from unsway.reporting.plan import BIAS_HEADS, MODEL_HEADS, bias_rows, model_rows, to_terminal

    if stand_ins:
        click.echo(
            f"{', '.join(stand_ins)}: counted with stand-ins of {ARGUMENT_WORDS} words, because no arguments are given. "
            "Have a model write them (`unsway data arguments`) and name the file (--arguments FILE).",
            err=True,
        )
    say_skipped(pairs)
    if form() == "text":
        Console(width=None if sys.stdout.isatty() else 120).print(to_terminal(found))
        return
    for heads, rows in ((MODEL_HEADS, model_rows(found)), (BIAS_HEADS, bias_rows(found))):
        show_rows([dict(zip(heads, row, strict=True)) for row in rows])


plan.params += [option for option in measure.params if option.name in SHARED]
