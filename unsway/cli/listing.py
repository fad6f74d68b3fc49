"""The verbs that list what there is: biases, sources."""

from __future__ import annotations

from typing import Any

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
    show_rows(
        [
            {"name": r.name, "kind": r.kind, "licence": r.licence, "splits": _splits(r), "available": _have(r)}
            for r in rows
        ]
    )


def _splits(row: Any) -> str:
    return ", ".join(f"{split.name} {split.rows:,}" if split.rows else split.name for split in row.splits)


def _have(row: Any) -> str:
    return "yes" if row.available.now else f"no: {row.available.why}"
