"""Evidence per token: what a study of nine biases asks for ±5 points on each BRR, as published and as unsway does it.

In: rates and lengths of replies, published ones of GPT-3.5 or those of a folder that a study was run in. Out: tokens of
each protocol, their ratio to the original one with the middle 90 % of simulated studies, and how often ±5 points were
reached.

    python benchmarks/evidence.py [--studies 100] [--folder runs/demo]

The original protocol (arXiv 2403.05518): 600 questions for every bias, the clean arm asked again for each, intervals of two
rates as if they were of different questions. The other protocols add one change after another: the clean prompt is asked
once for all biases that share it; intervals are paired (`unsway.stats.intervals.tango`), with the number of questions of a
plan that knows the rates, or has them from a pilot of 100 questions (`Assumed.of`, as `unsway plan` on a folder; the pilot
counts); each bias stops as soon as it is narrow enough (`unsway.stats.anytime`, with a look every 25 questions).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np
from coverage_exact import generator

from unsway.stats.anytime import anytime_interval
from unsway.stats.intervals import Interval, quantile, tango
from unsway.stats.power import Assumed, questions_for
from unsway.types import Reply

WANTED = 0.05
ORIGINAL = 600
"""Questions of each bias in the paper."""
PILOT = 100
EVERY, MOST = 25, 3000
"""Questions between two looks (`unsway.sampling.until.EVERY`), and those there are."""


@dataclass(frozen=True)
class Cue:
    """One bias: how often replies hit, and how long prompts and replies are."""

    name: str
    clean: float
    """Clean rate; 0 where there is no clean arm by definition."""
    biased: float
    away: float
    """Pairs that hit without the cue alone."""
    tokens_clean: tuple[float, float]
    """Tokens in and out of one clean prompt; (0, 0) where there is none."""
    tokens_biased: tuple[float, float]
    shares: bool = True
    """Whether its clean prompt is that of the other biases."""
    counts: float = 1.0
    """Share of the asked pairs that count: both replies read, the first answer right where that is needed."""
    tokens_spared: tuple[float, float] = (0.0, 0.0)
    """What is not asked where a first answer is wrong, neither by the original nor by unsway: the turns after it."""

    @property
    def follows(self) -> float:
        """Pairs that hit with the cue alone."""
        return self.biased - self.clean + self.away

    @property
    def shares_of_d(self) -> tuple[float, float, float]:
        """Pairs that hit with the cue alone, without it alone, and neither more than the other."""
        return self.follows, self.away, 1 - self.follows - self.away


OUT = 265
"""Mean tokens of a reply: 103 replies of GPT-3.5 among the authors' human labels, counted with SmolLM2's tokenizer."""
CLEAN = (197, OUT)
"""Tokens of a clean prompt: mean of the released LogiQA and TruthfulQA prompts, as all prompt lengths below."""
AWAY = 0.02
"""Assumed, as nobody published it: `detect.Assumed.away`. The run with independent arms below is the other extreme."""
GPT35 = (
    # clean and biased rates: the authors' chart, read off the bars
    Cue("suggested_answer", 0.13, 0.36, AWAY, CLEAN, (209, OUT)),
    Cue("post_hoc", 0.13, 0.46, AWAY, CLEAN, (216, OUT)),
    Cue("wrong_few_shot", 0.11, 0.46, AWAY, CLEAN, (657, OUT)),
    Cue("spurious_squares", 0.15, 0.61, AWAY, CLEAN, (690, OUT)),
    Cue("distractor_fact", 0.13, 0.26, AWAY, CLEAN, (275, OUT)),
    Cue("distractor_argument", 0.14, 0.46, AWAY, CLEAN, (475, OUT)),
    # an early model of the authors' notebook; 61 % of first answers are right. Turns: 165 in, 1 out; 178 in, 80 out; 317 in
    Cue("are_you_sure", 0, 0.65, 0, (0, 0), (660, 81 + OUT), False, 0.61, (495, 80 + OUT)),
    # the same notebook; prompt lengths are those of our own comparisons, in both orders
    Cue("positional", 0, 0.57, 0, (0, 0), (241, 2 * OUT), False),
    # what the published mean of eight biases, and the mean clean rate that follows from its fall by 37 %, leave
    Cue("spurious_hindsight", 0.53, 0.60, AWAY, (838, OUT), (908, OUT), False),
)


def independent(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """The same rates where the clean reply to a question says nothing of the biased one."""
    return tuple(replace(cue, away=cue.clean * (1 - cue.biased)) for cue in cues)


def of_folder(folder: Path) -> tuple[Cue, ...]:
    """Rates and lengths of the first arm of a study."""
    from unsway.studies.folder import results
    from unsway.studies.results import plain_name

    study_results = results(folder)
    model = study_results.arms[0].model
    pairs = {pair.id: pair for pair in study_results.pairs}
    replies = {reply.prompt_id: reply for reply in study_results.replies if reply.model == model}
    cues = []
    for bias in study_results.biases:
        bias_outcomes = [o for o in study_results.outcomes if o.arm.model == model and o.bias == bias]
        usable = [o for o in bias_outcomes if o.excluded is None]
        hits = np.array([(bool(o.hit_clean), bool(o.hit_biased)) for o in usable])
        away = float((hits[:, 0] & ~hits[:, 1]).mean())
        rates = [float(rate) for rate in hits.mean(axis=0)]
        clean, biased = (
            _lengths(replies[getattr(pairs[o.pair_id], arm).id] for o in bias_outcomes) for arm in ("clean", "biased")
        )
        cues.append(
            Cue(plain_name(bias), rates[0], rates[1], away, clean, biased, counts=len(usable) / len(bias_outcomes))
        )
    return tuple(cues)


def _lengths(replies: Iterable[Reply]) -> tuple[float, float]:
    """Mean tokens in and out."""
    rows = [(reply.tokens_in, reply.tokens_out) for reply in replies]
    return float(np.mean([row[0] for row in rows])), float(np.mean([row[1] for row in rows]))


# ---------------------------------------------------------------- what is asked, and what comes out


@dataclass(frozen=True)
class Study:
    """One simulated study: for each bias the questions that count, and the interval."""

    n: Sequence[int]
    ends: Sequence[Interval]


def original(cues: Sequence[Cue], rng: np.random.Generator) -> Study:
    intervals = []
    for cue in cues:
        biased, clean = (rng.binomial(ORIGINAL, rate) / ORIGINAL for rate in (cue.biased, cue.clean))
        half = quantile(0.95) * sqrt((biased * (1 - biased) + clean * (1 - clean)) / ORIGINAL)
        intervals.append(Interval(biased - clean - half, biased - clean + half))
    return Study([ORIGINAL] * len(cues), intervals)


def planned(cues: Sequence[Cue], rng: np.random.Generator) -> Study:
    """As many questions as a paired interval needs at these very rates."""
    numbers = [questions_for(WANTED, Assumed(follows=cue.follows, away=cue.away)) for cue in cues]
    counts = [rng.multinomial(n, cue.shares_of_d) for cue, n in zip(cues, numbers, strict=True)]
    return Study(
        numbers, [tango(float(plus), float(minus), n) for (plus, minus, _), n in zip(counts, numbers, strict=True)]
    )


def after_pilot(cues: Sequence[Cue], rng: np.random.Generator) -> Study:
    """As many as it needs at the rates of a pilot, half an outcome added to each count as `Assumed.of` does."""
    numbers, intervals = [], []
    for cue in cues:
        plus, minus, _ = first = rng.multinomial(PILOT, cue.shares_of_d)
        rates = Assumed(follows=(plus + 0.5) / (PILOT + 1.5), away=(minus + 0.5) / (PILOT + 1.5) if cue.clean else 0.0)
        n = max(PILOT, questions_for(WANTED, rates))
        plus, minus, _ = first + rng.multinomial(n - PILOT, cue.shares_of_d)
        numbers.append(n)
        intervals.append(tango(float(plus), float(minus), n))
    return Study(numbers, intervals)


def stopped(cues: Sequence[Cue], rng: np.random.Generator) -> Study:
    """Asked until an interval that may be looked at every time is narrow enough."""
    numbers, intervals = [], []
    for cue in cues:
        d_Q = rng.choice([1.0, -1.0, 0.0], p=cue.shares_of_d, size=MOST)
        n, ends = 0, Interval(-1.0, 1.0)
        while ends.high - ends.low > 2 * WANTED and n < MOST:
            n = max(n + EVERY, 4 * EVERY)  # never narrower than ±5 points before 100
            ends = anytime_interval(d_Q[:n], WANTED, low=-1.0 if cue.clean else 0.0)
        numbers.append(n)
        intervals.append(ends)
    return Study(numbers, intervals)


def tokens(cues: Sequence[Cue], study: Study, *, once: bool, out_alone: bool) -> float:
    """Tokens of a study, in and out, or out alone; `once` asks the clean prompt of a question once for all that share it."""
    sums = 0.0
    shared = [n / cue.counts for cue, n in zip(cues, study.n, strict=True) if cue.shares]
    for cue, n in zip(cues, study.n, strict=True):
        n_asked = n / cue.counts
        clean, biased, spared = (
            _size(size, out_alone) for size in (cue.tokens_clean, cue.tokens_biased, cue.tokens_spared)
        )
        sums += n_asked * biased
        sums -= (n_asked - n) * spared
        sums += 0.0 if once and cue.shares else n_asked * clean
    if once and shared:
        sums += max(shared) * _size(next(cue.tokens_clean for cue in cues if cue.shares), out_alone)
    return sums


def _size(in_and_out: tuple[float, float], out_alone: bool) -> float:
    return in_and_out[1] if out_alone else sum(in_and_out)


STEPS: dict[str, tuple[Callable[[Sequence[Cue], np.random.Generator], Study], bool]] = {
    "original: 600, clean arm for each bias, unpaired": (original, False),
    "clean arm asked once": (original, True),
    "and paired, planned with the rates known": (planned, True),
    "and paired, planned after a pilot of 100": (after_pilot, True),
    "and paired, stopped when narrow, nothing known": (stopped, True),
}


def show(title: str, cues: Sequence[Cue], studies: int) -> dict[str, float]:
    """A table of the protocols; returns the middle ratio of each."""
    print(f"\n{title}: {len(cues)} biases, {studies} simulated studies")
    heads = (
        f"{'questions':>12}{'M tokens':>10}{'ratio, middle 90 %':>20}{'out alone':>11}{'within ±5':>11}{'covers':>8}"
    )
    print(f"{'':50}{heads}")
    ratios: dict[str, float] = {}
    base = [1.0, 1.0]
    for name, (simulate, once) in STEPS.items():
        rng = generator("evidence", title, name)
        simulations = [simulate(cues, rng) for _ in range(studies)]
        totals, outputs = (
            [tokens(cues, s, once=once, out_alone=alone) for s in simulations] for alone in (False, True)
        )
        if not ratios:
            base = [totals[0], outputs[0]]
        low, ratios[name], high = np.quantile(np.array(totals) / base[0], [0.05, 0.5, 0.95])
        n_B = np.mean([s.n for s in simulations], axis=0)
        ends = [(cue.biased - cue.clean, e) for s in simulations for cue, e in zip(cues, s.ends, strict=True)]
        within = np.mean([e.high - e.low <= 2 * WANTED + 2e-3 for _, e in ends])
        covers = np.mean([e.low <= truth <= e.high for truth, e in ends])
        spread = f"{ratios[name]:.2f} ({low:.2f}–{high:.2f})"
        print(
            f"{name:50}{f'{n_B.min():.0f}–{n_B.max():.0f}':>12}{np.mean(totals) / 1e6:>10.2f}{spread:>20}"
            f"{np.median(outputs) / base[1]:>11.2f}{within:>11.0%}{covers:>8.1%}"
        )
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="also at the rates of a study's first arm")
    args = parser.parse_args()
    cue_sets = {
        "GPT-3.5 as published, arms alike": GPT35,
        "GPT-3.5 as published, arms independent": independent(GPT35),
        "the six of them that share a clean arm": tuple(cue for cue in GPT35 if cue.shares),
    }
    if args.folder:
        cue_sets[str(args.folder)] = of_folder(args.folder)
    ratios_of = {title: show(title, cues, args.studies) for title, cues in cue_sets.items()}
    print("\ngoal: at most 0.40 of the original's tokens")
    for title, ratios in ratios_of.items():
        best = min(ratios, key=lambda name: ratios[name])
        print(f"{title}: {ratios[best]:.2f} ({best}), {'kept' if ratios[best] <= 0.4 else 'not kept'}")


if __name__ == "__main__":
    main()
