"""Files that a fit keeps while it runs: the trainer's saved steps, removed when the fit is done.

In: a folder. Out: the last complete step to resume from. A step torn by a kill or a full disk lacks the trainer state, which
is written last; such a step is removed, because the next attempt needs its disk space.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unsway.disk import append_row, write_text
from unsway.errors import TrainingError
from unsway.models.weights import CHECKPOINT_FILE
from unsway.types import Example

STEPS = "steps"
"""Sub-folder of the trainer's own checkpoints."""
METRICS = "metrics.jsonl"
ROLLOUTS = "rollouts"
"""Sub-folder of sampled replies, one file per step."""


def keep_only(folder: Path, this_fit: str) -> None:
    """Make the folder ready for this fit; steps of another fit are removed, not resumed from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    path = folder / STEPS / "fit.txt"
    if not path.exists() or path.read_text(encoding="utf-8") != this_fit:
        shutil.rmtree(folder / STEPS, ignore_errors=True)
        (folder / METRICS).unlink(missing_ok=True)
        write_text(path, this_fit)
    for step in (folder / STEPS).glob("checkpoint-*"):
        if not _is_whole(step):
            shutil.rmtree(step)


def last_saved(folder: Path) -> Path | None:
    """The last completely saved step, or None."""
    complete = [step for step in (folder / STEPS).glob("checkpoint-*") if _is_whole(step)]
    return max(complete, key=number, default=None)


def number(step: Path | None) -> int:
    """The number of steps done when it was saved."""
    return int(step.name.rpartition("-")[2]) if step else 0


def note_metrics(folder: Path, row: Mapping[str, Any]) -> None:
    """Append a line to `metrics.jsonl`; infinite numbers and NaN become null, because JSON has no such numbers."""
    numbers = {name: None if isinstance(x, float) and not math.isfinite(x) else x for name, x in row.items()}
    append_row(folder / METRICS, json.dumps(numbers))


class Noting:
    """Base class of policies: notes for the next step."""

    folder: Path
    """The folder of the fit."""
    steps: int
    """Steps that were done."""
    noted: dict[str, float]
    """Numbers for the next step's line of `metrics.jsonl`."""

    def note(self, numbers: Mapping[str, float], rollouts: Sequence[Mapping[str, Any]] = ()) -> None:
        """Note numbers for the next step's line of `metrics.jsonl`, and write its replies to `rollouts/step-….jsonl`."""
        self.noted |= numbers
        if rollouts:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rollouts)
            write_text(self.folder / ROLLOUTS / f"step-{self.steps + 1:05d}.jsonl", text)


def check_number(name: str, value: float, step: int, of_step: Sequence[Any], rows: Sequence[Example]) -> None:
    """Raise `TrainingError` if a loss or a gradient is NaN or infinite, with the lines of the step's rows.

    Args:
        name: Name of the number.
        value: Its value.
        step: The step, from 1.
        of_step: The step's rows, or rollouts of them.
        rows: All rows of the training set.
    """
    if not math.isfinite(value):
        spoilt = {getattr(item, "row", item) for item in of_step}
        lines = ", ".join(str(i) for i, row in enumerate(rows, 1) if row in spoilt)
        raise TrainingError(
            f"The {name} is {value} at step {step}, on rows {lines} of the training set. Look at these rows, or lower the "
            "learning rate."
        )


def _is_whole(step: Path) -> bool:
    try:
        json.loads((step / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
