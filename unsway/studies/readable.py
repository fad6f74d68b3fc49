"""Read the folders of a project and skip those that cannot be read: damaged ones, or of a later edition.

In: folders, and a function that reads one. Out: the results for readable folders; a warning names each other folder and why.

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


def read_folders(folders: Iterable[Path], read: Callable[[Path], Found]) -> Iterator[tuple[Path, Found]]:
    """Yield each folder with what `read` returns for it; a folder that cannot be read gives a warning instead.

    Args:
        folders: The folders of several studies. A folder named by the user should be read directly, so its error is raised.
        read: Reads all that is needed from a folder; errors of later reading are not caught.
    """
    for folder in folders:
        try:
            content = read(folder)
        except UnswayError as error:
            _warn(folder, str(error))
        else:
            yield folder, content


@cache
def _warn(folder: Path, problem: str) -> None:
    """Warn once why a folder is skipped, however often it is read."""
    _log.warning("Left out %s: %s", folder, problem)
