"""The one interface behind which local models run: prompts of tokens in, replies or log-probabilities out, in any order.

In: a `Request` (token ids and how to decode) or a `ScoreRequest` (token ids, and which tokens follow). Out: a future of a
`Generation`, or of the log-probability of each given token.
An engine has one worker thread that owns the weights. Everything that waits is handed over together, so the engine
chooses its own batches. `torch` is the reference; `openvino` is faster on CPUs.

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
"""Key of a request's extra body: the answers between which the model chooses (the name is that of vLLM's servers)."""
AFTER = "unsway_options_after"
"""Another: the words of the reply behind which it chooses options, at once where they are empty; without it, letters."""
LINGER = 0.02
"""Seconds of silence after which an idle engine begins: a first batch of one prompt would keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt to continue."""

    tokens: tuple[int, ...]
    """Prompt token ids, chat template and special tokens included."""
    max_tokens: int
    """The longest reply, in tokens."""
    temperature: float
    """0 decodes greedily."""
    top_p: float
    """Nucleus probability mass; 1 keeps everything."""
    seed: int
    """Seed of sampling; unused at temperature 0."""
    after: str = ""
    """Words of the reply behind which only one of the `endings` can follow; empty where the reply is one of them."""
    endings: tuple[str, ...] = ()
    """The texts that can follow them; behind one of them the reply is over. Without any, anything can follow."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What was generated."""

    tokens: tuple[int, ...]
    """Generated token ids, without the token that ends a reply."""
    stop: Finish
    """end: the model ended; length: cut at max_tokens."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """One prompt with the tokens that follow it, whose log-probabilities are wanted at temperature 1."""

    tokens: tuple[int, ...]
    """Prompt token ids, chat template and special tokens included; at least one."""
    completion: tuple[int, ...]
    """The token ids that are scored, each given everything before it."""


Pending: TypeAlias = tuple[Request, Future[Generation]]
"""A request in the queue, and where its reply goes."""
PendingScore: TypeAlias = tuple[ScoreRequest, Future[Scores]]
"""A request for scores in the queue, and where they go."""


class Engine(ABC):
    """A queue in front of one worker thread; subclasses say how the worker does what is waiting."""

    name: ClassVar[str]
    """The name under which it is declared."""
    can_score: ClassVar[bool] = False
    """Whether `score` works; a subclass that sets it implements `serve_scores`."""
    can_choose: ClassVar[bool] = False
    """Whether it keeps to the endings of a request."""
    most_waiting: int
    """How many prompts are worth having in the queue at once."""

    def __init__(self, weights: Weights, dtype: Dtype = "float32") -> None:
        """Start with an empty queue; subclasses load the weights and set `most_waiting`."""
        self._queue: queue.Queue[Pending | PendingScore | None]
        self._queue = queue.Queue()
        self._to_score: list[PendingScore] = []
        self._worker: threading.Thread | None = None
        self._lock = threading.Lock()

    @classmethod
    def rank(cls, weights: Weights, dtype: Dtype = "float32") -> int:
        """How well the engine suits these weights on this machine, for `auto`: the highest runs them, 0 never does."""
        return 0

    def submit(self, request: Request) -> Future[Generation]:
        """Put a prompt in the queue; the worker starts with the first one. Raises `ModelError` where it cannot be kept to."""
        if request.endings and not self.can_choose:
            raise ModelError(
                f"The {self.name} engine cannot keep replies to the options. Use engine='torch' or 'openvino', or leave "
                "options_after out."
            )
        generation: Future[Generation] = Future()
        self._put((request, generation))
        return generation

    def score(self, request: ScoreRequest) -> Future[Scores]:
        """Put a completion in the queue whose tokens are to be scored. Raises `ModelError` where the engine cannot."""
        if not self.can_score:
            raise ModelError(
                f"The {self.name} engine gives no log-probabilities of given tokens. Use engine='torch' to score."
            )
        scores: Future[Scores] = Future()
        self._put((request, scores))
        return scores

    def close(self) -> None:
        """Let the worker finish what it has and end."""
        if self._worker is not None:
            self._queue.put(None)
            self._worker.join()
            self._worker = None
        self.free()

    def waiting(self, block: bool) -> list[Pending] | None:
        """Every prompt in the queue; None where the engine is to end.

        With `block`, waits for a first request and for those right behind it. Requests for scores are set aside for
        `serve_scores`, which is called next.
        """
        taken: list[Pending] = []
        try:
            item = self._queue.get(block=block)
            while True:
                if item is None:
                    self._queue.put(None)
                    return taken if taken or self._to_score else None
                if item[1].set_running_or_notify_cancel():
                    if isinstance(item[0], ScoreRequest):
                        self._to_score.append(item)
                    else:
                        taken.append(item)
                few = len(taken) + len(self._to_score) < self.most_waiting
                item = self._queue.get(block, LINGER if few else 0)
        except queue.Empty:
            return taken

    @abstractmethod
    def free(self) -> None:
        """Release the weights, even while something still references the engine."""

    @abstractmethod
    def serve(self, requests: list[Pending]) -> None:
        """Answer these, and whatever arrives meanwhile if the engine can take it."""

    def serve_scores(self, requests: list[PendingScore]) -> None:
        """Score these; called only where `can_score`."""
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
            except BaseException as error:  # the worker must not die in silence: whoever waits gets the error
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
"""What runs local models, by name; `make_engine` also takes `auto`."""


def known_engine(name: str) -> str:
    """The name, checked: auto, or an engine's. Raises `UnknownName` with the closest names."""
    if name != "auto" and name not in engines:
        raise UnknownName("engine", name, ("auto", *engines.names()))
    return name


def make_engine(weights: Weights, name: str = "auto", dtype: Dtype = "float32") -> Engine:
    """The engine of that name over these weights; auto takes the one that ranks highest for them here."""
    if known_engine(name) == "auto":
        name = max(engines.names(), key=lambda each: engines.get(each).rank(weights, dtype))
    _log.debug("The %s engine runs %s in %s", name, weights.name, dtype)
    return engines.get(name)(weights, dtype)


def first_end(tokens: Sequence[int], ends: frozenset[int]) -> tuple[tuple[int, ...], Finish]:
    """Cut at the first token that ends a reply; says whether there was one."""
    for place, token in enumerate(tokens):
        if token in ends:
            return tuple(tokens[:place]), "end"
    return tuple(tokens), "length"
