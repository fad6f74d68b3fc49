"""Calls that fail: retried with back-off, recorded by kind, and given up when the endpoint is gone.

In: one call to a hosted model. Out: its output, or an error that says what the endpoint did. Every failure is a row of
`failures.jsonl` in the folder of the replies. Inspect's provider decides which errors may be retried. Inspect's own retries
are turned off, because they are unlimited, ignore `Retry-After` and leave no trace. tenacity does the waiting.
A call is never repeated because of the content of its reply: a filtered or cut reply is stored as it is.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway import layout
from unsway.disk import append_row
from unsway.errors import ModelError, number_of
from unsway.models.endpoints import is_own_server
from unsway.models.patience import Patience, plain
from unsway.planning.budget import LEAST_CHARACTERS_A_TOKEN
from unsway.planning.prices import SNAPSHOT

if TYPE_CHECKING:
    from inspect_ai.model import GenerateConfig, Model, ModelOutput
    from tenacity import RetryCallState

_log = logging.getLogger(__name__)

NO_ADDRESS = "no address"
"""The kind of a call to something that is not a server's address."""
FOR_ALL = frozenset({"401", "403", "404", NO_ADDRESS})
"""Failures that every call will meet if no call was ever answered: a wrong key, address or name."""
QUOTA = "insufficient_quota"
"""OpenAI's code for an account without money: a 429 that waiting does not fix."""
NOBODY = "no connection"
"""The kind of a call to an address without a server."""
USELESS = ("malformed", "no choices", "another model")
"""Kinds of malformed answers. A dozen at the start mean a wrong protocol or the wrong model."""
FILTERED = "content filter"
"""The kind of a reply that a provider withholds: it is stored as a reply and also recorded here."""
SELF_HOSTED = ("openai-api/", "vllm/")
"""Providers through which a user's own server answers under the requested name."""


def is_metered(output: ModelOutput) -> bool:
    """Whether the provider reports the tokens of an output."""
    return output.usage is not None and output.usage.input_tokens + output.usage.output_tokens > 0


def is_same_model(asked: str, answered: str, *, is_own: bool) -> bool:
    """Whether a server answers as the requested model.

    Either name may have a path or an organisation in front. A provider may append a snapshot's date; a self-hosted server may
    not, because its `m-1000` may be another checkpoint than `m`.
    """
    short, long = sorted((f"/{asked.casefold()}", f"/{answered.casefold()}"), key=len)
    if long.endswith(short):
        return True
    _, _, suffix = f"/{answered.casefold()}".rpartition(f"/{asked.casefold()}")
    return not is_own and SNAPSHOT.fullmatch(suffix) is not None


class CallFailed(ModelError):
    """A failed call: its kind, the server's message, whether it may pass, and the wait that the server asks for."""

    def __init__(self, kind: str, said: str, *, passing: bool, after: float = 0.0) -> None:
        super().__init__(f"{kind}: {said}" if said else kind)
        self.kind, self.said, self.passing, self.after = kind, said, passing, after

    @classmethod
    def of(cls, error: Exception, model: Model) -> CallFailed:
        """Convert a call's error: its kind is the HTTP status, or a few words."""
        from tenacity import RetryError

        if isinstance(error, CallFailed):
            return error
        is_retryable = isinstance(error, RetryError)  # Inspect would have retried
        cause = (error.last_attempt.exception() or error) if isinstance(error, RetryError) else error
        decision = model.api.should_retry(cause) if isinstance(cause, Exception) else False
        type_names = {base.__name__ for exception in (cause, cause.__cause__) for base in type(exception).__mro__}
        status = getattr(cause, "status_code", None)
        if status is not None:
            kind = str(status)
        elif any("Timeout" in name for name in type_names):
            kind = "time-out"
        elif type_names & {"ConnectError", "ConnectionRefusedError"}:
            kind = NOBODY
        elif type_names & {"UnsupportedProtocol", "InvalidURL"}:
            kind = NO_ADDRESS
        elif type_names & {"NetworkError", "RemoteProtocolError", "APIConnectionError"}:
            kind = "connection lost"
        elif type_names & {"JSONDecodeError", "ValidationError", "OpenAIResponseError"}:
            kind = "malformed"
        else:
            kind = type(cause).__name__
        url = getattr(model.api, "base_url", None)
        message = f"nobody listens at {url}: {cause}" if kind == NOBODY and url else str(cause)
        return cls(
            kind,
            plain(message, getattr(model.api, "api_key", None)),
            passing=(is_retryable or kind == "malformed") and kind != NO_ADDRESS,
            after=getattr(decision, "retry_after", None) or 0.0,
        )


