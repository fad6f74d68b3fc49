"""The verb `import`: transcripts that somebody else sampled, as a folder like those of `measure`."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, out_option


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
        sizes = {"pairs": len(found.pairs), "replies": len(found.replies), "models": found.models}
        as_json(sizes | found.counts() | {"bad": [str(error) for error in found.bad[:10]]})
    else:
        click.echo(f"{out}: {found}")
