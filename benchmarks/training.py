"""Local training: our back-end beside TRL's SFTTrainer at its defaults for LoRA, on the same rows, steps and seed.

    python benchmarks/training.py [--steps 4] [--rows 8] [--sides trl,ours,ordered,whole,eight,two,packed,again]
    python benchmarks/training.py --model FOLDER          # another model; random weights of a published shape: shapes.py

Each side in a process of its own, on the GPU where there is one. Printed: tokens a second (prompts and completions) with
loading and without, CPU seconds (which say more where the machine is shared), peak memory (of the GPU where there is one),
the losses, and ratios; and what the measured bf16 matmul rate would allow: 4 operations a parameter and token, forward and
backward, since the weights of the trunk need no gradient, the output layer apart.
`ordered` is TRL's on the rows of each of our steps, for the losses: by default it shuffles rows, and we put those of like
length together.
Levers: `whole` goes over the beginning of every row, `eight` and `two` take so many rows at once, `packed` lays rows end to
end, `again` computes activations again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from sampling import cpu, machine, matmul_rate, on_gpu
from shapes import size

from unsway.backends import backend
from unsway.backends.rows import Tokens, in_order, tokenise
from unsway.demo import STUDY
from unsway.elicit.prompts import letter
from unsway.run.weights import load_model, locate
from unsway.train import Bct, fit
from unsway.types import Example

RANK = 16


def rows(n: int) -> tuple[Example, ...]:
    """Rows as the demo's are: cued prompts, and replies of a sentence or two."""
    found = []
    for pair in list(STUDY.pairs())[:n]:
        gold = pair.question.gold or 0
        said = f"What is asked for fits {pair.question.options[gold]} best. So the answer is ({letter(gold)})."
        found.append(Example(pair.biased.messages(), said, "consistency", pair.id, "bench"))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Fit:
    """What every side is given."""

    model: str
    """One of ours, or a folder."""
    steps: int
    batch: int

    def examples(self) -> tuple[Example, ...]:
        return rows(self.steps * self.batch)

    def tokens(self) -> list[Tokens]:
        """The rows as they are trained on."""
        weights = locate(self.model)
        return [tokenise(weights, example) for example in self.examples()]


Trained = dict[str, Any]
"""wall: seconds with loading; steps: without; losses."""


def ours(fitted: Fit, **options: bool) -> Trained:
    with tempfile.TemporaryDirectory() as folder:
        how = Bct(batch_size=fitted.batch, lora_rank=RANK, learning_rate=1e-4)
        start = time.perf_counter()
        fit(fitted.examples(), how, fitted.model, backend("local", **options), folder)
        took = time.perf_counter() - start
        lines = next(Path(folder).rglob("metrics.jsonl")).read_text(encoding="utf-8").splitlines()
    return {"wall": took} | logged([json.loads(line) for line in lines])


def logged(log: Sequence[Mapping[str, Any]]) -> Trained:
    """What transformers' trainer says of a fit."""
    (runtime,) = (row["train_runtime"] for row in log if "train_runtime" in row)
    return {"steps": runtime, "losses": [row["loss"] for row in log if "loss" in row]}


def whole(fitted: Fit) -> Trained:
    from unsway.backends import target_loss

    target_loss.shared_start = lambda ids, labels: 0  # type: ignore[assignment]
    return ours(fitted)


def at_once(rows_at_once: int) -> Callable[[Fit], Trained]:
    def side(fitted: Fit) -> Trained:
        from unsway.backends import trainers

        trainers.ROWS_AT_ONCE = {"cpu": rows_at_once, "cuda": rows_at_once}
        return ours(fitted)

    return side


