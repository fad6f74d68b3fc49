"""What a fine-tuning job says while it goes on, noted once, and the API's words made safe to show.

In: a client and a job's id. Out: rows in `metrics.jsonl` (losses, by the names of the local backend) and `events.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from unsway.disk import append_row, repaired_rows
from unsway.models.patience import plain
from unsway.progress import Advance

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.fine_tuning import FineTuningJobEvent


class Notes:
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
            self._note(event)
        advance(min(self.step, total) - before)

    def _note(self, event: FineTuningJobEvent) -> None:
        row: dict[str, object] = {"event": event.id, "at": event.created_at}
        kind = "metrics" if event.type == "metrics" and isinstance(event.data, dict) else "message"
        if kind == "metrics" and isinstance(event.data, dict):
            row |= _numbers(event.data)
            self.step = max(self.step, int(event.data.get("step") or 0))
        else:
            row |= {"level": event.level, "message": plain(event.message, self.key)}
        append_row(self.paths[kind], json.dumps(row))
        self.seen.add(event.id)


def _numbers(data: Mapping[str, object]) -> dict[str, float]:
    """The numbers of a metrics event, by the names that the local backend uses."""
    names = {"train_loss": "loss", "train_mean_token_accuracy": "mean_token_accuracy"}  # nosec B105
    found = {names.get(name, name): value for name, value in data.items()}
    return {name: value for name, value in found.items() if isinstance(value, int | float)}
