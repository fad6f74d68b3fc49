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
def opened(how: Method, model: str, of: Sequence[Example], dtype: str) -> Iterator[LiveModel]:
    """A live model in one precision."""
    with (
        patch.object(live_module, "training_dtype", lambda: dtype),
        tempfile.TemporaryDirectory() as folder,
        Local().open(of, how, model, Path(folder)) as live,
    ):
        yield live


def peak() -> float:
    """Peak memory in MB, of the GPU where there is one, since the last look."""
    import torch

    if torch.cuda.is_available():
        found: float = torch.cuda.max_memory_allocated() / 2**20
        torch.cuda.reset_peak_memory_stats()
        return found
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def clock() -> float:
    """Seconds, once all that was started on the GPU is done."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def drawn(live: LiveModel, of: Sequence[Example], n: int) -> list[Rollout]:
    """Replies to the biased prompts."""
    prompts = [live.encode((row.biased or row.clean).messages()) for row in of]
    settings = Settings(temperature=1.0, max_tokens=LONGEST, seed=0)
    return [
        Rollout(row, each) for row, found in zip(of, live.sample(prompts, n, settings), strict=True) for each in found
    ]


def loss_of(name: str, live: LiveModel, of: Sequence[Example], said: Sequence[Rollout]) -> float:
    """A method's loss over the rows, two at a time, without a step."""
    if name.startswith("opct"):
        how = Opct(form="exact" if name == "opct" else "sampled")
        parts = [how.divergences(said[i : i + 2], live) for i in range(0, len(said), 2)]
        return sum(float(each.detach()) for part in parts for each in part) / sum(
            len(each.tokens.completion) for each in said
        )
    inside: Any = method(name)
    gaps = [inside.gaps(of[i : i + 2], live) for i in range(0, len(of), 2)]
    return sum(float(each.detach()) for part in gaps for each in part) / len(of)


def losses(model: str, of: Sequence[Example]) -> None:
    """Both precisions' losses over the same rows and replies."""
    names = (*INSIDE[:3], "opct", "opct sampled")
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    said: list[Rollout] = []
    for dtype in ("bfloat16", "float32"):
        with opened(Opct(), model, of, dtype) as live:
            said = said or drawn(live, of, 1)
            for name in names:
                try:
                    found[name][dtype] = loss_of(name, live, of, said)
                except BadInput as error:  # Gemma 2's capped attention is not recorded
                    print(f"  {name:>14} in {dtype}: {error}")
    print(f"losses over {len(of)} rows     float32   bfloat16   off by")
    for name, both in found.items():
        if not both:
            continue
        exact, half = both["float32"], both["bfloat16"]
        print(f"  {name:>14} {exact:16.6f} {half:10.6f} {abs(half - exact) / max(abs(exact), 1e-12):8.1%}")


def speeds(model: str, of: Sequence[Example], steps: int, batch: int, dtype: str) -> None:
    """Tokens a second and memory of each method's steps."""
    print(f"{steps} steps of {batch} rows in {dtype}: tokens trained on a second, seconds a step, peak MB")
    for name in (*INSIDE, "opct", "opct sampled", "rmct"):
        more: dict[str, Any] = {}
        if name.startswith("opct"):
            more = {"rollouts": 2, "max_tokens": LONGEST, "form": "sampled" if "sampled" in name else "exact"}
        elif name == "rmct":
            more = {"rollouts": 4, "max_tokens": LONGEST}
        how = method(name.partition(" ")[0], batch_size=batch, learning_rate=1e-4, **more)
        with opened(how, model, of, dtype) as live:
            batches = list(how.batches(of))
            try:
                how.update(batches[0], live)
            except BadInput as error:
                print(f"  {name:>14} {error}", flush=True)
                continue
            peak()
            start, before = clock(), live.tokens
            for each in batches[1 : 1 + steps]:
                how.update(each, live)
            took = clock() - start
            n = len(batches[1 : 1 + steps])
            print(f"  {name:>14} {(live.tokens - before) / took:10.0f} {took / n:8.2f} {peak():9.0f}", flush=True)


def forms(model: str, of: Sequence[Example], dtype: str) -> None:
    """The gradients of exact and sampled OPCT over the same replies."""
    import torch

    with opened(Opct(), model, of, dtype) as live:
        said = drawn(live, of[:4], 4)
        found: dict[str, Any] = {}
        for name in ("exact", "sampled"):
            how = Opct(form=name)
            peak()
            start = clock()
            live.is_stepping = True
            for i in range(0, len(said), live.at_once):
                torch.stack(how.divergences(said[i : i + live.at_once], live)).sum().backward()
            live.is_stepping = False
            found[name] = torch.cat([p.grad.flatten().float() for p in live.trained if p.grad is not None])
            live.optimiser.zero_grad()
            print(f"  {name:>14} {clock() - start:8.2f} s {peak():9.0f} MB, norm {float(found[name].norm()):.4f}")
        cosine = torch.nn.functional.cosine_similarity(found["exact"], found["sampled"], dim=0)
        print(f"  cosine of both gradients over {len(said)} replies: {float(cosine):.3f}")


def main(words: Sequence[str] | None = None) -> None:
    """Measure one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a folder, or one of ours")
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    given = parser.parse_args(words)
    if given.model is None:
        print("Name a model; benchmarks/gpu.sh does.")
        return
    import torch

    dtype = "bfloat16" if torch.cuda.is_available() else "float32"
    print(f"{machine()}\n{given.model}")
    losses(given.model, rows(given.rows))
    speeds(given.model, rows((given.steps + 1) * given.batch), given.steps, given.batch, dtype)
    print("OPCT's two forms over the same replies:")
    forms(given.model, rows(given.rows), dtype)


if __name__ == "__main__":
    main()
