"""The verb `plan`: what a study would take and what it could show, before anything is asked."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway import layout
from unsway.cli.main import main
from unsway.cli.measure import measure, say_skipped, to_ask
from unsway.cli.options import as_json, json_option, names

if TYPE_CHECKING:
    from unsway.pairing import PairSet
    from unsway.planning.plan import Plan
    from unsway.types import Settings

SHARED = "questions prompts keep_gold n split biases arguments elicit samples temperature max_tokens seed".split()
"""Options of `measure` that say what is asked; they are the same here."""
ARGUMENT_WORDS = 120
"""Words of an argument that is still to be written: as many as are asked for (bank `argument_requests`)."""


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
    is held against.
    """
    from unsway.reporting.plan import body, to_terminal
    from unsway.types import Settings

    settings = Settings(temperature=temperature, max_tokens=max_tokens, seed=what["seed"])
    with _no_collecting():
        found, pairs = _planned(names(models), out, prices_, what, settings, samples, half_width)
    if json_:
        as_json(body(found))
        return
    say_skipped(pairs)
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 120).print(to_terminal(found))


plan.params += [option for option in measure.params if option.name in SHARED]


@contextmanager
def _no_collecting() -> Iterator[None]:
    """What a plan builds holds no cycles: looking for some takes a sixth of a large plan's time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _planned(
    models: Sequence[str],
    out: Path | None,
    prices_: Path | None,
    what: dict[str, Any],
    settings: Settings,
    samples: int,
    half_width: float,
) -> tuple[Plan, PairSet]:
    """The plan, and what it is about; kept in the folder, where there is one."""
    from unsway.models.session import name_of
    from unsway.planning.history import keep_plan, past_runs
    from unsway.planning.plan import plan as plan_of
    from unsway.planning.prices import prices
    from unsway.store import ReplyStore

    asked, table = [name_of(model) for model in models], prices(prices_)
    pairs = _to_plan(asked, what)
    kept = ReplyStore(out / layout.REPLIES) if out is not None and (out / layout.REPLIES).exists() else ()
    found = plan_of(
        pairs,
        asked,
        samples=samples,
        settings=settings,
        kept=kept,
        price_table=table,
        past=() if out is None else past_runs(out),
        wanted_half_width=half_width,
    )
    if out is not None:
        keep_plan(out, found, pairs)
    return found, pairs


def _to_plan(asked: list[str], what: dict[str, Any]) -> PairSet:
    """What `measure` would ask; biases that quote arguments which nobody has written yet quote stand-ins of their length."""
    from unsway import biases as suite

    if not asked:
        raise click.UsageError("Name at least one model.")
    named = [] if what["biases"] == "all" or what["prompts"] else [suite.get(name) for name in names(what["biases"])]
    without = [bias.name for bias in named if "arguments" in bias.wants and what["arguments"] is None]
    if not without:
        return to_ask(asked[0], **what)
    rest = [bias.name for bias in named if bias.name not in without]
    built = to_ask(asked[0], **what | {"biases": ",".join(rest or ["suggested_answer"])})
    click.echo(
        f"{', '.join(without)}: counted with stand-ins of {ARGUMENT_WORDS} words, for no arguments are given. Have a model "
        "write them (`unsway data arguments`) and name the file (--arguments FILE).",
        err=True,
    )
    quoting = _with_stand_ins(built, without, what)
    return built + quoting if rest else quoting


def _with_stand_ins(built: PairSet, without: list[str], what: dict[str, Any]) -> PairSet:
    """Pairs of biases that quote arguments, put to the questions of the others."""
    from unsway import biases as suite
    from unsway.biases.arguments import Argument, Arguments
    from unsway.pairing import PairSet, cued_option, pairs
    from unsway.prompts.render import letter

    own = {bias.versioned for bias in suite.all_biases() if bias.source}
    questions = {pair.question.id: pair.question for pair in built if pair.bias not in own}.values()
    cued = {question.id: cued_option(question, seed=what["seed"]) for question in questions}
    bank = Arguments(
        tuple(
            Argument(key, option, "words " * (ARGUMENT_WORDS - 5) + f"\nSo the answer is ({letter(option)}).")
            for key, option in cued.items()
        )
    )
    made = (pairs(questions, without, elicit=e, seed=what["seed"], arguments=bank) for e in names(what["elicit"]))
    return sum(made, PairSet())
