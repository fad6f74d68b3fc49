"""The simulated half of `coverage.py`: several samples a question, two models, ratios, training seeds, and rivals.

In: a number of draws. Out: for each section a table, and whether it stays in the band (93 to 98 %, with 2.58 standard
errors of the simulation to either side).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from coverage_exact import HIGH, LOW, SIZES, Floats, cells, exact, generator, percent, simulate, table, unpaired
from scipy.stats import norm, t

from unsway.stats.compare import brr_difference, brr_ratio
from unsway.stats.intervals import Interval, difference_interval, tango, wilson
from unsway.stats.training_seeds import over_seeds
from unsway.types import ArmKey, Estimate, Outcome, Reading, Rule

Z = float(norm.ppf(0.975))
FLIP = 0.03
"""Share of biased answers that change for no reason, as sampled answers do."""


def brr_of(clean: float, follow: float) -> float:
    """The true BRR where a share `follow` of what is not a hit already follows the cue."""
    return (1 - 2 * FLIP) * (clean + (1 - clean) * follow) + FLIP - clean


def models(n: int, clean: float, follow: Sequence[float], alike: float, draw: np.random.Generator) -> list[Floats]:
    """Paired differences of several models; a share `alike` of the questions is as easy for all of them."""

    def below(rates: Sequence[float]) -> list[np.ndarray]:
        common, shared = draw.random(n), draw.random(n) < alike
        return [np.where(shared, common, draw.random(n)) < rate for rate in rates]

    hits_and_moves = zip(below([clean] * len(follow)), below(follow), strict=True)
    return [((hit | moves) ^ (draw.random(n) < FLIP)).astype(float) - hit for hit, moves in hits_and_moves]


def outcomes(d_Q: Floats, model: str) -> tuple[Outcome, ...]:
    """Outcomes with these paired differences."""
    reading = Reading(0, "ok")
    shared_fields = ("toy@1", "suggested_answer@1", "cot@1", ArmKey(model), 0, reading, reading)
    return tuple(
        Outcome(f"p{i}", f"q{i}", *shared_fields, bool(d < 0), bool(d > 0), None, None, None, Rule(), "")
        for i, d in enumerate(d_Q)
    )


def verdict(intervals: Sequence[Estimate | Interval], truth: float) -> tuple[str, str, bool]:
    """Coverage with its standard error, median width, and whether the coverage may lie in the band."""
    low, high = np.array([(interval.low, interval.high) for interval in intervals], float).T
    cover, error = float(((low <= truth) & (truth <= high)).mean()), float(np.sqrt(0.95 * 0.05 / len(intervals)))
    good = LOW - 2.58 * error <= cover <= HIGH + 2.58 * error
    mark = "" if good else " ✗"
    return f"{percent(cover)} ± {100 * error:.1f}{mark}", f"{np.median(high - low):.3f}", good


# ---------------------------------------------------------------- several samples of a question


def counts(n: int, alike: float, clean: float, follow: float, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """Five samples of each of n questions, whose chances differ from question to question (beta, correlation
    `alike`).
    """
    spread = 1 / alike - 1
    u, f = (draw.beta(rate * spread, (1 - rate) * spread, n) for rate in (clean, follow))
    c = draw.random((5, n)) < u
    b = (c | (draw.random((5, n)) < f)) ^ (draw.random((5, n)) < FLIP)
    return (b & ~c).sum(0).astype(float), (c & ~b).sum(0).astype(float)


def samples_section(draws: int) -> tuple[list[str], bool]:
    """Five samples a question, beside the interval that takes each for a question of its own."""
    rows, good = [], True
    for n, alike, (clean, follow) in product((20, 50, 150), (0.2, 0.8), ((0.15, 0.4), (0.5, 0.4))):
        draw, truth = generator("samples", n, alike, clean, follow), brr_of(clean, follow)
        samples = [counts(n, alike, clean, follow, draw) for _ in range(draws)]
        cover, width, fine = verdict([difference_interval(a, b, np.full(n, 5.0)) for a, b in samples], truth)
        naive = verdict([tango(a.sum(), b.sum(), 5 * n) for a, b in samples], truth)
        good &= fine
        rows.append((n, alike, clean, follow, cover, width, naive[0].removesuffix(" ✗"), naive[1]))
    heads = ("questions", "alike", "clean", "follows", "covers %", "width", "as if independent covers %", "width")
    return table(heads, rows), good


# ---------------------------------------------------------------- two models


def models_section(draws: int) -> tuple[list[str], bool]:
    """The difference of two models' BRRs on the same questions."""
    rows, good = [], True
    for n, (first, second), alike in product((20, 50, 150), ((0.4, 0.4), (0.4, 0.15)), (0.0, 0.5)):
        draw = generator("models", n, first, second, alike)
        truth = brr_of(0.15, first) - brr_of(0.15, second)
        differences, separate = [], []
        for _ in range(draws):
            a, b = models(n, 0.15, (first, second), alike, draw)
            differences.append(brr_difference(outcomes(a, "a"), outcomes(b, "b")))
            interval_a, interval_b = (tango((d > 0).sum(), (d < 0).sum(), n) for d in (a, b))
            separate.append(Interval(interval_a.low - interval_b.high, interval_a.high - interval_b.low))
        cover, width, fine = verdict(differences, truth)
        good &= fine
        rows.append((n, first, second, alike, cover, width, verdict(separate, truth)[1]))
    return table(("questions", "a follows", "b follows", "alike", "covers %", "width", "of two intervals"), rows), good


