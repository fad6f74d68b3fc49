"""Trained weights in another engine: does what openvino says of a checkpoint agree with the torch reference?

    python benchmarks/carried.py [CHECKPOINT] [--questions 20]

In: a checkpoint's folder; without one, an adapter is trained for four steps. Out: how many replies and answers of both
engines are the same, and the BRR of each bias by both, with its interval. Both engines load the adapter merged; openvino
reads it from a GGUF in float16.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from training import rows

from unsway.backends import backend
from unsway.demo import STUDY
from unsway.measure.estimates import cells
from unsway.measure.outcomes import outcomes
from unsway.pairs import PairSet, pairs
from unsway.run import run, session
from unsway.train import Bct, fit
from unsway.types import Outcome, Reply

BIASES = ("suggested_answer", "post_hoc")


def questions(n: int) -> PairSet:
    """Pairs of two cues on the demo's first questions, both sources alike."""
    mine = {pair.question.id: pair.question for pair in STUDY.pairs()}
    sources = [[q for q in mine.values() if q.source == source] for source in {q.source: 0 for q in mine.values()}]
    return pairs([q for each in sources for q in each[: n // len(sources)]], BIASES, elicit="brief")


def replies_of(checkpoint: str, asked: PairSet, engine: str) -> tuple[Reply, ...]:
    start = time.perf_counter()
    with session(checkpoint, engine=engine) as model:
        found = run(asked, model, settings=STUDY.settings)
    print(f"{engine}: {len(found)} replies in {time.perf_counter() - start:.0f} s", flush=True)
    return found


def compare(checkpoint: str, n: int) -> None:
    asked = questions(n)
    said = {engine: replies_of(checkpoint, asked, engine) for engine in ("torch", "openvino")}
    texts = [{reply.prompt_id: reply.text.strip() for reply in replies} for replies in said.values()]
    same = sum(texts[0][key] == texts[1][key] for key in texts[0])
    read = {engine: outcomes(asked, replies) for engine, replies in said.items()}
    agree = sum(_answers(a) == _answers(b) for a, b in zip(*read.values(), strict=True))
    print(
        f"{same} of {len(texts[0])} replies are the same to the letter; both answers agree in {agree} of {len(asked)} pairs"
    )
    for engine, found in read.items():
        for cell in cells(found):
            brr = cell["brr"]
            if brr.value is not None:
                print(f"{engine:9} {cell.bias:22} BRR {brr.value:+.3f} [{brr.low:+.3f}, {brr.high:+.3f}], n {brr.n}")


def _answers(outcome: Outcome) -> tuple[int | None, int | None]:
    return outcome.clean.choice, outcome.biased.choice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", help="a checkpoint's folder")
    parser.add_argument("--questions", type=int, default=20)
    args = parser.parse_args()
    if args.checkpoint:
        compare(args.checkpoint, args.questions)
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "trained"
        how = Bct(batch_size=8, learning_rate=1e-3)
        fit(rows(32), how, "smollm2-135m", backend("local"), place)
        compare(str(place), args.questions)


if __name__ == "__main__":
    main()
