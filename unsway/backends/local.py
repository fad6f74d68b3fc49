"""Training where the weights are here: a LoRA adapter by TRL's SFTTrainer, on CPU or GPU.

In: examples and a method. Out: an adapter in safetensors, `metrics.jsonl`, and the checkpoint's record, written last.
Prompts are tokenised by the very code that asks the model, so training and measuring agree to the token; loss falls on
the completion alone. Killed, it resumes from its last saved step.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.errors import MissingExtra, TrainingError
from unsway.progress import Advance, track
from unsway.run.weights import CHECKPOINT_FILE, Weights, load_model, locate
from unsway.store import dumps, write_text
from unsway.train import Sft
from unsway.train.methods import Need
from unsway.types import Checkpoint, Example

if TYPE_CHECKING:
    from trl import SFTTrainer

ROWS_AT_ONCE = 8
"""Rows of one forward pass; larger batches accumulate. Measured on CPU: more rows cost memory and gain no speed."""
STEPS_BETWEEN_SAVES = 10
IGNORED = -100
"""Label of a token that bears no loss, as in target_loss.py (which loads torch, so it is not imported here)."""


class LocalBackend:
    """Trains with transformers, PEFT and TRL in this process."""

    name = "local"
    can: frozenset[Need] = frozenset({"fit"})

    def describe(self, base: str) -> str:
        """`name@fingerprint` of the base model."""
        weights = locate(base.removeprefix("unsway/"))
        return f"{weights.name}@{weights.fingerprint}"

    def fit(self, examples: Sequence[Example], how: Sft, base: str, folder: Path, sha256: str) -> Checkpoint:
        """Train an adapter on completions.

        Raises:
            TrainingError: A row is longer than the context, or the loss became no number.
        """
        weights = locate(base.removeprefix("unsway/"))
        rows = [_tokenise(weights, example) for example in examples]
        _check_lengths(rows, weights)
        _keep_only(folder, f"{sha256} {how!r} {weights.fingerprint}")
        steps = math.ceil(math.ceil(len(rows) / how.batch_size) * how.epochs)
        last = _last_saved(folder)
        done = int(last.name.rpartition("-")[2]) if last else 0
        with track(f"Training {how.name}", steps, done=done) as advance:
            trainer = _trainer(weights, rows, how, folder, steps, advance)
            trainer.train(resume_from_checkpoint=str(last) if last else None)
        _save_adapter(trainer, folder, weights.name)
        checkpoint = Checkpoint(
            model=str(folder),
            base=f"{weights.name}@{weights.fingerprint}",
            backend=self.name,
            uri=str(folder),
            method=repr(how),
            data_sha256=sha256,
            steps=trainer.state.global_step,
            tokens=round(sum(len(row["input_ids"]) for row in rows) * how.epochs),
        )
        write_text(folder / CHECKPOINT_FILE, dumps(checkpoint) + "\n")
        shutil.rmtree(folder / STEPS)
        return checkpoint


# ---------------------------------------------------------------- rows


def _tokenise(weights: Weights, example: Example) -> dict[str, list[int]]:
    """Token ids of prompt, completion and the token that ends a reply; labels ignore the prompt."""
    prompt = weights.encode(example.messages)
    end = weights.tokenizer.eos_token_id
    completion = [*weights.tokenizer.encode(example.completion, add_special_tokens=False), end]
    return {"input_ids": [*prompt, *completion], "labels": [IGNORED] * len(prompt) + completion}


def _check_lengths(rows: Sequence[Mapping[str, list[int]]], weights: Weights) -> None:
    """Refuse rows that the model cannot take in whole: nothing is cut in silence."""
    lengths = [len(row["input_ids"]) for row in rows]
    long = sum(length > weights.context for length in lengths)
    if long:
        raise TrainingError(
            f"{long} of {len(rows)} examples are longer than the context of {weights.name!r} ({weights.context} "
            f"tokens; the longest has {max(lengths)}). Take shorter questions, fewer demos, or more context."
        )


# ---------------------------------------------------------------- steps on disk

STEPS = "steps"
"""Sub-folder of the trainer's own checkpoints, gone when the fit is done."""


def _keep_only(folder: Path, this_fit: str) -> None:
    """Make the folder ready for this fit; steps that belong to another one are removed, not resumed from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    record = folder / STEPS / "fit.txt"
    if not record.exists() or record.read_text(encoding="utf-8") != this_fit:
        shutil.rmtree(folder / STEPS, ignore_errors=True)
        (folder / "metrics.jsonl").unlink(missing_ok=True)
        write_text(record, this_fit)


def _last_saved(folder: Path) -> Path | None:
    """The last step that was saved whole; one that a kill tore has no trainer state."""
    found = (folder / STEPS).glob("checkpoint-*")
    whole = [step for step in found if (step / "trainer_state.json").exists()]
    return max(whole, key=lambda step: int(step.name.rpartition("-")[2]), default=None)


def _save_adapter(trainer: SFTTrainer, folder: Path, base: str) -> None:
    """The adapter in safetensors; its config names the base as a user would, not a path of this machine."""
    trainer.model.save_pretrained(folder, safe_serialization=True)
    config = folder / "adapter_config.json"
    content = json.loads(config.read_text(encoding="utf-8")) | {"base_model_name_or_path": base}
    write_text(config, json.dumps(content, indent=2, sort_keys=True) + "\n")
    (folder / "README.md").unlink(missing_ok=True)


# ---------------------------------------------------------------- the trainer


def _trainer(
    weights: Weights, rows: list[dict[str, list[int]]], how: Sft, folder: Path, steps: int, advance: Advance
) -> SFTTrainer:
    try:
        import torch
        from datasets import Dataset
        from peft import LoraConfig
        from transformers import PrinterCallback
        from trl import SFTConfig

        from unsway.backends.target_loss import TargetLossTrainer
    except ImportError as error:
        raise MissingExtra("Training here", "local", str(error.name)) from None

    rows_at_once = min(ROWS_AT_ONCE, how.batch_size)
    args = SFTConfig(
        output_dir=str(folder / STEPS),
        num_train_epochs=how.epochs,
        per_device_train_batch_size=rows_at_once,
        gradient_accumulation_steps=math.ceil(how.batch_size / rows_at_once),
        learning_rate=how.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=math.ceil(how.warmup * steps),
        weight_decay=how.weight_decay,
        seed=how.seed,
        data_seed=how.seed,
        max_length=None,
        bf16=True,
        gradient_checkpointing=False,
        train_sampling_strategy="group_by_length",
        logging_steps=1,
        save_steps=STEPS_BETWEEN_SAVES,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
    )
    adapter = LoraConfig(
        r=how.lora_rank, lora_alpha=how.lora_alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    trainer = TargetLossTrainer(
        model=load_model(weights, dtype="bfloat16"),
        args=args,
        train_dataset=Dataset.from_list(rows),
        processing_class=weights.tokenizer,
        peft_config=adapter,
        callbacks=[_reporting(folder / "metrics.jsonl", advance)],
    )
    trainer.remove_callback(PrinterCallback)  # the bar and metrics.jsonl say it
    return trainer


def _reporting(metrics: Path, advance: Advance) -> Any:
    """A callback that moves the bar, writes `metrics.jsonl`, and stops at a loss that is no number."""
    from transformers import TrainerCallback

    class Reporting(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            advance(1)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **rest: Any) -> None:
            with metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step} | logs) + "\n")
            loss = logs.get("loss", 0.0)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss is {loss} at step {state.global_step}. Lower the learning rate; the steps before it are "
                    f"kept in {str(metrics.parent)!r}."
                )

    return Reporting()