def fieller(a_Q: Floats, b_Q: Floats) -> Interval:
    """Fieller's interval of a ratio of means (1954, J. R. Stat. Soc. B 16:175); infinite where it is no interval."""
    n = len(a_Q)
    (va, c), (_, vb) = np.cov(a_Q, b_Q) / n * t.ppf(0.975, n - 1) ** 2
    square, line, rest = b_Q.mean() ** 2 - vb, a_Q.mean() * b_Q.mean() - c, a_Q.mean() ** 2 - va
    under = line**2 - square * rest
    if square <= 0 or under < 0:
        return Interval(-np.inf, np.inf)
    return Interval((line - np.sqrt(under)) / square, (line + np.sqrt(under)) / square)


def percentile(a_Q: Floats, b_Q: Floats, draw: np.random.Generator) -> Interval:
    """The plain bootstrap of questions, by percentiles."""
    rows, times = np.unique(np.column_stack([a_Q, b_Q]), axis=0, return_counts=True)
    a_R, b_R = (draw.multinomial(len(a_Q), times / len(a_Q), size=1000) @ rows).T
    ratio_R = np.divide(a_R, b_R, out=np.full_like(a_R, np.inf), where=b_R > 0)
    return Interval(*map(float, np.quantile(ratio_R, [0.025, 0.975], method="inverted_cdf")))


def ratios_section(draws: int) -> tuple[list[str], bool]:
    """BRR ratios, among the data sets where they are not refused, beside the plain bootstrap and Fieller's interval."""
    rows, good = [], True
    settings = ((0.4, 0.4), (0.4, 0.15), (0.4, 0.03), (0.4, 0.0))
    for n, (base, trained) in product((50, 150, 600), settings):
        draw, truth = generator("ratios", n, base, trained), brr_of(0.15, trained) / brr_of(0.15, base)
        ratios, bootstraps, fiellers = [], [], []
        for _ in range(draws):
            b, a = models(n, 0.15, (base, trained), 0.3, draw)
            ratio = brr_ratio(outcomes(a, "a"), outcomes(b, "b"), draws=1000)
            if ratio.value is not None:
                ratios.append(ratio)
                bootstraps.append(percentile(a, b, draw))
                fiellers.append(fieller(a, b))
        cover, width, fine = verdict(ratios, truth)
        good &= fine
        others = (verdict(intervals, truth)[0].removesuffix(" ✗") for intervals in (bootstraps, fiellers))
        rows.append((n, f"{truth:.2f}", percent(1 - len(ratios) / draws), cover, width, *others))
    heads = ("questions", "ratio", "refused %", "covers %", "width", "plain bootstrap covers %", "Fieller covers %")
    return table(heads, rows), good


# ---------------------------------------------------------------- training seeds


def seeds_section(draws: int) -> tuple[list[str], bool]:
    """Several training seeds, whose BRRs have a standard deviation of their own, beside an interval that ignores it."""
    rows, good = [], True
    for n_seeds, spread in product((3, 5, 8), (0.0, 0.03, 0.08)):
        draw, truth = generator("seeds", n_seeds, spread), brr_of(0.15, 0.3)
        estimates, pooled = [], []
        for _ in range(draws):
            follow = np.clip(0.3 + spread * draw.standard_normal(n_seeds), 0, 1)
            sides = models(150, 0.15, [float(f) for f in follow], 0.5, draw)
            estimates.append(over_seeds({str(i): outcomes(d, str(i)) for i, d in enumerate(sides)}).brr)
            plus, minus = (sum((d == sign).astype(float) for d in sides) for sign in (1, -1))
            pooled.append(difference_interval(plus, minus, np.full(150, float(n_seeds))))
        cover, width, fine = verdict(estimates, truth)
        good &= fine
        ignoring = verdict(pooled, truth)
        rows.append((n_seeds, spread, cover, width, ignoring[0].removesuffix(" ✗"), ignoring[1]))
    heads = ("seeds", "spread", "covers %", "width", "questions alone covers %", "width")
    return table(heads, rows), good