class Calls:
    """All calls of one `Asker` to one endpoint; they share its state."""

    def __init__(self, folder: Path, name: str, patience: Patience, answers_as: str | None = None) -> None:
        self.path, self.name, self.patience = folder / layout.FAILURES, name, patience
        self.answers_as = answers_as
        """The name under which the server answers, if the caller gave it."""
        self.counts: Counter[str] = Counter()
        """Failures by kind."""
        self.failing_since: float | None = None
        """The time of the first failure since the last answer."""
        self.answered = False
        """Whether any call was answered."""
        self.is_unmetered = False
        """Whether a reply came without a token count; there is only one warning."""
        self.given_up: CallFailed | None = None
        """Why the endpoint was given up."""

    async def generate(self, model: Model, chat: list[Any], config: GenerateConfig, prompt_id: str) -> ModelOutput:
        """One output, after as many tries as necessary.

        Raises:
            CallFailed: The endpoint is gone, or no try for this prompt was answered.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

        config.max_retries = 0
        patience = self.patience
        backoff = wait_exponential_jitter(initial=patience.first, max=patience.longest, jitter=patience.first)

        def wait(state: RetryCallState) -> float:
            """Seconds before the next try: the longer of the server's wish and the back-off, but not past giving up."""
            error = state.outcome.exception() if state.outcome else None
            requested = min(error.after, patience.gone) if isinstance(error, CallFailed) else 0.0
            since = self.failing_since
            deadline = float("inf") if since is None else since + self._patience_with_silence()
            return min(max(requested, backoff(state)), max(deadline - time.monotonic(), 0.0) + 0.01)

        tries = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, CallFailed) and error.passing),
            stop=stop_after_attempt(patience.tries),
            wait=wait,
            reraise=True,
        )
        output: ModelOutput = await tries(self._try_once, model, chat, config, prompt_id)
        return output

    def summary(self) -> str:
        """The failures by kind, as one phrase; empty if there are none."""
        return ", ".join(f"{count} × {kind}" for kind, count in self.counts.most_common())

    async def _try_once(self, model: Model, chat: list[Any], config: GenerateConfig, prompt_id: str) -> ModelOutput:
        if self.given_up:
            raise self.given_up
        start = time.monotonic()
        try:
            output = await model.generate(chat, config=config)
            if not output.choices:
                raise CallFailed("no choices", "the server sent an answer without one", passing=True)
            model_name = self.name.split("/", 2 if self.name.startswith("openai-api/") else 1)[-1]
            # vllm/BASE:ADAPTER
            model_name = model_name.rpartition(":")[2] if self.name.startswith("vllm/") else model_name
            if self.answers_as is None:
                is_own = self.name.startswith("vllm/") or is_own_server(model.api.base_url)
                is_same = is_same_model(model_name, output.model, is_own=is_own)
            else:
                is_same = output.model == self.answers_as
            if self.name.startswith(SELF_HOSTED) and output.model and not is_same:
                served_name = plain(output.model)
                message = (
                    f"{served_name!r} answered instead of {self.answers_as or model_name!r}. Serve the model under the "
                    f"name that is asked for; or, if the server is right, say so: -M answers_as={served_name}"
                )
                raise CallFailed("another model", message, passing=True)
        except Exception as error:
            failure = CallFailed.of(error, model)
            self._record(failure, prompt_id)
            if failure.kind == type(error).__name__:
                raise  # not the network's fault: Inspect's log has the whole error
            raise failure from None
        self.failing_since, self.answered = None, True
        seconds = time.monotonic() - start
        stop = output.stop_reason
        tokens = output.usage.output_tokens if output.usage else "unknown"
        if not self.is_unmetered and not is_metered(output):
            self.is_unmetered = True
            _log.warning(
                "%s does not report how many tokens it uses (no `usage`): tokens and costs of its replies are estimated from "
                "their characters, at %g characters a token. Thinking that it does not show is not counted.",
                self.name,
                LEAST_CHARACTERS_A_TOKEN,
            )
        _log.debug("%s answered in %.2f s; output tokens: %s, ended by %s", self.name, seconds, tokens, stop)
        if output.stop_reason == "content_filter":
            self._record(CallFailed(FILTERED, "kept as it is", passing=False), prompt_id)
        return output

    def _patience_with_silence(self) -> float:
        """Seconds without any answer before the endpoint is given up."""
        is_alive = self.answered or set(self.counts) != {NOBODY}
        return self.patience.gone if is_alive else self.patience.never

    def _record(self, failure: CallFailed, prompt_id: str) -> None:
        """Record a failure, report the first of its kind, and give up an endpoint that is gone, so nothing waits for it."""
        if failure.passing:
            level = logging.DEBUG if failure.kind in self.counts else logging.WARNING
            _log.log(level, "%s: %s. Trying again.", self.name, plain(str(failure)).rstrip("."))
        self.counts[failure.kind] += 1
        row = {"at": round(time.time(), 3), "model": self.name, "kind": failure.kind, "prompt_id": prompt_id}
        append_row(self.path, json.dumps(row | {"said": failure.said}))
        if failure.kind == FILTERED:
            return
        now = time.monotonic()
        self.failing_since = now if self.failing_since is None else self.failing_since
        silence = now - self.failing_since
        is_useless = not self.answered and sum(self.counts[kind] for kind in USELESS) >= self.patience.tries
        if failure.passing and (is_useless or silence > self._patience_with_silence()):
            problem = "no usable answer" if is_useless else "no answer"
            message = (
                f"{problem} for {number_of(max(1, round(silence)), 'second')} ({self.summary()}), at last {failure}"
            )
            self.given_up = CallFailed("given up", message, passing=False)
        elif QUOTA in failure.said or (failure.kind in FOR_ALL and not self.answered):
            self.given_up = failure
