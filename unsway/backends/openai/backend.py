"""Training at OpenAI, or at a server that speaks its API, by the official SDK.

In: examples and a method. Out: a checkpoint whose model is `openai/ft:…`; in the folder `openai.json` (what was uploaded,
which job), `events.jsonl` and `metrics.jsonl` as the job goes on, and the checkpoint's record, last.
The job's id is on disk before it is waited for. Killed or cut off, the same call waits for the same job; a creation whose
answer was lost is looked for by a mark in the job's metadata, so that no second job is made.
Retries are the SDK's own (0.5 to 8 s, `Retry-After` up to 120 s); creating, which it must not repeat blindly, is tenacity's.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256 as hash_of
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from unsway.backends import backends
from unsway.backends.openai.notes import Notes
from unsway.backends.openai.rows import bill, chat_jsonl, estimate, hyper_parameters, steps
from unsway.disk import exclusive, write_text
from unsway.errors import BadInput, MissingExtra, StoreError, TrainingError
from unsway.models.endpoints import address, address_id
from unsway.models.patience import plain
from unsway.models.weights import CHECKPOINT_FILE
from unsway.progress import track
from unsway.seeds import content_id
from unsway.store import dumps, loads
from unsway.training import examples_sha256
from unsway.training.seams import Backend, CrossEntropy, Method, Tuner
from unsway.types import Checkpoint, Example

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import FileObject
    from openai.types.fine_tuning import FineTuningJob, SupervisedHyperparametersParam
    from tenacity import RetryCallState

PREFIX = "openai/"
RECORD = "openai.json"
MARK = "unsway"
"""Key of the job's metadata under which a fit knows its own job."""
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0
"""Seconds between two looks at a job: at first, and at most; a job takes minutes to hours."""
RETRIES = 450
"""Of one look: about an hour without an answer, at the SDK's 8 seconds each. The job goes on meanwhile."""
CREATIONS = 8
"""Times that creating a job is tried; the waits between them add up to about two minutes."""
ANSWER_WITHIN = 120.0
"""Seconds for one answer; the SDK's default of 600 would hide a dead connection for ten minutes."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a folder knows of its job."""

    fit: str
    """Id of what is trained: examples, method, base, address."""
    mark: str
    """What the job's metadata says, unique to this attempt."""
    file_sha256: str
    file_id: str | None = None
    job_id: str | None = None
    ended: str = ""
    """succeeded, failed or cancelled, once that was seen."""


