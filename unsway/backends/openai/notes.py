"""Note the events of a fine-tuning job, each once, with the API's messages made safe to show.

In: a client and a job's id. Out: rows in `metrics.jsonl` (losses, by the names of the local back-end) and `events.jsonl`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from unsway.disk import append_row, repaired_rows
from unsway.models.patience import plain
from unsway.progress import Advance

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.fine_tuning import FineTuningJobEvent

NAMES = {"train_loss": "loss", "train_mean_token_accuracy": "mean_token_accuracy"}  # nosec B105
"""Names of a metrics event, as the local back-end writes them."""


class JobNotes:
    """Events of a job, each noted once: messages in `events.jsonl`, losses in `metrics.jsonl`."""

    def __init__(self, folder: Path, key: str | None = None) -> None:
        self.paths = {"message": folder / "events.jsonl", "metrics": folder / "metrics.jsonl"}
        self.key = key
        rows = [row for path in self.paths.values() for row in map(json.loads, repaired_rows(path))]
        self.seen = {row["event"] for row in rows}
        self.step = max((row.get("step", 0) for row in rows), default=0)

    def take(self, client: OpenAI, job_id: str, total: int, advance: Advance) -> None:
        """Note what is new, oldest first, and move the bar to the last step."""
        new: list[FineTuningJobEvent] = []
        for event in client.fine_tuning.jobs.list_events(job_id, limit=100):
            if event.id in self.seen:
                break
            new.append(event)
        before = min(self.step, total)
        for event in reversed(new):
            row: dict[str, object] = {"event": event.id, "at": event.created_at}
            kind = "message"
            if event.type == "metrics" and isinstance(event.data, dict):
                kind = "metrics"
                values = {NAMES.get(str(name), str(name)): value for name, value in event.data.items()}
                row |= {name: x for name, x in values.items() if isinstance(x, int | float) and math.isfinite(x)}
                self.step = max(self.step, int(event.data.get("step") or 0))
            else:
                row |= {"level": event.level, "message": plain(event.message, self.key)}
            append_row(self.paths[kind], json.dumps(row))
            self.seen.add(event.id)
        advance(min(self.step, total) - before)
