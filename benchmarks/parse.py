"""How well and how fast replies are read.

In: nothing (the adversarial replies of the tests, ordinary and hostile text made here), and the replies whose answers people
recorded, if they are available (the folder that UNSWAY_PARITY_DATA names, else `shared/data` beside the repository). Out: a
few lines of figures; exit code 1 if one misses its goal:

    recorded answers     at least 99 % read alike, and no letter wrong
    adversarial replies  all as they should be
    ordinary replies     at least 20,000 a second, on one core
    hostile replies      none above 10 ms, however long

    python benchmarks/parse.py                       # or, as a test that prints the same: pytest tests/test_parse_figures.py

Times are processor times of this process, so that other load on the machine counts little.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NamedTuple

from unsway.readers.parse import PARSER, read
from unsway.seeds import rng

ROOT = Path(__file__).parent.parent
RECORDED = (
    Path(os.environ.get("UNSWAY_PARITY_DATA", ROOT.parent / "shared" / "data")) / "human-labels/coherence_dev.jsonl.gz"
)
LEAST_ALIKE = 0.99
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
    "! ",
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


SHAPES = (
    "ÉÉ)answer (a) **photosynthesis and }b) . the answer is so ",
    "—.C: b) .:  **\n-stands  A: 0.3as \\boit is sensible to the thirdose Éice (d)ed{n ai ",
    "—.C: b\n **\n-sanswerßeither (a) or ndyou sai\\text{A}photosynthesis, hat   A: 0.3as an ai ",
    "、;choice (d)# Answer\n<!--答案是is incorrect </b>C: is the best change my answer from a to 's choice (d)--> ",
    "<answer>B</answer>. É.  is the best answer is not ",
    "either pick pick pick it is sensible to choose it is sensible to choose \n- ",
    "hmm  no,  photosynthesis and  С , ß you said  答案是 \\text{ choice (d) answer is not ",
    "! ! ! the best answer the best answer the best answer correct answer ",
    "(A) red\nwait wait wait you said ",
    "?\nA. photosynthesis B. respiration if i had to say ",
)
"""The slowest shapes that a search over concatenations of such pieces has found."""


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
    texts = [piece * (200_000 // len(piece)) for piece in (*PIECES, *SHAPES)]
    for i in range(n):
        pieces = [PIECES[draw.randrange(len(PIECES))] for _ in range(draw.choice((2, 2, 3, 4, 12)))]
        text = "".join(pieces)
        texts.append(text * ((200_000 if i % 2 else 20_000) // len(text) + 1))
    return texts


def milliseconds(call: Callable[[], object], repeat: int = 1) -> float:
    """The least processor time of a call."""
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return 1000 * best


class Figure(NamedTuple):
    """One line of the figures."""

    name: str
    said: str
    good: bool


def recorded() -> Figure:
    """The 229 replies of GPT-3.5 whose answers the authors of arXiv 2403.05518 recorded."""
    if not RECORDED.exists():
        return Figure("recorded answers", "not at hand", True)
    with gzip.open(RECORDED, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    alike = wrong = 0
    for row in rows:
        options = re.split(r"(?:^|\n)\([A-Z]\) ", row["clean_question"].split("Answer choices:\n")[1])[1:]
        choice = read(row["reply"], options=options).choice
        alike += choice is not None and ascii_uppercase[choice] == row["parsed_answer"]
        wrong += choice is not None and ascii_uppercase[choice] != row["parsed_answer"]
    text = f"{alike} of {len(rows)} read alike ({100 * alike / len(rows):.1f} %), {wrong} wrong letters"
    return Figure("recorded answers", text, alike >= LEAST_ALIKE * len(rows) and not wrong)


def adversarial() -> list[dict[str, Any]]:
    """The hand-written replies of the tests."""
    text = ROOT.joinpath("tests/data/replies_adversarial.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def written() -> Figure:
    """Each adversarial reply against what it should be read as."""
    rows, keys = adversarial(), ("options", "n_options", "stop", "reasoning")
    answers = [read(row["text"], **{key: row[key] for key in keys if key in row}) for row in rows]
    alike = sum((a.choice, a.status) == (row["choice"], row["status"]) for a, row in zip(answers, rows, strict=True))
    elapsed = milliseconds(
        lambda: [read(row["text"], **{k: row[k] for k in keys if k in row}) for row in rows], repeat=3
    )
    summary = f"{alike} of {len(rows)} as they should be ({1000 * len(rows) / elapsed:,.0f} a second)"
    return Figure("adversarial replies", summary, alike == len(rows) >= 150)


def speed() -> Figure:
    """Ordinary replies a second."""
    texts = ordinary(2000)
    rate = 1000 * len(texts) / milliseconds(lambda: [read(text, options=OPTIONS) for text in texts], repeat=5)
    size = sum(map(len, texts)) / len(texts)
    return Figure(
        "ordinary replies",
        f"{rate:,.0f} a second ({size:.0f} characters on average, one core)",
        rate >= LEAST_PER_SECOND,
    )


def slowest(n: int) -> Figure:
    """The slowest of many hostile replies, and one of seven million characters."""
    slowest_ms, slowest_text = 0.0, ""
    for text in [*hostile(n), "the answer is " * 500_000]:
        elapsed = milliseconds(lambda text=text: read(text, options=OPTIONS))  # type: ignore[misc]
        if elapsed > slowest_ms:
            elapsed = milliseconds(lambda text=text: read(text, options=OPTIONS), repeat=4)  # type: ignore[misc]
        if elapsed > slowest_ms:
            slowest_ms, slowest_text = elapsed, text
    number = n + len(PIECES) + len(SHAPES) + 1
    summary = (
        f"{slowest_ms:.1f} ms for the slowest of {number} ({len(slowest_text):,} characters: {slowest_text[:40]!r} …)"
    )
    return Figure("hostile replies", summary, slowest_ms <= MOST_MS)


def figures(n_hostile: int = 400) -> list[Figure]:
    """All of them."""
    return [recorded(), written(), speed(), slowest(n_hostile)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hostile", type=int, default=400, help="how many hostile replies beside the single pieces")
    all_figures = figures(parser.parse_args().hostile)
    print(PARSER)
    for figure in all_figures:
        print(f"{figure.name:<20} {figure.said}{'' if figure.good else '   ✗'}")
    return 0 if all(figure.good for figure in all_figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
