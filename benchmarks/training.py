"""Local training: our back-end and TRL's SFTTrainer at its defaults for LoRA, on the same rows, steps and seed.

    python benchmarks/training.py [--steps 4] [--rows 8] [--sides trl,ours,ordered,whole,eight,two,packed,again]
    python benchmarks/training.py --model FOLDER          # another model; random weights of a published shape: shapes.py

Each side in its own process, on the GPU if there is one. Prints tokens a second (prompts and completions), with loading, and
only of the steps after the first, which on a GPU loads kernels; CPU seconds (which say more on a shared machine), peak
memory (of the GPU if there is one), the losses, and ratios; and what the measured bf16 matmul rate would
allow: 4 operations a parameter and token, forward and backward, since the weights of the trunk need no gradient, the output
layer apart.
`ordered` is TRL on the rows of each of our steps, to compare losses: TRL shuffles rows, and we put rows of similar length
together. Variants of ours: `whole` computes the beginning of every row, `shared` a common beginning once (the default on a
CPU), `eight` and `two` that many rows at once, `packed` lays rows end to end, `again` computes activations again.
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
from pathlib import Path
from typing import Any

from sampling import cpu, machine, matmul_rate, on_gpu
from shapes import size

from unsway.backends import backend
from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.rows import TokenRow, in_order, tokenise
from unsway.demo import STUDY
from unsway.models.weights import load_model, locate
from unsway.prompts.render import letter
from unsway.training import Bct, fit
from unsway.types import Example

RANK = 16


def rows(n: int, direct: float = 0.0) -> tuple[Example, ...]:
    """Rows as the demo's are: cued prompts, and replies of a sentence or two; a share of them asks for the bare answer."""
    examples = []
    bare = list(STUDY.but(elicit="direct").pairs()) if direct else []
    for i, pair in enumerate(list(STUDY.pairs())[:n]):
        is_bare = int((i + 1) * direct) > int(i * direct)
        pair = bare[i] if is_bare else pair
        gold = pair.question.gold or 0
        reply = f"What is asked for fits {pair.question.options[gold]} best. So the answer is ({letter(gold)})."
        reply = f"({letter(gold)})" if is_bare else reply
        options = pair.question.options
        examples.append(Example(pair.clean, pair.biased, reply, pair.target, options, "consistency", pair.id, "bench"))
    return tuple(examples)


@dataclass(frozen=True, slots=True)
class Fit:
    """What every side is given."""

    model: str
    """One of ours, or a folder."""
    steps: int
    batch: int

    def examples(self) -> tuple[Example, ...]:
        return rows(self.steps * self.batch)

    def tokens(self) -> list[TokenRow]:
        """The rows as they are trained on."""
        weights = locate(self.model)
        return tokenise(ReplyFormat.of(weights), [Bct().texts(example) for example in self.examples()])


Trained = dict[str, Any]
"""wall: seconds with loading; rate: tokens a second after the first step; spared: tokens of beginnings that went through the
model once for several rows; losses; MB; cpu."""


def ours(workload: Fit, **options: int) -> Trained:
    with tempfile.TemporaryDirectory() as folder:
        bct = Bct(batch_size=workload.batch, lora_rank=RANK, learning_rate=1e-4)
        start = time.perf_counter()
        fit(workload.examples(), bct, workload.model, backend("local", **options), folder)
        seconds = time.perf_counter() - start
        lines = next(Path(folder).rglob("metrics.jsonl")).read_text(encoding="utf-8").splitlines()
    return {"wall": seconds, "losses": losses([json.loads(line) for line in lines])}


def losses(log: Sequence[Mapping[str, Any]]) -> list[float]:
    """Of the steps, from what transformers' trainer logs."""
    return [row["loss"] for row in log if "loss" in row]


def whole(workload: Fit) -> Trained:
    from unsway.backends.local import target_loss

    target_loss.shared_start = lambda ids, labels: 0  # type: ignore[assignment]
    return ours(workload)


