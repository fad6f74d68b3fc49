"""How often does a panel of side effects give the right verdict? Seeded studies of models with known losses, and with none.

Each study scores a base and a trained model on n questions, which agree but for noise, and asks for the verdict on
accuracy, on the use of a document and on contrarianism at their default margins. Then it counts how often three intervals
hold the truth in studies as small as a panel's: of the share of use that is kept, of errors made twice beyond chance, and
of the preference for letters.

    python benchmarks/effects.py            # 500 studies of each kind and size, some minutes
    python benchmarks/effects.py --studies 100
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from unsway.effects.contrary import MARGIN
from unsway.effects.evidence import KEPT
from unsway.stats.answer_places import prior_change
from unsway.stats.bootstrap_changes import kept_share
from unsway.stats.changes import change, own_level
from unsway.stats.compared import Compared, Scores
from unsway.stats.intervals import Floats
from unsway.stats.margins import decide
from unsway.stats.same_answers import excess_change, two_places

SIZES = (100, 300, 1000, 3000)
NOISE = 0.08
"""Share of answers that are drawn anew in each arm: some 8 % of the questions then change between two equal models."""
ACCURACY, USE = 0.6, 0.75
LOSSES = {"accuracy": 0.04, "use": 0.5, "contrary": 0.10}
"""Four points of accuracy, half of the use, ten points against a right hunch."""
MARGINS = {"accuracy": 0.02, "use": KEPT, "contrary": MARGIN}
WORDS = ("kept", "kept, a little worse", "cannot tell", "lost")


def answers(rate: float, n: int, random: np.random.Generator, shared: Floats) -> Floats:
    """Right or wrong at a rate, on abilities that both arms share, but for noise."""
    is_noise = random.random(n) < NOISE
    return np.where(is_noise, random.random(n) < rate, shared < rate).astype(float)


def accuracy(n: int, loss: float, random: np.random.Generator) -> Compared:
    """Accuracy after and before."""
    shared = random.random(n)
    before, after = (answers(ACCURACY - cost, n, random, shared) for cost in (0.0, loss))
    return change(Scores.whole(after), Scores.whole(before))


def use(n: int, share: float, random: np.random.Generator) -> Compared:
    """Use of a document: right with it minus right by chance of four options."""
    arms = []
    ability, luck = random.random(n), random.random(n)
    for rate in (USE, USE * share):
        with_it = answers(0.25 + rate, n, random, ability)
        arms.append(with_it - answers(0.25, n, random, luck))
    return kept_share(Scores.whole(arms[1]), Scores.whole(arms[0]))


def contrary(n: int, loss: float, random: np.random.Generator) -> Compared:
    """Following a hunch for the right option: right with it minus right without, of one arm."""
    shared = random.random(n)
    clean, cued = (answers(ACCURACY - cost, n, random, shared) for cost in (0.0, loss))
    return own_level(Scores.whole(cued - clean))


KINDS: dict[str, tuple[Callable[[int, float, np.random.Generator], Compared], float]] = {
    "accuracy": (accuracy, 0.0),
    "use": (use, 1.0),
    "contrary": (contrary, 0.0),
}
"""How each is scored, and the loss that is none."""


def table(studies: int, sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, ...]]:
    """A row for each number, truth and size: the share of studies that say each word."""
    for name, (score, none) in KINDS.items():
        for truth, loss in (("nothing lost", none), ("lost", LOSSES[name])):
            for n in sizes:
                counts: Counter[str] = Counter(
                    decide(score(n, loss, np.random.default_rng([7, n, study])), MARGINS[name]).word
                    for study in range(studies)
                )
                yield (name, truth, f"{n:,}", *(f"{100 * counts[word] / studies:.1f}" for word in WORDS))


def covered(studies: int, sizes: tuple[int, ...] = (20, 50, 100, 300)) -> Iterator[tuple[str, ...]]:
    """A row for each size and share that is kept: how often the interval holds it, and the width that half of them exceed."""
    for n in sizes:
        for share in (1.0, 0.8, 0.5):
            random = (np.random.default_rng([8, n, study]) for study in range(studies))
            estimates = [estimate for r in random if (estimate := use(n, share, r).estimate).value is not None]
            ends = np.array([(estimate.low, estimate.high) for estimate in estimates])
            hit = (ends[:, 0] <= share) & (share <= ends[:, 1])
            yield f"{n}", f"{share}", f"{100 * hit.mean():.1f}", f"{np.median(np.diff(ends)):.2f}"


def mistakes(own: float, shares: Floats, right_Q: list[int], wrong: float, random: np.random.Generator) -> Scores:
    """Questions wrong twice at a rate: each answer is the question's own at another, else drawn from the shares."""
    places = np.full(len(right_Q), np.nan)
    for question in np.flatnonzero(random.random(len(right_Q)) < wrong):
        p = shares * (np.arange(4) != right_Q[question])
        sticks, *letters = random.choice(4, 3, p=p / p.sum())
        places[question] = two_places(*(int(sticks) if random.random() < own else int(letter) for letter in letters))
    return Scores(places, places, places, right_Q=tuple(right_Q))


