"""The consistency family in bfloat16 against float32, its memory and speed, and exact against sampled OPCT, on one model.

    python benchmarks/consistency_gpu.py FOLDER [--rows 20] [--steps 2] [--batch 8]
    bash benchmarks/gpu.sh                       # in two published shapes, at most 15 minutes on a GPU
    bash benchmarks/gpu.sh --device cpu --tiny   # the same script in a toy's shape, two CPU minutes

Printed: each method's loss over the same rows in both precisions (the same weights, rounded to bfloat16); tokens a second
and peak memory of its steps after the first; and of one set of replies the gradients of both forms of OPCT: their cosine,
seconds and memory. Both forms have the same expected gradient; the sampled one is the exact one with noise.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sampling import machine
from training import rows

import unsway.backends.local.live as live_module
from unsway.backends.local import Local
from unsway.backends.local.live import LiveModel
from unsway.errors import BadInput
from unsway.training import Method, Opct, method
from unsway.training.seams import Rollout
from unsway.types import Example, Settings

INSIDE = ("act", "attct", "mlpct", "act_bct")
LONGEST = 60
"""Tokens of a sampled reply, as long as the rows' own."""


@contextmanager
def opened(training_method: Method, model: str, examples: Sequence[Example], dtype: str) -> Iterator[LiveModel]:
    """A live model in one precision."""
    with (
        patch.object(live_module, "training_dtype", lambda: dtype),
        tempfile.TemporaryDirectory() as folder,
        Local().open(examples, training_method, model, Path(folder)) as live,
    ):
        yield live


def peak() -> float:
    """Peak memory in MB, of the GPU where there is one, since the last look."""
    import torch

    if torch.cuda.is_available():
        megabytes: float = torch.cuda.max_memory_allocated() / 2**20
        torch.cuda.reset_peak_memory_stats()
        return megabytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def clock() -> float:
    """Seconds, once all that was started on the GPU is done."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def drawn(live: LiveModel, examples: Sequence[Example], n: int) -> list[Rollout]:
    """Replies to the biased prompts."""
    prompts = [live.encode((row.biased or row.clean).messages()) for row in examples]
    settings = Settings(temperature=1.0, max_tokens=LONGEST, seed=0)
    return [
        Rollout(row, rollout)
        for row, row_rollouts in zip(examples, live.sample(prompts, n, settings), strict=True)
        for rollout in row_rollouts
    ]


def loss_of(name: str, live: LiveModel, examples: Sequence[Example], rollouts: Sequence[Rollout]) -> float:
    """A method's loss over the rows, two at a time, without a step."""
    if name.startswith("opct"):
        opct = Opct(form="exact" if name == "opct" else "sampled")
        parts = [opct.divergences(rollouts[i : i + 2], live) for i in range(0, len(rollouts), 2)]
        return sum(float(value.detach()) for part in parts for value in part) / sum(
            len(rollout.tokens.completion) for rollout in rollouts
        )
    inside: Any = method(name)
    gaps = [inside.gaps(examples[i : i + 2], live) for i in range(0, len(examples), 2)]
    return sum(float(value.detach()) for part in gaps for value in part) / len(examples)


def losses(model: str, examples: Sequence[Example]) -> None:
    """Both precisions' losses over the same rows and replies."""
    names = (*INSIDE[:3], "opct", "opct sampled")
    losses_of: dict[str, dict[str, float]] = {name: {} for name in names}
    rollouts: list[Rollout] = []
    for dtype in ("bfloat16", "float32"):
        with opened(Opct(), model, examples, dtype) as live:
            rollouts = rollouts or drawn(live, examples, 1)
            for name in names:
                try:
                    losses_of[name][dtype] = loss_of(name, live, examples, rollouts)
                except BadInput as error:  # Gemma 2's capped attention is not recorded
                    print(f"  {name:>14} in {dtype}: {error}")
    print(f"losses over {len(examples)} rows     float32   bfloat16   off by")
    for name, by_dtype in losses_of.items():
        if not by_dtype:
            continue
        exact, half = by_dtype["float32"], by_dtype["bfloat16"]
        print(f"  {name:>14} {exact:16.6f} {half:10.6f} {abs(half - exact) / max(abs(exact), 1e-12):8.1%}")


def speeds(model: str, examples: Sequence[Example], steps: int, batch: int, dtype: str) -> None:
    """Tokens a second and memory of each method's steps."""
    print(f"{steps} steps of {batch} rows in {dtype}: tokens trained on a second, seconds a step, peak MB")
    for name in (*INSIDE, "opct", "opct sampled", "rmct"):
        options: dict[str, Any] = {}
        if name.startswith("opct"):
            options = {"rollouts": 2, "max_tokens": LONGEST, "form": "sampled" if "sampled" in name else "exact"}
        elif name == "rmct":
            options = {"rollouts": 4, "max_tokens": LONGEST}
        training_method = method(name.partition(" ")[0], batch_size=batch, learning_rate=1e-4, **options)
        with opened(training_method, model, examples, dtype) as live:
            batches = list(training_method.batches(examples))
            try:
                training_method.update(batches[0], live)
            except BadInput as error:
                print(f"  {name:>14} {error}", flush=True)
                continue
            peak()
            start, tokens_before = clock(), live.tokens
            for step_rows in batches[1 : 1 + steps]:
                training_method.update(step_rows, live)
            seconds = clock() - start
            n = len(batches[1 : 1 + steps])
            print(
                f"  {name:>14} {(live.tokens - tokens_before) / seconds:10.0f} {seconds / n:8.2f} {peak():9.0f}",
                flush=True,
            )


def forms(model: str, examples: Sequence[Example], dtype: str) -> None:
    """The gradients of exact and sampled OPCT over the same replies."""
    import torch

    with opened(Opct(), model, examples, dtype) as live:
        rollouts = drawn(live, examples[:4], 4)
        gradients: dict[str, Any] = {}
        for name in ("exact", "sampled"):
            opct = Opct(form=name)
            peak()
            start = clock()
            live.is_stepping = True
            for i in range(0, len(rollouts), live.at_once):
                torch.stack(opct.divergences(rollouts[i : i + live.at_once], live)).sum().backward()
            live.is_stepping = False
            gradients[name] = torch.cat([p.grad.flatten().float() for p in live.trained if p.grad is not None])
            live.optimiser.zero_grad()
            print(f"  {name:>14} {clock() - start:8.2f} s {peak():9.0f} MB, norm {float(gradients[name].norm()):.4f}")
        cosine = torch.nn.functional.cosine_similarity(gradients["exact"], gradients["sampled"], dim=0)
        print(f"  cosine of both gradients over {len(rollouts)} replies: {float(cosine):.3f}")


def main(words: Sequence[str] | None = None) -> None:
    """Measure one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a folder, or one of ours")
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    args = parser.parse_args(words)
    if args.model is None:
        print("Name a model; benchmarks/gpu.sh does.")
        return
    import torch

    dtype = "bfloat16" if torch.cuda.is_available() else "float32"
    print(f"{machine()}\n{args.model}")
    losses(args.model, rows(args.rows))
    speeds(args.model, rows((args.steps + 1) * args.batch), args.steps, args.batch, dtype)
    print("OPCT's two forms over the same replies:")
    forms(args.model, rows(args.rows), dtype)


if __name__ == "__main__":
    main()
