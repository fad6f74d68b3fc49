"""List registries as rows for a table: biases, sources with whether each is available here, and any other registry.

In: registries. Out: rows of equal keys, and sentences below them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from unsway.biases import Bias
from unsway.registry import Ref, Registry
from unsway.sources.listing import SourceRow


def bias_rows(biases: Iterable[Bias]) -> list[dict[str, str]]:
    """A row for each bias: its name, version, kind, paper and description."""
    return [
        {
            "name": bias.name,
            "version": Ref.parse(bias.versioned).version,
            "kind": bias.kind,
            "paper": bias.paper,
            "summary": bias.summary,
        }
        for bias in biases
    ]


def source_rows(sources: Iterable[SourceRow]) -> tuple[list[dict[str, str]], list[str]]:
    """A row for each source, and why some are not available here, in the order of the numbers in the rows."""
    rows = []
    reasons = dict[str, int]()
    for source in sources:
        splits = " · ".join(f"{split.name} {split.rows:,}" if split.rows else split.name for split in source.splits)
        available = "yes"
        if not source.available.now:
            rest = ", ".join(split.name for split in source.splits if split.available.now)
            reason = source.available.why + (f" Available all the same: split {rest}." if rest else "")
            available = f"{'partly' if rest else 'no'} [{reasons.setdefault(reason, len(reasons) + 1)}]"
        row = {"name": source.name, "kind": source.kind, "license": source.license}
        rows.append(row | {"splits": splits, "here": available})
    return rows, list(reasons)


def thing_rows(registry: Registry[Any]) -> list[dict[str, str]]:
    """A row for each entry of a registry: its name and its summary, or else the first line of its docstring."""
    rows = []
    for name in registry.names():
        entry = registry.get(name)
        summary = getattr(entry, "summary", "") or (inspect.getdoc(entry) or "").partition("\n")[0]
        rows.append({"name": name, "summary": summary})
    return rows
