"""Every number of a folder with its interval: each model and bias by source, and all sources together.

In: `Results`. Out: an object for each estimate, for programs; a row for each cell, for people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from unsway.registry import Ref
from unsway.reporting.judged import estimates as judged_estimates
from unsway.reporting.table import reasons
from unsway.reporting.words import both_sides, brr, human, p_value, rate, visible
from unsway.studies.results import Results

if TYPE_CHECKING:
    from unsway.stats.estimates import Cell

By: TypeAlias = Literal["source", "bias", "both"]
"""source: each source separately; bias: all sources together; both: both, if there are several sources."""


def estimate_bodies(results: Results, by: By = "both") -> list[dict[str, Any]]:
    """An object for each estimate, for programs; judges' estimates cover all sources together."""
    labels = {arm.key: arm.label for arm in results.arms}
    bodies = []
    judge_estimates = judged_estimates(results)
    for cell in _cells(results, by):
        about = {
            "bias": Ref.parse(cell.bias).unversioned,
            "bias_version": cell.bias,
            "model": cell.arm.name,
            "arm": labels.get(cell.arm, cell.arm.name),
            "source": Ref.parse(cell.source).unversioned,
            "elicit": cell.elicit,
            "p": cell.p,
            "p_holm": cell.p_holm,
            "n_pairs": cell.n_pairs,
            "excluded": {str(reason): n for reason, n in cell.excluded},
            "skipped": {skip.reason: skip.n for skip in results.skipped if skip.bias == cell.bias},
        }
        bodies += [asdict(estimate) | about for estimate in cell.estimates]
    for (arm, bias), estimates in judge_estimates.items():
        about = {"bias": Ref.parse(bias).unversioned, "bias_version": bias, "arm": arm, "source": "all"}
        bodies += [asdict(estimate) | {"name": name} | about for name, estimate in estimates.items()]
    return bodies


def estimate_rows(results: Results, by: By = "both") -> list[dict[str, str]]:
    """A row of text for each cell."""
    labels = {arm.key: arm.label for arm in results.arms}
    return [
        {
            "model": visible(labels.get(cell.arm, cell.arm.name)),
            "bias": human(cell.bias),
            "source": visible(Ref.parse(cell.source).unversioned),
            "n": str(cell["biased_rate"].n),
            "excluded": reasons(cell),
            "clean": rate(cell["clean_rate"]),
            "biased": rate(cell["biased_rate"]),
            "BRR": brr(cell["brr"]),
            "p": p_value(cell.p_holm),
            "accuracy": both_sides(cell, "accuracy"),
        }
        for cell in _cells(results, by)
        if cell.n_pairs
    ]


def _cells(results: Results, by: By) -> Iterator[Cell]:
    """The cells by source, then those of all sources together if there are several; `by` selects one kind."""
    for cell in results.cells:
        parts = [part for part in results.cells_by_source if (part.arm, part.bias) == (cell.arm, cell.bias)]
        if by != "bias" or len(parts) == 1:
            yield from parts
        if by != "source" and len(parts) > 1:
            yield cell
