"""`unsway verdicts`: verdicts in from elsewhere, and out to Inspect and Scout."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--from",
    "from_",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Import verdicts that were made elsewhere first: JSONL.",
)
@click.option(
    "--inspect",
    "inspect_",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the logs of FOLDER there, with its verdicts as scores.",
)
@click.option(
    "--scout",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write replies and verdicts there as a table of transcripts for Inspect Scout.",
)
@json_option
def verdicts(folder: Path, from_: Path | None, inspect_: Path | None, scout: Path | None, json_: bool) -> None:
    """Import and export what judges said of the replies of FOLDER.

    Made by `unsway judge`, `unsway monitor` and `unsway label`, or elsewhere.
    """
    from unsway import layout
    from unsway.evals.verdicts import export_scores
    from unsway.store import read_jsonl
    from unsway.studies.folder import results
    from unsway.studies.import_verdicts import import_verdicts
    from unsway.studies.transcript_table import export_transcripts
    from unsway.types import Verdict

    if not (from_ or inspect_ or scout):
        raise click.UsageError("Say what to do: --from FILE, --inspect FOLDER or --scout FOLDER.")
    done: dict[str, object] = {}
    if from_:
        new = import_verdicts(from_, folder)
        done["imported"] = new._asdict()
        missing = ", ".join(f"{n} {why}" for why, n in new.missing.items()) or "none without a value"
        click.echo(
            f"{new.n} verdicts by {', '.join(new.judges)} ({missing}; {new.n_unfounded} quotes not found)", err=json_
        )
    if inspect_:
        logs = export_scores(folder, inspect_)
        done["logs"] = [str(path) for path in logs]
        click.echo(f"{len(logs)} logs with scores: inspect view --log-dir {inspect_}", err=json_)
    if scout:
        path = folder / layout.VERDICTS
        table = export_transcripts(results(folder), read_jsonl(path, Verdict) if path.exists() else (), scout)
        done["transcripts"] = str(table)
        click.echo(f"{table}: scout view {scout}", err=json_)
    if json_:
        as_json(done)
