"""Heartbeats: which calls run in a folder now, for other processes to see.

In: a folder, what is asked and how much. Out: `running/PID-N.json`, renewed every second and removed when the call ends.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from unsway import layout
from unsway.disk import write_text
from unsway.errors import BadInput
from unsway.progress import Advance
from unsway.store import loads, why

EVERY = 1.0
"""Seconds between two renewals."""
STALE = 120.0
"""Seconds without renewal after which a call on another machine counts as dead."""
SAME_START = 5.0
"""Seconds within which two readings of one process's start agree: it follows the clock, which may be set meanwhile."""
_numbers = count()


class Heartbeat(NamedTuple):
    """A call that is running."""

    what: str
    """The label of the call: the model."""
    done: int
    """Replies that are there."""
    total: int
    """Replies that will be there at its end."""
    since: float
    """When it began, in seconds since the epoch."""
    seen: float
    """When it was last renewed, in seconds since the epoch."""
    pid: int
    """The process that runs it."""
    host: str
    """The machine that runs it."""
    doing: str = "asking"
    """asking or training."""
    started: float = 0.0
    """When the process started, in seconds since the epoch; 0 where nobody noted it."""

    def is_alive(self) -> bool:
        """Whether its process still runs; for another machine, whether it was renewed lately."""
        if self.host != socket.gethostname():
            return time.time() - self.seen < STALE
        return process_lives(self.pid, self.started)


def own_start() -> float:
    """When this process started, in seconds since the epoch: with its number it is like no other of this machine."""
    import psutil

    return float(psutil.Process().create_time())


def process_lives(pid: int, started: float) -> bool:
    """Whether a process of this machine still runs; a later one that was given its number is another.

    Args:
        pid: Its number.
        started: What `own_start` said in it; 0 where that was not noted, and its number has to do.
    """
    import psutil

    try:
        begun = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # another user's process
        return True
    return not started or abs(begun - started) < SAME_START


@contextmanager
def heartbeat(
    folder: Path, what: str, total: int, done: int, advance: Advance, doing: str = "asking"
) -> Iterator[Advance]:
    """Announce a call while the block runs; yields `advance`, which now renews the announcement too.

    What calls left that were killed on this machine is removed.
    """
    path = folder / layout.RUNNING / f"{os.getpid()}-{next(_numbers)}.json"
    now = time.time()
    beat = Heartbeat(what, done, total, now, now, os.getpid(), socket.gethostname(), doing, own_start())
    for left in path.parent.glob("*.json"):
        with suppress(OSError, ValueError):  # it just ended, or is another user's; `running` says which are damaged
            other = loads(Heartbeat, left.read_bytes())
            if other.host == beat.host and not other.is_alive():
                left.unlink()
    write_text(path, json.dumps(beat._asdict()))

    def advance_and_renew(steps: int) -> None:
        nonlocal beat
        advance(steps)
        beat = beat._replace(done=beat.done + steps)
        if time.time() - beat.seen >= EVERY:
            beat = beat._replace(seen=time.time())
            write_text(path, json.dumps(beat._asdict()))

    try:
        yield advance_and_renew
    finally:
        path.unlink(missing_ok=True)


def running(folder: str | Path) -> tuple[Heartbeat, ...]:
    """The calls that run in a folder now, without those whose process was killed. Raises `BadInput` for a damaged file."""
    found = []
    for path in sorted((Path(folder) / layout.RUNNING).glob("*.json")):
        try:
            beat = loads(Heartbeat, path.read_bytes())
            is_alive = beat.is_alive()
        except FileNotFoundError:  # it just ended
            continue
        except ValueError as error:
            raise BadInput(f"{path} is damaged ({why(error)}). Delete it: it only says what runs now.") from None
        if is_alive:
            found.append(beat)
    return tuple(found)
