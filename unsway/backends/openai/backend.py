"""Training at OpenAI, or at a server that speaks its API, by the official SDK.

In: examples and a method. Out: a checkpoint whose model is `openai/ft:…`; in the folder `openai.json` (what was uploaded,
which job), `events.jsonl` and `metrics.jsonl` while the job runs, and the checkpoint's record, last.
The job's id is stored before waiting for the job. After a kill or a lost connection, the same call waits for the same job.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from unsway.backends import backends
from unsway.backends.charging import Charging
from unsway.backends.openai.jobs import (
    check_ended,
    connect,
    create_job,
    going_on,
    job_outcome,
    translate_errors,
    upload_rows,
)
from unsway.backends.openai.notes import JobNotes
from unsway.backends.openai.record import RECORD, read_record, record_of
from unsway.backends.openai.rows import bill, chat_jsonl, estimate, hyper_parameters
from unsway.disk import exclusive, write_text
from unsway.errors import BadInput
from unsway.models.endpoints import address, address_id
from unsway.models.weights import CHECKPOINT_FILE
from unsway.progress import track
from unsway.seeds import content_id
from unsway.store import dumps
from unsway.training import examples_sha256
from unsway.training.seams import CrossEntropy, Method, Tuner
from unsway.types import Checkpoint, Example

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.fine_tuning import FineTuningJob

_log = logging.getLogger(__name__)
PREFIX = "openai/"
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0
"""Seconds between polls of a job: at first, and at most; a job takes minutes to hours. Ours."""
RETRIES = 450
"""Retries of one poll: about an hour without an answer, at the SDK's 8 seconds each. The job continues meanwhile."""


@dataclass(frozen=True, slots=True)
class OpenAi(Charging):
    """Trains at OpenAI: an adapter of an undisclosed kind, on completions."""

    base_url: str | None = None
    """Address of the API; None takes `OPENAI_BASE_URL`, else OpenAI's own."""
    max_cost: float | None = None
    """Maximum estimated cost of a job in US dollars; None sets no limit."""
    waits: tuple[float, float] = (FIRST_WAIT, LONGEST_WAIT)
    """Seconds between polls of a job: at first, and at most."""

    name: ClassVar[str] = "openai"
    summary: ClassVar[str] = "at OpenAI, or at a server that speaks its fine-tuning API"
    offers: ClassVar[frozenset[Any]] = frozenset({Tuner})
    objectives: ClassVar[frozenset[Any]] = frozenset({CrossEntropy})

    def __post_init__(self) -> None:
        Charging.__post_init__(self)
        if not 0 <= self.waits[0] <= self.waits[1]:
            raise BadInput(f"OpenAi.waits is {self.waits}; it is seconds, 0 or more: the first wait and the longest.")

    def describe(self, base: str) -> str:
        """The base by name, with the id of the address if that is not OpenAI's own."""
        name = _full_name(base)
        server = address_id(name, {"base_url": self.base_url})
        return f"{name}@{server}" if server else name

    def check(self, method: Method, base: str) -> None:
        """Raise `BadInput` for another provider's base, and for hyper-parameters that the API lacks."""
        if "/" in base and not base.startswith(PREFIX):
            raise BadInput(
                f"The openai backend cannot train {base!r}: its models are {PREFIX}NAME. Name one of them, or another "
                "backend."
            )
        hyper_parameters(method)

    def training_cost(self, base: str, tokens: float) -> float | None:
        """US dollars by the table of training prices; None if the model is not listed."""
        return bill(_full_name(base), tokens).dollars

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        """Train; if the folder has a job already, wait for that.

        Raises:
            BadInput: The rows, the hyper-parameters or the cost are refused; nothing was sent.
            TrainingError: The API refused, or the job failed or was cancelled; the API's message is in it.
        """
        name = _full_name(base)
        parameters = hyper_parameters(method)
        text = chat_jsonl([method.texts(row) for row in rows], name)
        sha256 = examples_sha256(rows)
        expected = estimate(text, name, method)
        n_steps = -(-len(rows) // method.batch_size) * int(method.epochs)
        _log.warning("Training %s on about %s.", name, expected)
        if self.max_cost is not None and expected.dollars is None:
            raise BadInput(
                f"The training price of {name!r} is not known, so no limit on the cost can be kept. Leave it out."
            )
        if self.max_cost is not None and expected.dollars is not None and expected.dollars > self.max_cost:
            raise BadInput(
                f"Training would cost about ${expected.dollars:.4f}, more than the ${self.max_cost:.6g} allowed. Take fewer "
                "examples or a higher limit; nothing was sent."
            )
        client = connect(self.base_url)
        lock = exclusive(folder, f"{RECORD}.lock", waiting="another process waits for its job", wait=False)
        with lock, client, translate_errors(client):
            record = record_of(folder, content_id(sha256, repr(method), self.describe(base)), text)
            if record.job_id is None:
                record = replace(record, file_id=upload_rows(client, record, text)).keep(folder)
                job_id = create_job(client, record, name.removeprefix(PREFIX), parameters, method.seed)
                record = replace(record, job_id=job_id).keep(folder)
            with going_on(str(record.job_id)):
                job = self._wait(client, str(record.job_id), folder, n_steps)
            replace(record, ended=job_outcome(job)).keep(folder)
            check_ended(job, client)
            tokens = expected.tokens if job.trained_tokens is None else job.trained_tokens
            cost = bill(name, tokens)
            _log.warning("Trained on %s: %s.", cost, job.fine_tuned_model)
            url = address(name, {"base_url": self.base_url})
            checkpoint = Checkpoint(
                model=f"{PREFIX}{job.fine_tuned_model}",
                base=self.describe(base),
                backend=self.name,
                uri=f"{url}#{job.fine_tuned_model}" if url else str(job.fine_tuned_model),
                method=repr(method),
                data_sha256=sha256,
                steps=JobNotes(folder).step or n_steps,
                tokens=tokens,
                cost=None if job.trained_tokens is None else cost.dollars,
            )
            write_text(folder / CHECKPOINT_FILE, dumps(checkpoint) + "\n")
        return checkpoint

    def cancel(self, folder: Path) -> str:
        """Cancel the job that a folder waits for, and return its status. Raises `BadInput` if there is none."""
        record = read_record(folder)
        if record is None or record.job_id is None:
            raise BadInput(f"{str(folder)!r} knows of no job. Name the folder in which it was started.")
        client = connect(self.base_url)
        with client, translate_errors(client):
            return str(client.fine_tuning.jobs.cancel(record.job_id).status)

    def _wait(self, client: OpenAI, job_id: str, folder: Path, total: int) -> FineTuningJob:
        """Poll the job until it has ended, noting its events."""
        patient_client = client.with_options(max_retries=RETRIES)
        pause, longest = self.waits
        notes = JobNotes(folder, client.api_key)
        with track(f"Training ({job_id})", total, done=min(notes.step, total)) as advance:
            while True:
                job = patient_client.fine_tuning.jobs.retrieve(job_id)
                notes.take(patient_client, job_id, total, advance)
                if job.status in ("succeeded", "failed", "cancelled"):
                    return job
                time.sleep(pause)
                pause = min(1.5 * pause, longest)


def _full_name(base: str) -> str:
    """The base with its prefix, added if missing."""
    return PREFIX + base.removeprefix(PREFIX)


backends.add("openai", OpenAi)
