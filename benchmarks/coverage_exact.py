"""The exact half of `coverage.py`: paired differences and single rates, with every data set weighed by its chance.

In: a number of draws (for the unpaired rival alone). Out: for each section a table, and whether it stays in the band
or cannot. A cell that cannot is shown by a mixed-integer program (HiGHS, `scipy.optimize.milp`): the least coverage of
every interval that treats both arms alike, does not move down when a pair moves up, and covers at least 93 % whatever
the rates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix
from scipy.special import gammaln, xlogy
from scipy.stats import binom

from unsway.seeds import seed_int
from unsway.stats.intervals import Interval, tango, wilson

Floats = NDArray[np.float64]
SIZES = (20, 50, 150, 600)
RATES = ((0.05, 0.05), (0.05, 0.25), (0.05, 0.5), (0.5, 0.5), (0.5, 0.7), (0.5, 0.95), (0.75, 0.95), (0.95, 0.95))
"""Clean and biased rate: near 0, a half and 1, unmoved and moved."""
CORRELATIONS = (0.0, 0.3, 0.6, 0.9)
LOW, HIGH = 0.93, 0.98
"""The band that a cell must not leave."""


class Cell(NamedTuple):
    """Rates of both arms, and the chances of pairs that hit in both, in the biased alone, in the clean alone, in
    none.
    """

    clean: float
    biased: float
    correlation: float
    both: float
    plus: float
    minus: float
    none: float


def cells() -> Iterator[Cell]:
    """Every combination that exists: a correlation near 1 needs nearly equal rates."""
    for (clean, biased), r in product(RATES, CORRELATIONS):
        both = clean * biased + r * np.sqrt(clean * (1 - clean) * biased * (1 - biased))
        parts = both, biased - both, clean - both, 1 - clean - biased + both
        if min(parts) > -1e-12:
            yield Cell(clean, biased, r, *(max(0.0, float(p)) for p in parts))


def generator(*key: object) -> np.random.Generator:
    return np.random.default_rng(seed_int(0, "coverage", *key))


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A Markdown table."""
    return ["| " + " | ".join(map(str, row)) + " |" for row in (heads, ["---:"] * len(heads), *rows)]


# ---------------------------------------------------------------- paired differences, exactly


@cache
def data_sets(n: int, most: int | None = None) -> tuple[Floats, Floats]:
    """Every (plus, minus) that n pairs can show, up to `most` pairs that differ."""
    plus, minus = (grid.ravel() for grid in np.indices((n + 1, n + 1)))
    is_kept = plus + minus <= (n if most is None else min(n, most))
    return plus[is_kept].astype(float), minus[is_kept].astype(float)


def chances(plus: Floats, minus: Floats, n: int, p_plus: float, p_minus: float) -> Floats:
    rest = n - plus - minus
    ways = gammaln(n + 1) - gammaln(plus + 1) - gammaln(minus + 1) - gammaln(rest + 1)
    weight = xlogy(plus, p_plus) + xlogy(minus, p_minus) + xlogy(rest, max(0.0, 1 - p_plus - p_minus))
    return np.asarray(np.exp(ways + weight), float)


@cache
def tango_ends(n: int) -> tuple[Floats, Floats]:
    """The package's interval for every data set; a swap of the arms turns its sign."""
    pairs = list(zip(*data_sets(n), strict=True))
    intervals = {(a, b): tango(a, b, n) for a, b in pairs if a >= b}
    low, high = np.array(
        [intervals[a, b] if a >= b else (-intervals[b, a].high, -intervals[b, a].low) for a, b in pairs]
    ).T
    return low, high


def exact(n: int, p_plus: float, p_minus: float) -> tuple[float, float]:
    """Coverage of the difference, and expected width."""
    weight, truth, (low, high) = chances(*data_sets(n), n, p_plus, p_minus), p_plus - p_minus, tango_ends(n)
    return float(weight[(low <= truth + 1e-12) & (high >= truth - 1e-12)].sum()), float(weight @ (high - low))


def least_possible(n: int, moved: float) -> float:
    """The least coverage that any interval can have (see above), for equal rates and this share of pairs that
    differ.
    """
    plus, minus = data_sets(n, 30)
    index = {pair: i for i, pair in enumerate(zip(plus, minus, strict=True))}
    mirror = np.array([index[b, a] for a, b in index])
    ups = [(i, index[up]) for (a, b), i in index.items() for up in ((a + 1, b), (a, b - 1)) if up in index]
    implied = csr_matrix((np.tile([1.0, -1.0], len(ups)), (np.repeat(np.arange(len(ups)), 2), np.ravel(ups))))
    shares = np.unique(np.r_[np.linspace(1e-6, 1, 60), np.linspace(1e-6, min(1, 20 / n), 80)])
    chance, chance_here = (
        np.array([chances(plus, minus, n, s / 2, s / 2) for s in share_set]) for share_set in (shares, [moved])
    )
    # Variable i: the interval of data set i lies above 0; that of its mirror image then lies below.
    best = milp(
        -(chance_here + chance_here[:, mirror])[0],
        integrality=np.ones(len(index)),
        bounds=Bounds(0, (plus > minus).astype(float)),
        constraints=[
            LinearConstraint(chance + chance[:, mirror], -np.inf, 1 - LOW),
            LinearConstraint(implied, -np.inf, 0),
        ],
        options={"time_limit": 20},
    )
    return float(best.mip_dual_bound + chance_here.sum())


