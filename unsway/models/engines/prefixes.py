"""Which pending prompts may start: those whose beginning no other prompt is currently the first to read.

In: prompts as tokens, in the order in which they arrived. Out: which of them to start now.
An engine with a prefix cache looks a prompt up when it starts. The prompts of one question begin alike, and the instructions
and the worked example are the same for all questions. If all start at once, each reads for itself what they share: on the
demo's 750 prompts the cache then saves nothing. If one goes first and the others follow a step later, half of all prompt
tokens are read only once (benchmarks/sampling.py). SGLang schedules by the longest cached prefix for the same reason (arXiv
2312.07104, §3).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

BLOCK = 32
"""Tokens that are cached together: OpenVINO's block on CPUs."""
MOST_KNOWN = 200_000
"""Blocks that are remembered as read; forgetting them all costs one round of waiting."""

Key = TypeVar("Key", bound=Hashable)


class Prefixes(Generic[Key]):
    """Which blocks were read, and which running prompt is reading which."""

    def __init__(self) -> None:
        self._read: set[int] = set()
        self._reading: dict[Key, tuple[int, ...]] = {}
        self._unread: set[int] = set()
        """Blocks that a running prompt is the first to read."""

    def may_start(self, blocks: tuple[int, ...]) -> bool:
        """Whether no running prompt is the first to read one of these blocks."""
        return self._unread.isdisjoint(blocks)

    def start(self, key: Key, blocks: tuple[int, ...]) -> None:
        """Note that a prompt starts to be read."""
        new = tuple(block for block in blocks if block not in self._read and block not in self._unread)
        self._reading[key] = new
        self._unread.update(new)

    def done(self, key: Key) -> None:
        """Note that a prompt has been read to its end; a second time, or for one that never started, it does nothing."""
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
    """A number for each whole block of a prompt, which depends on all tokens up to the block's end."""
    found: list[int] = []
    for end in range(BLOCK, len(tokens) + 1, BLOCK):
        found.append(hash((found[-1] if found else 0, tokens[end - BLOCK : end])))
    return tuple(found)
