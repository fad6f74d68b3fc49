"""Calls that fail: repeated with back-off, noted by kind, and given up when the endpoint is gone.

In: one call of a hosted model. Out: its output, or an error that says what the endpoint did. Every failure is a row of
`failures.jsonl` beside the replies. What may be repeated is what Inspect's provider says of an error; Inspect's own retries
are turned off, since they have no end, keep no `Retry-After` and leave no trace. The waits are tenacity's.
A reply that is there is never asked for again because of what it says: a filtered or a cut one is kept as it is.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway import layout
from unsway.disk import append_row
from unsway.errors import ModelError
from unsway.models.patience import Patience, plain

if TYPE_CHECKING:
    from inspect_ai.model import GenerateConfig, Model, ModelOutput
    from tenacity import RetryCallState

FOR_ALL = frozenset({"401", "403", "404"})
"""Failures that every call will meet, where none was ever answered: a wrong key, a wrong address, a wrong name."""
SPENT = "insufficient_quota"
"""OpenAI's code for an account without money: a 429 that no waiting mends."""
NOBODY = "no connection"
USELESS = ("malformed", "no choices", "another model")
"""Answers that are none: where the first dozen are, the server speaks another language or serves another model."""
FILTERED = "content filter"
"""A reply that a provider holds back: it is a reply, and is noted as well."""
OWN_SERVER = ("openai-api/", "vllm/")
"""Providers behind which is a server of one's own, that answers by the name by which it is asked."""


class CallFailed(ModelError):
    """A call that failed."""

    def __init__(self, kind: str, said: str, *, passing: bool, after: float = 0.0) -> None:
        super().__init__(f"{kind}: {said}" if said else kind)
        self.kind, self.said, self.passing, self.after = kind, said, passing, after


class Calls:
    """The calls of one asking; they share what is known of the endpoint."""

    def __init__(self, folder: Path, name: str, patience: Patience) -> None:
        self.path, self.name, self.patience = folder / layout.FAILURES, name, patience
        self.counts: Counter[str] = Counter()
        self.failing_since: float | None = None
        """When the first call failed after the last answer."""
        self.answered = False
        self.over: CallFailed | None = None
        """Why the endpoint was given up."""

    async def generate(self, model: Model, chat: list[Any], config: GenerateConfig, prompt_id: str) -> ModelOutput:
        """One output, after as many tries as it takes.

        Raises:
            CallFailed: The endpoint is gone, or gave no answer to this prompt in all tries.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        config.max_retries = 0
        repeated = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, CallFailed) and error.passing),
            stop=stop_after_attempt(self.patience.tries),
            wait=self._wait,
            reraise=True,
        )
        output: ModelOutput = await repeated(self._once, model, chat, config, prompt_id)
        return output

    def summary(self) -> str:
        """What failed, by kind, as one phrase; empty where nothing did."""
        return ", ".join(f"{count} × {kind}" for kind, count in self.counts.most_common())

    async def _once(self, model: Model, chat: list[Any], config: GenerateConfig, prompt_id: str) -> ModelOutput:
        if self.over:
            raise self.over
        try:
            output = await model.generate(chat, config=config)
            _check(output, self.name)
        except Exception as error:
            failed = _failed(error, model)
            self._note(failed, prompt_id)
            if failed.kind == type(error).__name__:
                raise  # no fault of the network: Inspect's log has the whole of it
            raise failed from None
        self.failing_since, self.answered = None, True
        if output.stop_reason == "content_filter":
            self._note(CallFailed(FILTERED, "kept as it is", passing=False), prompt_id)
        return output

    def _wait(self, state: RetryCallState) -> float:
        """Seconds before the next try: what the server asks for, at least a growing time of our own."""
        from tenacity import wait_exponential_jitter

        error = state.outcome.exception() if state.outcome else None
        after = min(error.after, self.patience.gone) if isinstance(error, CallFailed) else 0.0
        first = self.patience.first
        return max(after, wait_exponential_jitter(initial=first, max=self.patience.longest, jitter=first)(state))

    def _note(self, failed: CallFailed, prompt_id: str) -> None:
        """Keep a failure, and say the first of its kind."""
        if failed.kind not in self.counts and failed.passing:
            print(f"{self.name}: {plain(str(failed)).rstrip('.')}. Trying again.", file=sys.stderr, flush=True)
        self.counts[failed.kind] += 1
        row = {"at": round(time.time(), 3), "model": self.name, "kind": failed.kind, "prompt_id": prompt_id}
        row |= {"said": failed.said}
        append_row(self.path, json.dumps(row))
        if failed.kind != FILTERED:
            self._give_up(failed)

    def _give_up(self, failed: CallFailed) -> None:
        """Give the endpoint up where it is gone, so that no other prompt waits for it."""
        now = time.monotonic()
        self.failing_since = now if self.failing_since is None else self.failing_since
        silent = now - self.failing_since
        alive = self.answered or set(self.counts) != {NOBODY}
        useless = not self.answered and sum(self.counts[kind] for kind in USELESS) >= self.patience.tries
        if failed.passing and (useless or silent > (self.patience.gone if alive else self.patience.never)):
            said = f"no answer for {silent:.0f} seconds ({self.summary()}), at last {failed}"
            self.over = CallFailed("given up", said, passing=False)
        elif SPENT in failed.said or (failed.kind in FOR_ALL and not self.answered):
            self.over = failed


def _check(output: ModelOutput, name: str) -> None:
    """Refuse an output that is no answer to what was asked. Raises `CallFailed`."""
    if not output.choices:
        raise CallFailed("no choices", "the server sent an answer without one", passing=True)
    asked, answered = (whole.rpartition("/")[2].casefold() for whole in (name, output.model))
    asked = asked.rpartition(":")[2] if name.startswith("vllm/") else asked  # vllm/BASE:ADAPTER
    if name.startswith(OWN_SERVER) and output.model and not answered.startswith(asked):
        said = f"{plain(output.model)!r} answered in place of {asked!r}; serve it under the name by which it is asked"
        raise CallFailed("another model", said, passing=True)


def _failed(error: Exception, model: Model) -> CallFailed:
    """An error of a call by kind, and whether it may pass."""
    from tenacity import RetryError

    if isinstance(error, CallFailed):
        return error
    passing = isinstance(error, RetryError)  # Inspect would have tried again
    cause = (error.last_attempt.exception() or error) if isinstance(error, RetryError) else error
    decision = model.api.should_retry(cause) if isinstance(cause, Exception) else False
    after = getattr(decision, "retry_after", None) or 0.0
    kind = _kind(cause)
    said = plain(str(cause), getattr(model.api, "api_key", None))
    return CallFailed(kind, said, passing=passing or kind == "malformed", after=after)


def _kind(error: BaseException) -> str:
    """What an error is called in the log: its HTTP status, or a few words."""
    status = getattr(error, "status_code", None)
    if status is not None:
        return str(status)
    names = [cls.__name__ for one in (error, error.__cause__) for cls in type(one).__mro__]
    if any("Timeout" in name for name in names):
        return "time-out"
    if {"ConnectError", "ConnectionRefusedError"} & set(names):
        return NOBODY
    if {"NetworkError", "RemoteProtocolError", "APIConnectionError"} & set(names):
        return "connection lost"
    if {"JSONDecodeError", "ValidationError", "OpenAIResponseError"} & set(names):
        return "malformed"
    return type(error).__name__
