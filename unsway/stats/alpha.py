"""The agreement of any number of readers, who may not all have read everything: Krippendorff's alpha.

In: for each unit the readers' values and its question. Out: an `Estimate`. Alpha is 1 minus the observed disagreement over
the disagreement expected by chance (Krippendorff 2011, Computing Krippendorff's alpha-reliability). Nominal values are equal
or not; the distance of ordinal ones depends on how many values lie between them.

The interval is built like that of `agreement`: Wilson's interval over questions for the observed disagreement, as a share of
the largest possible one, with the chance disagreement fixed at its observed value. In simulations of two readers and 30, 100
or 229 replies (`benchmarks/alpha.py`) it covers 94 to 98 % for nominal values and 88 to 96 % for ordinal ones, whose chance
disagreement varies with the sample. A bootstrap has no width if there was no disagreement.

The package `krippendorff` is not used: it is GPL, gives no interval, and needs one matrix of values. The tests compare with
its results and with the published examples.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, TypeAlias

import numpy as np

from unsway.errors import BadInput
from unsway.stats.columns import numbers_of
from unsway.stats.intervals import Floats, rate_interval
from unsway.types import Estimate

Metric: TypeAlias = Literal["nominal", "ordinal"]


def krippendorff(
    units: Sequence[Sequence[Hashable]],
    questions: Sequence[str],
    order: Sequence[Hashable],
    *,
    metric: Metric = "nominal",
    level: float = 0.95,
) -> Estimate:
    """Krippendorff's alpha.

    Args:
        units: For each reply, its readers' values in any order; a reply with one reader does not count.
        questions: The question of each reply; replies to one question are one cluster.
        order: All possible values, lowest first.
        metric: Distance of values: 1 if they differ (`nominal`), or by how many values lie between them (`ordinal`).
        level: Nominal coverage of the interval.

    Returns:
        The estimate. It has no value, but a note with the reason, if no reply has two readers, or if all readers always gave
        the same single value.

    Raises:
        BadInput: Units and questions differ in length, or a value is not in the order.
    """
    if len(units) != len(questions):
        raise BadInput(f"There are {len(units)} units and {len(questions)} questions; give one of each.")
    position = {value: i for i, value in enumerate(order)}
    unknown_value = next((value for unit in units for value in unit if value not in position), None)
    if unknown_value is not None:
        raise BadInput(f"{unknown_value!r} is not among the values {list(order)}.")
    pairable = [(unit, question) for unit, question in zip(units, questions, strict=True) if len(unit) > 1]
    n_single = len(units) - len(pairable)
    method = f"{metric}; Wilson score interval over questions"
    if not pairable:
        return Estimate.none("alpha", level, 0, 0, n_single, method, "no reply was read by two")
    counts_UL = np.zeros((len(pairable), len(order)))
    for row, (unit, _) in enumerate(pairable):
        for value in unit:
            counts_UL[row, position[value]] += 1
    cluster_U = numbers_of([question for _, question in pairable])
    disagreement_U, expected = _disagreements(counts_UL, metric)
    size_U = counts_UL.sum(axis=1)
    n, n_questions = len(pairable), int(cluster_U.max()) + 1
    if expected <= 0:
        reason = f"every reader always read {pairable[0][0][0]!r}, so chance alone would agree every time"
        return Estimate.none("alpha", level, n, n_questions, n_single, method, reason)
    ends = rate_interval(np.bincount(cluster_U, disagreement_U), np.bincount(cluster_U, size_U), level=level)
    low, value, high = (1 - x / expected for x in (ends.high, float(disagreement_U.sum() / size_U.sum()), ends.low))
    method = f"{method}, chance disagreement held at {expected:.3f} of the largest"
    return Estimate("alpha", value, max(-1.0, low), high, level, n, n_questions, n_single, method)


def _disagreements(counts_UL: Floats, metric: Metric) -> tuple[Floats, float]:
    """Each unit's disagreement times its readers, and the mean chance disagreement; as shares of the largest possible."""
    total_L = counts_UL.sum(axis=0)
    n = total_L.sum()
    if metric == "nominal":
        distance_LL = 1.0 - np.eye(len(total_L))
    else:  # squared, scaled so that the largest is 1
        middle_L = np.cumsum(total_L) - total_L / 2
        distance_LL = (middle_L[:, None] - middle_L[None, :]) ** 2
        distance_LL = distance_LL / distance_LL.max() if distance_LL.max() > 0 else distance_LL
    size_U = counts_UL.sum(axis=1)
    disagreement_U = np.einsum("uv,vw,uw->u", counts_UL, distance_LL, counts_UL) / (size_U - 1)
    return disagreement_U, float(total_L @ distance_LL @ total_L / (n * (n - 1)))
