"""The verb `estimate`: every number of a folder, without asking any model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, show_rows
from unsway.registry import Ref

if TYPE_CHECKING:
    from unsway.stats.estimates import Cell
    from unsway.studies.results import Results


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95, show_default=True)
@click.option(
    "--by",
    type=click.Choice(["source", "bias"]),
    default=None,
    help="Sources apart only, or all together only; else both.",
)
@json_option
def estimate(folder: Path, level: float, by: str | None, json_: bool) -> None:
    """Give every number of FOLDER (of `unsway measure` or `unsway import`), with its interval; ask nothing.

    A row for each model, bias and source, and with several sources one for all of them together (source "all").
    """
    from unsway.reporting.caveats import caveats
    from unsway.reporting.words import visible
    from unsway.studies.folder import results

    found = results(folder, level=level)
    if json_:
        as_json(list(_objects(found, by)))
        for caveat in caveats(found):
            click.echo(caveat, err=True)
        return
    show_rows([_row(found, cell) for cell in _cells(found, by) if cell.n_pairs] or [{"bias": "nothing was measured"}])
    for skipped in found.skipped:
        click.echo(f"{visible(skipped.bias)}: {skipped.n} × {visible(skipped.reason)}.")
    for caveat in caveats(found):
        click.echo(caveat)


def _cells(found: Results, by: str | None) -> Iterator[Cell]:
    """Each model and bias by source, then all sources together where there are several; or one of both only."""
    for whole in found.cells:
        parts = [c for c in found.cells_by_source if (c.arm, c.bias) == (whole.arm, whole.bias)]
        if by != "bias" or len(parts) == 1:
            yield from parts
        if by != "source" and len(parts) > 1:
            yield whole


def _objects(found: Results, by: str | None) -> Iterator[dict[str, Any]]:
    """An object for each estimate."""
    from dataclasses import asdict

    labels = {arm.key: arm.label for arm in found.arms}
    for cell in _cells(found, by):
        skipped = {one.reason: one.n for one in found.skipped if one.bias == cell.bias}
        about = {
            "bias": Ref.parse(cell.bias).unversioned,
            "bias_version": cell.bias,
            "model": cell.arm.name,
            "arm": labels.get(cell.arm, cell.arm.name),
            "source": _source(cell),
            "elicit": cell.elicit,
        }
        excluded = {str(reason): n for reason, n in cell.excluded}
        for one in cell.estimates:
            yield asdict(one) | about | {"n_pairs": cell.n_pairs, "excluded": excluded, "skipped": skipped}


def _source(cell: Cell) -> str:
    return Ref.parse(cell.source).unversioned


def _row(found: Results, cell: Cell) -> dict[str, str]:
    from unsway.reporting.table import reasons
    from unsway.reporting.words import human, points, rate, visible

    arm = next((arm.label for arm in found.arms if arm.key == cell.arm), cell.arm.name)
    return {
        "model": visible(arm),
        "bias": human(cell.bias),
        "source": visible(_source(cell)),
        "n": str(cell["brr"].n),
        "excluded": reasons(cell),
        "clean": rate(cell["clean_rate"]),
        "biased": rate(cell["biased_rate"]),
        "BRR": points(cell["brr"]),
        "accuracy": f"{rate(cell['accuracy_clean'])} → {rate(cell['accuracy_biased'])}",
    }
