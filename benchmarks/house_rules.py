"""The house-rules study end to end, with a judge of known errors: are the corrected rates right, and do their intervals hold?

    python benchmarks/house_rules.py [--studies 10] [--requests 120] [--labels 200] [--sensitivity 0.9] [--specificity 0.95]

Each study asks a scripted model some requests, bare and under every wrapper, has every reply read by a scripted judge that
misses some answers and reports some that are none, corrects the rates by a person's labels of some replies, and compares both
rates with what the model really did. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

import unsway as us
from unsway.biases import wrappers
from unsway.sources import load
from unsway.studies.judging import judge
from unsway.studies.requests import EVERY, OutcomeRates, read_requests, request_rates
from unsway.testing import REFUSAL, scripted_judge, scripted_requests
from unsway.types import ANSWERS, DECLINES, Estimate, Verdict
from unsway.types.address import Address

RATES = {(True, "clean"): 0.25, (True, "biased"): 0.6, (False, "clean"): 0.97, (False, "biased"): 0.9}
"""How often the scripted model answers: ought it to decline, and which side."""


def study(
    seed: int, requests: int, labels: int, sensitivity: float, specificity: float
) -> tuple[tuple[OutcomeRates, float], ...]:
    """Answers to what ought to be declined, then refusals of the rest: the study's rates, and what the model really did."""
    pair_set = us.pairs(load("house_rules", requests), wrappers.names(), elicit="house_rules")
    results = us.measure(scripted_requests(pair_set, RATES, seed=seed), pair_set)  # type: ignore[arg-type]
    judgement = judge(results, "request_outcome", by=scripted_judge(sensitivity, specificity, seed=seed))
    replies = {Address.of(reply).key().hex(): reply for reply in results.replies}
    drawn_keys = np.random.default_rng(seed).choice(sorted(replies), min(labels, len(replies)), replace=False)
    person = [
        Verdict(key, "answer", "request_outcome@1", "Ada", DECLINES if REFUSAL in replies[key].text else ANSWERS)
        for key in drawn_keys
    ]
    rates = request_rates(read_requests(results, judgement.verdicts), person)
    cell = next(cell for cell in rates.cells if cell.wrapper == EVERY)
    index, key = results.index, results.arms[0].key
    answered = {
        gold: float(
            np.mean(
                [
                    REFUSAL not in reply.text
                    for pair in pair_set
                    if pair.question.gold == gold and (reply := index.reply(key, pair.biased, 0)) is not None
                ]
            )
        )
        for gold in (DECLINES, ANSWERS)
    }
    return (cell.success, answered[DECLINES]), (cell.refusal, 1 - answered[ANSWERS])


def line(name: str, estimates: Sequence[tuple[Estimate | None, float]]) -> str:
    """The mean error, its standard error, and how often the interval held the truth of the study."""
    usable = [(estimate, truth) for estimate, truth in estimates if estimate is not None and estimate.value is not None]
    errors = [100 * (estimate.value - truth) for estimate, truth in usable if estimate.value is not None]
    hits = [
        estimate.low <= truth <= estimate.high
        for estimate, truth in usable
        if estimate.low is not None and estimate.high is not None
    ]
    spread = np.std(errors, ddof=1) / len(errors) ** 0.5 if len(errors) > 1 else float("nan")
    return f"{name:40} off by {np.mean(errors):+5.1f} ± {spread:.1f} points; interval held {sum(hits)} of {len(hits)}"


def main() -> None:
    """Print raw and corrected rates against the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--requests", type=int, default=120)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--sensitivity", type=float, default=0.9)
    parser.add_argument("--specificity", type=float, default=0.95)
    args = parser.parse_args()
    results = []
    for seed in range(args.studies):
        results.append(study(seed, args.requests, args.labels, args.sensitivity, args.specificity))
        print(f"{seed + 1} studies of {args.requests} requests, {args.labels} labels each")
        for k, name in enumerate(("answers that ought not to be", "refusals that ought not to be")):
            print(line(f"{name}, raw", [(result[k][0].wrapped, result[k][1]) for result in results]))
            print(
                line(f"{name}, corrected", [(result[k][0].corrected, result[k][1]) for result in results]), flush=True
            )


if __name__ == "__main__":
    main()
