"""Heartbeats: show other processes which calls run in a folder.

In: a folder, the label and the size of a call. Out: `running/PID-N.json`, renewed every second and removed at the call's end.
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
"""Seconds by which two readings of one process's start time may differ: they follow the clock, which may be reset."""
_numbers = count()


class Heartbeat(NamedTuple):
    """A running call."""

    what: str
    """The label of the call: the model."""
    done: int
    """Replies stored so far."""
    total: int
    """Replies stored when it ends."""
    since: float
    """Its start, in seconds since the epoch."""
    seen: float
    """Its last renewal, in seconds since the epoch."""
    pid: int
    """The number of the process that runs it."""
    host: str
    """The machine that runs it."""
    doing: str = "asking"
    """asking or training."""
    started: float = 0.0
    """The start of the process, in seconds since the epoch; 0 if not recorded."""

    def is_alive(self) -> bool:
        """Whether its process still runs; on another machine, whether it was renewed recently."""
        if self.host != socket.gethostname():
            return time.time() - self.seen < STALE
        return process_lives(self.pid, self.started)


def own_start() -> float:
    """This process's start, in seconds since the epoch. With its number it identifies the process on this machine."""
    import psutil

    return float(psutil.Process().create_time())


def process_lives(pid: int, started: float) -> bool:
    """Whether a process on this machine still runs, and not a later one with the same number.

    Args:
        pid: Its process number.
        started: The result of `own_start` in it; 0 if not recorded, and then only the number counts.
    """
    import psutil

    try:
        created = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # another user's process
        return True
    return not started or abs(created - started) < SAME_START


@contextmanager
def heartbeat(
    folder: Path, what: str, total: int, done: int, advance: Advance, doing: str = "asking"
) -> Iterator[Advance]:
    """Announce a call while the block runs; yields `advance`, which then also renews the announcement.

    Removes announcements of killed calls on this machine.
    """
    path = folder / layout.RUNNING / f"{os.getpid()}-{next(_numbers)}.json"
    now = time.time()
    beat = Heartbeat(what, done, total, now, now, os.getpid(), socket.gethostname(), doing, own_start())
    for old_path in path.parent.glob("*.json"):
        with suppress(OSError, ValueError):  # it ended, or is another user's; `running` reports damaged ones
            old_beat = loads(Heartbeat, old_path.read_bytes())
            if old_beat.host == beat.host and not old_beat.is_alive():
                old_path.unlink()
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
    """The calls running in a folder, without those of killed processes. Raises `BadInput` for a damaged file."""
    beats = []
    for path in sorted((Path(folder) / layout.RUNNING).glob("*.json")):
        try:
            beat = loads(Heartbeat, path.read_bytes())
            is_alive = beat.is_alive()
        except FileNotFoundError:  # it just ended
            continue
        except ValueError as error:
            raise BadInput(f"{path} is damaged ({why(error)}). Delete it: it only says what runs now.") from None
        if is_alive:
            beats.append(beat)
    return tuple(beats)
