"""The verbs `data …`: training sets."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import (
    elicit_option,
    engine_option,
    model_args_option,
    model_arguments,
    names,
    out_option,
    seed_option,
    split_option,
)


@main.group()
def data() -> None:
    """Build, look at and convert training sets."""


@data.command()
@click.argument("model")
@click.option("--questions", required=True, help="Train sources, comma-separated, or files.")
@click.option("-n", "n", type=click.IntRange(min=1), default=1000, show_default=True, help="Consistency rows.")
@split_option
@click.option("--biases", default="suggested_answer,suggested_against", show_default=True, help="Biases to train on.")
@elicit_option
@click.option("--direct-share", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Share without CoT.")
@click.option(
    "--instruct", type=click.IntRange(min=0), default=0, show_default=True, help="Instruction-following rows."
)
@click.option("--temperature", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=2000, show_default=True)
@out_option
@seed_option
@engine_option
@model_args_option
def build(
    model: str,
    questions: str,
    n: int,
    split: str | None,
    biases: str,
    elicit: str,
    direct_share: float,
    instruct: int,
    temperature: float,
    max_tokens: int,
    out: Path,
    seed: int,
    engine: str | None,
    model_args: tuple[str, ...],
) -> None:
    """Build a BCT training set and its control from MODEL's own clean replies.

    Writes bct.jsonl and control.jsonl, which pair row by row, into the folder.
    """
    from unsway import sources
    from unsway.data import Recipe, mixture

    loaded = [q for source in names(questions) for q in sources.load(source, seed=seed, split=split)]
    recipe = Recipe(
        n=n,
        direct_share=direct_share,
        elicit=elicit,
        biases=names(biases),
        instruct=instruct,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
    )
    made = mixture(recipe, loaded, model, folder=out, **model_arguments(model_args, engine))
    for path in made.write(out):
        click.echo(f"{path}: {len(made.bct)} rows")
    click.echo(f"{made.incomplete} replies were cut at {max_tokens} tokens and are no targets.")
