"""The verb `export`: a checkpoint to a plain model folder."""

from __future__ import annotations

from pathlib import Path

import click

from unsway.cli.main import main
from unsway.cli.options import FOLDER, out_option


@main.command()
@click.argument("checkpoint", type=FOLDER)
@out_option("Folder of the model; new or empty.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="float32 answers as the checkpoint does; bfloat16 is half the size.",
)
def export(checkpoint: Path, out: Path, dtype: str) -> None:
    """Merge CHECKPOINT's adapter into its base and write one folder.

    `unsway measure`, transformers and vLLM can load it.
    """
    from unsway.backends.export import export as write

    click.echo(f"{write(checkpoint, out, dtype)}: weights in {dtype}, with tokenizer and manifest")
