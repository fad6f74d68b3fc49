"""The verbs of the loop: demo, measure, data, train, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Folder.")
@json_option
def demo(out: Path, json_: bool) -> None:
    """Run the whole loop on the embedded model and write report.html.

    Measures SmolLM2-135M on five biases, trains BCT and its control, measures both, and shows what came out. Interrupt
    it at any time; the same command goes on where it stopped.
    """
    from unsway.demo import demo as run_demo
    from unsway.report import table
    from unsway.store import ReplyStore

    before = len(ReplyStore(out / "replies.jsonl"))
    found = run_demo(out)
    new = len(ReplyStore(out / "replies.jsonl")) - before
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    click.echo(f"{new} new replies; {before} were kept from before. Report: {out / 'report.html'}")


@main.command()
@click.argument("model")
@click.option("--questions", required=True, help="Sources, comma-separated, or files (.jsonl, .csv).")
@click.option("-n", "n", type=click.IntRange(min=1), default=100, show_default=True, help="Questions from each source.")
@split_option
@click.option("--biases", default="suggested_answer", show_default=True, help="Biases, comma-separated, or 'all'.")
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
    questions: str,
    n: int,
    split: str | None,
    biases: str,
    elicit: str,
    out: Path,
    label: str | None,
    role: Any,
    samples: int,
    temperature: float,
    max_tokens: int,
    seed: int,
    engine: str | None,
    json_: bool,
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

    asked = _pairs(questions, n, split, biases, elicit, seed)
    args = {"engine": engine} if engine else {}
    who = subject(model, **args)
    settings = Settings(temperature=temperature, max_tokens=max_tokens, seed=seed)
    run(asked, model, settings=settings, samples=samples, folder=out, label=label or "", **args)
    keep(out, asked, Arm(label or who.name, who.name, who.weights, role, _checkpoint(model)))
    found = results(out)
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)


def _pairs(questions: str, n: int, split: str | None, biases: str, elicit: str, seed: int) -> Any:
    """Questions and biases by name to pairs; every name and every row is checked before any model is asked."""
    from unsway import biases as bias_names
    from unsway import sources
    from unsway.pairs import pairs

    chosen = bias_names.names() if biases == "all" else names(biases)
    for name in chosen:
        bias_names.get(name)
    loaded = [q for source in names(questions) for q in sources.load(source, n=n, seed=seed, split=split)]
    return pairs(loaded, chosen, elicit=elicit, seed=seed)


def _checkpoint(model: str) -> Any:
    from unsway.run.weights import CHECKPOINT_FILE, read_checkpoint

    folder = Path(model.removeprefix("unsway/"))
    return read_checkpoint(folder) if (folder / CHECKPOINT_FILE).is_file() else None


@main.command()
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
def data(
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
    made = mixture(recipe, loaded, model, folder=out, **({"engine": engine} if engine else {}))
    for path in made.write(out):
        click.echo(f"{path}: {len(made.bct)} rows")
    click.echo(f"{made.incomplete} replies were cut at {max_tokens} tokens and are no targets.")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base", required=True, help="The model to train: smollm2-135m, a folder, org/name.")
@click.option("--method", "method_", default="bct", show_default=True, help="bct or control.")
@click.option("--backend", "backend_", default="local", show_default=True, help="Where it is trained.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A hyper-parameter, e.g. learning_rate=1e-4."
)
@out_option
@json_option
def train(
    file: Path, base: str, method_: str, backend_: str, settings: tuple[str, ...], out: Path, json_: bool
) -> None:
    """Train on FILE (from `unsway data`) and write a checkpoint that `unsway measure` takes."""
    from dataclasses import asdict

    from unsway.backends import backend
    from unsway.train import fit, method

    checkpoint = fit(file, method(method_, **_numbers(settings)), base, backend(backend_), out)
    if json_:
        as_json(asdict(checkpoint))
        return
    click.echo(f"{checkpoint.uri}: {checkpoint.steps} steps, {checkpoint.tokens} tokens, from {checkpoint.base}")


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


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--page", type=click.Path(path_type=Path), default=None, help="Where the page goes (FOLDER/report.html).")
@click.option("--title", default="", help="Title of the page.")
@click.option("--trained", default="", help="Biases that were trained on, comma-separated; the rest is held out.")
@json_option
def report(folder: Path, page: Path | None, title: str, trained: str, json_: bool) -> None:
    """Show what FOLDER (of `unsway measure`) holds, as a table and one self-contained page."""
    from unsway.report import table
    from unsway.report.folder import results
    from unsway.report.page import write_page

    found = results(folder, title=title, trained_biases=names(trained))
    path = write_page(found, page or folder / "report.html")
    if json_:
        as_json(table.rows(found))
        return
    table.show(found)
    click.echo(f"Page: {path}")
