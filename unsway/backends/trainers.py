"""TRL's trainers, set up: one for completions, one for preferences.

In: weights, tokens in the order they are trained on, a method. Out: a trainer that reports each step to the terminal and
to `metrics.jsonl`, and stops at a loss that is no number.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.backends.launch import check_devices, is_main, processes, share
from unsway.backends.rows import Tokens
from unsway.backends.steps import METRICS, STEPS
from unsway.disk import append_row
from unsway.errors import BadInput, MissingExtra, TrainingError
from unsway.models.weights import Dtype, Weights, load_model, training_dtype
from unsway.progress import Advance
from unsway.training import Dpo, Sft

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments

TRACKERS: Mapping[str, tuple[str, ...]] = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}
"""Where a trainer may report beside `metrics.jsonl`, and the packages of which one is needed."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a fit is computed; none of it changes what is computed."""

    packing: bool = False
    """Rows of one forward pass are laid end to end, without padding; not for preferences."""
    gradient_checkpointing: bool = False
    """Activations are computed again instead of kept: less memory, about a third more time."""
    report_to: tuple[str, ...] = ()
    """Trackers beside `metrics.jsonl`: tensorboard, wandb, trackio."""
    save_every: int = 10
    """Steps between two saves; what a kill may cost."""
    rows_at_once: int | None = None
    """Most rows of one forward pass; larger batches accumulate. None: 4 on a CPU, on a GPU what its memory takes."""

    def __post_init__(self) -> None:
        if self.save_every < 1:
            raise BadInput(f"save_every is {self.save_every}; it is a number of steps, 1 or more.")
        if self.rows_at_once is not None and self.rows_at_once < 1:
            raise BadInput(f"rows_at_once is {self.rows_at_once}; it is a number of rows, 1 or more, or None.")
        for tracker in self.report_to:
            if tracker not in TRACKERS:
                raise BadInput(f"There is no tracker {tracker!r}; known: {', '.join(TRACKERS)}.")
            if not any(find_spec(package) for package in TRACKERS[tracker]):
                package = TRACKERS[tracker][0]
                raise BadInput(
                    f"Reporting to {tracker} needs {package!r}, which is not installed. pip install {package}"
                )


def arguments(how: Sft, folder: Path, options: Options, steps: int, at_once: int) -> TrainingArguments:
    """TRL's arguments for so many steps, with at most `at_once` rows a pass; making them joins the processes of the fit."""
    try:
        import torch
        from trl import DPOConfig, SFTConfig
    except ImportError as error:
        raise MissingExtra("Training here", "local", str(error.name)) from None

    check_devices(torch.cuda.device_count())
    rows_at_once, passes = share(how.batch_size, at_once)
    if "tensorboard" in options.report_to:  # the only way to tell transformers where; its default is removed at the end
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / "tensorboard")
    shared: dict[str, Any] = {
        "output_dir": str(folder / STEPS),
        "run_name": folder.name,
        "num_train_epochs": 1,  # the rows are in order already, all epochs
        "train_sampling_strategy": "sequential",
        "per_device_train_batch_size": rows_at_once,
        "gradient_accumulation_steps": passes,
        "learning_rate": how.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": math.ceil(how.warmup * steps),
        "weight_decay": how.weight_decay,
        "seed": how.seed,
        "data_seed": how.seed,
        "max_length": None,
        "bf16": training_dtype() == "bfloat16",
        "activation_checkpointing": options.gradient_checkpointing,  # the name since transformers 5.23
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_steps": options.save_every,
        "save_total_limit": 2,
        "report_to": list(options.report_to) or "none",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": False,
        "ddp_find_unused_parameters": False,
    }
    if isinstance(how, Dpo):
        return DPOConfig(**shared, beta=how.beta)
    return SFTConfig(**shared, padding_free=options.packing)


def trainer(
    weights: Weights,
    rows: Sequence[Tokens],
    how: Sft,
    args: TrainingArguments,
    reporting: Any,
) -> Trainer:
    """The trainer of a method over rows in order."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback

    from unsway.backends.target_loss import PreferenceTrainer, TargetLossTrainer

    adapter = LoraConfig(
        r=how.lora_rank, lora_alpha=how.lora_alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    shared = {
        "args": args,
        "processing_class": weights.tokenizer,
        "peft_config": adapter if how.lora_rank else None,
        "callbacks": [reporting],
    }
    # all weights are trained in float32, in which small updates are not lost; bf16 is then the arithmetic's alone
    dtype: Dtype = training_dtype() if how.lora_rank else "float32"
    model, ids = load_model(weights, dtype=dtype), Dataset.from_list(list(rows))
    if isinstance(how, Dpo):
        reference = None if how.lora_rank else load_model(weights, dtype=dtype)
        made: Trainer = PreferenceTrainer(model=model, ref_model=reference, ids=ids, **shared)
    else:
        made = TargetLossTrainer(model=model, train_dataset=ids, **shared)
    made.remove_callback(PrinterCallback)  # the bar and metrics.jsonl say it
    return made


def reporting(folder: Path, advance: Advance, rows_of: Callable[[int], str]) -> Any:
    """A callback: moves the bar, writes `metrics.jsonl`, stops at a loss that is no number, knows when a save goes on."""
    from transformers import TrainerCallback

    class Reporting(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        saving = False
        """Whether files are being written, so that an error is one of the disk."""

        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **rest: Any) -> None:
            trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
            _add(folder, {"step": state.global_step, "about": _about(args, trained)})

        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            self.saving = control.should_save
            advance(1)

        def on_save(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            self.saving = False

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **rest: Any) -> None:
            _add(folder, {"step": state.global_step} | logs)
            for name, what in (("loss", "loss"), ("grad_norm", "norm of the gradient")):
                if not math.isfinite(logs.get(name, 0.0)):  # logged before a save: weights that it spoilt are not kept
                    self.saving = False
                    raise TrainingError(
                        f"The {what} is {logs[name]} at step {state.global_step}, on {rows_of(state.global_step)} of the "
                        "training set. Look at these rows, or lower the learning rate; earlier steps are kept in "
                        f"{str(folder)!r}."
                    )

    return Reporting()


def _about(args: Any, trained: int) -> dict[str, Any]:
    """What the numbers were computed on."""
    return {
        "device": str(args.device),
        "dtype": "bfloat16" if args.bf16 else "float32",
        "processes": processes(),
        "rows_at_once": args.per_device_train_batch_size,
        "passes_per_step": args.gradient_accumulation_steps,
        "trained_parameters": trained,
    }


def _add(folder: Path, row: dict[str, Any]) -> None:
    if not is_main():
        return
    append_row(folder / METRICS, json.dumps(row))
