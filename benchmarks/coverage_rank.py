"""How often intervals of a rank correlation of few cells cover it: Bonett and Wright's, Fieller's, a bootstrap of cells.

    python benchmarks/coverage_rank.py            # half a minute

Cells are drawn from a normal distribution with correlation rho, whose rank correlation is 6 / pi asin(rho / 2).
"""

from __future__ import annotations

from math import asin, pi

import click
import numpy as np
from scipy.stats import rankdata

from unsway.stats.intervals import Floats
from unsway.stats.rank import spearman_interval

N, RHO, RESAMPLES = (5, 6, 8, 12, 20), (0.0, 0.5, 0.8, 0.95), 600


def rank_correlation(x: Floats, y: Floats) -> Floats:
    """Along the last axis; NaN where all ranks of one side are tied."""
    rx, ry = (rankdata(side, axis=-1) - (side.shape[-1] + 1) / 2 for side in (x, y))
    with np.errstate(invalid="ignore"):
        return np.asarray((rx * ry).sum(-1) / np.sqrt((rx**2).sum(-1) * (ry**2).sum(-1)))


def fieller(value: float, n: int) -> tuple[float, float]:
    """Fieller, Hartley and Pearson (1957): variance 1.06 / (n - 3) on Fisher's scale."""
    middle, half = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9)), 1.96 * np.sqrt(1.06 / (n - 3))
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def bootstrap(x: Floats, y: Floats, draw: np.random.Generator) -> tuple[float, float]:
    """Percentiles over resampled cells; resamples without an order are left out."""
    indices = draw.integers(0, len(x), (RESAMPLES, len(x)))
    values = rank_correlation(x[indices], y[indices])
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


@click.command(help=__doc__)
@click.option("--draws", default=1000, show_default=True)
def main(draws: int) -> None:
    draw = np.random.default_rng(0)
    click.echo("| cells | rho | Bonett and Wright | Fieller | bootstrap |\n|---|---|---|---|---|")
    for n in N:
        for rho in RHO:
            x, noise = draw.normal(size=(2, draws, n))
            y = rho * x + np.sqrt(1 - rho**2) * noise
            truth, values = 6 / pi * asin(rho / 2), rank_correlation(x, y)
            ends: tuple[list[tuple[float, float]], ...] = (
                [spearman_interval(float(value), n) for value in values],
                [fieller(float(value), n) for value in values],
                [bootstrap(x[i], y[i], draw) for i in range(draws)],
            )
            shares = (np.mean([low <= truth + 1e-9 and truth - 1e-9 <= high for low, high in e]) for e in ends)
            click.echo(f"| {n} | {rho} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")


if __name__ == "__main__":
    main()
