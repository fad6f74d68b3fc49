"""The folders of a project that can be read: one that is damaged, or of a later edition, does not hide the others.

In: folders, and what is read of each. Out: what was read of those that could be; a warning names each other one, and why.

    [rows for _, rows in readable(Path("runs").glob("*"), past_runs)]
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

from unsway.errors import UnswayError

Found = TypeVar("Found")
_log = logging.getLogger(__name__)


def readable(folders: Iterable[Path], read: Callable[[Path], Found]) -> Iterator[tuple[Path, Found]]:
    """Each folder with what is read of it; where that is refused, a warning in place of both.

    Args:
        folders: The folders of several studies; the one that a person names is read without this, so its error is raised.
        read: What to read of a folder, all of it: what is read later is not guarded.
    """
    for folder in folders:
        try:
            found = read(folder)
        except UnswayError as error:
            _warn(folder, str(error))
        else:
            yield folder, found


@cache
def _warn(folder: Path, problem: str) -> None:
    """Say once why a folder is left out, however often it is read."""
    _log.warning("Left out %s: %s", folder, problem)
