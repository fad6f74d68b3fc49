"""Does the few-shot proxy predict fine-tuning? Rank correlation of two arms' reductions over biases and settings.

    python experiments/proxy_predicts.py runs/one runs/two --proxy fewshot:4-paired --trained bct

A cell is a bias on a source in a folder; its reduction is the BRR of the base minus that of the arm. Both reductions use the
same base, whose noise makes them similar. So the second line computes each from its own half of the questions, and the third
is the correlation of these with the base's BRR held fixed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from unsway.reporting.words import percent
from unsway.stats.rank import rank_correlation
from unsway.stats.rank import reductions as apart
from unsway.studies.arms import Arm
from unsway.studies.folder import results
from unsway.studies.results import Results, plain_name

Cells = dict[tuple[str, str, str], float]


def brr(found: Results, arm: Arm, folder: str) -> Cells:
    """BRR of an arm by folder, bias and source."""
    cells = ((cell, cell["brr"].value) for cell in found.cells_by_source if cell.arm == arm.key)
    return {(folder, cell.bias, cell.source): value for cell, value in cells if value is not None}


def reductions(found: Results, label: str, folder: str) -> tuple[Cells, Cells]:
    """What an arm takes off its base's BRR, and that BRR."""
    arm = found.arm(label)
    base = found.base_of(arm)
    before = brr(found, base, folder) if base else {}
    after = brr(found, arm, folder)
    return {key: before[key] - after[key] for key in before.keys() & after.keys()}, before


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--proxy", required=True, help="Label of the arm that is cheap.")
@click.option("--trained", required=True, help="Label of the arm that it should predict.")
def main(folders: tuple[Path, ...], proxy: str, trained: str) -> None:
    ours: Cells = {}
    theirs: Cells = {}
    base: Cells = {}
    for folder in folders:
        found = results(folder)
        for label, into in ((proxy, ours), (trained, theirs)):
            one, before = reductions(found, label, str(folder))
            into |= one
            base |= before
    show(ours, theirs, base, proxy, trained)
    halves: tuple[Cells, Cells] = ({}, {})
    for folder in folders:
        found = results(folder)
        arms = [found.arm(label) for label in (proxy, trained)]
        keys = [getattr(found.base_of(arms[0]), "key", None), *(arm.key for arm in arms)]
        for into, off in zip(
            halves, apart(*([o for o in found.outcomes if o.arm == key] for key in keys)), strict=True
        ):
            into.update({(str(folder), *cell): value for cell, value in off.items()})
    lines = (("plain", (ours, theirs), None), ("own halves", halves, None), ("beyond the base", halves, base))
    for what, sides, given in lines:
        e = rank_correlation(*sides, covariate=given)
        ends = "" if e.value is None else f"{e.value:+.2f} [{e.low:+.2f}, {e.high:+.2f}], "
        click.echo(f"rank correlation, {what}: {ends}{e.n} cells, {e.n_excluded} left out; {e.note}")


def show(ours: Cells, theirs: Cells, base: Cells, proxy: str, trained: str) -> None:
    """The cells, those first where training takes off most."""
    shown = Table(box=None)
    for heading in ("folder", "bias", "source", "base BRR", f"less with {proxy}", f"less with {trained}"):
        shown.add_column(heading)
    for key in sorted(ours.keys() & theirs.keys(), key=lambda key: -theirs[key]):
        folder, bias, source = key
        names = (Path(folder).resolve().name, plain_name(bias), plain_name(source))
        shown.add_row(*names, percent(base[key]), percent(ours[key]), percent(theirs[key]))
    Console(width=None if sys.stdout.isatty() else 160).print(shown)


if __name__ == "__main__":
    main()
