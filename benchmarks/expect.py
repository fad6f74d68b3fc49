"""Forecasts of published BRRs, each made without any figure of its model, against what was printed.

    python benchmarks/expect.py

For each model: the mean CRPS of the hierarchy and of a forecast that does not know the bias, in points; then the coverage of
the intervals, with models as the unit.
"""

from __future__ import annotations

import numpy as np

from unsway.planning.forecasts import reduced
from unsway.planning.hierarchy import BLIND, draws, published
from unsway.stats import scores


def main() -> None:
    """Print the table."""
    rows = published()
    places, models, own, blind = [], [], [], []
    for model in dict.fromkeys(row.model for row in rows):
        rest = tuple(row for row in rows if row.model != model)
        cells = [row for row in rows if row.model == model]
        drawn = draws(rest, tuple((model, row.bias) for row in cells))
        rng = np.random.default_rng(0)
        for i, row in enumerate(cells):
            printed = drawn[:, i] + rng.normal(0, row.variance**0.5, len(drawn))
            own.append(scores.crps(printed, row.value))
            blind.append(scores.crps_normal(row.value, BLIND[0], (BLIND[1] ** 2 + row.variance) ** 0.5))
            places.append(scores.pit(reduced(printed), row.value))
            models.append(model)
        n = len(cells)
        print(f"{model:36} {n:2} rates  CRPS {100 * np.mean(own[-n:]):5.1f}  blind {100 * np.mean(blind[-n:]):5.1f}")
    found, better = scores.calibration(places, models), scores.skill(own, blind, models)
    print(
        f"all: CRPS {100 * np.mean(own):.1f}, blind {100 * np.mean(blind):.1f}, skill {better.value:.0%} {better.interval}"
    )
    for nominal, (share, interval) in found.coverage.items():
        print(f"{nominal:.0%} interval held {share:.0%} [{interval.low:.0%}, {interval.high:.0%}]")
    print(f"spread {found.spread:.2f}, optimism {found.optimism:+.2f}")


if __name__ == "__main__":
    main()
