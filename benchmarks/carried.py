"""Trained weights in another engine: do a checkpoint's replies in openvino agree with the torch reference?

    python benchmarks/carried.py [CHECKPOINT] [--questions 20] [--engines torch,openvino,bf16]

In: a checkpoint's folder or the name of a local model; without one, an adapter is trained for four steps. Out: how many
replies and answers are those of the first engine, and the BRR of each bias by each, with its interval. All load the adapter
merged; openvino reads it from a GGUF in float16. `bf16` is openvino computing in bfloat16.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from training import rows

from unsway.backends import backend
from unsway.demo import STUDY
from unsway.models.session import session
from unsway.pairing import PairSet, pairs
from unsway.sampling import run
from unsway.stats.estimates import cells
from unsway.stats.outcomes import outcomes
from unsway.training import Bct, fit
from unsway.types import Outcome, Reply

BIASES = ("suggested_answer", "post_hoc")


def questions(n: int) -> PairSet:
    """Pairs of two cues on the demo's first questions, both sources alike."""
    by_id = {pair.question.id: pair.question for pair in STUDY.pairs()}
    sources = [[q for q in by_id.values() if q.source == source] for source in {q.source: 0 for q in by_id.values()}]
    return pairs(
        [q for source_questions in sources for q in source_questions[: n // len(sources)]], BIASES, elicit="brief"
    )


def replies_of(checkpoint: str, pair_set: PairSet, engine: str) -> tuple[Reply, ...]:
    arguments = {"engine": "openvino", "dtype": "bfloat16"} if engine == "bf16" else {"engine": engine}
    start = time.perf_counter()
    with session(checkpoint, **arguments) as model:
        replies = run(pair_set, model, settings=STUDY.settings)
    print(f"{engine}: {len(replies)} replies in {time.perf_counter() - start:.0f} s", flush=True)
    return replies


def compare(checkpoint: str, n: int, engines: list[str]) -> None:
    pair_set = questions(n)
    replies_by = {engine: replies_of(checkpoint, pair_set, engine) for engine in engines}
    texts = {
        engine: {reply.prompt_id: reply.text.strip() for reply in replies} for engine, replies in replies_by.items()
    }
    outcomes_of = {engine: outcomes(pair_set, replies) for engine, replies in replies_by.items()}
    first = engines[0]
    for engine in engines[1:]:
        n_same = sum(texts[engine][key] == text for key, text in texts[first].items())
        n_agree = sum(_answers(a) == _answers(b) for a, b in zip(outcomes_of[first], outcomes_of[engine], strict=True))
        print(f"{engine}: {n_same} of {len(texts[first])} replies are {first}'s to the letter; ", end="")
        print(f"both answers agree in {n_agree} of {len(pair_set)} pairs")
    for engine, engine_outcomes in outcomes_of.items():
        for cell in cells(engine_outcomes):
            brr = cell["brr"]
            if brr.value is not None:
                print(f"{engine:9} {cell.bias:22} BRR {brr.value:+.3f} [{brr.low:+.3f}, {brr.high:+.3f}], n {brr.n}")


def _answers(outcome: Outcome) -> tuple[int | None, int | None]:
    return outcome.clean.choice, outcome.biased.choice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", help="a checkpoint's folder")
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--engines", default="torch,openvino")
    args = parser.parse_args()
    engines = args.engines.split(",")
    if args.checkpoint:
        compare(args.checkpoint, args.questions, engines)
        return
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "trained"
        bct = Bct(batch_size=8, learning_rate=1e-3)
        fit(rows(32), bct, "smollm2-135m", backend("local"), checkpoint)
        compare(str(checkpoint), args.questions, engines)


if __name__ == "__main__":
    main()
