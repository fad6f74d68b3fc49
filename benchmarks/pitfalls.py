"""Ways in which a study of cues misleads, and whether the package is right about them: simulated studies of known truth.

In: nothing. Out: a table a pitfall; exit code 1 where the package is wrong about one.

    python benchmarks/pitfalls.py --quick                      # under a minute
    python benchmarks/pitfalls.py                              # five times as many studies
    python benchmarks/pitfalls.py missing ratios               # some of them
    python benchmarks/pitfalls.py --write docs/statistics.md   # and into the page

`missing`: answers that are unread because of the cue. `ratios`: unread at random, one rule for all arms. `selection`: ratios
to a weak base. `chance`: biases whose clean rate is 0 by definition. `planned`: the power a plan promises. `seeds`: few
training seeds, and failed ones. `order`: questions sorted by source. `proxy` and `reader` are in `pitfalls_more.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
from coverage import written
from coverage_exact import Floats, generator, percent, table

from unsway.stats.compare import brr_difference, brr_ratio
from unsway.stats.estimates import cells
from unsway.types import ArmKey, Estimate, Excluded, Outcome, Reading, Rule

Section = tuple[list[str], bool]
READ, UNREAD = Reading(0, "ok"), Reading(None, "unparsed")
CLEAN = 0.15
"""Clean replies that give the cued answer."""


def arm(
    clean_Q: np.ndarray,
    biased_Q: np.ndarray,
    unread_Q: np.ndarray,
    *,
    name: str = "base",
    bias: str = "cue@1",
    rule: Rule = Rule(),  # noqa: B008  # frozen
) -> tuple[Outcome, ...]:
    """Outcomes of one arm, a question each; `unread_Q` says whose biased reply is not read."""
    found = []
    for i, (clean, biased, unread) in enumerate(zip(clean_Q, biased_Q, unread_Q, strict=True)):
        sides = (READ, UNREAD if unread else READ, None if clean is None else bool(clean))
        hit = None if unread else bool(biased)
        excluded = Excluded("biased", "unparsed") if unread else None
        where = (f"p{i}", f"q{i}", "toy@1", bias, "cot@1", ArmKey(name), 0)
        found.append(Outcome(*where, *sides, hit, None, None, excluded, rule, "toy"))
    return tuple(found)


def covers(estimate: Estimate, truth: float) -> bool:
    """Whether the interval holds the truth; a refused one does not count against it."""
    return estimate.low is None or estimate.high is None or estimate.low <= truth <= estimate.high


def share(flags: list[bool]) -> float:
    return float(np.mean(flags)) if flags else float("nan")


def least(nominal: float, draws: int) -> float:
    """What a coverage of 95 % may fall to by the chance of the simulation."""
    return nominal - 2.58 * float(np.sqrt(nominal * (1 - nominal) / draws))


# ---------------------------------------------------------------- answers that are unread because of the cue


def missing_section(draws: int) -> Section:
    """30 % of the biased replies that agree with the cue are unread: in both arms, in one, in the other."""
    rows, good = [], True
    settings = product((150, 600), (("both", 0.3, 0.15), ("base", 0.3, 0.15), ("trained", 0.3, 0.3)))
    for n, (who, follow_base, follow_trained) in settings:
        draw = generator("missing", n, who)
        truth_b, truth_t = (follow * (1 - CLEAN) for follow in (follow_base, follow_trained))
        held: dict[str, list[bool]] = {"base BRR": [], "trained BRR": [], "difference": [], "ratio": []}
        values = []
        for _ in range(draws):
            clean = draw.random(n) < CLEAN
            hits = [clean | (draw.random(n) < follow) for follow in (follow_base, follow_trained)]
            lost = [
                hit & (draw.random(n) < 0.3) if who in ("both", label) else np.zeros(n, bool)
                for hit, label in zip(hits, ("base", "trained"), strict=True)
            ]
            base, trained = (arm(clean, h, u, name=m) for h, u, m in zip(hits, lost, "bt", strict=True))
            brr_b, brr_t = (cells(side)[0]["brr"] for side in (base, trained))
            change, ratio = brr_difference(trained, base), brr_ratio(trained, base, draws=500)
            held["base BRR"].append(covers(brr_b, truth_b))
            held["trained BRR"].append(covers(brr_t, truth_t))
            held["difference"].append(covers(change, truth_t - truth_b))
            held["ratio"].append(covers(ratio, truth_t / truth_b))
            values.append(change.value or 0.0)
        shares = [share(flags) for flags in held.values()]
        good &= min(shares) >= least(0.95, draws)
        rows.append((n, who, f"{truth_t - truth_b:+.3f}", f"{np.mean(values):+.3f}", *map(percent, shares)))
    heads = ("questions", "unread in", "true difference", "mean printed", *(f"{name} covers %" for name in held))
    return table(heads, rows), good
