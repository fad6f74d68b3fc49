"""The command line: thin verbs over the functions that one would call from Python.

Every verb that shows something has `--json` for programs. Errors are one message on stderr and exit code 1; a wrong
option is click's own message and exit code 2. Heavy libraries load inside the verbs, so that `--help` is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from unsway.errors import UnswayError

Verb = TypeVar("Verb", bound=Callable[..., Any])

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Group(click.Group):
    """Says our own errors in one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; an error of ours becomes its message and exit code 1."""
        try:
            return super().invoke(ctx)
        except UnswayError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted. Everything done so far is kept; run the same again to go on.", err=True)
            sys.exit(130)


@click.group(cls=Group, context_settings=CONTEXT)
@click.version_option(package_name="unsway")
def main() -> None:
    """Measure what sways a language model's reasoning, and train it away."""


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def as_json(value: object) -> None:
    """Print a value as JSON for programs."""
    click.echo(json.dumps(value, indent=2, default=str))


json_option = click.option("--json", "json_", is_flag=True, help="Print JSON instead of text.")
out_option = click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the study.")
seed_option = click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
elicit_option = click.option(
    "--elicit", default="cot", show_default=True, help="How it is asked: cot, brief or direct."
)
engine_option = click.option(
    "--engine", type=click.Choice(["auto", "torch", "openvino"]), default=None, help="Engine of a local model."
)
split_option = click.option("--split", default=None, help="Split of the sources (their default otherwise).")


# ---------------------------------------------------------------- the whole loop


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


# ---------------------------------------------------------------- the parts


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


# ---------------------------------------------------------------- what there is


@main.command()
@json_option
def biases(json_: bool) -> None:
    """List the biases."""
    from unsway.biases import all_biases

    rows = [
        {"name": b.name, "version": b.version, "kind": b.kind, "paper": b.paper, "summary": b.summary}
        for b in all_biases()
    ]
    if json_:
        as_json(rows)
        return
    _show_rows(rows)


@main.command(name="sources")
@json_option
def sources_(json_: bool) -> None:
    """List the question sources and whether they can be had right now."""
    from dataclasses import asdict

    from unsway import sources

    rows = sources.table()
    if json_:
        as_json([asdict(row) for row in rows])
        return
    _show_rows(
        [
            {"name": r.name, "kind": r.kind, "licence": r.licence, "splits": _splits(r), "available": _have(r)}
            for r in rows
        ]
    )


def _splits(row: Any) -> str:
    return ", ".join(f"{split.name} {split.rows:,}" if split.rows else split.name for split in row.splits)


def _have(row: Any) -> str:
    return "yes" if row.available.now else f"no: {row.available.why}"


def _show_rows(rows: Any) -> None:
    """Rows of equal keys as a table."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for heading in rows[0]:
        shown.add_column(heading.replace("_", " "), overflow="fold")
    for row in rows:
        shown.add_row(*(str(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(shown)


if __name__ == "__main__":
    main()
