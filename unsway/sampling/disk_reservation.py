"""Room on the disk for the replies that are on their way, so that a disk that fills up loses none that was paid for.

In: a folder, how much. Out: a file of that size while a call runs, removed when the disk takes no more: what is on its way
is kept in its place, and nothing more is asked. Databases do the same (CockroachDB calls it a ballast file).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from unsway.disk import part, refused
from unsway.types import Settings

BYTES_A_TOKEN = 8
"""Of a reply in JSON: about four characters a token (OpenAI's rule of thumb), twice that for escapes and other scripts."""
BYTES_A_ROW = 2000
"""Of everything else in its row."""


class Room:
    """What is set aside; `room` makes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def give(self) -> None:
        """Give it back to the disk, for the replies that are on their way."""
        self._file.truncate(0)  # a file that is open has its room even when it is unlinked


@contextmanager
def room(folder: Path, at_once: int, settings: Settings, turns: int) -> Iterator[Room]:
    """Set room aside for replies of so many turns that are on their way at once.

    Raises:
        StoreError: There is no room for them; nothing was asked.
    """
    with ExitStack() as stack:
        try:
            file, _ = stack.enter_context(part(folder))
            os.posix_fallocate(file.fileno(), 0, at_once * (BYTES_A_ROW + BYTES_A_TOKEN * settings.max_tokens * turns))
        except OSError as error:
            raise refused(folder, error) from error
        yield Room(file)
