"""What is being asked right now, for those who look from outside: a small file beside the store while a call runs.

In: a folder, what is asked, how much. Out: `running/PID-N.json`, renewed every second, gone when the call ends.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from unsway import layout
from unsway.progress import Advance
from unsway.store import write_text

EVERY = 1.0
"""Seconds between two renewals."""
STALE = 120.0
"""Seconds after which a file of another machine counts as left behind."""
_numbers = count()


class Beat(NamedTuple):
    """A call that is running."""

    what: str
    """The label of the call: the model."""
    done: int
    total: int
    since: float
    """When it began, in seconds since the epoch."""
    seen: float
    """When it last said so."""
    pid: int
    host: str


@contextmanager
def beating(folder: Path, what: str, total: int, done: int, advance: Advance) -> Iterator[Advance]:
    """Renew the file as the bar moves; yields what moves both."""
    path = folder / layout.RUNNING / f"{os.getpid()}-{next(_numbers)}.json"
    beat = Beat(what, done, total, time.time(), time.time(), os.getpid(), socket.gethostname())
    write_text(path, json.dumps(beat._asdict()))

    def both(steps: int) -> None:
        nonlocal beat
        advance(steps)
        beat = beat._replace(done=beat.done + steps)
        if time.time() - beat.seen >= EVERY:
            beat = beat._replace(seen=time.time())
            write_text(path, json.dumps(beat._asdict()))

    try:
        yield both
    finally:
        path.unlink(missing_ok=True)


def running(folder: str | Path) -> tuple[Beat, ...]:
    """The calls that run in a folder now; files that a killed process left behind are passed over."""
    found = []
    for path in sorted((Path(folder) / layout.RUNNING).glob("*.json")):
        try:
            beat = Beat(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:  # it ended between the two looks
            continue
        if _lives(beat):
            found.append(beat)
    return tuple(found)


def _lives(beat: Beat) -> bool:
    if beat.host != socket.gethostname():
        return time.time() - beat.seen < STALE
    try:
        os.kill(beat.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's process: it lives
        return True
    return True
