"""The one interface for running local models: prompts as tokens in, replies or log-probabilities out, in any order.

In: a `Request` (token ids and how to decode) or a `ScoreRequest` (token ids, and the tokens to score). Out: a future of a
`Generation`, or of the log-probability of each given token.
An engine has one worker thread that owns the weights. It receives all waiting requests together, so the engine chooses its
own batches. `torch` is the reference; `openvino` is faster on CPUs.

To add an engine, subclass `Engine` in a new file and end it with `engines.add("name", TheClass)`.
"""

from __future__ import annotations

import logging
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from unsway.errors import ModelError, UnknownName
from unsway.models.weights import Dtype, Weights
from unsway.registry import Registry

_log = logging.getLogger(__name__)

Finish: TypeAlias = Literal["end", "length"]
Scores: TypeAlias = tuple[float, ...]
"""Natural log-probabilities, one for each token of a completion."""
CHOICES = "guided_choice"
"""Key of a request's extra body: the answers the model may choose from (the name comes from vLLM's servers)."""
AFTER = "unsway_options_after"
"""Another key: the words after which the model chooses an option; if they are empty, at once. Without the key, letters."""
LINGER = 0.02
"""Seconds without a new request before an idle engine starts; without the pause, the first batch would be a single prompt."""


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt to continue."""

    tokens: tuple[int, ...]
    """Prompt token ids, chat template and special tokens included."""
    max_tokens: int
    """Longest reply, in tokens."""
    temperature: float
    """0 decodes greedily."""
    top_p: float
    """Nucleus probability mass; 1 keeps everything."""
    seed: int
    """Seed of sampling; unused at temperature 0."""
    after: str = ""
    """Words in the reply after which only one of the `endings` may follow; if empty, the reply is one of the endings."""
    endings: tuple[str, ...] = ()
    """The texts that may follow; after one of them the reply ends. Without any, the reply is unrestricted."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A generated reply."""

    tokens: tuple[int, ...]
    """Generated token ids, without the end token."""
    stop: Finish
    """end: the model ended; length: cut at max_tokens."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """One prompt with the tokens that follow it; their log-probabilities at temperature 1 are requested."""

    tokens: tuple[int, ...]
    """Prompt token ids, chat template and special tokens included; at least one."""
    completion: tuple[int, ...]
    """The token ids to score, each given everything before it."""


Pending: TypeAlias = tuple[Request, Future[Generation]]
"""A request in the queue, and the future of its reply."""
PendingScore: TypeAlias = tuple[ScoreRequest, Future[Scores]]
"""A score request in the queue, and the future of its scores."""


class Engine(ABC):
    """A queue in front of one worker thread; subclasses define how the worker processes the queue."""

    name: ClassVar[str]
    """The name under which it is declared."""
    can_score: ClassVar[bool] = False
    """Whether `score` works; a subclass that sets it implements `serve_scores`."""
    can_choose: ClassVar[bool] = False
    """Whether it can restrict replies to a request's endings."""
    most_waiting: int
    """The largest useful number of prompts in the queue."""

    def __init__(self, weights: Weights, dtype: Dtype = "float32") -> None:
        """Start with an empty queue; subclasses load the weights and set `most_waiting`."""
        self._queue: queue.Queue[Pending | PendingScore | None]
        self._queue = queue.Queue()
        self._to_score: list[PendingScore] = []
        self._worker: threading.Thread | None = None
        self._lock = threading.Lock()

    @classmethod
    def rank(cls, weights: Weights, dtype: Dtype = "float32") -> int:
        """How well the engine suits these weights on this machine, for `auto`: the highest is chosen, 0 means never."""
        return 0

    def submit(self, request: Request) -> Future[Generation]:
        """Queue a prompt, starting the worker if needed. Raises `ModelError` if it has endings that cannot be enforced."""
        if request.endings and not self.can_choose:
            raise ModelError(
                f"The {self.name} engine cannot restrict replies to the options. Use engine='torch' or 'openvino', or leave "
                "options_after out."
            )
        generation: Future[Generation] = Future()
        self._put((request, generation))
        return generation

    def score(self, request: ScoreRequest) -> Future[Scores]:
        """Queue a completion to score its tokens. Raises `ModelError` if the engine cannot score."""
        if not self.can_score:
            raise ModelError(
                f"The {self.name} engine gives no log-probabilities of given tokens. Use engine='torch' to score."
            )
        scores: Future[Scores] = Future()
        self._put((request, scores))
        return scores

    def close(self) -> None:
        """Let the worker finish its queue and stop."""
        if self._worker is not None:
            self._queue.put(None)
            self._worker.join()
            self._worker = None
        self.free()

    def waiting(self, block: bool) -> list[Pending] | None:
        """All prompts in the queue; None if the engine should stop.

        With `block`, waits for a first request and those that follow immediately. Score requests are set aside for
        `serve_scores`, which is called next.
        """
        requests: list[Pending] = []
        try:
            item = self._queue.get(block=block)
            while True:
                if item is None:
                    self._queue.put(None)
                    return requests if requests or self._to_score else None
                if item[1].set_running_or_notify_cancel():
                    if isinstance(item[0], ScoreRequest):
                        self._to_score.append(item)
                    else:
                        requests.append(item)
                is_short = len(requests) + len(self._to_score) < self.most_waiting
                item = self._queue.get(block, LINGER if is_short else 0)
        except queue.Empty:
            return requests

    @abstractmethod
    def free(self) -> None:
        """Release the weights, even while something still references the engine."""

    @abstractmethod
    def serve(self, requests: list[Pending]) -> None:
        """Answer these requests, and any that arrive meanwhile if the engine can."""

    def serve_scores(self, requests: list[PendingScore]) -> None:
        """Score these; called only if `can_score`."""
        raise NotImplementedError

    def _put(self, item: Pending | PendingScore) -> None:
        with self._lock:
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name=f"unsway-{self.name}", daemon=True)
                self._worker.start()
        self._queue.put(item)

    def _work(self) -> None:
        while (requests := self.waiting(block=True)) is not None:
            try:
                if requests:
                    self.serve(requests)
            except BaseException as error:  # the worker must not die silently: every waiting caller gets the error
                _fail(requests, error)
            to_score, self._to_score = self._to_score, []
            try:
                if to_score:
                    self.serve_scores(to_score)
            except BaseException as error:
                _fail(to_score, error)


