"""Track which worker does which arm when a study runs on several machines.

In: changes of state, as rows of `where.jsonl`. Out: an `ArmPlace` for each arm, readable from any machine.

    for place in places("runs/mine"):
        print(place.arm, place.state, place.host)
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from unsway import layout
from unsway.errors import number_of
from unsway.sampling.heartbeat import own_start, process_lives, running
from unsway.sampling.owner import LEASE
from unsway.sampling.remote import Call
from unsway.store import read_appended

ArmState: TypeAlias = Literal["waiting", "training", "asking", "done", "failed", "interrupted", "lost"]
"""State of an arm. lost: its worker is gone, and no other has taken over yet."""


class Whereabouts(NamedTuple):
    """One row of `where.jsonl`: a unit of work changed state."""

    arm: str
    """Name of the arm, or of the rows of an arm."""
    state: ArmState
    """Its current state."""
    host: str
    """The machine of its worker; empty while it waits."""
    pid: int
    """The worker's process; 0 while it waits."""
    gpus: str
    """Its GPUs, in the form of `CUDA_VISIBLE_DEVICES`."""
    at: float
    """When, in seconds since the epoch."""
    started: float = 0.0
    """When the worker's process started, in seconds since the epoch; 0 while it waits, or if not noted."""


def note_state(call: Call, name: str, state: ArmState) -> None:
    """Note that an arm changed state, and which process works on it."""
    worker = ("", 0, "")
    if state != "waiting":
        worker = socket.gethostname(), os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES", "")
    row = Whereabouts(name, state, *worker, round(time.time(), 3), 0.0 if state == "waiting" else own_start())
    call("append", layout.WHERE, [json.dumps(row._asdict()).encode()])


@dataclass(frozen=True, slots=True)
class ArmPlace:
    """State of an arm, and where it runs or ran."""

    arm: str
    """Its name."""
    state: ArmState
    """Its current state."""
    host: str
    """The machine; empty while it waits."""
    gpus: str
    """The GPUs; empty where there are none."""
    step: int
    """Steps of its training so far; 0 where it does not train."""
    n_lost: int
    """How many of its workers were lost."""


def places(folder: Path) -> tuple[ArmPlace, ...]:
    """The place of every arm in the last run on several machines; empty if there was none. Raises `BadRow`."""
    rows: dict[str, list[Whereabouts]] = {}
    for row in read_appended(folder / layout.WHERE, Whereabouts):
        if row.state == "waiting":
            rows[row.arm] = []
        rows[row.arm].append(row)
    heartbeats = {(heartbeat.host, heartbeat.pid): heartbeat for heartbeat in running(folder)}
    arm_places = []
    for name, states in rows.items():
        last = states[-1]
        heartbeat = heartbeats.get((last.host, last.pid))
        is_here = last.host == socket.gethostname()
        is_alive = process_lives(last.pid, last.started) if is_here else time.time() - last.at < LEASE
        is_lost = last.state in ("training", "asking") and not (heartbeat or is_alive)
        workers = list(dict.fromkeys((row.host, row.pid) for row in states if row.pid))
        failed_workers = {(row.host, row.pid) for row in states if row.state in ("failed", "interrupted")}
        step = heartbeat.done if heartbeat and heartbeat.doing == "training" else 0
        n_lost = len(set(workers[:-1]) - failed_workers) + is_lost
        arm_places.append(ArmPlace(name, "lost" if is_lost else last.state, last.host, last.gpus, step, n_lost))
    return tuple(arm_places)


def describe_places(arm_places: Iterable[ArmPlace]) -> str:
    """A phrase that says which machine did which arms, and how many workers were lost."""
    by_host: dict[str, list[str]] = {}
    arm_places = tuple(arm_places)
    for place in arm_places:
        if place.host:
            by_host.setdefault(place.host, []).append(f"{place.arm} (GPU {place.gpus})" if place.gpus else place.arm)
    n_lost = sum(place.n_lost for place in arm_places)
    lost_phrase = [number_of(n_lost, "lost worker")] if n_lost else []
    return "; ".join([*(f"{host}: {', '.join(arms)}" for host, arms in by_host.items()), *lost_phrase])
