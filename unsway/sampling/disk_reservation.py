"""Disk space reserved for the replies in flight, so that a full disk loses no paid reply.

In: a folder, and the number and length of replies. Out: a file of that size while a call runs. When the disk is full, the
file is emptied, the replies in flight are stored in its space, and nothing more is asked. CockroachDB calls it a
ballast file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from unsway.disk import allocate, partial_file, write_error
from unsway.types import Settings

BYTES_A_TOKEN = 8
"""Bytes per token of a reply in JSON: about four characters (OpenAI's rule), twice that for escapes and other scripts."""
BYTES_A_ROW = 2000
"""Bytes of everything else in a row."""


class DiskReservation:
    """Reserved disk space; created by `disk_reservation`."""

    def __init__(self, path: Path) -> None:
        """`path` is the file that occupies the space."""
        self._path = path

    def release(self) -> None:
        """Free the space for the replies in flight."""
        os.truncate(self._path, 0)


@contextmanager
def disk_reservation(folder: Path, in_flight: int, settings: Settings, turns: int) -> Iterator[DiskReservation]:
    """Reserve space for the longest possible replies.

    Args:
        folder: The folder of the replies.
        in_flight: The number of replies in flight at once.
        settings: How long each turn of a reply may be.
        turns: The number of model turns in each.

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
