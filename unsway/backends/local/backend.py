"""Training on this machine: a LoRA adapter or all weights, on CPU or GPU, in one process or several.

In: examples and a method. Out: safetensors, `metrics.jsonl`, and the checkpoint's record, written last.
Prompts are tokenised by the same code that asks the model, so training and measuring use identical tokens. `fit` is TRL's
loop; `open` gives the live model to methods with their own loop. After a kill, both resume from the last saved step.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from unsway.backends import backends
from unsway.backends.local.launch import check_launch, hold, is_main, processes, track_once
from unsway.backends.local.live import LiveModel
from unsway.backends.local.memory import rows_that_fit
from unsway.backends.local.options import LocalOptions
from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.rows import (
    TokenRow,
    check_lengths,
    in_order,
    n_steps,
    rows_of_step,
    tokenise,
    tokenise_sides,
)
from unsway.backends.local.saving import not_written, write_checkpoint
from unsway.backends.local.steps import STEPS, keep_only, last_saved, number
from unsway.backends.local.trainers import arguments, reporting, trainer
from unsway.errors import BadInput, UnswayError
from unsway.models.memory import free_memory
from unsway.models.session import LOCAL, name_of, release_idle
from unsway.models.weights import Weights, locate, training_dtype
from unsway.training import done, examples_sha256
from unsway.training.seams import Backend, CrossEntropy, Method, Policy, PreferenceLoss, Tuner, WhiteBox
from unsway.types import Checkpoint, Example

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments


@dataclass(frozen=True, slots=True)
class Local(LocalOptions, Backend):
    """Trains with transformers, PEFT and TRL in this process, and in processes launched with it."""

    name: ClassVar[str] = "local"
    summary: ClassVar[str] = "here, on CPU or GPU, in one process or several"
    offers: ClassVar[frozenset[Any]] = frozenset({Tuner, Policy, WhiteBox})
    objectives: ClassVar[frozenset[Any]] = frozenset({CrossEntropy, PreferenceLoss})
    launches: ClassVar[bool] = True

    def describe(self, base: str) -> str:
        """`name@fingerprint` of the base model."""
        return _pinned_name(locate(base.removeprefix(LOCAL)))

    def training_cost(self, base: str, tokens: float) -> float:
        """Always 0: training here costs no money."""
        return 0.0

    def check(self, method: Method, base: str) -> None:
        """Raise `BadInput` for options that the method's loop lacks; all hyper-parameters are supported."""
        if Tuner not in method.needs and (self.packing or self.gradient_checkpointing or self.report_to):
            raise BadInput(
                f"{method.name!r} has a loop of its own, without packing, gradient_checkpointing and report_to. Leave them "
                "out."
            )
        if self.packing and isinstance(method.objective, PreferenceLoss):
            raise BadInput(
                "Preferences cannot be packed: TRL's DPO has no forward pass without padding. Leave packing out."
            )

    def check_asked(self, model: str) -> None:
        """Raise `BadInput` for a model whose weights are not on this machine."""
        if not name_of(model).startswith(LOCAL):
            raise BadInput(
                f"{model!r} is asked at a provider or a server, so it cannot be trained here (back-end 'local'). Name a "
                f"local model ({LOCAL}smollm2-135m, a folder), or another back-end."
            )

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        """Train an adapter, or all weights if `method.lora_rank` is 0.

        Raises:
            BadInput: The base is a checkpoint with an adapter, its chat template cannot hold a row, or the batch cannot
                be shared by the processes.
            TrainingError: A row is longer than the context, the loss became NaN or infinite, or the disk is full.
        """
        check_launch()
        release_idle()
        weights = _without_adapter(locate(base.removeprefix(LOCAL)))
        form = ReplyFormat.of(weights, closes_empty=self.closes_empty)
        tokens = tokenise(form, [method.texts(row) for row in rows])
        check_lengths(tokens, weights.name, weights.context)
        order = in_order(tokens, method.batch_size, method.epochs, method.seed)
        at_once = self.rows_at_once or rows_that_fit(
            weights, max(row.longest for row in tokens), all_weights=not method.lora_rank
        )
        args = arguments(method, folder, self, n_steps(order, method.batch_size), at_once)
        sha256 = examples_sha256(rows)
        with hold(folder):
            existing = done(folder, method, _pinned_name(weights), sha256)
            if existing is not None:  # another process made it while this one waited
                return existing
            hf_trainer = _train(weights, tokens, order, method, args, f"{sha256} {method!r} {weights.fingerprint}")
            checkpoint = Checkpoint(
                model=str(folder),
                base=_pinned_name(weights),
                backend=self.name,
                uri=str(folder),
                method=repr(method),
                data_sha256=sha256,
                steps=hf_trainer.state.global_step,
                tokens=sum(tokens[i].n_tokens for i in order),
            )
            sharded = hf_trainer.is_fsdp_enabled or hf_trainer.is_deepspeed_enabled
            # each process has a part
            state = hf_trainer.accelerator.get_state_dict(hf_trainer.model_wrapped) if sharded else None
            if is_main():
                hf_trainer.accelerator.unwrap_model(hf_trainer.model).config = hf_trainer.config_of_base
                write_checkpoint(
                    hf_trainer.accelerator.unwrap_model(hf_trainer.model), weights, folder, checkpoint, state
                )
            hf_trainer.accelerator.wait_for_everyone()
        self.tidy(folder)
        del hf_trainer
        free_memory()
        return checkpoint

    @contextmanager
    def open(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Iterator[LiveModel]:
        """The live model for a method with its own loop, in one process; a killed fit is resumed.

        Raises:
            BadInput: The base is a checkpoint with an adapter, its chat template cannot hold a row, or there are several
                processes.
            TrainingError: A row is longer than the context.
        """
        if processes() > 1:
            raise BadInput(
                f"{method.name!r} has a loop of its own, which runs in one process, and {processes()} were launched. Start "
                "it without a launcher."
            )
        release_idle()
        weights = _without_adapter(locate(base.removeprefix(LOCAL)))
        form = ReplyFormat.of(weights, closes_empty=self.closes_empty)
        tokens = tokenise_sides(form, method, rows)
        check_lengths(tokens, weights.name, weights.context, sampled=method.longest_sampled)
        longest = max(row.longest for row in tokens) + method.longest_sampled
        at_once = self.rows_at_once or rows_that_fit(weights, longest, all_weights=not method.lora_rank)
        record = Checkpoint(
            model=str(folder),
            base=_pinned_name(weights),
            backend=self.name,
            uri=str(folder),
            method=repr(method),
            data_sha256=examples_sha256(rows),
            steps=0,
            tokens=0,
        )
        with hold(folder):
            model = LiveModel(form, method, folder, record, rows, at_once, self.save_every)
            from peft.helpers import disable_input_dtype_casting

            steps = method.n_steps(len(rows))
            # autocast brings inputs to bfloat16; PEFT would copy each to float32 first, for every adapter anew
            is_cast = bool(method.lora_rank) and training_dtype() == "bfloat16"
            uncast = disable_input_dtype_casting(model.model, active=is_cast)
            try:
                with uncast, track_once(f"Training {method.name}", steps, done=model.steps) as model.advance:
                    yield model
            finally:
                model.release()
                free_memory()

    def tidy(self, folder: Path) -> None:
        """Remove the steps saved by the trainer."""
        if is_main():
            shutil.rmtree(folder / STEPS, ignore_errors=True)


def _pinned_name(weights: Weights) -> str:
    return f"{weights.name}@{weights.fingerprint}"


def _without_adapter(weights: Weights) -> Weights:
    if weights.adapter is not None:
        raise BadInput(
            f"{weights.name!r} is a checkpoint with an adapter; an adapter on an adapter could not be loaded again. "
            f"Merge it first: unsway export {weights.name} --out FOLDER, and train FOLDER."
        )
    return weights


def _train(
    weights: Weights,
    rows: Sequence[TokenRow],
    order: Sequence[int],
    method: Method,
    args: TrainingArguments,
    this_fit: str,
) -> Trainer:
    """Run the trainer and return it; an error while writing files is raised as a disk error that says what survives."""
    folder = Path(args.output_dir).parent
    steps = n_steps(order, method.batch_size)
    if is_main():
        keep_only(folder, this_fit)
    with args.main_process_first(local=False):
        last = last_saved(folder)
    with track_once(f"Training {method.name}", steps, done=number(last)) as advance:
        callback = reporting(folder, advance, lambda step: rows_of_step(order, method.batch_size, step))
        hf_trainer = trainer(weights, [rows[i] for i in order], method, args, callback)
        try:
            hf_trainer.train(resume_from_checkpoint=str(last) if last else None)
        except UnswayError:
            raise
        except Exception as error:  # torch, safetensors and the standard library raise different errors
            if not callback.saving:
                raise
            raise not_written(error, folder, hf_trainer.state.global_step) from error
    return hf_trainer


backends.add("local", Local)
