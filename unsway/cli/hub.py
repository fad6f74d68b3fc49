"""The verbs `push` and `pull`: adapters, rows, results and pages to the Hugging Face hub and back."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import PATH


@main.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("repo")
@click.option("--study", type=click.Path(exists=True, path_type=Path), help="A study whose tables go into the card.")
@click.option("--public", is_flag=True, help="Make a new repository public instead of private.")
def push(folder: Path, repo: str, study: Path | None, public: bool) -> None:
    """Put a checkpoint, training rows or a study into REPO (OWNER/NAME) of the Hugging Face hub, with a card.

    FOLDER may also be a page (report.html): it becomes a Space that shows it.
    """
    from unsway.reporting import hub

    click.echo(f"Pushed: {hub.push(folder, repo, study=study, public=public)}")


@main.command()
@click.argument("repo")
@click.argument("folder", type=PATH)
@click.option("--revision", default="main", show_default=True, help="A branch, a tag or a commit.")
def pull(repo: str, folder: Path, revision: str) -> None:
    """Get a checkpoint, training rows or a study from REPO (OWNER/NAME) of the hub into FOLDER."""
    from unsway.reporting import hub

    click.echo(f"Pulled: {hub.pull(repo, folder, revision=revision)}")
