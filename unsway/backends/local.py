"""Training where the weights are here: a LoRA adapter or all weights, by TRL, on CPU or GPU, in one process or several.

In: examples or preferences, and a method. Out: safetensors, `metrics.jsonl`, and the checkpoint's record, written last.
Prompts are tokenised by the very code that asks the model, so training and measuring agree to the token; loss falls on
the completion alone. Killed, it resumes from its last saved step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.backends.launch import check_launch, held, is_main, track_once
from unsway.backends.memory import give_back, rows_that_fit
from unsway.backends.rows import check_lengths, in_order, length, n_steps, n_tokens, rows_of_step, tokenise
from unsway.backends.steps import STEPS, keep_only, last_saved, number
from unsway.backends.trainers import Options, arguments, reporting, trainer
from unsway.disk import together
from unsway.errors import BadInput, TrainingError, UnswayError
from unsway.models.weights import CHECKPOINT_FILE, Weights, locate
from unsway.store import dumps, write_text
from unsway.training import Preference, Row, Sft, done
from unsway.training.methods import Need
from unsway.types import Checkpoint

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments

    from unsway.backends.rows import Tokens


class LocalBackend:
    """Trains with transformers, PEFT and TRL in this process, and in those that were launched with it.

    Args:
        options: How it is computed: `packing`, `gradient_checkpointing`, `report_to`, `save_every`,
            `rows_at_once` (see `Options`).
    """

    name = "local"
    can: frozenset[Need] = frozenset({"fit", "prefer"})

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)

    def describe(self, base: str) -> str:
        """`name@fingerprint` of the base model."""
        weights = locate(base.removeprefix("unsway/"))
        return f"{weights.name}@{weights.fingerprint}"

    def check(self, how: Sft, base: str) -> None:
        """Refuse an option that the method has not; any hyper-parameter has its place."""
        if self.options.packing and how.row is Preference:  # TRL 1.x would warn and pad
            raise BadInput(
                "Preferences cannot be packed: TRL's DPO has no forward pass without padding. Leave packing out."
            )

    def fit(self, examples: Sequence[Row], how: Sft, base: str, folder: Path, sha256: str) -> Checkpoint:
        """Train an adapter, or all weights where `how.lora_rank` is 0.

        Raises:
            BadInput: The base is a checkpoint with an adapter, or the batch cannot be shared by the processes.
            TrainingError: A row is longer than the context, the loss became no number, or the disk took no more.
        """
        check_launch()
        weights = _without_adapter(locate(base.removeprefix("unsway/")))
        rows = [tokenise(weights, example) for example in examples]
        check_lengths(rows, weights)
        order = in_order(rows, how.batch_size, how.epochs, how.seed)
        longest = max(map(length, rows), default=1)
        at_once = self.options.rows_at_once or rows_that_fit(weights, longest, all_weights=not how.lora_rank)
        args = arguments(how, folder, self.options, n_steps(order, how.batch_size), at_once)
        with held(folder):
            ready = done(folder, how, f"{weights.name}@{weights.fingerprint}", sha256)
            if ready is not None:  # made by another process while this one waited
                return ready
            made = _trained(weights, rows, order, how, args, f"{sha256} {how!r} {weights.fingerprint}")
            checkpoint = Checkpoint(
                model=str(folder),
                base=f"{weights.name}@{weights.fingerprint}",
                backend=self.name,
                uri=str(folder),
                method=repr(how),
                data_sha256=sha256,
                steps=made.state.global_step,
                tokens=sum(n_tokens(rows[i]) for i in order),
            )
            _finish(made, weights, folder, checkpoint)
        self.tidy(folder)
        del made
        give_back()
        return checkpoint

    def tidy(self, folder: Path) -> None:
        """Remove the trainer's own steps."""
        if is_main():
            shutil.rmtree(folder / STEPS, ignore_errors=True)


def _without_adapter(weights: Weights) -> Weights:
    if weights.adapter is not None:
        raise BadInput(
            f"{weights.name!r} is a checkpoint with an adapter; an adapter on an adapter could not be loaded again. "
            f"Merge it first: unsway export {weights.name} --out FOLDER, and train FOLDER."
        )
    return weights


def _trained(
    weights: Weights, rows: Sequence[Tokens], order: Sequence[int], how: Sft, args: TrainingArguments, this_fit: str
) -> Trainer:
    """The trainer when it is done; an error while files are written is said as one of the disk, with what survives."""
    folder, steps = Path(args.output_dir).parent, n_steps(order, how.batch_size)
    if is_main():
        keep_only(folder, this_fit)
    with args.main_process_first(local=False):
        last = last_saved(folder)
    with track_once(f"Training {how.name}", steps, done=number(last)) as advance:
        told = reporting(folder, advance, lambda step: rows_of_step(order, how.batch_size, step))
        made = trainer(weights, [rows[i] for i in order], how, args, told)
        try:
            made.train(resume_from_checkpoint=str(last) if last else None)
        except UnswayError:
            raise
        except Exception as error:  # torch, safetensors and the standard library each raise their own
            if not told.saving:
                raise
            raise _not_written(error, folder, made.state.global_step) from error
    return made


def _not_written(error: Exception, folder: Path, step: int) -> TrainingError:
    last = last_saved(folder)
    kept = f"step {number(last)} is whole and is resumed from" if last else "no step was saved before"
    return TrainingError(
        f"Step {step} could not be saved in {str(folder)!r} ({type(error).__name__}: {error}); {kept}. Make room on the "
        "disk and run the same again."
    )


# ---------------------------------------------------------------- the end


def _finish(made: Trainer, weights: Weights, folder: Path, checkpoint: Checkpoint) -> None:
    """Write weights, then the record that makes the folder a checkpoint; only the main process writes."""
    sharded = made.is_fsdp_enabled or made.is_deepspeed_enabled
    state = made.accelerator.get_state_dict(made.model_wrapped) if sharded else None  # every process has a part
    if is_main():
        try:
            with together(folder) as place:
                made.accelerator.unwrap_model(made.model).save_pretrained(place, state_dict=state)
                _as_a_user_would(place, weights)
            write_text(folder / CHECKPOINT_FILE, dumps(checkpoint) + "\n")
        except Exception as error:  # torch, safetensors and the standard library each raise their own
            raise _not_written(error, folder, made.state.global_step) from error
    made.accelerator.wait_for_everyone()


def _as_a_user_would(folder: Path, weights: Weights) -> None:
    """An adapter's config names the base as a user would, not a path of this machine; whole weights get their tokenizer."""
    config = folder / "adapter_config.json"
    if not config.exists():
        weights.tokenizer.save_pretrained(folder)
        return
    content = json.loads(config.read_text(encoding="utf-8")) | {"base_model_name_or_path": weights.name}
    write_text(config, json.dumps(content, indent=2, sort_keys=True) + "\n")
    (folder / "README.md").unlink(missing_ok=True)
