"""The verb `measure`: how far cues sway a model."""

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
