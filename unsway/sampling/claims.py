"""Who is asking what, among processes and threads that share a store: nothing is asked by two at once.

In: the path of a store and addresses. Out: whether an address is yours to ask. A claim is a POSIX record lock on one byte
of a file beside the store, so it ends with the process that holds it, however that one ends.

    with claims(store.path) as held:
        if held.take(asked): ...
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unsway import layout
from unsway.store import Asked

SPACE = 2**62
"""Bytes that can be locked: as far as the offset of a lock may go. An address claims the one that its hash names."""

_guard = threading.Lock()
_open: dict[Path, Claims] = {}
"""By path, for the whole process: record locks belong to a process and are all dropped when it closes any file of that
path, so its threads share one file and keep apart by a set."""


class Claims:
    """The claims beside one store; `claims` makes it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._mine: set[int] = set()
        self.users = 0

    def take(self, asked: Asked) -> bool:
        """Claim an address; False where somebody else has it."""
        place = _place(asked)
        with _guard:
            if place in self._mine:
                return False
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):  # what systems say of a lock that another process holds
                return False
            self._mine.add(place)
            return True

    def release(self, asked: Asked) -> None:
        """Give an address back."""
        place = _place(asked)
        with _guard:
            self._mine.discard(place)
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def close(self) -> None:
        """Give everything back."""
        os.close(self._file)


@contextmanager
def claims(store: Path) -> Iterator[Claims]:
    """The claims beside a store."""
    path = store.resolve().with_name(layout.CLAIMS)
    with _guard:
        held = _open.get(path) or Claims(path)
        _open[path] = held
        held.users += 1
    try:
        yield held
    finally:
        with _guard:
            held.users -= 1
            if held.users == 0:
                held.close()
                del _open[path]


def _place(asked: Asked) -> int:
    return int.from_bytes(asked.key()[:8], "big") % SPACE