def _fail(pending: Sequence[Pending] | Sequence[PendingScore], error: BaseException) -> None:
    """Give the error to every request that has no result yet."""
    for _, result in pending:
        if not result.done():
            result.set_exception(error)


engines: Registry[type[Engine]] = Registry("engine", "unsway.models.engines", Engine, classes=True)
"""Engines for local models, by name; `make_engine` also accepts `auto`."""


def known_engine(name: str) -> str:
    """The name, if it is auto or an engine's. Raises `UnknownName` with the closest names."""
    if name != "auto" and name not in engines:
        raise UnknownName("engine", name, ("auto", *engines.names()))
    return name


def make_engine(weights: Weights, name: str = "auto", dtype: Dtype = "float32") -> Engine:
    """The engine with that name for these weights; auto chooses the highest-ranked one here."""
    if known_engine(name) == "auto":
        name = max(engines.names(), key=lambda engine_name: engines.get(engine_name).rank(weights, dtype))
    _log.debug("The %s engine runs %s in %s", name, weights.name, dtype)
    return engines.get(name)(weights, dtype)


def first_end(tokens: Sequence[int], ends: frozenset[int]) -> tuple[tuple[int, ...], Finish]:
    """The tokens before the first end token, and whether there was one (`end`) or not (`length`)."""
    for index, token in enumerate(tokens):
        if token in ends:
            return tuple(tokens[:index]), "end"
    return tuple(tokens), "length"