def trl(workload: Fit, *, ordered: bool = False) -> Trained:
    """SFTTrainer at its defaults for LoRA on the same tokens; with `ordered`, each step on the rows that ours takes."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    ids = workload.tokens()
    with tempfile.TemporaryDirectory() as folder:
        args = SFTConfig(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=workload.batch,
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
        order = in_order(ids, workload.batch, 1, Bct().seed) if ordered else range(len(ids))
        start = time.perf_counter()
        weights = locate(workload.model)
        trainer = SFTTrainer(
            model=load_model(weights),
            args=args,
            train_dataset=Dataset.from_list([ids[i].completion_columns() for i in order]),
            processing_class=weights.tokenizer,
            peft_config=adapter,
        )
        trainer.train()
        seconds = time.perf_counter() - start
    return {"wall": seconds, "losses": losses(trainer.state.log_history)}


def shared(workload: Fit) -> Trained:
    from unsway.backends.local import target_loss

    target_loss.WORTH_A_PASS = 0
    return ours(workload)


SIDES: dict[str, Callable[[Fit], Trained]] = {
    "ours": ours,
    "trl": trl,
    "ordered": lambda workload: trl(workload, ordered=True),
    "whole": whole,
    "shared": shared,
    "thirtytwo": lambda workload: ours(workload, rows_at_once=32),
    "sixteen": lambda workload: ours(workload, rows_at_once=16),
    "eight": lambda workload: ours(workload, rows_at_once=8),
    "two": lambda workload: ours(workload, rows_at_once=2),
    "packed": lambda workload: ours(workload, packing=True),
    "again": lambda workload: ours(workload, gradient_checkpointing=True),
}


def peak_mb() -> float:
    """Of the GPU where there is one, else of this process."""
    import torch

    if on_gpu():
        return float(torch.cuda.max_memory_allocated()) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def child(side: str, workload: Fit, path: Path) -> None:
    """Run a side, libraries loaded before its clock starts, and take the time of each pass of its steps."""
    from transformers import Trainer

    from unsway.backends.local import target_loss

    passes: list[tuple[float, float, int]] = []
    one_pass = Trainer.training_step

    def timed(self: Any, model: Any, inputs: Any, *rest: Any) -> Any:
        start, n = time.perf_counter(), int((inputs["input_ids"] != self.processing_class.pad_token_id).sum())
        loss = one_pass(self, model, inputs, *rest)
        passes.append((start, time.perf_counter(), n))
        return loss

    spared: list[int] = []
    hidden = target_loss._hidden

    def counted(model: Any, base: Any, inputs: dict[str, Any], start: int) -> Any:
        spared.append(start * (len(inputs["input_ids"]) - 1))
        return hidden(model, base, inputs, start)

    Trainer.training_step, target_loss._hidden = timed, counted
    before = cpu()
    result = SIDES[side](workload)
    rest = passes[len(passes) // workload.steps :]
    result |= {
        "rate": sum(n for *_, n in rest) / (rest[-1][1] - rest[0][0]),
        "spared": sum(spared),
        "MB": peak_mb(),
        "cpu": cpu() - before,
    }
    path.write_text(json.dumps(result), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--sides", default="trl,ours,ordered")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--path", type=Path)
    args = parser.parse_args()
    workload = Fit(args.model, args.steps, args.rows)
    if args.child:
        child(args.child, workload, args.path)
        return
    sizes = size(locate(args.model).folder)
    n = sum(row.n_tokens for row in workload.tokens())
    print(f"{args.model}, {args.steps} steps of {args.rows} rows, {n:,} tokens, {machine()}")
    results: dict[str, Trained] = {}
    for side in args.sides.split(","):
        results[side] = measured(side, sys.argv[1:])
        show(side, n, results[side], next(iter(results.values())))
    if "ours" in results:
        most_rate = matmul_rate(sizes, "bfloat16") / (4 * sizes.layers)
        computed = n - results["ours"]["spared"]
        rate = results["ours"]["rate"] * computed / n
        print(
            f"bf16 matmuls alone would allow {most_rate:,.0f} tokens/s; ours computes {rate:,.0f} ({rate / most_rate:.0%})",
            end="",
        )
        by_cpu = computed / results["ours"]["cpu"] * (os.cpu_count() or 1)
        print("" if on_gpu() else f", {by_cpu:,.0f} by its CPU seconds, loading included ({by_cpu / most_rate:.0%})")


def measured(side: str, arguments: list[str]) -> Trained:
    """A side in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        command = [sys.executable, __file__, *arguments, "--child", side, "--path", str(path)]
        process = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if process.returncode:
            raise SystemExit(f"{side} failed:\n{process.stderr[-2000:]}")
        result: Trained = json.loads(path.read_text(encoding="utf-8"))
    return result


def show(side: str, n: int, body: Trained, first: Trained) -> None:
    faster, by_cpu, memory = first["wall"] / body["wall"], first["cpu"] / body["cpu"], body["MB"] / first["MB"]
    parts = [
        f"{side:9}{n / body['wall']:8,.0f} tokens/s with loading, {body['rate']:8,.0f} after the first step",
        f"{body['cpu']:5.0f} CPU s, {body['MB']:6,.0f} MB",
        f"{faster:.2f} × the first's tokens a second, {body['rate'] / first['rate']:.2f} × after the first step",
        f"{by_cpu:.2f} × by CPU seconds, {memory:.2f} × its memory",
        "losses " + " ".join(f"{loss:.3f}" for loss in body["losses"]),
    ]
    print("; ".join(parts), flush=True)


if __name__ == "__main__":
    main()
