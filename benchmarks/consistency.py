"""What each consistency method costs next to BCT: the same pairs, steps and seed, each in a process of its own.

    python benchmarks/consistency.py [--steps 2] [--rows 8] [--methods bct,act,attct,mlpct,act_bct,opct,rmct]
    python benchmarks/consistency.py --direct 0              # all rows with worked examples; 0.2 asks for the bare answer
    python benchmarks/consistency.py --model FOLDER          # another model

Prints wall and CPU seconds of all steps (on a shared machine CPU says more), as ratios to BCT's, peak memory of the process
(of the GPU if there is one), memory still held after the fit, tokens trained on, and losses. The seconds exclude importing,
loading and saving. If other work uses the cores, set OMP_NUM_THREADS=1, because waiting threads count. Goals: at most 1.3
times BCT's CPU seconds for ACT, 1.8 for AttCT, 4 for exact OPCT (RMCT is reported), and 5 GB on the embedded model.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sampling import machine
from training import rows

from unsway.backends import backend
from unsway.backends.local import steps as noting
from unsway.disk import append_row
from unsway.training import fit, method

MOST = {"act": 1.3, "attct": 1.8, "opct": 4.0}
"""Times BCT's CPU seconds that a method may take."""
MOST_MB = 5_000
"""Peak memory on the embedded model."""
SHORT: dict[str, dict[str, Any]] = {"opct": {"max_tokens": 60}, "rmct": {"rollouts": 4, "max_tokens": 60}}
"""Settings that keep sampled replies about as long as the rows' own, and RMCT's as many as OPCT's to each prompt."""


def cpu() -> float:
    """CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def one(name: str, model: str, steps: int, batch: int, direct: float, **sampling: int) -> dict[str, Any]:
    """A fit of one method: seconds, memory, tokens and losses."""
    marks: list[tuple[float, float]] = []

    def mark_row(*row: Any) -> None:  # the first row says how the fit begins, the others are steps
        marks.append((time.perf_counter(), cpu()))
        append_row(*row)

    defaults = SHORT.get(name, {})
    training_method = replace(
        method(name, **defaults | {key: n for key, n in sampling.items() if defaults and n}), batch_size=batch
    )
    with tempfile.TemporaryDirectory() as folder, patch.object(noting, "append_row", mark_row):
        checkpoint = fit(
            rows(steps * batch, direct), replace(training_method, learning_rate=1e-4), model, backend("local"), folder
        )
        text = (Path(folder) / "metrics.jsonl").read_text(encoding="utf-8")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    left_mb = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    import torch

    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated() / 2**20
    lines = [json.loads(line) for line in text.splitlines()]
    return {
        "wall": marks[-1][0] - marks[0][0],
        "cpu": marks[-1][1] - marks[0][1],
        "MB": peak,
        "left": left_mb,
        "tokens": checkpoint.tokens,
        "losses": [round(line["loss"], 4) for line in lines if "loss" in line],
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure each method in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="bct,act,attct,mlpct,act_bct,opct,rmct")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--direct", type=float, default=0.2)
    parser.add_argument("--rollouts", type=int, default=0, help="replies to a prompt, if other than 4")
    parser.add_argument("--max-tokens", type=int, default=0, help="longest sampled reply, if other than 60")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args(words)
    if args.one:
        sampling = {"rollouts": args.rollouts, "max_tokens": args.max_tokens}
        print(json.dumps(one(args.one, args.model, args.steps, args.rows, args.direct, **sampling)))
        return
    print(f"{machine()}\n{args.model}: {args.steps} steps of {args.rows} rows, {args.direct:.0%} of them bare answers")
    heads = ("method", "wall s", "CPU s", "wall ×", "CPU ×", "at most", "MB", "left", "tokens")
    print(*(f"{head:>7}" for head in heads), " losses")
    base: dict[str, Any] = {}
    misses: list[str] = []
    for name in args.methods.split(","):
        command = [sys.executable, __file__, *(sys.argv[1:] if words is None else words), "--one", name]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        result = json.loads(run.stdout.splitlines()[-1])
        base = base or result
        ratios = [result[key] / base[key] for key in ("wall", "cpu")]
        print(
            f"{name:>7} {result['wall']:7.1f} {result['cpu']:7.1f} {ratios[0]:7.2f} {ratios[1]:7.2f} "
            f"{MOST.get(name, '-'):>7} {result['MB']:7.0f} {result['left']:7.0f} {result['tokens']:7d}  {result['losses']}",
            flush=True,
        )
        if ratios[1] > MOST.get(name, float("inf")):
            misses.append(
                f"{name} takes {ratios[1]:.2f} of {args.methods.split(',')[0]}'s CPU seconds, not {MOST[name]}"
            )
        if result["MB"] > MOST_MB:
            misses.append(f"{name} takes {result['MB']:,.0f} MB, not {MOST_MB:,}")
    print("missed: " + "; ".join(misses) if misses else "every goal is met")


if __name__ == "__main__":
    main()
