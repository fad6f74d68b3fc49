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
    names,
    out_option,
    seed_option,
    split_option,
)

if TYPE_CHECKING:
    from unsway.pairs import PairSet


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
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Replies to each prompt.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=1000, show_default=True)
@seed_option
@engine_option
@json_option
def measure(
    model: str,
    out: Path,
    label: str | None,
    role: Any,
    samples: int,
    temperature: float,
    max_tokens: int,
    engine: str | None,
    json_: bool,
    seed: int,
    **what: Any,
) -> None:
    """Measure how far cues sway MODEL.

    MODEL is any Inspect model string (openai/gpt-4o-mini, vllm/org/name, hf/org/name), a local one (smollm2-135m, a
    folder), or the folder of a trained checkpoint. What the study's folder holds already is not asked again.
    """
    from unsway.report import table
    from unsway.report.folder import keep, results
    from unsway.report.study import Arm
    from unsway.run import run, subject
    from unsway.types import Settings

    asked = to_ask(seed=seed, **what)
    say_skipped(asked)
    args: dict[str, Any] = {"engine": engine} if engine else {}
    who = subject(model, **args)
    settings = Settings(temperature=temperature, max_tokens=max_tokens, seed=seed)
    run(asked, model, settings=settings, samples=samples, folder=out, label=label or "", **args)
    keep(out, asked, Arm(label or who.name, who.name, who.weights, role, _checkpoint(model)))
    found = results(out)
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)


def to_ask(
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
    from unsway import released
    from unsway.pairs import PairSet

    if bool(questions) == bool(prompts):
        raise click.UsageError("Name what to ask: either --questions or --prompts.")
    if prompts:
        loaded = [released.load(path, n=n, seed=seed, keep_gold=keep_gold) for path in prompts]
        return sum(loaded, PairSet())
    return _from_questions(names(questions), n, split, biases, arguments, elicit, seed)


def _from_questions(
    sources_: tuple[str, ...],
    n: int,
    split: str | None,
    biases: str,
    arguments: Path | None,
    elicit: str,
    seed: int,
) -> PairSet:
    from unsway import biases as suite
    from unsway import sources
    from unsway.biases import arguments as given
    from unsway.pairs import PairSet, Skipped, pairs

    wanted = [suite.get(name) for name in (suite.names() if biases == "all" else names(biases))]
    bank = given.load(arguments) if arguments else None
    loaded = [q for source in sources_ for q in sources.load(source, n=n, seed=seed, split=split)]
    without = [b for b in wanted if biases == "all" and bank is None and "arguments" in b.wants]
    chosen = [b.name for b in wanted if b not in without]
    asked = pairs(loaded, chosen, elicit=elicit, seed=seed, arguments=bank)
    why = "it quotes arguments, and --arguments names none"
    return asked + PairSet((), tuple(Skipped(q.id, b.versioned, why) for b in without for q in loaded))


def say_skipped(asked: PairSet) -> None:
    """One line on stderr for each reason why something will not be asked."""
    for (bias, reason), count in sorted(asked.reasons().items()):
        click.echo(f"Not asked: {count} × {bias}: {reason}.", err=True)


def _checkpoint(model: str) -> Any:
    from unsway.run.weights import CHECKPOINT_FILE, read_checkpoint

    folder = Path(model.removeprefix("unsway/"))
    return read_checkpoint(folder) if (folder / CHECKPOINT_FILE).is_file() else None
