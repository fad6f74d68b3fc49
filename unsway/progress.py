"""Progress of long work: a bar with the time left in a terminal or a notebook, elsewhere a line in the log.

In: what is being done, and its number of steps or bytes. Out: a bar of rich, or log lines at the start, every 15 seconds and
at the end (level INFO of the logger `unsway.progress`, see `unsway.logs`). Nothing else depends on it.

    with track("Asking gpt-4o-mini", 600, done=200) as advance:
        advance(1)
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from unsway.logs import is_quiet

if TYPE_CHECKING:
    from rich.console import Console

Advance: TypeAlias = Callable[[int], None]
"""Called with the number of steps, or bytes, that were just finished."""
Track: TypeAlias = Callable[[str, int], AbstractContextManager[Advance]]
"""Called with what is being done and its number of bytes."""

SECONDS_BETWEEN_LINES = 15.0
ENOUGH_FOR_A_GUESS = 0.02
"""Share of the work after which the time left is estimated; before it, loading dominates."""

_log = logging.getLogger(__name__)


@contextmanager
def track(what: str, total: int, *, done: int = 0, in_bytes: bool = False) -> Iterator[Advance]:
    """Show the progress of long work while the block runs.

    Args:
        what: What is being done, such as `Asking gpt-4o-mini`.
        total: How many steps it has.
        done: How many steps an earlier run did.
        in_bytes: Steps are bytes, shown as megabytes.
    """
    from rich.console import Console

    console = Console(file=sys.stderr)  # libraries may redirect stderr meanwhile
    if (sys.stderr.isatty() or console.is_jupyter) and not is_quiet():
        display = _bar(console, what, total, done, in_bytes)
    else:
        display = _lines(what, total, done, in_bytes)
    with display as advance:
        yield advance


track_bytes: Track = partial(track, in_bytes=True)
"""`track` for a download."""


@contextmanager
def _bar(console: Console, label: str, total: int, done: int, in_bytes: bool) -> Iterator[Advance]:
    from rich import progress

    amount = progress.DownloadColumn() if in_bytes else progress.MofNCompleteColumn()
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), amount)
    time_left = progress.TimeRemainingColumn(elapsed_when_finished=False)
    times = (progress.TimeElapsedColumn(), progress.TextColumn("left"), time_left)
    with progress.Progress(*columns, *times, console=console) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda steps: bar.advance(task, steps)


@contextmanager
def _lines(label: str, total: int, done: int, in_bytes: bool) -> Iterator[Advance]:
    start = last = time.monotonic()
    n_new = 0

    def log(ending: str) -> None:
        amount = f"{(done + n_new) / 1e6:.1f}/{total / 1e6:.1f} MB" if in_bytes else f"{done + n_new}/{total}"
        _log.info("%s: %s%s", label, amount, ending)

    def advance(steps: int) -> None:
        nonlocal last, n_new
        n_new += steps
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            is_enough = n_new >= ENOUGH_FOR_A_GUESS * (total - done)
            log(f", about {_clock((now - start) / n_new * (total - done - n_new))} left" if is_enough else "")

    log("")
    yield advance
    log(f" in {_clock(time.monotonic() - start)}")


def duration(seconds: float) -> str:
    """A time without false precision: 8 s, 12 min, 3.4 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes}:{rest:02d}"
