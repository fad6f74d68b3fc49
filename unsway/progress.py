"""Progress of long work: a bar with the time left in a terminal, one plain line now and then elsewhere.

In: what is being done and how many steps it has. Out: text on stderr; nothing else depends on it.
The bar is rich's; a log without a terminal gets a line at the start, every 15 seconds and at the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Advance: TypeAlias = Callable[[int], None]
"""Call it with the number of steps just done."""

SECONDS_BETWEEN_LINES = 15.0
ENOUGH_FOR_A_GUESS = 0.02
"""Share of the work after which the time left is guessed; before it, loading dominates and the guess would be wild."""


@contextmanager
def track(what: str, total: int, *, done: int = 0) -> Iterator[Advance]:
    """Show the progress of `total` steps, `done` of which are behind us already (kept from an earlier run)."""
    if sys.stderr.isatty():
        with _bar(what, total, done) as advance:
            yield advance
    else:
        with _lines(what, total, done) as advance:
            yield advance


@contextmanager
def _bar(what: str, total: int, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(elapsed_when_finished=False))
    with Progress(*columns, *times, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, completed=done)
        yield lambda steps: progress.advance(task, steps)


@contextmanager
def _lines(what: str, total: int, done: int) -> Iterator[Advance]:
    start = last = time.monotonic()
    new = 0

    def say(ending: str) -> None:
        print(f"{what}: {done + new}/{total}{ending}", file=sys.stderr, flush=True)

    def advance(steps: int) -> None:
        nonlocal last, new
        new += steps
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            enough = new >= ENOUGH_FOR_A_GUESS * (total - done)
            say(f", about {_clock((now - start) / new * (total - done - new))} left" if enough else "")

    say("")
    yield advance
    say(f" in {_clock(time.monotonic() - start)}")


def duration(seconds: float) -> str:
    """A time without false precision: 8 s, 12 min, 3.4 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes}:{rest:02d}"
