"""Disk space reserved for the replies in flight, so that a disk that fills up loses none that was paid for.

In: a folder, and how many replies of what length. Out: a file of that size while a call runs. When the disk is full, the
file is emptied, the replies in flight are kept in its space, and nothing more is asked. CockroachDB calls it a ballast file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from unsway.disk import allocate, partial_file, write_error
from unsway.types import Settings

BYTES_A_TOKEN = 8
"""Of a reply in JSON: about four characters a token (OpenAI's rule of thumb), twice that for escapes and other scripts."""
BYTES_A_ROW = 2000
"""Bytes of everything else in its row."""


class DiskReservation:
    """Reserved disk space; `disk_reservation` makes it."""

    def __init__(self, path: Path) -> None:
        """`path` is the file that takes the space."""
        self._path = path

    def release(self) -> None:
        """Give the space back to the disk, for the replies in flight."""
        os.truncate(self._path, 0)


@contextmanager
def disk_reservation(folder: Path, in_flight: int, settings: Settings, turns: int) -> Iterator[DiskReservation]:
    """Reserve the space of the longest replies possible.

    Args:
        folder: Where they are kept.
        in_flight: How many of them are in flight at once.
        settings: How long each turn of a reply may be.
        turns: How often the model speaks in each.

    Raises:
        StoreError: The disk has too little space; nothing was asked.
    """
    with ExitStack() as stack:
        try:
            path = stack.enter_context(partial_file(folder))
            allocate(path, in_flight * (BYTES_A_ROW + BYTES_A_TOKEN * settings.max_tokens * turns))
        except OSError as error:
            raise write_error(folder, error) from error
        yield DiskReservation(path)