@dataclass(frozen=True, slots=True)
class OpenAi(Backend):
    """Trains at OpenAI: an adapter of an undisclosed kind, on completions."""

    base_url: str | None = None
    """Address of the API; None takes `OPENAI_BASE_URL`, else OpenAI's own."""
    max_cost: float | None = None
    """US dollars that the estimate of a job may reach; None sets no limit."""
    waits: tuple[float, float] = (FIRST_WAIT, LONGEST_WAIT)
    """Seconds between two looks at a job: at first, and at most."""

    name: ClassVar[str] = "openai"
    summary: ClassVar[str] = "at OpenAI, or at a server that speaks its fine-tuning API"
    offers: ClassVar[frozenset[Any]] = frozenset({Tuner})
    objectives: ClassVar[frozenset[Any]] = frozenset({CrossEntropy})

    def describe(self, base: str) -> str:
        """The base by name, with the id of the address where that is not OpenAI's own."""
        name = _named(base)
        where = address_id(name, self._args())
        return f"{name}@{where}" if where else name

    def check(self, method: Method, base: str) -> None:
        """Refuse the base of another provider, and hyper-parameters that the API has no place for."""
        if "/" in base and not base.startswith(PREFIX):
            raise BadInput(
                f"The openai backend cannot train {base!r}: its models are {PREFIX}NAME. Name one of them, or another "
                "backend."
            )
        hyper_parameters(method)

    def limited(self, max_cost: float) -> OpenAi:
        """The same, refusing a job that would cost more than this, or than its own limit."""
        return replace(self, max_cost=max_cost if self.max_cost is None else min(max_cost, self.max_cost))

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        """Train; waits for the job that the folder knows of where there is one.

        Raises:
            BadInput: The rows, the hyper-parameters or the cost are refused; nothing was sent.
            TrainingError: The API refused, or the job failed or was cancelled; the API's message is in it.
        """
        name = _named(base)
        sent = hyper_parameters(method)
        text, sha256 = chat_jsonl([method.texts(row) for row in rows], name), examples_sha256(rows)
        self._check_cost(estimate(text, name, method), name)
        fit = content_id(sha256, repr(method), self.describe(base))
        client = self._client()
        with _alone(folder), _said(client):
            record = _record_of(folder, fit, text)
            if record.job_id is None:
                record = _started(client, folder, record, text, name, sent, method.seed)
            with _leaving(record):
                job = self._wait(client, str(record.job_id), folder, steps(len(rows), method))
            _keep(folder, replace(record, ended=job.status))
            if job.status != "succeeded":
                raise _ended_badly(job, client)
            tokens = estimate(text, name, method).tokens if job.trained_tokens is None else job.trained_tokens
            return self._checkpoint(job, method, base, folder, sha256, tokens, steps(len(rows), method))

    def cancel(self, folder: Path) -> str:
        """Cancel the job that a folder waits for, and return its status. Raises `BadInput` where there is none."""
        record = _read(folder)
        if record is None or record.job_id is None:
            raise BadInput(f"{str(folder)!r} knows of no job. Name the folder in which it was started.")
        client = self._client()
        with _said(client):
            return str(client.fine_tuning.jobs.cancel(record.job_id).status)

    def _args(self) -> Mapping[str, Any]:
        return {"base_url": self.base_url}

    def _client(self) -> OpenAI:
        try:
            from openai import OpenAI, OpenAIError
        except ImportError as error:
            raise MissingExtra("Training at OpenAI", "openai", str(error.name)) from None
        try:
            return OpenAI(base_url=self.base_url, max_retries=CREATIONS, timeout=ANSWER_WITHIN)
        except OpenAIError:
            raise BadInput("Training at OpenAI needs a key. Put it into the variable OPENAI_API_KEY.") from None

    def _check_cost(self, expected: Any, base: str) -> None:
        print(f"Training {base} on about {expected}.", file=sys.stderr, flush=True)
        if self.max_cost is None:
            return
        if expected.dollars is None:
            raise BadInput(
                f"The training price of {base!r} is not known, so that no limit on the cost can be kept. Leave it out."
            )
        if expected.dollars > self.max_cost:
            raise BadInput(
                f"Training would cost about ${expected.dollars:.4f}, more than the ${self.max_cost:.6g} allowed. Take fewer "
                "examples or a higher limit; nothing was sent."
            )

    def _wait(self, client: OpenAI, job_id: str, folder: Path, total: int) -> FineTuningJob:
        """Look at the job until it has ended, noting what it says."""
        patient = client.with_options(max_retries=RETRIES)
        pause, longest = self.waits
        notes = Notes(folder, client.api_key)
        with track(f"Training ({job_id})", total, done=min(notes.step, total)) as advance:
            while True:
                job = patient.fine_tuning.jobs.retrieve(job_id)
                notes.take(patient, job_id, total, advance)
                if job.status in ("succeeded", "failed", "cancelled"):
                    return job
                time.sleep(pause)
                pause = min(1.5 * pause, longest)

    def _checkpoint(
        self, job: FineTuningJob, method: Method, base: str, folder: Path, sha256: str, tokens: int, computed: int
    ) -> Checkpoint:
        name, url = _named(base), address(_named(base), self._args())
        cost = bill(name, tokens)
        print(f"Trained on {cost}: {job.fine_tuned_model}.", file=sys.stderr, flush=True)
        model = f"{PREFIX}{job.fine_tuned_model}"
        checkpoint = Checkpoint(
            model=model,
            base=self.describe(base),
            backend=self.name,
            uri=f"{url}#{job.fine_tuned_model}" if url else str(job.fine_tuned_model),
            method=repr(method),
            data_sha256=sha256,
            steps=Notes(folder).step or computed,
            tokens=tokens,
            cost=None if job.trained_tokens is None else cost.dollars,
        )
        write_text(folder / CHECKPOINT_FILE, dumps(checkpoint) + "\n")
        return checkpoint


def _named(base: str) -> str:
    return PREFIX + base.removeprefix(PREFIX)


# ---------------------------------------------------------------- the folder's record


def _read(folder: Path) -> Record | None:
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return loads(Record, path.read_text(encoding="utf-8"))
    except ValueError:
        raise StoreError(f"{str(path)!r} is no record of a job. Move it away, or name another folder.") from None


def _keep(folder: Path, record: Record) -> Record:
    write_text(folder / RECORD, dumps(record) + "\n")
    return record


def _record_of(folder: Path, fit: str, text: str) -> Record:
    """The record of this fit: the one that is there, or a new one. A folder that waits for another fit is refused."""
    old = _read(folder)
    if old and old.fit != fit and old.job_id and not old.ended:
        raise BadInput(
            f"{str(folder)!r} waits for the job {old.job_id} of another fit (other examples, method, base or address). Go on "
            "with that one, cancel it, or name another folder."
        )
    if old and old.fit == fit and old.ended in ("", "succeeded"):
        return old
    for name in (CHECKPOINT_FILE, "metrics.jsonl", "events.jsonl"):
        (folder / name).unlink(missing_ok=True)
    return _keep(folder, Record(fit, uuid.uuid4().hex, hash_of(text.encode()).hexdigest()))


