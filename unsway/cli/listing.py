"""The verbs that list what there is: biases, sources."""

from __future__ import annotations

from typing import Any

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, show_rows


@main.command()
@json_option
def biases(json_: bool) -> None:
    """List the biases."""
    from unsway.biases import all_biases

    rows = [
        {
            "name": b.name,
            "version": b.versioned.partition("@")[2],
            "kind": b.kind,
            "paper": b.paper,
            "summary": b.summary,
        }
        for b in all_biases()
    ]
    if json_:
        as_json(rows)
        return
    show_rows(rows)


@main.command(name="sources")
@json_option
def sources_(json_: bool) -> None:
    """List the question sources and whether they can be had right now."""
    from dataclasses import asdict

    from unsway import sources

    rows = sources.table()
    if json_:
        as_json([asdict(row) for row in rows])
        return
    reasons = list(dict.fromkeys(r.available.why for r in rows if not r.available.now))
    show_rows(
        [
            {"name": r.name, "kind": r.kind, "licence": r.licence, "splits": _splits(r), "available": _have(r, reasons)}
            for r in rows
        ]
    )
    for number, reason in enumerate(reasons, 1):
        click.echo(f"[{number}] {reason}")


def _splits(row: Any) -> str:
    return ", ".join(f"{split.name} {split.rows:,}" if split.rows else split.name for split in row.splits)


def _have(row: Any, reasons: list[str]) -> str:
    """yes; the splits that can be had where the default one cannot; or the number of the reason, said below the table."""
    if row.available.now:
        return "yes"
    rest = ", ".join(split.name for split in row.splits if split.available.now)
    return f"no [{reasons.index(row.available.why) + 1}]" + (f", but split {rest}" if rest else "")
