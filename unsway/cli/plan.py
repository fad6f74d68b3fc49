"""The verb `plan`: what a study would take and what it could show, before anything is asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.measure import measure, say_skipped, to_ask
from unsway.cli.options import as_json, json_option, names

if TYPE_CHECKING:
    from unsway.pairing import PairSet

SHARED = "questions prompts keep_gold n split biases arguments elicit samples temperature max_tokens seed".split()
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
@json_option
def plan(
    models: str,
    out: Path | None,
    half_width: float,
    prices_: Path | None,
    samples: int,
    temperature: float,
    max_tokens: int,
    json_: bool,
    **what: Any,
) -> None:
    """Plan a study of MODELS (comma-separated): prompts, tokens, dollars, minutes, and what it could show.

    No model is asked and no key is needed. The plan that --out keeps is what the next `unsway measure` into that folder
    is compared with.
    """
    from rich.console import Console

    from unsway.models.session import name_of
    from unsway.planning.plan import Evidence, Goal, keep_plan
    from unsway.planning.plan import plan as plan_pairs
    from unsway.planning.prices import prices
    from unsway.reporting.plan import body, to_terminal
    from unsway.types import Settings

    settings = Settings(temperature=temperature, max_tokens=max_tokens, seed=what["seed"])
    named, evidence, goal = [*map(name_of, names(models))], Evidence.of(out, prices(prices_)), Goal(half_width)
    if not named:
        raise click.UsageError("Name at least one model.")
    pairs = _pairs(named[0], what)
    found = plan_pairs(pairs, named, samples=samples, settings=settings, evidence=evidence, goal=goal)
    if out is not None:
        keep_plan(out, found, pairs)
    if json_:
        as_json(body(found))
        return
    say_skipped(pairs)
    Console(width=None if sys.stdout.isatty() else 120).print(to_terminal(found))


plan.params += [option for option in measure.params if option.name in SHARED]


def _pairs(model: str, what: dict[str, Any]) -> PairSet:
    """What `measure` would ask; biases that quote arguments which nobody has written yet quote stand-ins of their length."""
    from unsway.planning.stand_ins import ARGUMENT_WORDS, quoting, stand_in_pairs

    named = () if what["biases"] == "all" or what["prompts"] else names(what["biases"])
    without = quoting(named) if what["arguments"] is None else ()
    if not without:
        return to_ask(model, **what)
    rest = [name for name in named if name not in without]
    built = to_ask(model, **what | {"biases": ",".join(rest or ["suggested_answer"])})
    click.echo(
        f"{', '.join(without)}: counted with stand-ins of {ARGUMENT_WORDS} words, because no arguments are given. Have a "
        "model write them (`unsway data arguments`) and name the file (--arguments FILE).",
        err=True,
    )
    quoted = stand_in_pairs(built, without, names(what["elicit"]), what["seed"])
    return built + quoted if rest else quoted
