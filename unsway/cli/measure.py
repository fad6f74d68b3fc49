"""The verb `measure`: how far cues sway a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.forecast import show_scores_of
from unsway.cli.known import EffortType, known
from unsway.cli.main import Sectioned, main
from unsway.cli.options import (
    FILE,
    FOLDER,
    columns_option,
    elicit_option,
    engine_option,
    form,
    model_args_option,
    names,
    out_option,
    prices_option,
    seed_option,
    show_results,
    skip_bad_option,
    split_option,
    table_options,
)
from unsway.errors import number_of

if TYPE_CHECKING:
    from unsway.pairing import PairSet
    from unsway.studies.measurement import Measurement
    from unsway.studies.named import Wanted
    from unsway.types import Settings


OPTIONS = {
    "Questions and cues": "questions n split columns skip_bad biases arguments prompts keep_gold seed",
    "Prompts and sampling": "elicit intervention fewshot samples temperature max_tokens effort thinking_budget options_after"
    " force_answer",
    "The model": "engine model_args batch label role checkpoint training",
    "Cost": "max_cost prices_ half_width",
    "What comes out": "out format json quiet verbose",
}
"""The options under the headings of the help page."""


@main.command(cls=Sectioned, sections=OPTIONS)
@click.argument("model")
@click.option(
    "--questions",
    default="",
    type=known("sources"),
    help="Sources, comma-separated, or files (JSONL, JSON, CSV, Parquet).",
)
@click.option(
    "--prompts",
    multiple=True,
    type=FILE,
    help="A file of prompts released with arXiv 2403.05518, asked unchanged, instead of --questions.",
)
@click.option(
    "--keep-gold", is_flag=True, help="Keep released rows whose cue points to the right option, as NAME/gold."
)
@click.option(
    "-n",
    "n",
    type=click.IntRange(min=1),
    show_default="100 of a source or of --prompts, all of a question file",
    help="Questions of each source or file.",
)
@columns_option
@skip_bad_option
@split_option
@click.option(
    "--biases",
    type=known("biases"),
    default="suggested_answer",
    show_default=True,
    help="Biases, comma-separated, or 'all'.",
)
@click.option(
    "--arguments", type=FILE, help="Arguments for options (of `unsway data arguments`), for biases that quote them."
)
@elicit_option(help="How questions are put (`unsway list elicitations`); several, comma-separated.")
@out_option()
@click.option("--label", default=None, help="Short name of this model in reports (its own name otherwise).")
@click.option(
    "--role",
    type=click.Choice(["base", "control", "trained"]),
    help="Its role in comparisons (a checkpoint: what its record says; anything else: base).",
)
@click.option(
    "--checkpoint",
    type=FOLDER,
    help="The checkpoint that a server serves under this name: gives its role, trained biases and base.",
)
@click.option(
    "--training",
    default="",
    metavar="NAME",
    help="The training of which a checkpoint is one seed: arms with one name are one result, with the spread between seeds.",
)
@click.option(
    "--intervention",
    type=known("interventions"),
    default="none",
    show_default=True,
    help="An intervention in the prompts: prompted:…, rewrite, …",
)
@click.option(
    "--fewshot", default="", metavar="K:ARM", help="The few-shot proxy: short for --intervention fewshot:K-ARM."
)
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Replies to each prompt.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True, help="0 is greedy.")
@click.option(
    "--max-tokens", type=click.IntRange(min=1), default=1000, show_default=True, help="Maximum tokens of a reply."
)
@click.option("--effort", type=EffortType(), help="How much a reasoning model thinks (the provider's default).")
@click.option("--thinking-budget", type=click.IntRange(min=1), help="Maximum tokens of thinking, part of --max-tokens.")
@click.option(
    "--options-after",
    metavar="WORDS",
    help="After these words of a reply only an option can follow, e.g. 'best answer is'; local models.",
)
@click.option(
    "--force-answer",
    metavar="WORDS",
    help="Append this to a reply without an answer, e.g. 'So the best answer is'; an option follows. With --options-after.",
)
@click.option("--max-cost", type=click.FloatRange(min=0), help="US dollars that the folder may cost; stops before.")
@prices_option
@click.option(
    "--until-half-width",
    "half_width",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Stop asking a bias once its anytime-valid BRR interval has this half-width, e.g. 0.05.",
)
@click.option("--batch", is_flag=True, help="Use the provider's batch mode: cheaper, hours later.")
@seed_option
@engine_option
@model_args_option
@table_options
def measure(model: str, out: Path, half_width: float | None, **options: Any) -> None:
    """Measure how far cues sway MODEL.

    MODEL is any Inspect model string (openai/gpt-4o-mini, vllm/org/name), a local one (smollm2-135m, a folder, org/name of
    the Hugging Face hub), or the folder of a checkpoint or a PEFT adapter. Prompts answered in --out are not asked again.
    """
    from unsway.models.session import session
    from unsway.studies.measuring import measure as measure_model

    pair_set = wanted(options).pairs(model)
    new_measurement = measurement(options | {"model": model}, out, half_width)
    say_skipped(pair_set, out)
    with session(model, **options["model_args"]) as model_session:
        results = measure_model(model_session, pair_set, how=new_measurement)
    show_results(results)
    if form() != "text":
        return
    say_precision(out, model_session.subject.name if half_width else "")
    show_scores_of(out)


PLAIN = ("prompts", "n", "columns", "skip_bad", "split", "arguments", "keep_gold", "seed")
"""Options that are passed to `Wanted` unchanged."""


def wanted(options: Mapping[str, Any]) -> Wanted:
    """What to ask, as named by the options."""
    from unsway.studies.named import Wanted

    if bool(options["questions"]) == bool(options["prompts"]):
        raise click.UsageError("Name what to ask: either --questions or --prompts.")
    lists: dict[str, Any] = {name: names(options[name]) for name in ("questions", "biases", "elicit")}
    plain_options = {name: options[name] for name in PLAIN}
    return Wanted(**lists, **plain_options)


def settings_of(options: Mapping[str, Any]) -> Settings:
    """The decoding settings, from the decoding options that a verb has."""
    from unsway.types import Settings

    return Settings(**{field.name: options[field.name] for field in fields(Settings) if field.name in options})


def measurement(options: Mapping[str, Any], out: Path, half_width: float | None) -> Measurement:
    """The options as a `Measurement`."""
    from unsway import interventions
    from unsway.models.weights import checkpoint_of, read_checkpoint
    from unsway.planning.budget import Budget
    from unsway.planning.prices import prices
    from unsway.sampling import Sampling
    from unsway.studies.measurement import Measurement

    seed = options["seed"]
    max_cost = options["max_cost"]
    settings = settings_of(options)
    budget = None if max_cost is None else Budget(max_cost, prices(options["prices_"]))
    intervention = f"fewshot:{options['fewshot'].replace(':', '-')}" if options["fewshot"] else options["intervention"]
    checkpoint = read_checkpoint(options["checkpoint"]) if options["checkpoint"] else checkpoint_of(options["model"])
    if options["training"] and checkpoint is None and options["role"] not in ("trained", "control"):
        raise click.UsageError(
            "--training names the training of a checkpoint, and nothing says that this model is one. Add --role trained, "
            "--role control or --checkpoint FOLDER."
        )
    return Measurement(
        Sampling(settings, options["samples"], out, budget, options["batch"], options["label"] or ""),
        interventions.resolve(intervention),
        options["role"],
        checkpoint,
        training=options["training"],
        seed=seed,
        half_width=half_width,
    )


def say_precision(folder: Path, model: str) -> None:
    """Say where each bias of a model stopped; prints nothing without a model."""
    from unsway.reporting.words import points, share, visible
    from unsway.sampling.until import kept_precisions

    for cell in kept_precisions(folder) if model else ():
        if cell.model == model:
            reason = "narrow enough" if cell.narrow else "no question is left"
            label, value = "BRR", f"{points(cell.estimate)} points"
            if cell.estimate.note:  # a bias without a clean side to compare with has no BRR
                label, value = (
                    "share of pairs that moved",
                    f"{share(cell.estimate)}%, which is no BRR (--samples 2 gives one)",
                )
            click.echo(
                f"{visible(cell.bias)}: asked {cell.n_asked} of {number_of(cell.n_there, 'question')} ({reason}); {label} "
                f"with an interval that holds at every look: {value}."
            )
    if model:
        click.echo("Quote these: the intervals above are for a number of questions that was fixed beforehand.")


def say_skipped(pair_set: PairSet, folder: Path | None = None) -> None:
    """Print a line on stderr for each reason why something will be skipped, and for each source with several revisions."""
    from logging import getLogger

    from unsway.reporting.caveats import source_caveats
    from unsway.studies.folder import pairs_of

    log = getLogger(__name__)
    stored_pairs = () if folder is None else pairs_of(folder)
    pairs = {pair.id: pair for pair in (*stored_pairs, *pair_set)}
    for caveat in source_caveats(pair.question.source for pair in pairs.values()):
        log.warning("%s", caveat)
    for (bias, reason), count in sorted(pair_set.reasons().items()):
        log.warning("Not asked: %d × %s: %s.", count, bias, reason)
