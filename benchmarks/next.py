"""Choosing what to run by value for its cost, against asking the same of every cell: money until every decision is right.

    python benchmarks/next.py [--worlds 200] [--near 0.01]

In each world six decisions ("train against this bias?") hang on one BRR each, with a prior like the bank's, a threshold of 10
points, and prices of a question that differ tenfold between models. `next` buys the cell and the number of questions with the
highest EVSI over cost, and stops where nothing pays; `even` buys 25 questions of every cell in turn. Both get the same
answers to the same questions.

The money of a strategy is what it has spent when the last of its decisions became right for good. `--near` counts both
answers as right where the true BRR is that close to the threshold, so that hardly anything hangs on it.
"""

from __future__ import annotations

import argparse

import numpy as np

from unsway.planning.forecasts import sampling_variance
from unsway.planning.worth import best_size, evsi

CELLS, THRESHOLD, MEAN, SD = 6, 0.10, 0.20, 0.12
WORTH = 20_000.0
"""US dollars for a BRR of 1 on the right side: 200 a point."""
SIZES, MOST = (25, 50, 100, 200, 400, 800), 1600
"""Numbers of questions that are tried, and the most of one cell."""


class World:
    """True BRRs, prices, and what is believed so far."""

    def __init__(self, seed: int, near: float) -> None:
        self.near = near
        rng = np.random.default_rng(seed)
        self.truth = np.clip(rng.normal(MEAN, SD, CELLS), 0, 0.9)
        self.noise = rng.normal(size=(CELLS, MOST // 25))
        self.price = np.exp(rng.uniform(np.log(0.002), np.log(0.02), CELLS)) * 2
        self.mean, self.variance = np.full(CELLS, MEAN), np.full(CELLS, SD**2)
        self.asked, self.spent = np.zeros(CELLS, int), 0.0
        self.path = [(0.0, self.is_right())]

    def is_right(self) -> bool:
        """Whether every decision is."""
        right = (self.mean > THRESHOLD) == (self.truth > THRESHOLD)
        return bool((right | (np.abs(self.truth - THRESHOLD) < self.near)).all())

    def buy(self, i: int, n: int) -> None:
        """Ask n questions of a cell, and believe what they say."""
        noise = sampling_variance(float(self.truth[i]), n)
        batch = slice(self.asked[i] // 25, (self.asked[i] + n) // 25)
        seen = self.truth[i] + noise**0.5 * self.noise[i, batch].sum() / (n / 25) ** 0.5
        weight = self.variance[i] / (self.variance[i] + noise)
        self.mean[i] += weight * (seen - self.mean[i])
        self.variance[i] *= 1 - weight
        self.asked[i] += n
        self.spent += n * float(self.price[i])
        self.path.append((self.spent, self.is_right()))

    def money(self) -> float:
        """Dollars spent when the last decision became right for good; infinite where one is wrong at the end."""
        if not self.path[-1][1]:
            return float("inf")
        wrong = [k for k, (_, right) in enumerate(self.path) if not right]
        return self.path[wrong[-1] + 1][0] if wrong else 0.0


def by_value(world: World) -> World:
    """Buy what is worth most for its cost, at its best size, while anything pays."""
    while True:
        options = []
        for i in range(CELLS):
            mean, sd, price = float(world.mean[i]), float(world.variance[i]) ** 0.5, float(world.price[i])
            sizes = [n for n in SIZES if world.asked[i] + n <= MOST]
            if not sizes:
                continue

            def value(n: int, mean: float = mean, sd: float = sd) -> float:
                return WORTH * evsi(mean, sd, THRESHOLD, sampling_variance(mean, n))

            n = best_size(value, lambda n, price=price: n * price, sizes)  # type: ignore[misc]
            options.append((value(n) / (n * price), i, n))
        best = max(options, default=(0.0, 0, 0))
        if best[0] < 1:
            return world
        world.buy(best[1], best[2])


def evenly(world: World) -> World:
    """Buy 25 questions of every cell in turn, up to the most."""
    for _ in range(MOST // 25):
        for i in range(CELLS):
            world.buy(i, 25)
    return world


def main() -> None:
    """Print how often each strategy is cheaper."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--near", type=float, default=0.0)
    given = parser.parse_args()
    worlds, near = given.worlds, given.near
    pairs = [(by_value(World(seed, near)), evenly(World(seed, near))) for seed in range(worlds)]
    money = np.array([(a.money(), b.money()) for a, b in pairs])
    cheaper, dearer = int((money[:, 0] < money[:, 1]).sum()), int((money[:, 0] > money[:, 1]).sum())
    wrong = np.isinf(money).sum(axis=0)
    print(f"{worlds} worlds: next is cheaper in {cheaper}, dearer in {dearer}, equal in {worlds - cheaper - dearer}")
    print(f"a decision is wrong at the end: next {wrong[0]}, even {wrong[1]}")
    both = money[np.isfinite(money).all(axis=1)]
    print(
        f"median dollars until right, where both get there: {np.median(both[:, 0]):.2f}, even {np.median(both[:, 1]):.2f}"
    )
    spent = [np.mean([world.spent for world in side]) for side in zip(*pairs, strict=True)]
    print(f"mean dollars spent: next {spent[0]:.2f}, even {spent[1]:.2f}")
    lost = [(a, b) for a, b in pairs if a.money() > b.money()]
    away = [float(np.abs(a.truth - THRESHOLD).min()) for a, _ in lost]
    if away:
        print(
            f"where it is dearer, the BRR nearest to the threshold is {100 * np.median(away):.1f} points away (median)"
        )


if __name__ == "__main__":
    main()
