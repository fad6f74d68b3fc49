"""The verb `train`: a training set to a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, out_option


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base", required=True, help="The model to train: smollm2-135m, a folder, org/name; gpt-4o-mini-….")
@click.option("--method", "method_", default="bct", show_default=True, help="bct or control.")
@click.option("--backend", "backend_", default="local", show_default=True, help="Where it is trained: local or openai.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A hyper-parameter, e.g. learning_rate=1e-4."
)
@click.option(
    "--max-cost", type=click.FloatRange(min=0), help="US dollars that a provider's job may cost, as estimated."
)
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
    cancel: bool,
    out: Path,
    json_: bool,
) -> None:
    """Train on FILE (from `unsway data`) and write a checkpoint that `unsway measure` takes."""
    from dataclasses import asdict

    from unsway.backends import backend
    from unsway.train import fit, method

    if backend_ != "openai" and (cancel or max_cost is not None):
        raise click.UsageError(f"--max-cost and --cancel are for a provider's jobs; {backend_!r} trains here.")
    if cancel:
        from unsway.backends.openai import OpenAiBackend

        click.echo(f"{out}: {OpenAiBackend().cancel(out)}")
        return
    where = backend(backend_, max_cost=max_cost) if backend_ == "openai" else backend(backend_)
    checkpoint = fit(file, method(method_, **_numbers(settings)), base, where, out)
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