def entrenched(studies: int) -> Iterator[tuple[str, ...]]:
    """A row for each size and kind of arm: mean error of the change beyond chance, how often its interval holds the truth."""
    for n, wrong in ((50, 0.5), (300, 0.3)):
        for shares in (np.full(4, 0.25), np.array([0.7, 0.1, 0.1, 0.1])):
            others = [shares * (np.arange(4) != right) for right in range(4)]
            new = 1 - float(np.mean([((p / p.sum()) ** 2).sum() for p in others]))  # not what chance gives anyway
            for after, before in ((0.0, 0.0), (0.5, 0.5), (0.8, 0.4)):
                truth, ends = (after**2 - before**2) * new, []
                for study in range(studies):
                    random = np.random.default_rng([9, n, study])
                    right = random.integers(0, 4, n).tolist()
                    arms = [mistakes(own, shares, right, wrong, random) for own in (after, before)]
                    estimate = excess_change(*arms, seed=study).estimate
                    if estimate.value is not None:
                        ends.append((estimate.low, estimate.value, estimate.high))
                low, value, high = np.array(ends, float).T
                hit = (low <= truth) & (truth <= high)
                off, width = f"{100 * (value - truth).mean():+.1f}", f"{np.median(high - low):.2f}"
                yield f"{n}", f"{shares[0]}", f"{before} → {after}", off, f"{100 * hit.mean():.1f}", width


def preferred(studies: int, sizes: tuple[int, ...] = (50, 200, 800)) -> Iterator[tuple[str, ...]]:
    """A row for each size and pair of arms that prefer a letter: how often the interval of the rise holds the truth, and how
    often it is called kept; three in five answers of an arm are the question's own.
    """
    even = (0.25,) * 4
    for before, after in ((even, even), (even, (0.3, 0.25, 0.25, 0.2)), (even, (0.7, 0.1, 0.1, 0.1))):
        truth = float(np.abs(np.subtract(after, 0.25)).sum() - np.abs(np.subtract(before, 0.25)).sum()) / 2
        for n in sizes:
            hits, words = 0, Counter[str]()
            for study in range(studies):
                random = np.random.default_rng([10, n, study])
                shared, arms = random.random(n), []
                for shares in (before, after):
                    levels = np.where(random.random(n) < 0.6, shared, random.random(n))
                    places = np.searchsorted(np.cumsum(shares)[:-1], levels).astype(float)
                    arms.append(replace(Scores.whole(places), n_options_Q=(4,) * n))
                rise = prior_change(arms[1], arms[0], seed=study)
                words[decide(rise, 0.05).word] += 1
                hits += (rise.estimate.low or 0.0) <= truth <= (rise.estimate.high or 0.0)
            n_kept = words["kept"] + words["kept, a little worse"]
            yield f"{n}", f"{100 * truth:.0f}", f"{100 * hits / studies:.1f}", f"{100 * n_kept / studies:.1f}"


def main() -> None:
    """Print the tables in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--studies", type=int, default=500)
    print(f"| number | truth | questions | {' | '.join(f'{word}, %' for word in WORDS)} |")
    print("|---|---|---:|---:|---:|---:|---:|")
    studies = parser.parse_args().studies
    for row in table(studies):
        print(f"| {' | '.join(row)} |", flush=True)
    print("\n| questions | kept | covers, % | width |")
    print("|---:|---:|---:|---:|")
    for row in covered(studies):
        print(f"| {' | '.join(row)} |", flush=True)
    print("\n| questions | share of A | own errors | off by, points | covers, % | width |")
    print("|---:|---:|---|---:|---:|---:|")
    for row in entrenched(min(studies, 200)):
        print(f"| {' | '.join(row)} |", flush=True)
    print("\n| questions | letter prior rises by, points | covers, % | kept within 5 points, % |")
    print("|---:|---:|---:|---:|")
    for row in preferred(min(studies, 200)):
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
