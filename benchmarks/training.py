"""Local training: our back-end beside TRL's SFTTrainer at its defaults for LoRA, on the same rows, steps and seed.

    python benchmarks/training.py [--steps 4] [--rows 8] [--sides trl,ours,ordered,whole,eight,two,packed,again]

Each side in a process of its own. Printed: tokens a second (prompts and completions), CPU seconds (which say more where the
machine is shared), peak memory, the losses, and ratios; and what the measured bf16 matmul rate would allow: 4 operations a
parameter and token, forward and backward, since the weights of the trunk need no gradient, the output layer apart.
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
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

from sampling import matmul_rate

from unsway import assets
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


def tokens(examples: tuple[Example, ...]) -> list[Tokens]:
    """The rows as they are trained on."""
    weights = locate("smollm2-135m")
    return [tokenise(weights, example) for example in examples]


def ours(examples: tuple[Example, ...], batch: int, **options: bool) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        how = Bct(batch_size=batch, lora_rank=RANK, learning_rate=1e-4)
        start = time.perf_counter()
        fit(examples, how, "smollm2-135m", backend("local", **options), folder)
        took = time.perf_counter() - start
        lines = (Path(folder) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    metrics = [json.loads(line) for line in lines]
    return {"wall": took, "losses": [row["loss"] for row in metrics if "loss" in row]}


def whole(examples: tuple[Example, ...], batch: int) -> dict[str, object]:
    from unsway.backends import target_loss

    target_loss.shared_start = lambda ids, labels: 0  # type: ignore[assignment]
    return ours(examples, batch)


def at_once(rows_at_once: int) -> Callable[[tuple[Example, ...], int], dict[str, object]]:
    def side(examples: tuple[Example, ...], batch: int) -> dict[str, object]:
        from unsway.backends import trainers

        trainers.ROWS_AT_ONCE = {"cpu": rows_at_once, "cuda": rows_at_once}
        return ours(examples, batch)

    return side


def trl(examples: tuple[Example, ...], batch: int, *, ordered: bool = False) -> dict[str, object]:
    """SFTTrainer at its defaults for LoRA on the same tokens; with `ordered`, each step on the rows that ours takes."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    ids = tokens(examples)
    with tempfile.TemporaryDirectory() as folder:
        args = SFTConfig(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=batch,
            learning_rate=1e-4,
            lr_scheduler_type="linear",
            warmup_steps=1,
            train_sampling_strategy="sequential" if ordered else "random",
            logging_steps=1,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
            max_length=None,
        )
        adapter = LoraConfig(r=RANK, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        start = time.perf_counter()
        weights = locate("smollm2-135m")
        trainer = SFTTrainer(
            model=load_model(weights),
            args=args,
            train_dataset=Dataset.from_list([ids[i] for i in in_order(ids, batch, 1, Bct().seed)] if ordered else ids),
            processing_class=weights.tokenizer,
            peft_config=adapter,
        )
        trainer.train()
        took = time.perf_counter() - start
    return {"wall": took, "losses": [row["loss"] for row in trainer.state.log_history if "loss" in row]}


SIDES: dict[str, Callable[[tuple[Example, ...], int], dict[str, object]]] = {
    "ours": ours,
    "trl": trl,
    "ordered": lambda examples, batch: trl(examples, batch, ordered=True),
    "whole": whole,
    "eight": at_once(8),
    "two": at_once(2),
    "packed": lambda examples, batch: ours(examples, batch, packing=True),
    "again": lambda examples, batch: ours(examples, batch, gradient_checkpointing=True),
}


def child(side: str, steps: int, batch: int, path: Path) -> None:
    found = SIDES[side](rows(steps * batch), batch)
    used = resource.getrusage(resource.RUSAGE_SELF)
    found |= {"MB": used.ru_maxrss / 1e3, "cpu": used.ru_utime + used.ru_stime}
    path.write_text(json.dumps(found), encoding="utf-8")


def n_tokens(examples: tuple[Example, ...], batch: int) -> tuple[int, int]:
    """Tokens of the rows, and of those that go through the model where each step's beginning does once."""
    ids = tokens(examples)
    order = in_order(ids, batch, 1, Bct().seed)
    all_, spared = sum(len(row["input_ids"]) for row in ids), 0
    for start in range(0, len(order), batch):
        step = [ids[i]["input_ids"] for i in order[start : start + batch]]
        spared += (len(step) - 1) * sum(
            1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*step, strict=False))
        )
    return all_, all_ - spared


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--sides", default="trl,ours,ordered")
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--path", type=Path)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.steps, args.rows, args.path)
        return
    assets.model_folder("smollm2-135m")
    n, computed = n_tokens(rows(args.steps * args.rows), args.rows)
    print(
        f"{args.steps} steps of {args.rows} rows, {n:,} tokens ({computed:,} with each beginning once), loading included"
    )
    found: dict[str, dict[str, Any]] = {}
    for side in args.sides.split(","):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "found.json"
            more = ["--steps", str(args.steps), "--rows", str(args.rows), "--path", str(path)]
            command = [sys.executable, __file__, "--child", side, *more]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            found[side] = json.loads(path.read_text(encoding="utf-8"))
        show(side, n, found[side], next(iter(found.values())))
    if "ours" in found:
        most = matmul_rate("bfloat16") / (4 * 106e6)
        half = found["ours"]["cpu"] / (os.cpu_count() or 1)
        print(
            f"bf16 matmuls alone would allow {most:,.0f} tokens/s; ours puts through {computed / found['ours']['wall']:,.0f}",
            end="",
        )
        print(f", {computed / half:,.0f} by its CPU seconds ({computed / half / most:.0%})")


def show(side: str, n: int, body: dict[str, Any], first: dict[str, Any]) -> None:
    faster, by_cpu, memory = first["wall"] / body["wall"], first["cpu"] / body["cpu"], body["MB"] / first["MB"]
    print(
        f"{side:7}{n / body['wall']:6.0f} tokens/s, {body['cpu']:5.0f} CPU s, {body['MB']:6,.0f} MB; {faster:.2f} × the "
        f"first's tokens a second, {by_cpu:.2f} × by CPU seconds, {memory:.2f} × its memory; losses "
        + " ".join(f"{loss:.3f}" for loss in body["losses"]),
        flush=True,
    )


if __name__ == "__main__":
    main()