def trl(fitted: Fit, *, ordered: bool = False) -> Trained:
    """SFTTrainer at its defaults for LoRA on the same tokens; with `ordered`, each step on the rows that ours takes."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    ids = fitted.tokens()
    with tempfile.TemporaryDirectory() as folder:
        args = SFTConfig(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=fitted.batch,
            learning_rate=1e-4,
            lr_scheduler_type="linear",
            warmup_steps=1,
            train_sampling_strategy="sequential" if ordered else "random",
            logging_steps=1,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=not on_gpu(),
            dataloader_pin_memory=False,
            max_length=None,
        )
        adapter = LoraConfig(r=RANK, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        order = in_order(ids, fitted.batch, 1, Bct().seed) if ordered else range(len(ids))
        start = time.perf_counter()
        weights = locate(fitted.model)
        trainer = SFTTrainer(
            model=load_model(weights),
            args=args,
            train_dataset=Dataset.from_list([ids[i] for i in order]),
            processing_class=weights.tokenizer,
            peft_config=adapter,
        )
        trainer.train()
        took = time.perf_counter() - start
    return {"wall": took} | logged(trainer.state.log_history)


SIDES: dict[str, Callable[[Fit], Trained]] = {
    "ours": ours,
    "trl": trl,
    "ordered": lambda fitted: trl(fitted, ordered=True),
    "whole": whole,
    "thirtytwo": at_once(32),
    "sixteen": at_once(16),
    "eight": at_once(8),
    "two": at_once(2),
    "packed": lambda fitted: ours(fitted, packing=True),
    "again": lambda fitted: ours(fitted, gradient_checkpointing=True),
}


def peak_mb() -> float:
    """Of the GPU where there is one, else of this process."""
    import torch

    if on_gpu():
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def child(side: str, fitted: Fit, path: Path) -> None:
    found = SIDES[side](fitted)
    path.write_text(json.dumps(found | {"MB": peak_mb(), "cpu": cpu()}), encoding="utf-8")


def n_tokens(fitted: Fit) -> tuple[int, int]:
    """Tokens of the rows, and of those that go through the model where each step's beginning does once."""
    ids = fitted.tokens()
    order = in_order(ids, fitted.batch, 1, Bct().seed)
    all_, spared = sum(len(row["input_ids"]) for row in ids), 0
    for start in range(0, len(order), fitted.batch):
        step = [ids[i]["input_ids"] for i in order[start : start + fitted.batch]]
        alike = takewhile(lambda column: len(set(column)) == 1, zip(*step, strict=False))
        spared += (len(step) - 1) * sum(1 for _ in alike)
    return all_, all_ - spared


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--sides", default="trl,ours,ordered")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--path", type=Path)
    args = parser.parse_args()
    fitted = Fit(args.model, args.steps, args.rows)
    if args.child:
        child(args.child, fitted, args.path)
        return
    sizes = size(locate(args.model).folder)
    n, computed = n_tokens(fitted)
    print(f"{args.model}, {args.steps} steps of {args.rows} rows, {n:,} tokens", end="")
    print(f" ({computed:,} with each beginning once), {machine()}")
    found: dict[str, Trained] = {}
    for side in args.sides.split(","):
        found[side] = measured(side, sys.argv[1:])
        show(side, n, found[side], next(iter(found.values())))
    if "ours" in found:
        most = matmul_rate(sizes, "bfloat16") / (4 * sizes.layers)
        took = found["ours"]["steps" if on_gpu() else "wall"]
        rate = computed / took
        print(
            f"bf16 matmuls alone would allow {most:,.0f} tokens/s; ours puts through {rate:,.0f} ({rate / most:.0%})",
            end="",
        )
        by_cpu = computed / found["ours"]["cpu"] * (os.cpu_count() or 1)
        print("" if on_gpu() else f", {by_cpu:,.0f} by its CPU seconds ({by_cpu / most:.0%})")


def measured(side: str, arguments: list[str]) -> Trained:
    """A side in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        command = [sys.executable, __file__, *arguments, "--child", side, "--path", str(path)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{side} failed:\n{done.stderr[-2000:]}")
        found: Trained = json.loads(path.read_text(encoding="utf-8"))
    return found


def show(side: str, n: int, body: Trained, first: Trained) -> None:
    faster, by_cpu, memory = first["wall"] / body["wall"], first["cpu"] / body["cpu"], body["MB"] / first["MB"]
    said = [
        f"{side:9}{n / body['wall']:8,.0f} tokens/s with loading, {n / body['steps']:8,.0f} without",
        f"{body['cpu']:5.0f} CPU s, {body['MB']:6,.0f} MB",
        f"{faster:.2f} × the first's tokens a second ({first['steps'] / body['steps']:.2f} × without loading)",
        f"{by_cpu:.2f} × by CPU seconds, {memory:.2f} × its memory",
        "losses " + " ".join(f"{loss:.3f}" for loss in body["losses"]),
    ]
    print("; ".join(said), flush=True)


if __name__ == "__main__":
    main()
