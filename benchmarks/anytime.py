"""Looking after every question: how often is an interval ever wrong, and how many questions does stopping early take?

In: nothing. Out: two tables; exit code 1 if the sequence of `unsway.stats.anytime` is ever wrong in more than 5 %
of studies (with 2.58 standard errors of the simulation).

    python benchmarks/anytime.py [--quick] [--write docs/coverage.md]

The rivals: the interval for a fixed n, looked at again and again; the betting sequence with the stakes of Waudby-Smith
and Ramdas (2024, §4.3 with their predictable plug-in); their empirical-Bernstein sequence (§3.2); a universal
portfolio (Orabona and Jun 2023, arXiv 2110.14099).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from coverage import written
from coverage_exact import Floats, generator, percent, table
from scipy.special import logsumexp

from unsway.stats.anytime import anytime_interval
from unsway.stats.intervals import Interval, tango
from unsway.stats.power import Assumed, half_width, questions_for

WALL = float(np.log(2 / 0.05))
MOST = 600
"""Questions of a study: the paper's number for each bias."""
RATES = ((0.02, 0.02), (0.1, 0.02), (0.25, 0.02), (0.15, 0.15), (0.5, 0.05), (0.9, 0.02))
"""Pairs that hit with the cue alone, and without it alone."""
WANTED = 0.05
NODES = (1 + np.cos((2 * np.arange(1, 201) - 1) * np.pi / 400)) / 2


# ---------------------------------------------------------------- whether a mean is ever ruled out


def logs(stakes: Floats, d: Floats, mean: float, sign: float) -> Floats:
    """Log capital of a gambler who bets on values above (+1) or below (-1) a mean."""
    most = 0.75 / (1 + sign * mean)
    return np.log1p(sign * np.minimum(stakes, most) * (d - mean)).cumsum()


def plug_in(d: Floats) -> Floats:
    """The stakes of the paper, on the scale of -1 to 1."""
    t = np.arange(1, len(d) + 1)
    mean = (0.0 + d.cumsum()) / (t + 1)
    squares = (1.0 + ((d - mean) ** 2).cumsum()) / (t + 1)
    before = np.concatenate([[1.0], squares[:-1]])
    return np.asarray(np.sqrt(2 * WALL / (before * t * np.log1p(t))), float)


def hedged(d: Floats, mean: float) -> bool:
    stakes = plug_in(d)
    return bool(max(logs(stakes, d, mean, s).max() for s in (1.0, -1.0)) >= WALL)


def portfolio(d: Floats, mean: float) -> bool:
    """A universal portfolio between "above" and "below", with the arcsine prior."""
    x, m = (d + 1) / 2, (mean + 1) / 2
    capital = np.log(NODES[:, None] * (x / m) + (1 - NODES[:, None]) * ((1 - x) / (1 - m))).cumsum(axis=1)
    return bool((logsumexp(capital, axis=0) - np.log(len(NODES))).max() >= np.log(1 / 0.05))


def bernstein(d: Floats, mean: float) -> bool:
    """Predictable plug-in empirical Bernstein."""
    x, m = (d + 1) / 2, (mean + 1) / 2
    t = np.arange(1, len(x) + 1)
    so_far = (0.5 + x.cumsum()) / (t + 1)
    variance = (0.25 + ((x - so_far) ** 2).cumsum()) / (t + 1)
    v_before, m_before = np.concatenate([[0.25], variance[:-1]]), np.concatenate([[0.5], so_far[:-1]])
    stake = np.minimum(np.sqrt(2 * WALL / (v_before * t * np.log1p(t))), 0.5)
    grows = 4 * (x - m_before) ** 2 * (-np.log1p(-stake) - stake) / 4
    centre = (stake * x).cumsum() / stake.cumsum()
    return bool((np.abs(centre - m) >= (WALL + grows.cumsum()) / stake.cumsum()).any())


def peeked(d: Floats, mean: float) -> bool:
    """The interval for a fixed n, looked at after every question from the tenth."""
    plus, minus = (d == 1).cumsum(), (d == -1).cumsum()
    for n in range(10, len(d) + 1):
        ends = tango(float(plus[n - 1]), float(minus[n - 1]), n)
        if not ends.low <= mean <= ends.high:
            return True
    return False


