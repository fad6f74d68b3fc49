"""Whether one reduction predicts another: rank correlation over cells, with an interval that holds for few cells.

In: a number for each cell (a bias in a setting) from two methods, such as the few-shot proxy and fine-tuning. Out: an
`Estimate`. Two reductions from one base share the base's chance variation, which correlates them even if nothing else does.
`reductions` computes each from its own half of the questions. The interval is Bonett and Wright's (2000, Psychometrika
65:23) on Fisher's scale. A correlation near 1 is kept off the edge, where that scale has no width. In
benchmarks/coverage_rank.py (normal cells, true correlations 0 to 0.95) it covers 96 to 99 % for 6 cells and 94 to 97 % for
20. For 6, a percentile bootstrap of cells falls to 80 %, and Fieller's constant 1.06 / (n - 3) to 76 %.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from math import atanh, sqrt, tanh
from typing import TypeVar

import numpy as np

from unsway.errors import number_of
from unsway.seeds import seed_int
from unsway.stats.intervals import Interval, quantile
from unsway.types import Estimate, Outcome

K = TypeVar("K", bound=Hashable)

FEWEST = 5
"""Fewest cells for an interval: with four it would span nearly the whole range."""
RESAMPLES = 9999
"""Random permutations; for up to 7 cells all permutations are used instead."""
METHOD = "Spearman's rank correlation, Bonett and Wright's interval, cells as units"


def reductions(
    base: Iterable[Outcome], proxy: Iterable[Outcome], trained: Iterable[Outcome], *, seed: int = 0
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    """The reductions of the base's BRR by the proxy and by the training, each from its own half of the questions.

    So the two share no reply, and chance alone does not correlate them. With fewer questions, each is less certain,
    which pulls their correlation towards 0.

    Args:
        base: Outcomes of the base, of any number of biases and sources.
        proxy: Outcomes of the cheap method.
        trained: Outcomes of the training.
        seed: Seed of the halves.

    Returns:
        The reductions by the proxy and by the training, by bias and source; a cell is left out if in its half no
        question counts in the base, or none in the other arm.
    """
    by_arm: list[dict[tuple[str, str], float]] = []
    before = [o for o in base if o.excluded is None and o.hit_clean is not None and o.hit_biased is not None]
    for half, arm in enumerate((proxy, trained)):
        sums: list[dict[tuple[str, str], list[int]]] = [{}, {}]
        for cell_sums, outcomes in zip(sums, (before, arm), strict=True):
            for o in outcomes:
                is_here = seed_int(seed, "half", o.question_id) % 2 == half
                if is_here and o.excluded is None and o.hit_clean is not None and o.hit_biased is not None:
                    cell_sums.setdefault((o.bias, o.source), []).append(o.hit_biased - o.hit_clean)
        means = [{key: sum(d) / len(d) for key, d in differences.items()} for differences in sums]
        by_arm.append({key: means[0][key] - means[1][key] for key in means[0] if key in means[1]})
    return by_arm[0], by_arm[1]


def rank_correlation(
    proxy: Mapping[K, float | None],
    trained: Mapping[K, float | None],
    *,
    covariate: Mapping[K, float | None] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """How well the order of one method's reductions predicts that of another's.

    Args:
        proxy: Reduction of the BRR by the proxy, by cell; None if unknown.
        trained: Reduction by the training, by cell.
        covariate: A known value for each cell, such as the base BRR. The correlation is then partial: what the proxy tells
            beyond how strongly the base is swayed. It removes only part of the chance variation shared by two reductions
            from one base; `reductions` removes it all.
        level: Nominal coverage, for the reductions as measured: their own chance variation pulls the correlation towards 0.
            Cells count as independent.
        seed: Seed of random permutations.

    Returns:
        `rank_correlation`. `n` is the number of cells that both have. The note has a permutation p-value of "no relation",
        and says if so few cells cannot exclude 0 whatever their values. The value is None below five cells (six with
        `covariate`), or if all cells are equal.
    """
    from scipy.stats import permutation_test, rankdata  # takes half a second, and no other number of a study needs it

    sides = [proxy, trained, *([covariate] if covariate is not None else [])]
    all_cells = dict.fromkeys(key for side in sides for key in side)
    shared = [key for key in all_cells if all(side.get(key) is not None for side in sides)]
    ranks = [np.asarray(rankdata([float(side[key] or 0.0) for key in shared]), float) for side in sides]
    ranks = [side - side.mean() if len(side) else side for side in ranks]  # ties share their rank
    n, n_missing = len(shared), len(all_cells) - len(shared)
    fewest = FEWEST + (covariate is not None)

    def refuse(reason: str) -> Estimate:
        return Estimate.none("rank_correlation", level, n, n, n_missing, "refused", reason)

    if n < fewest:
        return refuse(f"{number_of(n, 'cell')} with both reductions, and an interval needs {fewest}")
    if any(side @ side < 1e-9 for side in ranks):
        return refuse("all cells have the same value, which has no order")
    x, y = ranks[:2]
    if covariate is not None:  # what remains after removing the ranks known beforehand
        x, y = (side - ranks[2] * float(side @ ranks[2]) / float(ranks[2] @ ranks[2]) for side in (x, y))
    if min(x @ x, y @ y) < 1e-9:
        return refuse("what is known beforehand tells the order of all cells already")
    value = float(np.clip(x @ y / sqrt((x @ x) * (y @ y)), -1, 1))
    ends = spearman_interval(value, n - (covariate is not None), level=level)
    test = permutation_test(
        (x,),
        lambda permuted: permuted @ y,
        permutation_type="pairings",
        vectorized=False,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    )
    method = METHOD if covariate is None else METHOD.replace("rank", "partial rank")
    note = f"permutation p {float(test.pvalue):.2g}"
    effective = n - (covariate is not None)
    if spearman_interval(1 - 2 / effective**2, effective, level=level).low <= 0:
        note += f"; {n} cells cannot exclude 0, whatever they are"
    return Estimate("rank_correlation", value, *ends, level, n, n, n_missing, method, note)


def spearman_interval(value: float, n: int, *, level: float = 0.95) -> Interval:
    """Interval of a rank correlation of n > 3 cells; subtract one for each variable held fixed."""
    edge = 1 - 2 / n**2
    inside = min(edge, max(-edge, value))
    half = quantile(level) * sqrt((1 + inside**2 / 2) / (n - 3))
    low, high = tanh(atanh(inside) - half), tanh(atanh(inside) + half)
    return Interval(-1.0 if value <= -1 else low, 1.0 if value >= 1 else high)
