"""Decides which waiting prompts may start: those whose beginning is not being read first by another prompt.

In: prompts as tokens, in order of arrival. Out: the prompts to start now.
An engine with a prefix cache looks up a prompt when it starts. All prompts of a question begin alike, and the
instructions and the worked example are the same for all questions. If all start at once, each reads the shared part
itself: for the demo's 750 prompts, the cache then saves nothing. If one goes first and the others follow a step later,
    half of all prompt tokens are
read only once (benchmarks/sampling.py). SGLang schedules by the longest cached prefix for the same reason (arXiv
2312.07104, §3).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

BLOCK = 32
"""Tokens per cached block: OpenVINO's block size on CPUs."""
MOST_KNOWN = 200_000
"""Most blocks remembered as read; forgetting them all costs one round of waiting."""

Key = TypeVar("Key", bound=Hashable)


class Prefixes(Generic[Key]):
    """Which blocks have been read, and which running prompt is reading which."""

    def __init__(self) -> None:
        self._read: set[int] = set()
        self._reading: dict[Key, tuple[int, ...]] = {}
        self._unread: set[int] = set()
        """Blocks that a running prompt is the first to read."""

    def may_start(self, blocks: tuple[int, ...]) -> bool:
        """Whether no running prompt is the first to read one of these blocks."""
        return self._unread.isdisjoint(blocks)

    def start(self, key: Key, blocks: tuple[int, ...]) -> None:
        """Record that a prompt starts to be read."""
        new_blocks = tuple(block for block in blocks if block not in self._read and block not in self._unread)
        self._reading[key] = new_blocks
        self._unread.update(new_blocks)

    def done(self, key: Key) -> None:
        """Record that a prompt has been read; does nothing for one already recorded or never started."""
        blocks = self._reading.pop(key, ())
        self._unread.difference_update(blocks)
        if len(self._read) > MOST_KNOWN:
            self._read.clear()
        self._read.update(blocks)

    @property
    def reading(self) -> tuple[Key, ...]:
        """The prompts that are being read."""
        return tuple(self._reading)


def blocks(tokens: tuple[int, ...]) -> tuple[int, ...]:
    """A number for each whole block of a prompt; it depends on all tokens up to the end of the block."""
    hashes: list[int] = []
    for end in range(BLOCK, len(tokens) + 1, BLOCK):
        hashes.append(hash((hashes[-1] if hashes else 0, tokens[end - BLOCK : end])))
    return tuple(hashes)
