"""The verb `train`: a training set to a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, names, out_option


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base", required=True, help="The model to train: smollm2-135m, a folder, org/name; gpt-4o-mini-….")
@click.option("--method", "method_", default="bct", show_default=True, help="bct, control or dpo.")
@click.option("--backend", "backend_", default="local", show_default=True, help="Where it is trained: local or openai.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A hyper-parameter, e.g. learning_rate=1e-4."
)
@click.option(
    "--max-cost", type=click.FloatRange(min=0), help="US dollars that a provider's job may cost, as estimated."
)
@click.option("--packing", is_flag=True, help="Lay rows end to end instead of padding them (local).")
@click.option("--gradient-checkpointing", is_flag=True, help="Less memory, more time (local).")
@click.option("--report-to", default="", metavar="NAMES", help="tensorboard, wandb, trackio, comma-separated (local).")
@click.option("--cancel", is_flag=True, help="Cancel the provider's job that --out waits for, and train nothing.")
@out_option
@json_option
def train(
    file: Path,
    base: str,
    method_: str,
    backend_: str,
    settings: tuple[str, ...],
    max_cost: float | None,
    packing: bool,
    gradient_checkpointing: bool,
    report_to: str,
    cancel: bool,
    out: Path,
    json_: bool,
) -> None:
    """Train on FILE (from `unsway data`) and write a checkpoint that `unsway measure` takes.

    Several processes: torchrun or `accelerate launch` before this very command (see docs/training.md).
    """
    from dataclasses import asdict

    from unsway.backends import backend
    from unsway.backends.launch import is_main
    from unsway.training import fit, method

    here = {"packing": packing, "gradient_checkpointing": gradient_checkpointing, "report_to": names(report_to)}
    if backend_ != "openai" and (cancel or max_cost is not None):
        raise click.UsageError(f"--max-cost and --cancel are for a provider's jobs; {backend_!r} trains here.")
    if backend_ != "local" and any(here.values()):
        raise click.UsageError(f"--packing, --gradient-checkpointing and --report-to are local; {backend_!r} has none.")
    if cancel:
        from unsway.backends.openai import OpenAiBackend

        click.echo(f"{out}: {OpenAiBackend().cancel(out)}")
        return
    options_of: dict[str, dict[str, Any]] = {"openai": {"max_cost": max_cost}, "local": here}
    where = backend(backend_, **options_of.get(backend_, {}))
    checkpoint = fit(file, method(method_, **_numbers(settings)), base, where, out)
    if not is_main():  # one of several processes of one fit
        return
    if json_:
        as_json(asdict(checkpoint))
        return
    click.echo(f"{checkpoint.model}: {checkpoint.steps} steps, {checkpoint.tokens} tokens, from {checkpoint.base}")


def _numbers(settings: tuple[str, ...]) -> dict[str, float]:
    """`NAME=VALUE` options to numbers; whole numbers stay whole."""
    found: dict[str, float] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise click.BadParameter(f"{setting!r} is not NAME=NUMBER.", param_hint="--set") from None
        found[name] = int(number) if number.is_integer() else number
    return found
