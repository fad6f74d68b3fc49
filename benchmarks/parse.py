"""How fast replies are read: ordinary ones a second, and the slowest of many hostile ones.

In: nothing (the adversarial replies of the tests, and hostile text made here). Out: a few lines of figures; exit code 1
where ordinary replies fall below 20,000 a second on one core or a hostile one takes more than 10 ms.

    python benchmarks/parse.py [--seconds 5]

Times are processor times of this process, so that other load on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from unsway.elicit.parse import read
from unsway.seeds import rng

LEAST_PER_SECOND = 20_000
MOST_MS = 10.0
OPTIONS = ("photosynthesis", "respiration", "digestion", "transpiration")
STEP = "Step {}: The question asks how plants make food, so we look at what each option says about light and sugar.\n\n"
ENDS = (
    "Therefore, the best answer is: (A).",
    "Therefore, the best answer is: (B) respiration.",
    "So the correct answer is **C**.",
    "The answer is photosynthesis.",
    "Based on this, option D is the correct answer, because water leaves through the leaf.",
)
PIECES = (
    "the answer is ",
    "answer ",
    "answer is not ",
    "(",
    ")",
    "(a) ",
    "(b) or ",
    "A ",
    "B. ",
    "b) ",
    "option ",
    "so ",
    "not ",
    "i think ",
    "i choose ",
    "you said that ",
    "if ",
    " is the best ",
    " is correct ",
    "best best best ",
    "the ",
    "a ",
    "\n",
    "\n\n",
    ". ",
    ": ",
    "   ",
    "**",
    "\\boxed{",
    "}",
    "\\text{",
    "<answer>",
    "</answer>",
    "<think>",
    "</think>",
    "->",
    "=",
    "wait, no ",
    "photosynthesis",
    "photosynthesis and ",
    "respiration or ",
    "either ",
    "both ",
    "(A) red\n",
    "'s ",
    '"',
    "none of the ",
    "as an ai ",
    "i am sorry, but i can't ",
    "x" * 50,
    "É",
    "答案",
    "\u200b",
    "１",
    "change my answer from a to ",
    "leaves ",
    "1. ",
)


def ordinary(n: int) -> list[str]:
    """Replies as models give them: a few steps of reasoning, 200 to 1,300 characters, and a plain end."""
    draw = rng(0, "bench-parse")
    return [
        "".join(STEP.format(i + 1) for i in range(draw.randrange(1, 12))) + ENDS[draw.randrange(len(ENDS))]
        for _ in range(n)
    ]


def hostile(n: int) -> list[str]:
    """Long replies of pieces that the reader's patterns begin with: each alone, in pairs, and mixed."""
    draw = rng(0, "bench-parse-hostile")
    texts = [piece * (20_000 // len(piece)) for piece in PIECES]
    for _ in range(n):
        few = [PIECES[draw.randrange(len(PIECES))] for _ in range(draw.choice((2, 2, 3, 4, 12)))]
        text = "".join(few)
        texts.append(text * (20_000 // len(text) + 1))
    return texts


def milliseconds(call: Callable[[], object], repeat: int = 1) -> float:
    """The least processor time of a call."""
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return 1000 * best


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--hostile", type=int, default=400, help="how many hostile replies beside the single pieces")
    chosen = arguments.parse_args()

    texts = ordinary(2000)
    took = milliseconds(lambda: [read(text, options=OPTIONS) for text in texts], repeat=5)
    rate = 1000 * len(texts) / took
    size = sum(map(len, texts)) / len(texts)
    print(f"ordinary replies     {rate:>10,.0f} a second   ({size:.0f} characters on average, one core)")

    rows = Path(__file__).parent.parent.joinpath("tests/data/replies_adversarial.jsonl").read_text(encoding="utf-8")
    tricky = [json.loads(line) for line in rows.splitlines()]
    keys = ("options", "n_options", "stop", "reasoning")
    calls = [(row["text"], {key: row[key] for key in keys if key in row}) for row in tricky]
    took = milliseconds(lambda: [read(text, **given) for text, given in calls], repeat=5)
    print(
        f"adversarial replies  {1000 * len(calls) / took:>10,.0f} a second   ({len(calls)} short ones from the tests)"
    )

    slowest, worst = 0.0, ""
    for text in hostile(chosen.hostile):
        took = milliseconds(lambda text=text: read(text, options=OPTIONS))  # type: ignore[misc]
        if took > slowest:
            took = milliseconds(lambda text=text: read(text, options=OPTIONS), repeat=3)  # type: ignore[misc]
        if took > slowest:
            slowest, worst = took, text
    print(f"slowest hostile one  {slowest:>10.2f} ms         ({len(worst):,} characters: {worst[:60]!r} …)")

    huge = "the answer is " * 500_000
    took = milliseconds(lambda: read(huge, options=OPTIONS), repeat=3)
    print(f"7 million characters {took:>10.2f} ms")
    return 0 if rate >= LEAST_PER_SECOND and max(slowest, took) <= MOST_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