def unpaired(both: float, plus: float, minus: float, none: float) -> Interval:
    """Newcombe's interval for two independent samples (1998, Stat. Med. 17:873, method 10): pairing ignored."""
    n = both + plus + minus + none
    biased, clean = wilson(both + plus, n), wilson(both + minus, n)
    p, q = (both + plus) / n, (both + minus) / n
    down, up = np.hypot(p - biased.low, clean.high - q), np.hypot(biased.high - p, q - clean.low)
    return Interval(p - q - float(down), p - q + float(up))


def simulate(method: Callable[..., Interval], n: int, cell: Cell, draws: int) -> tuple[float, float]:
    """Coverage and mean width over data sets drawn from a cell."""
    counts = generator("cell", n, *cell).multinomial(n, cell[3:], size=draws)
    low, high = np.array([method(*map(float, row)) for row in counts]).T
    truth = cell.biased - cell.clean
    return float(((low <= truth) & (high >= truth)).mean()), float((high - low).mean())


def paired_section(draws: int) -> tuple[list[str], bool]:
    """One row for each n and cell; good where each is in the band, or cannot be."""
    heads = (
        "n",
        "clean",
        "biased",
        "correlation",
        "pairs that differ",
        "covers %",
        "width",
        "unpaired covers %",
        "wider",
    )
    rows: list[tuple[object, ...]] = []
    good = True
    for n, cell in product(SIZES, cells()):
        cover, width = exact(n, cell.plus, cell.minus)
        rival, rival_width = simulate(unpaired, n, cell, draws)
        mark = ""
        if not LOW <= cover <= HIGH:
            sparse = cover > HIGH and cell.clean == cell.biased
            least = least_possible(n, cell.plus + cell.minus) if sparse else 0.0
            mark = f" † ≥ {percent(least)}" if least > HIGH else " ✗"
            good &= least > HIGH
        moved = f"{n * (cell.plus + cell.minus):.1f}"
        ours = (moved, percent(cover) + mark, f"{width:.3f}")
        rows.append(
            (
                n,
                cell.clean,
                cell.biased,
                cell.correlation,
                *ours,
                percent(rival),
                f"×{rival_width / width:.2f}",
            )
        )
    return table(heads, rows), good


def space_section(_: int) -> tuple[list[str], bool]:
    """The range of coverage over the whole space of rates, by how many pairs are expected to differ."""
    rows: list[tuple[object, ...]] = []
    moved, up = (*np.linspace(0.02, 0.3, 15), *np.linspace(0.35, 0.95, 13)), np.linspace(0.5, 1, 11)
    for n in SIZES[:3]:
        coverages = np.array([(n * m, exact(n, m * u, m * (1 - u))[0]) for m, u in product(moved, up)])
        for low, high in ((0, 3), (3, 10), (10, n)):
            in_range = coverages[(coverages[:, 0] >= low) & (coverages[:, 0] < high), 1]
            if len(in_range):
                inside = percent(((in_range >= LOW) & (in_range <= HIGH)).mean())
                rows.append((n, f"{low} to {high}", *(percent(f(in_range)) for f in (np.min, np.mean, np.max)), inside))
    return table(("n", "pairs that differ", "least %", "mean %", "most %", "in the band %"), rows), True


def rate_section(_: int) -> tuple[list[str], bool]:
    """Wilson's interval of one rate, and the two nearest coverages that any interval can have there."""
    rows: list[tuple[object, ...]] = []
    good = True
    for n, rate in product(SIZES, (0.05, 0.25, 0.5, 0.95)):
        weight = binom.pmf(np.arange(n + 1), n, rate)
        low, high = np.array([wilson(hits, n) for hits in range(n + 1)]).T
        cover = float(weight[(low <= rate) & (high >= rate)].sum())
        sums = np.concatenate([[0.0], np.cumsum(weight)])
        runs = (sums[None, :] - sums[:, None]).ravel()
        below, above = float(runs[runs <= 0.95].max()), float(runs[runs >= 0.95].min())
        mark = "" if LOW <= cover <= HIGH else " †" if below < LOW and above > HIGH else " ✗"
        good &= mark != " ✗"
        nearest = f"{percent(below)}, {percent(above)}"
        rows.append((n, rate, percent(cover) + mark, f"{weight @ (high - low):.3f}", nearest))
    return table(("n", "rate", "covers %", "width", "nearest possible %"), rows), good