def ours(d: Floats, mean: float) -> bool:
    """The running extremes of the capital make the last interval the intersection of all."""
    ends = anytime_interval(d, WANTED)
    return not ends.low <= mean <= ends.high


METHODS: dict[str, Callable[[Floats, float], bool]] = {
    "ours": ours,
    "betting, the paper's stakes": hedged,
    "universal portfolio": portfolio,
    "empirical Bernstein": bernstein,
    "fixed n, peeked at": peeked,
}


def draws(plus: float, minus: float, n: int, purpose: str, times: int) -> Floats:
    values = generator(purpose, plus, minus, n).choice(
        [1.0, -1.0, 0.0], p=[plus, minus, 1 - plus - minus], size=(times, n)
    )
    return np.asarray(values, float)


def alarm_section(times: int) -> tuple[list[str], bool]:
    """The share of studies in which the truth is ever ruled out, looking after each of 600 questions."""
    rows, good = [], True
    limit = 0.05 + 2.58 * float(np.sqrt(0.05 * 0.95 / times))
    for plus, minus in RATES:
        d_RQ = draws(plus, minus, MOST, "alarm", times)
        shares = []
        for name, method in METHODS.items():
            studies = d_RQ[: times // 4] if name == "fixed n, peeked at" else d_RQ
            shares.append(float(np.mean([method(d, plus - minus) for d in studies])))
        good &= shares[0] <= limit
        rows.append((plus, minus, *map(percent, shares)))
    return table(("follows", "away", *(f"{name} %" for name in METHODS)), rows), good


# ---------------------------------------------------------------- how many questions it takes


def ends_of(rules_out: Callable[[Floats, float], bool], d: Floats) -> Interval:
    """The interval of a rival: the means next to the average that it does not rule out."""
    ends, middle = [], float(np.clip(d.mean(), -0.999, 0.999))
    for outer in (-0.9999, 0.9999):
        outside, inside = outer, middle
        for _ in range(12):
            half = (outside + inside) / 2
            outside, inside = (half, inside) if rules_out(d, half) else (outside, half)
        ends.append(outside)
    return Interval(*ends)


def stop_at(interval: Callable[[Floats], Interval], d: Floats, step: int = 25) -> int:
    """Questions until the interval is narrow enough, looking every 25."""
    for n in range(step, len(d), step):
        ends = interval(d[:n])
        if (ends.high - ends.low) / 2 <= WANTED:
            return n
    return len(d)


def stopping_section(times: int) -> tuple[list[str], bool]:
    """Mean questions to a half-width of 0.05, beside fixed numbers."""
    rows = []
    worst = questions_for(WANTED, Assumed(follows=0.5, away=0.5))
    for plus, minus in RATES:
        d_RQ = draws(plus, minus, 3000, "stop", times)
        n_known = questions_for(WANTED, Assumed(follows=plus, away=minus))
        n = [stop_at(lambda d: anytime_interval(d, WANTED), d) for d in d_RQ]
        rival_n = np.mean([stop_at(lambda d: ends_of(hedged, d), d, 50) for d in d_RQ[:10]])
        right = float(np.mean([ours(d[:k], plus - minus) for d, k in zip(d_RQ, n, strict=True)]))
        saved = f"{100 * (1 - np.mean(n) / worst):.0f}"
        at_600 = f"{half_width(MOST, Assumed(follows=plus, away=minus)):.3f}"
        rows.append(
            (plus, minus, f"{np.mean(n):.0f}", max(n), percent(right), f"{rival_n:.0f}", n_known, worst, saved, at_600)
        )
    heads = ["follows", "away", "ours", "at most", "wrong %", "the paper's stakes", "fixed, rates known"]
    heads += ["fixed, rates unknown", "saved %", "half-width of 600"]
    return table(heads, rows), True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the draws")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    args = parser.parse_args()
    start, tables, bad = time.monotonic(), {}, []
    times = 400 if args.quick else 2000
    for name, (lines, good) in (("alarms", alarm_section(times)), ("stopping", stopping_section(times // 10))):
        tables[name] = lines
        bad += [] if good else [name]
        print(f"\n{name}", *lines, sep="\n", flush=True)
    if args.write:
        args.write.write_text(written(args.write, tables), encoding="utf-8")
    print(f"\n{time.monotonic() - start:.0f} s. Ever wrong in more than 5 %: {'yes' if bad else 'no'}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