def _alone(folder: Path) -> AbstractContextManager[None]:
    """One process at a time in a folder; the lock ends with the process, however that one ends."""
    return exclusive(folder, f"{RECORD}.lock", waiting="another process waits for its job", wait=False)


# ---------------------------------------------------------------- upload and job


def _started(
    client: OpenAI, folder: Path, record: Record, text: str, base: str, sent: SupervisedHyperparametersParam, seed: int
) -> Record:
    """Upload the file unless it is there, and create the job unless it was."""
    record = _keep(folder, replace(record, file_id=_file(client, record, text).id))
    return _keep(folder, replace(record, job_id=_job(client, record, base, sent, seed).id))


def _file(client: OpenAI, record: Record, text: str) -> FileObject:
    """The file at the API, found by its name, which holds its sha256; uploaded where it is not there."""
    name, content = f"unsway-{record.file_sha256[:32]}.jsonl", text.encode()
    for there in client.files.list(purpose="fine-tune"):
        if there.filename == name and there.bytes == len(content) and there.status != "error":
            return there
    return client.files.create(file=(name, content, "application/jsonl"), purpose="fine-tune")


def _job(client: OpenAI, record: Record, base: str, sent: SupervisedHyperparametersParam, seed: int) -> FineTuningJob:
    """The job of this record. Each try looks first for one that an earlier try did make, though its answer was lost."""
    from openai import APIConnectionError, InternalServerError, RateLimitError
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

    def create() -> FineTuningJob:
        for there in client.fine_tuning.jobs.list(metadata={MARK: record.mark}):
            if (there.metadata or {}).get(MARK) == record.mark:
                return there
        return client.with_options(max_retries=0).fine_tuning.jobs.create(
            model=base.removeprefix(PREFIX),
            training_file=str(record.file_id),
            method={"type": "supervised", "supervised": {"hyperparameters": sent}},
            seed=seed,
            metadata={MARK: record.mark},
        )

    passing = retry_if_exception_type((APIConnectionError, InternalServerError, RateLimitError))
    return Retrying(retry=passing, stop=stop_after_attempt(CREATIONS), wait=_pause, reraise=True)(create)


def _pause(state: RetryCallState) -> float:
    """Seconds to wait: what the API asks for, at least a growing time of our own."""
    from tenacity import wait_exponential_jitter

    error = state.outcome.exception() if state.outcome else None
    asked = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
    least = float(asked) if asked.isdigit() else 0.0
    return max(min(least, ANSWER_WITHIN), wait_exponential_jitter(initial=0.5, max=60, jitter=0.5)(state))


# ---------------------------------------------------------------- errors


@contextmanager
def _said(client: OpenAI) -> Iterator[None]:
    """The SDK's errors as ours, in the API's words, without the key."""
    from openai import APIConnectionError, APIError, AuthenticationError

    try:
        yield
    except AuthenticationError as error:
        raise TrainingError(f"The key in OPENAI_API_KEY was refused: {plain(error.message, client.api_key)}") from None
    except APIConnectionError as error:
        raise TrainingError(
            f"No answer from {client.base_url.host}: {plain(str(error.__cause__ or error), client.api_key)}. A job that was "
            "started goes on there: run the same again to wait for it."
        ) from None
    except APIError as error:
        raise TrainingError(f"{client.base_url.host} refused: {plain(error.message, client.api_key)}") from None


@contextmanager
def _leaving(record: Record) -> Iterator[None]:
    """Says, when interrupted, that the job goes on, and how to come back to it or end it."""
    try:
        yield
    except KeyboardInterrupt:
        print(
            f"\nThe job {record.job_id} goes on without us. Run the same again to wait for it, or with --cancel to end it.",
            file=sys.stderr,
            flush=True,
        )
        raise


def _ended_badly(job: FineTuningJob, client: OpenAI) -> TrainingError:
    """What failed, or that somebody cancelled; told apart."""
    again = "Run the same again to start a new job."
    if job.status == "cancelled":
        return TrainingError(f"The job {job.id} was cancelled. {again}")
    error = job.error
    why = (
        f"{plain(error.message, client.api_key)} ({plain(error.code, client.api_key)})"
        if error
        else "the API gave no reason"
    )
    return TrainingError(f"The job {job.id} failed: {why} {again}")


backends.add("openai", OpenAi)
