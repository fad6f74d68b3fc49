"""TRL's trainers, set up: one for each objective that a method can have.

In: weights, tokens in the order they are trained on, a method. Out: a trainer that reports each step to the terminal and
to `metrics.jsonl`, and stops at a NaN or infinite loss.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.backends.local.launch import check_devices, is_main, processes, share
from unsway.backends.local.lora import adapter_of
from unsway.backends.local.options import LocalOptions
from unsway.backends.local.rows import TokenRow
from unsway.backends.local.steps import STEPS, note_metrics
from unsway.errors import TrainingError
from unsway.extras import requires
from unsway.models.weights import Dtype, Weights, load_model, training_dtype
from unsway.progress import Advance
from unsway.training.seams import CrossEntropy, Method, PreferenceLoss

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments


def arguments(method: Method, folder: Path, options: LocalOptions, steps: int, at_once: int) -> TrainingArguments:
    """TRL's arguments for a number of steps, with at most `at_once` rows a pass; creating them joins the fit's processes."""
    with requires("local", "Training here"):
        import torch
        from trl import DPOConfig, SFTConfig

    check_devices(torch.cuda.device_count())
    rows_at_once, passes = share(method.batch_size, at_once)
    if "tensorboard" in options.report_to:  # the only way to set the folder; its default is removed at the end
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / "tensorboard")
    is_renamed = hasattr(SFTConfig, "activation_checkpointing")  # in transformers 5.23
    shared: dict[str, Any] = {
        "output_dir": str(folder / STEPS),
        "run_name": folder.name,
        "num_train_epochs": 1,  # the rows of all epochs are already in order
        "train_sampling_strategy": "sequential",
        "per_device_train_batch_size": rows_at_once,
        "gradient_accumulation_steps": passes,
        "learning_rate": method.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": method.warmup_steps(steps),
        "weight_decay": method.weight_decay,
        "seed": method.seed,
        "data_seed": method.seed,
        "max_length": None,
        "router_aux_loss_coef": 0.0,  # TRL would add a loss for the balance of experts, which no method has
        "bf16": training_dtype() == "bfloat16",
        "activation_checkpointing" if is_renamed else "gradient_checkpointing": options.gradient_checkpointing,
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
    match method.objective:
        case PreferenceLoss(beta):
            return DPOConfig(**shared, beta=beta)
        case CrossEntropy():
            return SFTConfig(**shared, padding_free=options.packing)


def trainer(
    weights: Weights,
    rows: Sequence[TokenRow],
    method: Method,
    args: TrainingArguments,
    callback: Any,
) -> Trainer:
    """The trainer of a method over rows in order."""
    from datasets import Dataset
    from transformers import PrinterCallback

    from unsway.backends.local.target_loss import PreferenceTrainer, TargetLossTrainer

    # train all weights in float32, so small updates are not lost; bf16 is then used only for arithmetic
    dtype: Dtype = training_dtype() if method.lora_rank else "float32"
    model = load_model(weights, dtype=dtype)
    saved_config = deepcopy(model.config)  # TRL and the lines below change the model's own, for training alone
    # a base's own dropout (Granite's; Falcon's layers read it from their config) is noise, in DPO on both sides
    parts = {id(part): part for module in model.modules() for part in (module, getattr(module, "config", module))}
    for part in parts.values():
        for attribute, value in list(vars(part).items()):
            label = f"{type(part).__name__} {attribute}".lower()
            if isinstance(value, float) and ("drop" in label or "jitter_noise" in label):
                setattr(part, attribute, 0.0)
    shared = {
        "args": args,
        "processing_class": weights.tokenizer,
        "peft_config": adapter_of(method, model, weights.name),
        "callbacks": [callback],
    }
    hf_trainer: Trainer
    with unreported():
        match method.objective:
            case PreferenceLoss():
                reference = None if method.lora_rank else load_model(weights, dtype=dtype)
                ids = Dataset.from_list([row.preference_columns() for row in rows])
                hf_trainer = PreferenceTrainer(model=model, ref_model=reference, ids=ids, **shared)
            case CrossEntropy():
                # equal passes in all processes: accelerate would pad the last ones with rows of the first step
                blank = TokenRow(rows[0].prompt[:1], ((),))
                missing = -len(rows) % method.batch_size if processes() > 1 else 0
                ids = Dataset.from_list([row.completion_columns() for row in [*rows, *[blank] * missing]])
                hf_trainer = TargetLossTrainer(model=model, train_dataset=ids, **shared)
    hf_trainer.remove_callback(PrinterCallback)  # shown by the bar and metrics.jsonl
    hf_trainer.config_of_base = saved_config
    return hf_trainer


@contextmanager
def unreported() -> Iterator[None]:
    """Switch off the hub's telemetry, to which TRL reports each trainer's architecture and kind of data."""
    from huggingface_hub import constants

    before, constants.HF_HUB_DISABLE_TELEMETRY = constants.HF_HUB_DISABLE_TELEMETRY, True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = before


def reporting(folder: Path, advance: Advance, rows_of: Callable[[int], str]) -> Any:
    """A callback that moves the bar, writes `metrics.jsonl`, and stops at a NaN or infinite loss."""
    from transformers import TrainerCallback

    def note(row: dict[str, Any]) -> None:
        if is_main():
            note_metrics(folder, row)

    class Reporting(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        saving = False
        """Whether files are being written, so an error now is a disk error."""

        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
            about = {
                "device": str(args.device),
                "dtype": "bfloat16" if args.bf16 else "float32",
                "processes": processes(),
                "rows_at_once": args.per_device_train_batch_size,
                "passes_per_step": args.gradient_accumulation_steps,
                "trained_parameters": trained,
            }
            note({"step": state.global_step, "about": about})

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.saving = control.should_save
            advance(1)

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.saving = False

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
            note({"step": state.global_step} | logs)
            for name, label in (("loss", "loss"), ("grad_norm", "norm of the gradient")):
                if not math.isfinite(logs.get(name, 0.0)):  # before a save: spoilt weights are not saved
                    self.saving = False
                    raise TrainingError(
                        f"The {label} is {logs[name]} at step {state.global_step}, on {rows_of(state.global_step)} of the "
                        "training set. Look at these rows, or lower the learning rate; earlier steps are kept in "
                        f"{str(folder)!r}."
                    )

    return Reporting()
