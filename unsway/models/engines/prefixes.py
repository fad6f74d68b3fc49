"""Which waiting prompts may start: those whose beginning nobody is just reading.

In: prompts as tokens, in the order in which they came. Out: which of them to start now.
An engine with a prefix cache looks a prompt up when it starts. The prompts of one question begin alike (the instructions and
the worked example even for all questions), so where all start at once, each reads for itself what they share: measured on the
demo's 750 prompts, the cache then saves nothing. Where one goes first and the others follow a step later, half of all prompt
tokens are read once (benchmarks/sampling.py). SGLang schedules by the longest cached prefix for the same reason (arXiv
2312.07104, §3).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

BLOCK = 32
"""Tokens that are cached together: OpenVINO's block on CPUs."""
MOST_KNOWN = 200_000
"""Blocks that are remembered as read; forgetting them all costs one round of waiting."""

Key = TypeVar("Key", bound=Hashable)


class Prefixes(Generic[Key]):
    """What was read, what is being read, and by whom."""

    def __init__(self) -> None:
        self._read: set[int] = set()
        self._reading: dict[Key, tuple[int, ...]] = {}
        self._pending: set[int] = set()

    def may_start(self, blocks: tuple[int, ...]) -> bool:
        """Whether no running prompt is the first to read a block that this one has too."""
        return self._pending.isdisjoint(blocks)

    def start(self, key: Key, blocks: tuple[int, ...]) -> None:
        """A prompt starts to be read."""
        new = tuple(block for block in blocks if block not in self._read and block not in self._pending)
        self._reading[key] = new
        self._pending.update(new)

    def done(self, key: Key) -> None:
        """A prompt has been read to its end; one that has, or never started, is nothing new."""
        blocks = self._reading.pop(key, ())
        self._pending.difference_update(blocks)
        if len(self._read) > MOST_KNOWN:
            self._read.clear()
        self._read.update(blocks)

    @property
    def reading(self) -> tuple[Key, ...]:
        """The prompts that are being read."""
        return tuple(self._reading)


def blocks(tokens: tuple[int, ...]) -> tuple[int, ...]:
    """A number for each whole block of a prompt, which depends on everything up to its end."""
    return tuple(_chain(tokens))


def _chain(tokens: tuple[int, ...]) -> Iterator[int]:
    so_far = 0
    for end in range(BLOCK, len(tokens) + 1, BLOCK):
        so_far = hash((so_far, tokens[end - BLOCK : end]))
        yield so_far
