"""The verb `import`: transcripts that somebody else sampled, as a folder like those of `measure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, out_option

if TYPE_CHECKING:
    from unsway.importing.replies import Imported


@main.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@out_option
@click.option("--base", default="", help="The model that the others are compared with, where there are several.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be used, and go on.")
@click.option("--keep-gold", is_flag=True, help="Keep rows whose cue points to the right option, as NAME/gold.")
@json_option
def import_(file: Path, out: Path, base: str, skip_bad: bool, keep_gold: bool, json_: bool) -> None:
    """Take in replies that somebody else sampled.

    FILE is JSONL (.gz or not) with the fields question_id, n_options or options, gold, target, bias, arm ("clean" or
    "biased"), model, reply, and optionally source, sample, prompt, stop; or an Inspect .eval log. `unsway estimate` and
    `unsway report` then show every number.
    """
    from unsway.importing.replies import load
    from unsway.studies.import_replies import take_in

    found = load(file, skip_bad=skip_bad, keep_gold=keep_gold)
    take_in(found, out, base=base)
    if json_:
        counts = {name: getattr(found, name) for name in ("n_rows", "n_duplicates", "n_gold", "n_empty", "n_alone")}
        said = {"pairs": len(found.pairs), "replies": len(found.replies), "models": found.models}
        as_json(said | counts | {"n_bad": len(found.bad), "bad": [str(error) for error in found.bad[:10]]})
        return
    for line in _said(found, out):
        click.echo(line)


def _said(found: Imported, out: Path) -> list[str]:
    """What came in and what did not, a line each."""
    came = f"{out}: {len(found.replies)} replies to {len(found.pairs)} pairs, of {len(found.models)} models"
    left = {
        "bad": len(found.bad),
        "that say again what another says": found.n_duplicates,
        "whose cue points to the right option (--keep-gold keeps them, as NAME/gold)": found.n_gold,
        "of clean replies that no biased row belongs to": found.n_alone,
        "without a reply, whose pairs count as missing": found.n_empty,
    }
    lines = [f"{came}, from {found.n_rows} rows."] + [f"Left out: {n} rows {why}." for why, n in left.items() if n]
    return lines + [f"  {error}" for error in found.bad[:10]]