# ---------------------------------------------------------------- rivals for a paired difference


def wald(both: float, plus: float, minus: float, none: float) -> Interval:
    n, d = both + plus + minus + none, plus - minus
    half = Z * np.sqrt(plus + minus - d * d / n) / n
    return Interval(d / n - half, d / n + half)


def bonett_price(both: float, plus: float, minus: float, none: float) -> Interval:
    """Wald's after adding a pair to each of the cells that differ (Bonett and Price 2012, JEBS 37:479)."""
    return wald(both, plus + 1, minus + 1, none)


def newcombe(both: float, plus: float, minus: float, none: float) -> Interval:
    """Square-and-add of Wilson's intervals (Newcombe 1998, Stat. Med. 17:2635, method 10)."""
    n = both + plus + minus + none
    biased, clean = wilson(both + plus, n), wilson(both + minus, n)
    p, q = (both + plus) / n, (both + minus) / n
    product_ = both * none - plus * minus
    product_ = max(0.0, product_ - n / 2) if product_ > 0 else product_
    under = (both + plus) * (minus + none) * (both + minus) * (plus + none)
    r = product_ / np.sqrt(under) if under > 0 else 0.0
    down = (p - biased.low) ** 2 - 2 * r * (p - biased.low) * (clean.high - q) + (clean.high - q) ** 2
    up = (biased.high - p) ** 2 - 2 * r * (biased.high - p) * (q - clean.low) + (q - clean.low) ** 2
    return Interval(p - q - float(np.sqrt(max(0, down))), p - q + float(np.sqrt(max(0, up))))


def dirichlet(both: float, plus: float, minus: float, none: float) -> Interval:
    """Equal tails of the posterior under Jeffreys's prior on plus, minus and the rest."""
    draw = generator("dirichlet", both, plus, minus, none)
    p = draw.gamma((plus + 0.5, minus + 0.5, both + none + 0.5), size=(1000, 3))
    return Interval(*map(float, np.quantile((p[:, 0] - p[:, 1]) / p.sum(1), [0.025, 0.975])))


def bca(both: float, plus: float, minus: float, none: float) -> Interval:
    """Bias-corrected and accelerated bootstrap (Efron 1987, JASA 82:171)."""
    n, value = both + plus + minus + none, (plus - minus) / (both + plus + minus + none)
    chances = np.array([plus, minus, both + none]) / n
    d = generator("bca", both, plus, minus, none).multinomial(int(n), chances, size=1000) @ [1, -1, 0] / n
    off = np.array([1, -1, 0]) - value
    second = float(chances @ off**2)
    speed = float(chances @ off**3) / (6 * second**1.5 * np.sqrt(n)) if second > 0 else 0.0
    shift = norm.ppf(np.clip(((d < value).mean() + (d <= value).mean()) / 2, 1e-4, 1 - 1e-4))
    ends = shift + np.array([-Z, Z])
    return Interval(*map(float, np.quantile(d, norm.cdf(shift + ends / (1 - speed * ends)))))


RIVALS: dict[str, Callable[..., Interval]] = {
    "Newcombe": newcombe,
    "Bonett–Price": bonett_price,
    "Dirichlet (Jeffreys)": dirichlet,
    "bootstrap BCa": bca,
    "Wald": wald,
    "unpaired": unpaired,
}


def rivals_section(draws: int) -> tuple[list[str], bool]:
    """Each method over the cells where at least three pairs are expected to differ."""
    n_draws = min(draws, 1000)
    full = [(n, cell) for n, cell in product(SIZES, cells()) if n * (cell.plus + cell.minus) >= 3]
    rows = [_summary("Tango (used)", [exact(n, cell.plus, cell.minus) for n, cell in full], 0.0)]
    for name, method in RIVALS.items():
        rows.append(_summary(name, [simulate(method, n, cell, n_draws) for n, cell in full], 0.0022 * 2.58))
    return table(("method", "least %", "mean %", "most %", "in the band %", "mean width"), rows), True


def _summary(name: str, results: list[tuple[float, float]], slack: float) -> tuple[object, ...]:
    cover, width = np.array(results).T
    inside = ((cover >= LOW - slack) & (cover <= HIGH + slack)).mean()
    return (name, *(percent(f(cover)) for f in (np.min, np.mean, np.max)), percent(inside), f"{width.mean():.3f}")
