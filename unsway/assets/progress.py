"""A progress bar for downloads: rich's, on stderr; one plain line a step where stderr is not a terminal.

In: (what, done, total) calls. Out: text on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DownloadProgress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is; the last call has both equal."""
_RUNNING: dict[str, tuple[Progress, TaskID]] = {}
_SAID: set[str] = set()


def terminal_progress(what: str, done: int, total: int) -> None:
    """The default progress: a bar on stderr where it is a terminal, else one line at the start of each step."""
    if not sys.stderr.isatty():
        if what not in _SAID:
            _SAID.add(what)
            print(f"{what} …", file=sys.stderr, flush=True)
        return
    if what not in _RUNNING:
        _RUNNING[what] = _start(what, total)
    bar, task = _RUNNING[what]
    bar.update(task, completed=min(done, total))
    if done >= total:
        bar.stop()
        del _RUNNING[what]


def _start(what: str, total: int) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
    task = bar.add_task(what, total=total)
    bar.start()
    return bar, task
