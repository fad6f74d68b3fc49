"""How often the interval of Krippendorff's alpha holds the truth: two readers of 30, 100 and 229 replies, 600 times each.

    python benchmarks/alpha.py

The truth is alpha over 60,000 replies of the same readers. Each reader sees a reply's hidden quality with its own noise, and
says 1 to 5 (ordinal), or whether it is at least 4 or at least 5 (nominal).
"""

from __future__ import annotations

import numpy as np

from unsway.seeds import seed_int
from unsway.stats.alpha import Metric, krippendorff
from unsway.types import Estimate

CASES: tuple[tuple[Metric, int], ...] = (("ordinal", 0), ("nominal", 4), ("nominal", 5))
DRAWS = 600


def read(n: int, noise: float, least: int, draw: np.random.Generator) -> list[list[int]]:
    """What two readers say of n replies; at least so much, where that is asked."""
    worth, noisy = draw.normal(size=(n, 1)), draw.normal(size=(n, 2))
    grades = np.clip(np.round(3 + 1.56 * worth + noise * noisy), 1, 5).astype(int)
    units: list[list[int]] = ((grades >= least).astype(int) if least else grades).tolist()
    return units


def alpha(units: list[list[int]], metric: Metric) -> Estimate:
    return krippendorff(units, list(map(str, range(len(units)))), range(6), metric=metric)


def main() -> None:
    print(f"{'values':22} {'noise':>5} {'n':>4} {'truth':>6} {'covered':>8} {'width':>6}")
    for metric, least in CASES:
        for noise in (0.3, 1.0, 2.0):
            draw = np.random.default_rng(seed_int(0, "alpha", metric, least, int(10 * noise)))
            truth = alpha(read(60_000, noise, least, draw), metric).value
            assert truth is not None
            for n in (30, 100, 229):
                estimates = [alpha(read(n, noise, least, draw), metric) for _ in range(DRAWS)]
                ends = [
                    (estimate.low, estimate.high)
                    for estimate in estimates
                    if estimate.low is not None and estimate.high is not None
                ]
                coverage = np.mean([low <= truth <= high for low, high in ends])
                width = np.mean([high - low for low, high in ends])
                name = metric + (f", at least {least}" if least else ", 1 to 5")
                print(f"{name:22} {noise:5} {n:4} {truth:6.3f} {coverage:8.3f} {width:6.2f}")


if __name__ == "__main__":
    main()
