"""Create files and jobs at OpenAI with the official SDK; each is searched for first.

In: a client and the record of a fit. Out: the id of its file, its job, and the errors of the SDK as ours.
Retries are the SDK's own (0.5 to 8 s, `Retry-After` up to 120 s); creating a job, which it must not repeat blindly, is
tenacity's. If the response to a creation is lost, the job is found again by a mark in its metadata.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unsway.backends.openai.record import JobRecord
from unsway.errors import BadInput, TrainingError
from unsway.models.patience import plain
from unsway.models.secrets import read_dotenv

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.fine_tuning import FineTuningJob, SupervisedHyperparametersParam
    from tenacity import RetryCallState

_log = logging.getLogger(__name__)
MARK = "unsway"
"""Key of the job's metadata under which a fit knows its own job."""
CREATIONS = 8
"""Attempts to create a job; the waits between them add up to about two minutes. Ours."""
ANSWER_WITHIN = 120.0
"""Timeout in seconds for one response; the SDK's default of 600 would hide a dead connection for ten minutes."""


def connect(base_url: str | None) -> OpenAI:
    """A client. Raises `BadInput` without a key."""
    from openai import OpenAI, OpenAIError

    read_dotenv()
    try:
        return OpenAI(base_url=base_url, max_retries=CREATIONS, timeout=ANSWER_WITHIN)
    except OpenAIError:
        raise BadInput(
            "Training at OpenAI needs a key. Put it into the variable OPENAI_API_KEY, or into a .env file."
        ) from None


def upload_rows(client: OpenAI, record: JobRecord, text: str) -> str:
    """The id of the training file, found by its name, which has its sha256; uploaded if it does not exist."""
    name, content = f"unsway-{record.file_sha256[:32]}.jsonl", text.encode()
    for file in client.files.list(purpose="fine-tune"):
        if file.filename == name and file.bytes == len(content) and file.status != "error":
            return file.id
    return client.files.create(file=(name, content, "application/jsonl"), purpose="fine-tune").id


def create_job(
    client: OpenAI, record: JobRecord, model: str, hyper_parameters: SupervisedHyperparametersParam, seed: int
) -> str:
    """The id of the job of this record. Each attempt first looks for a job that an earlier attempt created."""
    from openai import APIConnectionError, InternalServerError, RateLimitError
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

    def create() -> str:
        for existing in client.fine_tuning.jobs.list(metadata={MARK: record.mark}):
            if (existing.metadata or {}).get(MARK) == record.mark:
                return existing.id
        job = client.with_options(max_retries=0).fine_tuning.jobs.create(
            model=model,
            training_file=str(record.file_id),
            method={"type": "supervised", "supervised": {"hyperparameters": hyper_parameters}},
            seed=seed,
            metadata={MARK: record.mark},
        )
        return job.id

    def pause(state: RetryCallState) -> float:
        """Seconds to wait: what the API asks for, but at least our own growing delay."""
        error = state.outcome.exception() if state.outcome else None
        retry_after = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
        least = float(retry_after) if retry_after.isdigit() else 0.0
        return max(min(least, ANSWER_WITHIN), wait_exponential_jitter(initial=0.5, max=60, jitter=0.5)(state))

    transient = retry_if_exception_type((APIConnectionError, InternalServerError, RateLimitError))
    return Retrying(retry=transient, stop=stop_after_attempt(CREATIONS), wait=pause, reraise=True)(create)


def job_outcome(job: FineTuningJob) -> str:
    """How a job has ended: succeeded, cancelled, or failed. A job without a model has failed, whatever its status says."""
    return "failed" if job.status == "succeeded" and not job.fine_tuned_model else job.status


def check_ended(job: FineTuningJob, client: OpenAI) -> None:
    """Raise `TrainingError` if a job failed (with the API's reason), was cancelled, or left no model."""
    advice = "Run the same again to start a new job."
    if job.status == "succeeded" and not job.fine_tuned_model:
        raise TrainingError(
            f"The job {job.id} is said to have succeeded, but {client.base_url.host} names no model that it made "
            f"(fine_tuned_model is empty). Look at the job there. {advice}"
        )
    if job.status == "cancelled":
        raise TrainingError(f"The job {job.id} was cancelled. {advice}")
    if job.status == "failed":
        reason = "the API gave no reason"
        if job.error:
            reason = f"{plain(job.error.message, client.api_key)} ({plain(job.error.code, client.api_key)})"
        raise TrainingError(f"The job {job.id} failed: {reason} {advice}")


@contextmanager
def translate_errors(client: OpenAI) -> Iterator[None]:
    """Raises the SDK's errors as ours, in the API's words, without the key."""
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
def going_on(job_id: str) -> Iterator[None]:
    """Logs, when interrupted, that the job goes on, and how to wait for it again or end it."""
    try:
        yield
    except KeyboardInterrupt:
        _log.warning(
            "The job %s goes on without us. Run the same again to wait for it, or with --cancel to end it.", job_id
        )
        raise
