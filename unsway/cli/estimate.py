"""The verb `estimate`: every number of a folder, without asking any model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, form, remark, show_rows, table_options

if TYPE_CHECKING:
    from unsway.reporting.estimates import By


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95, show_default=True)
@click.option(
    "--by",
    type=click.Choice(["source", "bias"]),
    default=None,
    help="Sources apart only, or all together only; else both.",
)
@table_options
def estimate(folder: Path, level: float, by: By) -> None:
    """Give every number of FOLDER (of `unsway measure` or `unsway import`), with its interval; ask nothing.

    A row for each model, bias and source, and with several sources one for all of them together (source "all").
    """
    from unsway.reporting.caveats import caveats
    from unsway.reporting.estimates import estimate_bodies, estimate_rows
    from unsway.reporting.words import visible
    from unsway.studies.folder import results

    found = results(folder, level=level)
    if form() == "json":
        as_json(estimate_bodies(found, by))
    else:
        show_rows(estimate_rows(found, by) or [{"bias": "nothing was measured"}])
        for skipped in found.skipped:
            remark(f"{visible(skipped.bias)}: {skipped.n} × {visible(skipped.reason)}.")
    for caveat in caveats(found):
        remark(caveat)
