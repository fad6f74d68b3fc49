"""Settle forecasts: every number that a study prints settles the forecasts of it.

In: a study's folder and its `Results`. Out: `result` rows in the notebook next to the folder, and the `Results` with the
scores of `unsway.studies.scoring`.

    settle("runs/mine", results)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from unsway import layout
from unsway.models.weights import training_costs
from unsway.planning.forecasts import Printed, Quantity, newest_forecasts
from unsway.planning.history import past_runs
from unsway.planning.prices import prices, reply_cost, total
from unsway.store import replies_in
from unsway.studies.notebook import Notebook
from unsway.studies.results import Results, plain_name
from unsway.studies.scoring import kept_history

_log = logging.getLogger(__name__)


def settle(folder: str | Path, results: Results) -> Results:
    """Note the results of a folder's forecasts in the notebook; returns its numbers with the scores.

    Minutes and dollars are settled once every forecast cell has numbers.

    Args:
        folder: The study's folder.
        results: Its numbers.
    """
    notebook = Notebook.of(folder)
    name = Path(folder).resolve().name
    if not notebook.path.exists():
        return results
    ids: dict[str, list[str]] = {}
    for forecast in newest_forecasts(notebook.forecasts_of(folder)):
        ids.setdefault(forecast.quantity, []).append(forecast.id)
    results_by_key = {
        (result.quantity, result.forecasts): replace(result, folder=name) for result in notebook.all(Printed)
    }
    for quantity, value, low, high, n in _numbers(Path(folder), results, [Quantity.parse(text) for text in ids]):
        row = Printed(str(quantity), name, value, low, high, n, tuple(ids[str(quantity)]))
        if results_by_key.get((row.quantity, row.forecasts)) != row:
            notebook.append(row)
            _log.info("%s: %s is %.4g.", folder, row.quantity, row.value)
    return replace(results, notes=replace(results.notes, expected=kept_history(Path(folder))))


def _numbers(
    folder: Path, results: Results, quantities: Sequence[Quantity]
) -> Iterator[tuple[Quantity, float, float | None, float | None, int]]:
    """Quantity, value, interval and sample size of the wanted numbers that a folder has."""
    is_complete = True
    for quantity in quantities:
        if quantity.bias:
            arm = next((arm for arm in results.arms if arm.is_called(quantity.arm)), None)
            bias = next((bias for bias in results.biases if plain_name(bias) == quantity.bias), None)
            cell = None if arm is None or bias is None else results.cell(arm, bias)
            estimate = None if cell is None else cell["brr"]
            if quantity.kind == "ratio":
                estimate = None if arm is None or bias is None else results.ratio(arm, bias)
            is_complete = is_complete and (estimate is not None or quantity.kind == "ratio")
            if estimate is not None and estimate.value is not None:
                yield quantity, estimate.value, estimate.low, estimate.high, estimate.n
    runs = past_runs(folder) if is_complete else ()
    for quantity in quantities:
        if not quantity.bias and is_complete:
            minutes = sum(run.seconds for run in runs) / 60 if runs else None
            value = minutes
            if quantity.kind != "minutes":
                price_table = prices()
                replies = (reply_cost(reply, price_table) for reply in replies_in(folder / layout.REPLIES))
                value = total([*replies, *training_costs(folder)])
            if value is not None:
                yield quantity, value, None, None, 0
