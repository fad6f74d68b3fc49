"""Two readers of the same replies: how well does the interval of Cohen's kappa cover? A section of `coverage.py`.

In: a number of draws. Out: a table, and whether the rows with even readings stay in the band. The rival is the bootstrap of
replies. Readings that are nearly all the same (skewed) are shown and not judged: kappa itself is a poor measure there.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from coverage_exact import Floats, generator, table
from coverage_simulated import verdict
from numpy.typing import NDArray

from unsway.stats.agreement import agreement
from unsway.stats.intervals import Interval

SHARES = {"even": (0.3, 0.25, 0.2, 0.15, 0.1), "skewed": (0.9, 0.1)}
"""Shares of the readings: four letters and none; and two of which one is rare."""
RESAMPLES = 400
Readings = NDArray[np.int_]


def truth(shares: Floats, off: float) -> float:
    """Kappa where the second reader reads at random in a share `off` of the replies."""
    chance = float(shares @ shares)
    return ((1 - off + off * chance) - chance) / (1 - chance)


def drawn(shares: Floats, off: float, n: int, draw: np.random.Generator) -> tuple[Readings, Readings]:
    first, second = (draw.choice(len(shares), n, p=shares) for _ in range(2))
    return first, np.where(draw.random(n) < off, second, first)


def resampled(first: Readings, second: Readings, draw: np.random.Generator) -> Interval:
    """The bootstrap's interval."""
    rows = draw.integers(len(first), size=(RESAMPLES, len(first)))
    a, b = first[rows], second[rows]
    share = (a == b).mean(1)
    chance = sum((a == k).mean(1) * (b == k).mean(1) for k in range(int(max(first.max(), second.max())) + 1))
    return Interval(*np.quantile((share - chance) / np.maximum(1 - chance, 1e-9), (0.025, 0.975)))


def kappa_section(draws: int) -> tuple[list[str], bool]:
    """Our interval and the bootstrap's, over replies of as many questions."""
    rows, good = [], True
    for (kind, kind_shares), n, off in product(SHARES.items(), (50, 200), (0.02, 0.1, 0.4)):
        shares, draw = np.array(kind_shares), generator("kappa", kind, n, off)
        readings = [drawn(shares, off, n, draw) for _ in range(draws)]
        names = list(map(str, range(n)))
        estimates = [agreement([*map(str, a)], [*map(str, b)], names)[1] for a, b in readings]
        cover, width, fine = verdict(
            [estimate for estimate in estimates if estimate.value is not None], truth(shares, off)
        )
        rival = verdict([resampled(a, b, draw) for a, b in readings[: draws // 4]], truth(shares, off))
        good &= fine or kind == "skewed"
        plain = cover.removesuffix(" ✗") if kind == "skewed" else cover
        rows.append((kind, n, f"{truth(shares, off):.2f}", plain, width, rival[0].removesuffix(" ✗"), rival[1]))
    heads = ("readings", "replies", "kappa", "covers %", "width", "bootstrap covers %", "width")
    return table(heads, rows), good
