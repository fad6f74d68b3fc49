"""Choosing what to run by value for its cost, against asking the same of every cell: money until every decision is right.

    python benchmarks/next.py [--worlds 200] [--near 0.01] [--draws 15]

In each world six decisions ("train against this bias?") hang on one BRR each, with a prior like the bank's, a threshold of 10
points, and prices of a question that differ tenfold between models. `next` buys the cell and the number of questions with the
highest EVSI over cost, and stops where nothing pays; `even` buys 25 questions of every cell in turn.

The money of a strategy is what it has spent when the last of its decisions became right for good. Three comparisons:

* the same answers: both ways get the same answers to the same questions, so luck is shared;
* own answers: each way draws its own. Luck then decides many worlds whatever the rule; how many shows `even` against `even`;
* the middle of several draws: in each world the median money of each way over `--draws` draws of answers.

`--near` counts both answers as right where the true BRR is that close to the threshold, so that hardly anything hangs on it.
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

    def __init__(self, seed: int, near: float, draw: int = 0) -> None:
        """`draw` above 0 gives other answers to the same questions."""
        self.near = near
        rng = np.random.default_rng(seed)
        self.truth = np.clip(rng.normal(MEAN, SD, CELLS), 0, 0.9)
        self.noise = rng.normal(size=(CELLS, MOST // 25))
        self.price = np.exp(rng.uniform(np.log(0.002), np.log(0.02), CELLS)) * 2
        if draw:
            self.noise = np.random.default_rng((seed, draw)).normal(size=self.noise.shape)
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
        estimate = self.truth[i] + noise**0.5 * self.noise[i, batch].sum() / (n / 25) ** 0.5
        weight = self.variance[i] / (self.variance[i] + noise)
        self.mean[i] += weight * (estimate - self.mean[i])
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
    """Buy 25 questions of every cell in turn, up to the most; all at once, as nothing depends on what is seen."""
    noise_C = np.array([sampling_variance(float(truth), 25) for truth in world.truth])
    seen_CK = world.truth[:, None] + noise_C[:, None] ** 0.5 * world.noise
    n_K = np.arange(1, MOST // 25 + 1)
    weight_CK = n_K / noise_C[:, None]
    mean_CK = (MEAN / SD**2 + np.cumsum(seen_CK, axis=1) / noise_C[:, None]) / (1 / SD**2 + weight_CK)
    mean = world.mean.copy()
    for k in range(len(n_K)):
        for i in range(CELLS):
            mean[i] = mean_CK[i, k]
            world.mean = mean
            world.spent += 25 * float(world.price[i])
            world.path.append((world.spent, world.is_right()))
    return world


def compared(name: str, first: np.ndarray, second: np.ndarray) -> None:
    """Print how often the first is cheaper, dearer, and as cheap."""
    cheaper, dearer = int((first < second).sum()), int((first > second).sum())
    print(f"{name}: cheaper in {cheaper}, dearer in {dearer}, equal in {len(first) - cheaper - dearer}")


def main() -> None:
    """Print how often each strategy is cheaper."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--near", type=float, default=0.0)
    parser.add_argument("--draws", type=int, default=15)
    args = parser.parse_args()
    worlds, near = range(args.worlds), args.near
    pairs = [(by_value(World(seed, near)), evenly(World(seed, near))) for seed in worlds]
    money = np.array([(a.money(), b.money()) for a, b in pairs])
    print(f"{args.worlds} worlds")
    compared("next against even, the same answers", money[:, 0], money[:, 1])
    own = np.array([[by_value(World(seed, near, 2 * k + 1)).money() for k in range(args.draws)] for seed in worlds])
    even = np.array([[evenly(World(seed, near, 2 * k + 2)).money() for k in range(args.draws)] for seed in worlds])
    compared("next against even, own answers", own[:, 0], even[:, 0])
    compared("even against even, own answers", even[:, 1], even[:, 0])
    shares = [np.mean((a[:, None] < b) + (a[:, None] == b) / 2) for a, b in zip(own, even, strict=True)]
    compared(f"next against even, medians of {args.draws} draws", np.median(own, axis=1), np.median(even, axis=1))
    print(f"a draw of next costs less than one of even with chance {np.mean(shares):.2f} (ties a half each)")
    wrong = np.isinf(money).sum(axis=0)
    print(f"a decision is wrong at the end: next {wrong[0]}, even {wrong[1]}")
    right_money = money[np.isfinite(money).all(axis=1)]
    print(
        f"median dollars until right, where both get there: {np.median(right_money[:, 0]):.2f}, "
        f"even {np.median(right_money[:, 1]):.2f}"
    )
    spent = [np.mean([world.spent for world in side]) for side in zip(*pairs, strict=True)]
    print(f"mean dollars spent: next {spent[0]:.2f}, even {spent[1]:.2f}")
    dearer_pairs = [(a, b) for a, b in pairs if a.money() > b.money()]
    distances = [float(np.abs(a.truth - THRESHOLD).min()) for a, _ in dearer_pairs]
    if distances:
        print(
            f"where it is dearer, the BRR nearest to the threshold is {100 * np.median(distances):.1f} points away (median)"
        )


if __name__ == "__main__":
    main()
