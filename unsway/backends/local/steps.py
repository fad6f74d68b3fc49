"""What a fit keeps on disk while it goes on: the trainer's own steps, gone when it is done.

In: a folder. Out: the last whole step to resume from. A step that a kill or a full disk tore has no trainer state, which
is written last; it is removed, for it also takes the room that the next attempt needs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from unsway.disk import write_text
from unsway.models.weights import CHECKPOINT_FILE

STEPS = "steps"
"""Sub-folder of the trainer's own checkpoints."""
METRICS = "metrics.jsonl"


def keep_only(folder: Path, this_fit: str) -> None:
    """Make the folder ready for this fit; steps that belong to another one are removed, not resumed from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    record = folder / STEPS / "fit.txt"
    if not record.exists() or record.read_text(encoding="utf-8") != this_fit:
        shutil.rmtree(folder / STEPS, ignore_errors=True)
        (folder / METRICS).unlink(missing_ok=True)
        write_text(record, this_fit)
    for step in (folder / STEPS).glob("checkpoint-*"):
        if not _is_whole(step):
            shutil.rmtree(step)


def last_saved(folder: Path) -> Path | None:
    """The last step that was saved whole."""
    whole = [step for step in (folder / STEPS).glob("checkpoint-*") if _is_whole(step)]
    return max(whole, key=number, default=None)


def number(step: Path | None) -> int:
    """How many steps were done when it was saved."""
    return int(step.name.rpartition("-")[2]) if step else 0


def _is_whole(step: Path) -> bool:
    try:
        json.loads((step / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
