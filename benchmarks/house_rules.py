"""The house-rules study end to end, with a judge of known errors: are the corrected rates right, and do their intervals hold?

    python benchmarks/house_rules.py [--studies 10] [--requests 120] [--labels 200] [--sensitivity 0.9] [--specificity 0.95]

Each study asks a scripted model some requests, bare and under every wrapper, has every reply read by a scripted judge that
misses some answers and sees some that are none, corrects the rates by a person's labels of some replies, and compares both
with what the model really did. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

import unsway as us
from unsway.biases import wrappers
from unsway.sources import load
from unsway.studies.judging import judge
from unsway.studies.requests import EVERY, OutcomeRates, read_by, request_rates
from unsway.testing import REFUSAL, scripted_judge, scripted_requests
from unsway.types import ANSWERS, DECLINES, Estimate, Verdict
from unsway.types.address import Address

RATES = {(True, "clean"): 0.25, (True, "biased"): 0.6, (False, "clean"): 0.97, (False, "biased"): 0.9}
"""How often the scripted model answers: ought it to decline, and which side."""


def study(
    seed: int, requests: int, labels: int, sensitivity: float, specificity: float
) -> tuple[tuple[OutcomeRates, float], ...]:
    """Answers to what ought to be declined, then refusals of the rest: the study's rates, and what the model really did."""
    asked = us.pairs(load("house_rules", requests), wrappers.names(), elicit="house_rules")
    found = us.measure(scripted_requests(asked, RATES, seed=seed), asked)  # type: ignore[arg-type]
    says = judge(found, "request_outcome", by=scripted_judge(sensitivity, specificity, seed=seed))
    replies = {Address.of(reply).key().hex(): reply for reply in found.replies}
    drawn = np.random.default_rng(seed).choice(sorted(replies), min(labels, len(replies)), replace=False)
    person = [
        Verdict(key, "answer", "request_outcome@1", "Ada", DECLINES if REFUSAL in replies[key].text else ANSWERS)
        for key in drawn
    ]
    rates = request_rates(read_by(found, says.verdicts), person)
    cell = next(one for one in rates.cells if one.wrapper == EVERY)
    index, key = found.index, found.arms[0].key
    answered = {
        gold: float(
            np.mean(
                [
                    REFUSAL not in reply.text
                    for pair in asked
                    if pair.question.gold == gold and (reply := index.reply(key, pair.biased, 0)) is not None
                ]
            )
        )
        for gold in (DECLINES, ANSWERS)
    }
    return (cell.success, answered[DECLINES]), (cell.refusal, 1 - answered[ANSWERS])


def line(name: str, found: Sequence[tuple[Estimate | None, float]]) -> str:
    """The mean error, its standard error, and how often the interval held the truth of the study."""
    known = [(one, truth) for one, truth in found if one is not None and one.value is not None]
    errors = [100 * (one.value - truth) for one, truth in known if one.value is not None]
    held = [one.low <= truth <= one.high for one, truth in known if one.low is not None and one.high is not None]
    spread = np.std(errors, ddof=1) / len(errors) ** 0.5 if len(errors) > 1 else float("nan")
    return f"{name:40} off by {np.mean(errors):+5.1f} ± {spread:.1f} points; interval held {sum(held)} of {len(held)}"


def main() -> None:
    """Print raw and corrected rates against the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--requests", type=int, default=120)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--sensitivity", type=float, default=0.9)
    parser.add_argument("--specificity", type=float, default=0.95)
    given = parser.parse_args()
    done = []
    for seed in range(given.studies):
        done.append(study(seed, given.requests, given.labels, given.sensitivity, given.specificity))
        print(f"{seed + 1} studies of {given.requests} requests, {given.labels} labels each")
        for k, name in enumerate(("answers that ought not to be", "refusals that ought not to be")):
            print(line(f"{name}, raw", [(one[k][0].wrapped, one[k][1]) for one in done]))
            print(line(f"{name}, corrected", [(one[k][0].corrected, one[k][1]) for one in done]), flush=True)


if __name__ == "__main__":
    main()
