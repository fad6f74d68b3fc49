"""Files of a local fit: saved steps for resuming a method's own loop, and at the end the weights and their record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unsway.assets import hub_name
from unsway.backends.local.steps import STEPS, last_saved, number
from unsway.disk import staged, write_text
from unsway.errors import TrainingError
from unsway.models.weights import CHECKPOINT_FILE, Weights
from unsway.store import dumps
from unsway.training.card import CARD, card
from unsway.types import Checkpoint

STATE = "state.pt"
"""File with trained weights, optimiser and rate of a saved step; removed when the fit is done."""


def keep_step(folder: Path, step: int, tokens: int, trained: Sequence[Any], optimiser: Any, schedule: Any) -> None:
    """Save everything the next step depends on; only the last saved step stays.

    Raises:
        TrainingError: The disk is full; says what survives.
    """
    import torch

    before = last_saved(folder)
    after = folder / STEPS / f"checkpoint-{step}"
    state = {
        "weights": [p.detach() for p in trained],
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "tokens": tokens,
    }
    try:
        with staged(after) as staging:
            torch.save(state, staging / STATE)
        write_text(after / "trainer_state.json", json.dumps({"global_step": step}))  # the step is complete
    except Exception as error:  # torch and the standard library raise different errors
        raise not_written(error, folder, step) from error
    if before is not None and before != after:
        shutil.rmtree(before)


def take_up(step: Path, trained: Sequence[Any], optimiser: Any, schedule: Any) -> int:
    """Restore a saved step's weights, optimiser and rate, and return the number of tokens trained on."""
    import torch

    state = torch.load(step / STATE, weights_only=True, map_location=trained[0].device)  # runs no code in the file
    with torch.no_grad():
        for parameter, value in zip(trained, state["weights"], strict=True):
            parameter.copy_(value)
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return int(state["tokens"])


def write_checkpoint(model: Any, weights: Weights, folder: Path, checkpoint: Checkpoint, state: Any = None) -> None:
    """Write an adapter or whole weights, then the record.

    An adapter's config names the base as the hub does, so PEFT finds it. The tokenizer and its chat template are stored next
    to the weights, so transformers loads them from the folder. README.md is the model card.

    Args:
        model: The transformers or PEFT model.
        weights: What it was trained from.
        folder: The folder of the fit.
        checkpoint: The record.
        state: The model's weights, if they were sharded.

    Raises:
        TrainingError: The disk is full; says what survives.
    """
    base = hub_name(weights.name)
    try:
        with staged(folder) as staging:
            model.save_pretrained(staging, state_dict=state)
            config = staging / "adapter_config.json"
            if config.exists():
                content = json.loads(config.read_text(encoding="utf-8")) | {"base_model_name_or_path": base}
                write_text(config, json.dumps(content, indent=2, sort_keys=True) + "\n")
            weights.tokenizer.save_pretrained(staging)
            write_text(staging / CARD, card(checkpoint, staging))
        write_text(folder / CHECKPOINT_FILE, dumps(checkpoint) + "\n")
    except Exception as error:  # torch, safetensors and the standard library raise different errors
        raise not_written(error, folder, checkpoint.steps) from error


def not_written(error: Exception, folder: Path, step: int) -> TrainingError:
    """Make the error for a disk failure while saving a step: says what survives and what to do."""
    last = last_saved(folder)
    progress = f"step {number(last)} is whole and is resumed from" if last else "no step was saved before"
    return TrainingError(
        f"Step {step} could not be saved in {str(folder)!r} ({type(error).__name__}: {error}); {progress}. Make room on the "
        "disk and run the same again."
    )
