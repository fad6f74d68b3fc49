"""The verb `train`: a training set to a checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from unsway.cli.known import known
from unsway.cli.main import main
from unsway.cli.options import FILE, assignments, json_option, names, out_option, say
from unsway.errors import number_of


@main.command()
@click.argument("file", type=FILE)
@click.option("--base", required=True, help="The model to train: smollm2-135m, a folder, org/name; gpt-4o-mini-….")
@click.option(
    "--method",
    "method_",
    type=known("methods"),
    default="bct",
    show_default=True,
    help="bct, control, dpo, … (`unsway list methods`).",
)
@click.option(
    "--backend",
    "backend_",
    default="local",
    show_default=True,
    help="local, openai, tinker, … (`unsway list backends`).",
)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A hyper-parameter, e.g. learning_rate=1e-4."
)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the back-end.")
@click.option(
    "--max-cost", type=click.FloatRange(min=0), help="Limit in US dollars on the cost of a fit (openai, tinker)."
)
@click.option("--packing", is_flag=True, default=None, help="Concatenate rows instead of padding them (local).")
@click.option("--gradient-checkpointing", is_flag=True, default=None, help="Less memory, more time (local).")
@click.option(
    "--report-to",
    callback=lambda _context, _parameter, value: names(value or "") or None,
    metavar="NAMES",
    help="tensorboard, wandb, trackio, comma-separated (local).",
)
@click.option("--cancel", is_flag=True, help="Cancel the provider's job that --out waits for, and train nothing.")
@out_option("Folder of the checkpoint; a killed fit in it continues.")
@json_option
def train(
    file: Path,
    base: str,
    method_: str,
    backend_: str,
    settings: tuple[str, ...],
    options: tuple[str, ...],
    out: Path,
    cancel: bool,
    **flags: Any,
) -> None:
    """Train on FILE and write a checkpoint that `unsway measure` can ask.

    FILE is from `unsway data`, or holds rows of TRL, OpenAI, ShareGPT or Alpaca.

    Several processes: torchrun or `accelerate launch` in front of this command (see docs/training.md).
    """
    from unsway.backends import backend, backends
    from unsway.backends.local.launch import is_main
    from unsway.training import fit, method, methods

    own_flags = {name: value for name, value in flags.items() if value is not None}
    trainer = backend(backend_, **own_flags, **assignments(backends.get(backend_), options, "--option", own_flags))
    if cancel:
        return click.echo(f"{out}: {trainer.cancel(out)}")
    training_method = method(method_, **assignments(methods.get(method_), settings, "--set"))
    record = fit(file, training_method, base, trainer, out)
    if is_main():  # only one of a fit's processes prints
        text = f"{record.model}: {number_of(record.steps, 'step')}, {number_of(record.tokens, 'token')}, from {record.base}"
        say(asdict(record), text)
