"""The verb `data arguments`: a bank of arguments for options, which `distractor_argument` quotes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.data import data
from unsway.cli.options import (
    as_json,
    columns_option,
    engine_option,
    form,
    json_option,
    model_args_option,
    names,
    out_option,
    seed_option,
    skip_bad_option,
    split_option,
)
from unsway.errors import number_of


@data.command()
@click.argument("model")
@click.option("--questions", required=True, help="Sources, comma-separated, or files: those that will be measured.")
@click.option(
    "-n",
    "n",
    type=click.IntRange(min=1),
    show_default="100 of a source, all of a file",
    help="Questions of each source or file.",
)
@columns_option
@skip_bad_option
@split_option
@click.option("--samples", type=click.IntRange(min=1), default=5, show_default=True, help="Attempts for each question.")
@click.option(
    "--max-tokens", type=click.IntRange(min=1), default=600, show_default=True, help="Maximum tokens of an argument."
)
@out_option("Folder: arguments.jsonl and the replies.")
@seed_option
@engine_option
@model_args_option
@json_option
def arguments(
    model: str,
    questions: str,
    n: int | None,
    columns: str,
    skip_bad: bool,
    split: str | None,
    out: Path,
    seed: int,
    model_args: dict[str, Any],
    **options: Any,
) -> None:
    """Have MODEL argue for the cued option of each question.

    An argument is used if it concludes that option and does not show that it was ordered. Use the same seed, questions and
    -n as in `unsway measure --arguments FILE`, so the same options are cued.
    """
    from unsway import sources
    from unsway.data.arguments import arguments as write_arguments

    origins = [sources.resolve(name, columns, skip_bad) for name in names(questions)]
    pool = [q for origin in origins for q in sources.load(origin, sources.how_many(origin, n), seed=seed, split=split)]
    bank = write_arguments(pool, model, seed=seed, folder=out, **options, **model_args)
    path, n_kept = bank.write(out / "arguments.jsonl"), len(bank.arguments.rows)
    if form() == "json":
        about = {"sha256": bank.arguments.sha256, "kept": n_kept, "wanted": bank.wanted, "dropped": dict(bank.dropped)}
        as_json({"path": str(path), "model": bank.model} | about)
        return
    click.echo(f"{path}: arguments for {n_kept} of {number_of(bank.wanted, 'question')}, by {bank.model}")
    for reason, count in sorted(bank.dropped.items(), key=lambda item: -item[1]):
        click.echo(f"dropped: {count} × {reason}")
