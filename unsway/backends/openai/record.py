"""The record of a folder's job: `openai.json`, written before and after each API step.

In: a folder. Out: the record of the fit that runs there. A killed fit finds its job by it, so no second job is created.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from unsway.disk import write_text
from unsway.errors import BadInput, StoreError
from unsway.models.weights import CHECKPOINT_FILE
from unsway.store import dumps, loads

RECORD = "openai.json"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """The record of a folder's job."""

    fit: str
    """Id of what is trained: examples, method, base, address."""
    mark: str
    """The mark in the job's metadata, unique to this attempt."""
    file_sha256: str
    """sha256 of the training file."""
    file_id: str | None = None
    """The file's id at the API; None before it is uploaded."""
    job_id: str | None = None
    """The job's id at the API; None before it is created."""
    ended: str = ""
    """succeeded, failed or cancelled, once known."""

    def keep(self, folder: Path) -> JobRecord:
        """Write it into the folder, and return it."""
        write_text(folder / RECORD, dumps(self) + "\n")
        return self


def read_record(folder: Path) -> JobRecord | None:
    """The record of a folder, if it has one. Raises `StoreError` if the file is damaged."""
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return loads(JobRecord, path.read_text(encoding="utf-8"))
    except ValueError:
        raise StoreError(f"{str(path)!r} is no record of a job. Move it away, or name another folder.") from None


def record_of(folder: Path, fit: str, text: str) -> JobRecord:
    """The record of this fit: the one in the folder, or a new one.

    Raises:
        BadInput: The folder waits for the job of another fit.
    """
    old = read_record(folder)
    if old and old.fit != fit and old.job_id and not old.ended:
        raise BadInput(
            f"{str(folder)!r} waits for the job {old.job_id} of another fit (other examples, method, base or address). Run "
            "that one again, cancel it, or name another folder."
        )
    if old and old.fit == fit and old.ended in ("", "succeeded"):
        return old
    for name in (CHECKPOINT_FILE, "metrics.jsonl", "events.jsonl"):
        (folder / name).unlink(missing_ok=True)
    return JobRecord(fit, uuid.uuid4().hex, hashlib.sha256(text.encode()).hexdigest()).keep(folder)
