"""The one interface behind which local models generate: prompts of tokens in, replies out, in any order.

In: `Ask` (token ids and how to decode). Out: a future of `Said` (token ids, why it stopped).
An engine has one worker thread that owns the weights; what waits is taken together, so that the engine batches as it
likes. `torch` (engine_torch.py) is the reference; `openvino` (engine_openvino.py) is faster on CPUs.
"""

from __future__ import annotations

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, TypeAlias

Finish: TypeAlias = Literal["end", "length"]
LINGER = 0.02
"""Seconds of silence after which an idle engine begins: a first batch of one prompt would keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One prompt to continue."""

    tokens: tuple[int, ...]
    """Prompt token ids, chat template and special tokens included."""
    max_tokens: int
    temperature: float
    top_p: float
    seed: int


@dataclass(frozen=True, slots=True)
class Said:
    """What was generated."""

    tokens: tuple[int, ...]
    """Generated token ids, without the token that ends a reply."""
    stop: Finish
    """end: the model ended; length: cut at max_tokens."""


class Engine(ABC):
    """A queue in front of one worker thread; subclasses say how a worker does what is waiting."""

    name: str
    most_waiting: int
    """How many prompts are worth having in the queue at once."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[Ask, Future[Said]] | None] = queue.Queue()
        self._worker: threading.Thread | None = None
        self._lock = threading.Lock()

    def submit(self, ask: Ask) -> Future[Said]:
        """Put a prompt in the queue; the worker starts with the first one."""
        answer: Future[Said] = Future()
        with self._lock:
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name=f"unsway-{self.name}", daemon=True)
                self._worker.start()
        self._queue.put((ask, answer))
        return answer

    def close(self) -> None:
        """Let the worker finish what it has and end."""
        if self._worker is not None:
            self._queue.put(None)
            self._worker.join()
            self._worker = None
        self.free()

    def waiting(self, block: bool) -> list[tuple[Ask, Future[Said]]] | None:
        """Everything in the queue; if `block`, waits for a first one and for those behind it. None: the engine is to end."""
        taken: list[tuple[Ask, Future[Said]]] = []
        try:
            item = self._queue.get(block=block)
            while True:
                if item is None:
                    self._queue.put(None)
                    return taken or None
                if item[1].set_running_or_notify_cancel():
                    taken.append(item)
                item = self._queue.get(block, LINGER if len(taken) < self.most_waiting else 0)
        except queue.Empty:
            return taken

    def _work(self) -> None:
        while (asks := self.waiting(block=True)) is not None:
            try:
                self.serve(asks)
            except BaseException as error:  # the worker must not die in silence: everybody who waits gets the error
                for _, answer in asks:
                    if not answer.done():
                        answer.set_exception(error)

    @abstractmethod
    def free(self) -> None:
        """Let go of the weights, whoever still holds the engine."""

    @abstractmethod
    def serve(self, asks: list[tuple[Ask, Future[Said]]]) -> None:
        """Answer these, and whatever arrives meanwhile if the engine can take it."""


def first_end(tokens: Sequence[int], ends: frozenset[int]) -> tuple[tuple[int, ...], Finish]:
    """Cut at the first token that ends a reply; says whether there was one."""
    for place, token in enumerate(tokens):
        if token in ends:
            return tuple(tokens[:place]), "end"
    return tuple(tokens), "length"


MakeEngine: TypeAlias = Callable[[], Engine]
