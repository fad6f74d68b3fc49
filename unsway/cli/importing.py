"""The verb `import`: import transcripts that were sampled elsewhere, into a folder like those of `measure`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unsway.cli.main import main
from unsway.cli.options import FILE, json_option, out_option, say


@main.command(name="import")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@out_option()
@click.option("--clean", multiple=True, type=FILE, help="A file of clean replies.")
@click.option("--facts", type=FILE, help="One row for each question_id: fields that the reply rows lack.")
@click.option(
    "--columns", default="", help="Meaning of the fields: reply=output,gold=answer:1-based; {question_id}|{arm}=id."
)
@click.option(
    "--set", "given", multiple=True, help="A field of every row: bias=post_hoc, model=gpt-4o; may be repeated."
)
@click.option("--base", default="", help="The model that the others are compared with.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be used, and continue.")
@click.option("--keep-gold", is_flag=True, help="Keep rows whose cue points to the right option, as NAME/gold.")
@json_option
def import_(files: tuple[Path, ...], out: Path, base: str, skip_bad: bool, keep_gold: bool, **about: Any) -> None:
    """Import replies that were sampled elsewhere.

    FILES are JSONL, JSON, CSV or Parquet, packed or not, with the fields question_id, n_options or options, gold, target,
    bias, arm ("clean" or "biased"), model, reply, and optionally source, sample, prompt, stop, reasoning; or what other
    harnesses and the batch files of providers hold; or Inspect logs, or folders of them. Several files are read as one, for
    example the biased and the clean run of a harness. `unsway table` and `unsway report` then show every number.
    """
    from unsway.importing.bodies import Description
    from unsway.studies.import_replies import import_replies

    if not files and not about["clean"]:
        raise click.UsageError("Name a file of replies: unsway import FILE… --out FOLDER.")
    about["given"] = dict(assignment.partition("=")[::2] for assignment in about["given"])
    imported = import_replies(files, out, Description(**about), base=base, skip_bad=skip_bad, keep_gold=keep_gold)
    sizes = {"pairs": len(imported.pairs), "replies": len(imported.replies), "models": imported.models}
    notes = {"bad": [str(error) for error in imported.bad[:10]], "notes": imported.notes}
    say(sizes | imported.counts() | notes, f"{out}: {imported}")
