"""Local training: our back-end beside TRL's SFTTrainer at its defaults for LoRA, on the same rows, steps and seed.

    python benchmarks/training.py [--steps 6] [--rows 8]

Each side in a process of its own. Printed: tokens a second (prompts and completions), peak memory, the losses, and ratios;
and what the measured bf16 matmul rate would allow: 4 operations a parameter and token, forward and backward, since the
weights of the trunk need no gradient, the output layer apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from unsway import assets
from unsway.backends import backend
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


def ours(examples: tuple[Example, ...], batch: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        how = Bct(batch_size=batch, lora_rank=RANK, learning_rate=1e-4)
        start = time.perf_counter()
        fit(examples, how, "smollm2-135m", backend("local"), folder)
        took = time.perf_counter() - start
        lines = (Path(folder) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    metrics = [json.loads(line) for line in lines]
    return {"wall": took, "losses": [row["loss"] for row in metrics if "loss" in row]}


def trl(examples: tuple[Example, ...], batch: int) -> dict[str, object]:
    """SFTTrainer as its documentation has it for prompt-completion rows and LoRA; loss on completions alone."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    body = [
        {
            "prompt": [{"role": m.role, "content": m.content} for m in example.messages],
            "completion": [{"role": "assistant", "content": example.completion}],
        }
        for example in examples
    ]
    weights = locate("smollm2-135m")
    with tempfile.TemporaryDirectory() as folder:
        args = SFTConfig(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=batch,
            learning_rate=1e-4,
            lr_scheduler_type="linear",
            warmup_steps=1,
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
        trainer = SFTTrainer(
            model=load_model(weights),
            args=args,
            train_dataset=Dataset.from_list(body),
            processing_class=weights.tokenizer,
            peft_config=adapter,
        )
        trainer.train()
        took = time.perf_counter() - start
    return {"wall": took, "losses": [row["loss"] for row in trainer.state.log_history if "loss" in row]}


SIDES = {"ours": ours, "trl": trl}


def child(side: str, steps: int, batch: int, path: Path) -> None:
    found = SIDES[side](rows(steps * batch), batch)
    found["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    path.write_text(json.dumps(found), encoding="utf-8")


def n_tokens(examples: tuple[Example, ...]) -> int:
    weights = locate("smollm2-135m")
    completions = sum(len(weights.tokenizer.encode(example.completion)) for example in examples)
    return completions + sum(len(weights.encode(example.messages)) for example in examples)


def matmul_rate() -> float:
    """Operations a second of a bf16 matmul of a layer's shape; the middle of five."""
    import torch

    a, b = torch.randn(2048, 576).bfloat16(), torch.randn(576, 1536).bfloat16()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(50):
            a @ b
        times.append((time.perf_counter() - start) / 50)
    return 2 * 2048 * 576 * 1536 / sorted(times)[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--path", type=Path)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.steps, args.rows, args.path)
        return
    assets.model_folder("smollm2-135m")
    tokens = n_tokens(rows(args.steps * args.rows))
    found = {}
    for side in SIDES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "found.json"
            more = ["--steps", str(args.steps), "--rows", str(args.rows), "--path", str(path)]
            subprocess.run([sys.executable, __file__, "--child", side, *more], check=True, stderr=subprocess.DEVNULL)
            found[side] = json.loads(path.read_text(encoding="utf-8"))
        body = found[side]
        print(
            f"{side:5} {tokens / body['wall']:6.0f} tokens/s, {body['MB']:,.0f} MB, losses {body['losses']}", flush=True
        )
    one, other = found["ours"], found["trl"]
    print(f"{args.steps} steps of {args.rows} rows, {tokens:,} tokens, loading included")
    print(
        f"ours: {other['wall'] / one['wall']:.2f} × the tokens a second, {one['MB'] / other['MB']:.2f} × the peak memory"
    )
    most = matmul_rate() / (4 * 106e6)
    print(f"bf16 matmuls alone would allow {most:,.0f} tokens/s here; ours reaches {tokens / one['wall'] / most:.0%}")


if __name__ == "__main__":
    main()
