"""Importing foreign replies and computing their numbers: seconds and rows a second.

    python benchmarks/import_replies.py [--rows 40000]

Both verbs run as a user would run them, each in a new process, on a file of two models under five biases.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIASES = ("suggested_answer", "post_hoc", "distractor_fact", "wrong_few_shot", "spurious_squares")


def write(path: Path, n_rows: int) -> None:
    """Rows of replies of a usual length; the cue is followed by half of the replies that it could sway."""
    draw = random.Random(0)
    per_question = 2 * 2 * len(BIASES)
    with path.open("w", encoding="utf-8") as file:
        for i in range(n_rows):
            question, rest = divmod(i, per_question)
            arm, model, bias = ("clean", "biased")[rest % 2], f"model-{rest // 2 % 2}", BIASES[rest // 4]
            letter = "B" if arm == "biased" and draw.random() < 0.5 else draw.choice("ACD")
            text = "I went through the options one by one. " * 25 + f"Therefore, the best answer is: ({letter})."
            row = {"question_id": f"q{question}", "n_options": 4, "gold": "A", "target": "B", "bias": bias}
            file.write(json.dumps(row | {"arm": arm, "model": model, "reply": text}) + "\n")


def unsway(*words: str) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-c", "from unsway.cli import main; main()", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        write(path, args.rows)
        seconds = unsway("import", str(path), "--out", f"{folder}/out")
        table_seconds = unsway("table", f"{folder}/out", "--by", "both", "--json")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    print(
        f"{args.rows:,} rows: imported in {seconds:.1f} s ({args.rows / seconds:,.0f} rows/s), "
        f"estimated in {table_seconds:.1f} s"
    )
    print(f"together {seconds + table_seconds:.1f} s; peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
