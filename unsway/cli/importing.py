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
@click.option("--base", default="", help="The model with which the others are compared.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be used, and go on.")
@click.option("--keep-gold", is_flag=True, help="Keep rows whose cue points to the right option, as NAME/gold.")
@json_option
def import_(file: Path, out: Path, base: str, skip_bad: bool, keep_gold: bool, json_: bool) -> None:
    """Import replies that somebody else sampled.

    FILE is JSONL (.gz or not) with the fields question_id, n_options or options, gold, target, bias, arm ("clean" or
    "biased"), model, reply, and optionally source, sample, prompt, stop; or an Inspect .eval log. `unsway estimate` and
    `unsway report` then show every number.
    """
    from unsway.studies.import_replies import import_replies

    found = import_replies(file, out, base=base, skip_bad=skip_bad, keep_gold=keep_gold)
    if json_:
        counts = {name: getattr(found, name) for name in ("n_rows", "n_duplicates", "n_gold", "n_empty", "n_alone")}
        sizes = {"pairs": len(found.pairs), "replies": len(found.replies), "models": found.models}
        as_json(sizes | counts | {"n_bad": len(found.bad), "bad": [str(error) for error in found.bad[:10]]})
    else:
        click.echo("\n".join(_lines(found, out)))


def _lines(found: Imported, out: Path) -> list[str]:
    """What was imported and what was left out, a line each."""
    left_out = {
        "bad": len(found.bad),
        "that repeat another row": found.n_duplicates,
        "whose cue points to the right option (--keep-gold keeps them, as NAME/gold)": found.n_gold,
        "of clean replies that no biased row belongs to": found.n_alone,
        "without a reply, whose pairs count as missing": found.n_empty,
    }
    sizes = f"{len(found.replies)} replies to {len(found.pairs)} pairs, of {len(found.models)} models"
    return [
        f"{out}: {sizes}, from {found.n_rows} rows.",
        *(f"Left out: {n} rows {why}." for why, n in left_out.items() if n),
        *(f"  {error}" for error in found.bad[:10]),
    ]
