"""The verbs `data …`: training sets."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click

from unsway.cli.known import known
from unsway.cli.main import main
from unsway.cli.options import (
    FILE,
    Place,
    columns_option,
    elicit_option,
    engine_option,
    json_option,
    model_args_option,
    names,
    out_option,
    say,
    seed_option,
    skip_bad_option,
    split_option,
)
from unsway.errors import number_of

file_argument = click.argument("file", type=FILE)
file_option = out_option("The JSONL file to write.", Place(dir_okay=False))

thoughts_option = click.option(
    "--thoughts",
    type=click.Choice(["keep", "drop"]),
    default="keep",
    show_default=True,
    help="keep: targets begin with a reasoning model's thought; drop: targets have no thought.",
)


@main.group()
def data() -> None:
    """Build, look at and convert training sets."""


@data.command()
@click.argument("model")
@click.option("--questions", required=True, type=known("sources"), help="Train sources, comma-separated, or files.")
@click.option("-n", "n", type=click.IntRange(min=1), default=1000, show_default=True, help="Consistency rows.")
@columns_option
@skip_bad_option
@split_option
@click.option(
    "--biases",
    type=known("biases"),
    default="suggested_answer,suggested_against",
    show_default=True,
    help="Biases to train on.",
)
@elicit_option(help="How questions are put: one of `unsway list elicitations`.")
@click.option(
    "--direct-share",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of rows without reasoning.",
)
@click.option(
    "--instruct",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Instruction-following rows; the paper takes as many as -n.",
)
@click.option("--instruct-tasks", default="", help="Tasks for them: alpaca, self_instruct, or a JSONL file (our own).")
@click.option(
    "--evidence",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Rows that give reasons for the right option.",
)
@click.option(
    "--instructions",
    type=click.Choice(["varied", "default"]),
    default="varied",
    show_default=True,
    help="varied: the instruction how to reply is drawn from a bank; default: it is always the same.",
)
@click.option("--exclude", default="", help="Sources and question ids, comma-separated, that are never trained on.")
@click.option("--test-questions", default="", help="Sources or files; none of their questions is trained on.")
@click.option(
    "--keep",
    type=click.Choice(["all", "right", "disagree"]),
    default="all",
    show_default=True,
    help="Replies that become targets: all (as in the paper), right ones, or those that disagree with the cue.",
)
@thoughts_option
@click.option("--temperature", type=click.FloatRange(min=0), default=1.0, show_default=True, help="0 is greedy.")
@click.option(
    "--max-tokens", type=click.IntRange(min=1), default=2000, show_default=True, help="Maximum tokens of a reply."
)
@click.option("--max-cost", type=click.FloatRange(min=0), help="US dollars that its replies may cost; stops before.")
@out_option("Folder of the training set.")
@seed_option
@engine_option
@model_args_option
def build(
    model: str,
    questions: str,
    columns: str,
    skip_bad: bool,
    split: str | None,
    biases: str,
    exclude: str,
    test_questions: str,
    max_cost: float | None,
    out: Path,
    model_args: dict[str, Any],
    **fields: Any,
) -> None:
    """Build a training set from MODEL's own clean replies.

    Writes examples.jsonl into the folder, which bct and control both read, with its pairs and provenance next to it.
    --biases all_but:NAME takes every bias that fits, except NAME.
    """
    from unsway import sources
    from unsway.data import Recipe, all_but
    from unsway.data.mixture import build as build_set

    held_out = biases.removeprefix("all_but:")
    bias_names = names(biases) if held_out == biases else all_but(*names(held_out))
    recipe = Recipe(biases=bias_names, exclude=names(exclude), **fields)
    train = [sources.resolve(name, columns, skip_bad) for name in names(questions)]
    test = names(test_questions)
    training_set = build_set(recipe, train, model, out, split=split, test=test, max_cost=max_cost, **model_args)
    click.echo(f"{training_set.write(out)}: {number_of(len(training_set.examples), 'row')}")
    click.echo(f"Not used as targets: {number_of(training_set.incomplete, 'reply')}.")
    for reason, count in sorted(training_set.no_targets.items(), key=lambda item: -item[1]):
        click.echo(f"  {count} × {reason}" + f" (at most {recipe.max_tokens} tokens)" * (reason == "was cut"))


@data.command()
@file_argument
@click.option("--control", type=FILE, help="The control of chats from elsewhere, row by row. Our own rows include it.")
@click.option("--test-questions", default="", help="Sources or files whose questions must not be trained on.")
@click.option("--tokenizer", default=None, help="A local model, whose tokens are counted too.")
@seed_option
@json_option
def inspect(file: Path, control: Path | None, test_questions: str, tokenizer: str | None, seed: int) -> None:
    """Print what a training FILE contains: mix, cues, agreement, duplicates, overlap, ten sample rows.

    FILE is from `unsway data build`, or has chats from elsewhere (messages, or prompt and completion).
    """
    from unsway.data.audit import audit_file

    audit = audit_file(file, control=control, test=names(test_questions), tokenizer=tokenizer, seed=seed)
    say(asdict(audit), "\n".join(audit.lines()))


@data.command()
@file_argument
@click.option(
    "--format", "format_", type=click.Choice(["openai", "trl"]), required=True, help="The program that will read it."
)
@click.option(
    "--side",
    type=click.Choice(["biased", "clean"]),
    default="biased",
    show_default=True,
    help="The prompt to write: biased for BCT, clean for its control.",
)
@file_option
def export(file: Path, format_: Literal["openai", "trl"], side: Literal["biased", "clean"], out: Path) -> None:
    """Write the rows of FILE as OpenAI's fine-tuning or TRL reads them; says what the format cannot keep."""
    from unsway.data.foreign import read_examples
    from unsway.data.formats import export as export_rows

    rows = read_examples(file)
    losses = export_rows(rows, out, format_, side)
    click.echo("\n  ".join([f"{out}: {number_of(len(rows), 'row')}", *losses]))


@data.command(name="import")
@file_argument
@file_option
@click.option("--said-by", default="", help="The model that wrote the completions.")
def import_(file: Path, out: Path, said_by: str) -> None:
    """Import chats or preferences from elsewhere as rows of unsway, which say who wrote them."""
    from unsway.data.foreign import read_examples
    from unsway.data.formats import write_rows
    from unsway.store import sha256_file

    rows = read_examples(file, said_by=said_by)
    write_rows(out, rows, imported=file.name, imported_sha256=sha256_file(file))
    click.echo(f"{out}: {number_of(len(rows), 'row')}")
