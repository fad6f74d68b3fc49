"""The listing verbs: `biases`, `sources`, and `list KIND` for every other registry."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from unsway.cli.known import REGISTRIES, known, registry_of
from unsway.cli.main import main
from unsway.cli.options import as_json, elicit_option, form, remark, show_rows, table_options

if TYPE_CHECKING:
    from unsway.biases import Bias
    from unsway.types import Pair


@main.command()
@click.argument("name", required=False, type=known("biases"))
@click.option("--questions", default="procedural/dates", show_default=True, help="Source of the question for NAME.")
@elicit_option(help="How the question is put.")
@table_options
def biases(name: str | None, questions: str, elicit: str) -> None:
    """List the biases; with NAME, show a question without and with that cue."""
    from unsway import sources
    from unsway.biases import all_biases, resolve
    from unsway.pairing import example
    from unsway.reporting.listing import bias_rows

    if not name:
        show_rows(bias_rows(all_biases()))
        return
    bias = resolve(name)
    pair = example(bias, sources.load(bias.source or questions)[:50], elicit=elicit)
    as_json(asdict(pair)) if form() == "json" else click.echo(show_pair(bias, pair))


def show_pair(bias: Bias, pair: Pair) -> str:
    """A pair for a terminal: both prompts with the cue in bold, and which answer follows it."""
    lines = [f"{bias.versioned}: {bias.summary}"]
    for title, prompt in (("clean", pair.clean), (f"biased; {pair.target.label()} follows the cue", pair.biased)):
        lines += ["", click.style(f"── {title} ", bold=True) + "─" * (60 - len(title))]
        for turn in prompt.turns:
            words = [
                click.style(part.text, bold=True) if part.kind == "cue" else part.text for part in turn.parts or ()
            ]
            lines.append(f"[{turn.role}] {''.join(words) or '(what the model says itself)'}")
    return "\n".join(lines)


@main.command(name="sources")
@table_options
def sources_() -> None:
    """List the question sources and whether each is available here."""
    from unsway import sources
    from unsway.reporting.listing import source_rows

    source_table = sources.table()
    if form() == "json":
        as_json([asdict(row) for row in source_table])
        return
    rows, reasons = source_rows(source_table)
    show_rows(rows)
    for number, reason in enumerate(reasons, 1):
        remark(f"[{number}] {reason}")


@main.command(name="list")
@click.argument("kind", type=click.Choice(sorted(REGISTRIES)))
@table_options
def list_(kind: str) -> None:
    """List everything of a KIND by name, including what plug-ins add."""
    from unsway.reporting.listing import thing_rows

    rows = thing_rows(registry_of(kind))
    if rows or form() == "json":
        show_rows(rows)
    else:
        click.echo(f"There are no {kind} yet; a plug-in adds some.")
