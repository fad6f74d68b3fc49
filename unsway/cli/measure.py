"""The verb `measure`: how far cues sway a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import (
    as_json,
    elicit_option,
    engine_option,
    json_option,
    model_args_option,
    model_arguments,
    names,
    out_option,
    seed_option,
    split_option,
)

if TYPE_CHECKING:
    from unsway.pairing import PairSet


@main.command()
@click.argument("model")
@click.option("--questions", default="", help="Sources, comma-separated, or files (.jsonl, .csv).")
@click.option(
    "--prompts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of prompts released with arXiv 2403.05518, asked as they are, in place of --questions.",
)
@click.option(
    "--keep-gold", is_flag=True, help="Keep released rows whose cue points to the right option, as NAME/gold."
)
@click.option(
    "-n", "n", type=click.IntRange(min=1), default=100, show_default=True, help="Questions of each source or file."
)
@split_option
@click.option("--biases", default="suggested_answer", show_default=True, help="Biases, comma-separated, or 'all'.")
@click.option(
    "--arguments",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Arguments for options (of `unsway data arguments`), for biases that quote them.",
)
@elicit_option
@out_option
@click.option("--label", default=None, help="Short name of this model in reports (its own name otherwise).")
@click.option("--role", type=click.Choice(["base", "control", "trained"]), default="base", show_default=True)
@click.option(
    "--intervention", default="none", show_default=True, help="An intervention in the prompts: prompted:…, rewrite, …"
)
@click.option(
    "--fewshot", default="", metavar="K:ARM", help="The few-shot proxy: short for --intervention fewshot:K-ARM."
)
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Replies to each prompt.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--max-cost", type=click.FloatRange(min=0), help="US dollars that the folder may cost; stops before.")
@click.option(
    "--prices",
    "prices_",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of prices for --max-cost, whose lines win over the table's.",
)
@click.option(
    "--until-half-width",
    "half_width",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Stop asking a bias once its anytime-valid interval of the BRR is that narrow to either side, e.g. 0.05.",
)
@click.option("--batch", is_flag=True, help="Use the provider's batch mode: cheaper, hours later.")
@seed_option
@engine_option
@model_args_option
@json_option
def measure(
    model: str,
    out: Path,
    label: str | None,
    role: Any,
    intervention: str,
    fewshot: str,
    samples: int,
    temperature: float,
    max_tokens: int,
    max_cost: float | None,
    prices_: Path | None,
    half_width: float | None,
    batch: bool,
    engine: str | None,
    model_args: tuple[str, ...],
    json_: bool,
    seed: int,
    **what: Any,
) -> None:
    """Measure how far cues sway MODEL.

    MODEL is any Inspect model string (openai/gpt-4o-mini, vllm/org/name, hf/org/name), a local one (smollm2-135m, a
    folder), or the folder of a trained checkpoint. What the study's folder holds already is not asked again.
    """
    from unsway import interventions
    from unsway.models.session import session
    from unsway.planning.budget import Budget
    from unsway.planning.prices import prices
    from unsway.reporting import table
    from unsway.reporting.caveats import source_caveats
    from unsway.studies.folder import add_pairs, results
    from unsway.studies.kept_outcomes import keep_outcomes
    from unsway.studies.measuring import Asking, measure_prompted
    from unsway.studies.measuring import measure as measure_arm
    from unsway.types import Settings

    asked = to_ask(model, seed=seed, **what)
    say_skipped(asked)
    settings = Settings(temperature=temperature, max_tokens=max_tokens, seed=seed)
    budget = None if max_cost is None else Budget(max_cost, prices(prices_))
    how = Asking(out, settings, samples, seed, budget, batch, half_width)
    changed = f"fewshot:{fewshot.replace(':', '-')}" if fewshot else intervention
    with session(model, **model_arguments(model_args, engine)) as who:
        for caveat in source_caveats(pair.question.source for pair in add_pairs(out, asked)):
            click.echo(caveat, err=True)
        if changed == "none":
            measure_arm(asked, who, how, label=label or who.subject.name, role=role, checkpoint=_checkpoint(model))
        else:
            measure_prompted(asked, who, how, interventions.get(changed), label=label or changed)
    found = results(out)
    keep_outcomes(out, found.outcomes)
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    if half_width is not None:
        _say_reached(out, who.subject.name)


def _say_reached(folder: Path, model: str) -> None:
    """Where each bias of a model stopped."""
    from unsway.reporting.words import points, visible
    from unsway.sampling.until import kept_precisions

    for cell in kept_precisions(folder):
        if cell.model == model:
            why = "narrow enough" if cell.narrow else "no question is left"
            click.echo(
                f"{visible(cell.bias)}: asked {cell.n_asked} of {cell.n_there} questions ({why}); BRR with an interval that "
                f"holds at every look: {points(cell.estimate)} points."
            )
    click.echo("Quote these: the intervals above are for a number of questions that was fixed beforehand.")


def to_ask(
    model: str,
    *,
    questions: str,
    prompts: tuple[Path, ...],
    keep_gold: bool,
    n: int,
    split: str | None,
    biases: str,
    arguments: Path | None,
    elicit: str,
    seed: int,
) -> PairSet:
    """Pairs from what the options name; every name and every row is checked before any model is asked."""
    from unsway.importing import released
    from unsway.pairing import PairSet

    if bool(questions) == bool(prompts):
        raise click.UsageError("Name what to ask: either --questions or --prompts.")
    if prompts:
        loaded = [released.load(path, n=n, seed=seed, keep_gold=keep_gold) for path in prompts]
        return sum(loaded, PairSet())
    return _from_questions(model, questions, n, split, biases, arguments, elicit, seed)


def _from_questions(
    model: str, questions: str, n: int, split: str | None, biases: str, arguments: Path | None, elicit: str, seed: int
) -> PairSet:
    """The pairs of a study of one model; of all biases, those that quote arguments are left out where there are none."""
    from unsway import biases as suite
    from unsway.pairing import PairSet, Skipped
    from unsway.studies import Study, Task
    from unsway.studies.study import check

    wanted = [suite.get(name) for name in (suite.names() if biases == "all" else names(biases))]
    without = [b for b in wanted if biases == "all" and arguments is None and "arguments" in b.wants]
    study = Study(
        models=(model,),
        biases=tuple(b for b in wanted if b not in without),
        tasks=tuple(Task(source, split=split) for source in names(questions)),
        elicit=names(elicit),
        n=n,
        seed=seed,
        arguments=None if arguments is None else str(arguments),
    )
    check(study)
    asked = study.pairs()
    own = {bias.versioned for bias in wanted if bias.source}
    ids = dict.fromkeys(pair.question.id for pair in asked if pair.bias not in own)
    why = "it quotes arguments, and --arguments names none"
    return asked + PairSet((), tuple(Skipped(key, b.versioned, why) for b in without for key in ids))


def say_skipped(asked: PairSet) -> None:
    """One line on stderr for each reason why something will not be asked."""
    for (bias, reason), count in sorted(asked.reasons().items()):
        click.echo(f"Not asked: {count} × {bias}: {reason}.", err=True)


def _checkpoint(model: str) -> Any:
    from unsway.models.weights import CHECKPOINT_FILE, read_checkpoint

    folder = Path(model.removeprefix("unsway/"))
    return read_checkpoint(folder) if (folder / CHECKPOINT_FILE).is_file() else None
