"""A worker's side of a folder on another machine: replies, leases, budget, and the files that a call leaves.

In: a scratch folder here, and how to call the `Owner` of the real one. Out: inside `link`, whatever asks in the scratch
folder asks what the real one lacks, and its replies go there in batches.

    with link(scratch, call) as linked:
        ask(prompts, "openai/gpt-4o-mini", folder=scratch)

A reply is first a row of a file here (the spool), then sent. The rows of a worker that was killed, or whose owner was gone,
are sent when the same scratch folder is linked again: a reply that was paid for is not lost.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from unsway import layout
from unsway.disk import LOCK, PART, replacing, whole_rows, write_bytes, write_text
from unsway.errors import StoreError
from unsway.planning.budget import Budget
from unsway.planning.prices import Price, reply_cost
from unsway.sampling.heartbeat import own_start, process_lives
from unsway.sampling.owner import BY_ROWS, LEASE, MOST_BYTES
from unsway.store import ReplyStore, loads
from unsway.types import Reply
from unsway.types.address import Address

BATCH = 256
"""Replies of one message at most."""
AHEAD = 64
"""Addresses that are leased with one call, and prompts for which money is lent with one."""
LOOK_AGAIN = 0.5
"""Seconds between two questions for money that was refused."""
WORKER = "worker"
"""File of a scratch folder that names its worker and its process."""
PAUSE = 0.25
"""Seconds between two looks at what is to be sent."""

Call = Callable[..., Any]
"""Calls a method of the owner by its name: `call("add", who, rows)`. It waits for an owner that is starting again."""

_links: dict[Path, Link] = {}
_latest: ReplyStore | None = None
"""The store that was opened last: a study opens that of its folder for each arm, and only what is new is read."""


def linked(folder: str | Path) -> Link | None:
    """The link of a scratch folder; None for a folder of this machine."""
    return _links.get(Path(folder).resolve()) if _links else None


def store_at(folder: Path) -> ReplyStore:
    """The replies of a folder: those on this machine, or those of the owner that it is linked to."""
    if found := linked(folder):
        return found.store
    global _latest
    _latest = ReplyStore(folder / layout.REPLIES, _latest if _latest and _latest.path.parent == folder else None)
    return _latest


@contextmanager
def link(folder: Path, call: Call, lease: float = LEASE) -> Iterator[Link]:
    """Link a scratch folder to the owner of the real one while the block runs; at its end everything is there.

    Raises:
        StoreError: The owner's disk takes no more, or a file is too large to be sent.
    """
    made = Link(folder, call, lease)
    _links[folder.resolve()] = made
    made.start()
    try:
        yield made
    finally:
        del _links[folder.resolve()]
        made.close()


class Link:
    """What a worker holds of a folder on another machine; `link` makes it."""

    def __init__(self, folder: Path, call: Call, lease: float) -> None:
        self.folder, self.call, self.who, self.lease = folder, call, uuid4().hex[:16], lease
        self.held: set[bytes] = set()
        """Keys of the addresses that are leased here."""
        self.budgets: list[RemoteBudget] = []
        self.lock = threading.RLock()
        """Held while leases change, so that a renewal never drops one that was just granted."""
        self.store = RemoteStore(self)
        self.about: Callable[[], Mapping[str, Any]] = dict
        """What a heartbeat says besides what `unsway.sampling` says."""
        self._same: dict[Path, int] = {}
        """When each file that the owner has too was written here, in nanoseconds."""
        self._done = threading.Event()
        self.is_stopping = False
        """Whether the owner said that the run was interrupted."""
        self._thread = threading.Thread(target=self._keep_up, name="unsway link", daemon=True)

    def start(self) -> None:
        """Send what a killed worker of this folder left, let go of what it held, and begin to send and renew."""
        self.store.send()
        here = self.folder / layout.RUNNING
        note = here / WORKER
        if note.is_file():
            who, pid, *started = note.read_text(encoding="utf-8").split()
            if not process_lives(int(pid), float(started[0]) if started else 0.0):
                self.call("leave", who)
        for beat in here.glob("*.json"):
            beat.unlink()
        write_text(note, f"{self.who} {os.getpid()} {own_start()}")
        self._thread.start()

    def close(self) -> None:
        """Send what is left: rows, then files; and let go of everything. Raises `StoreError` where a row was refused."""
        self._done.set()
        self._thread.join()
        self.store.send()
        if self.store.unsent:
            raise self.store.refused or StoreError("The owner of the study's folder took no more rows.")
        self.send_files()
        self.call("leave", self.who)

    def _keep_up(self) -> None:
        every = max(1, round(min(1.0, self.lease / 4) / PAUSE))
        try:
            for number in count():
                self.store.send()
                if number % every == 0:
                    self.renew()
                if self._done.wait(PAUSE):
                    return
        except Exception as error:  # said to whoever adds the next row
            self.store.refused = StoreError(f"The owner of the study's folder cannot be reached: {error}")

    def renew(self) -> None:
        """Say what is held here, and what runs; hear whether to go on."""
        with self.lock:
            dollars = sum(budget.held() for budget in self.budgets)
            beats = {}
            for path in (self.folder / layout.RUNNING).glob("*.json"):
                with suppress(FileNotFoundError):  # its call just ended
                    beat = json.loads(path.read_text(encoding="utf-8"))
                    beats[path.name] = json.dumps(beat | {"seen": time.time()} | self.about())
            self.is_stopping = self.call("renew", self.who, tuple(self.held), dollars, beats)

    def pull(self, name: str) -> None:
        """Bring a file or a folder of the real folder here."""
        files = self.call("pull", name)
        if files is None:
            shutil.copytree(self._seen(name) / name, self.folder / name, dirs_exist_ok=True)
            return
        for path, content in files.items():
            write_bytes(self.folder / path, content)
            self._same[self.folder / path] = (self.folder / path).stat().st_mtime_ns

    def send_files(self) -> None:
        """Send what is new here besides replies."""
        skip = {layout.REPLIES, layout.CLAIMS, layout.RUNNING}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if not path.is_file() or name.split("/")[0] in skip or path.name.startswith(PART) or path.suffix == LOCK:
                continue
            size, changed = path.stat().st_size, path.stat().st_mtime_ns
            if self._same.get(path) == changed:
                continue
            if name in BY_ROWS:
                self.call("append", name, whole_rows(path))
            elif size <= MOST_BYTES:
                self.call("put", name, path.read_bytes())
            else:
                with replacing(self._seen(name) / name) as new:
                    shutil.copyfile(path, new)
            self._same[path] = changed

    def _seen(self, name: str) -> Path:
        """The real folder, where this machine sees it under the same path. Raises `StoreError` where it does not."""
        place = Path(self.call("where"))
        theirs = self.call("pull", layout.STUDY)
        if theirs and (place / layout.STUDY).is_file() and (place / layout.STUDY).read_bytes() == theirs[layout.STUDY]:
            return place
        raise StoreError(
            f"{name!r} has more than {MOST_BYTES // 1_000_000} MB, which is too much to send from machine to machine. Put "
            f"{str(place)!r} on a disk that all of them see under this path, or run the study on one machine."
        )

    def leases(self, upcoming: Iterable[Address]) -> Leases:
        """Claims on the addresses that will be asked, in their order."""
        return Leases(self, upcoming)


class RemoteStore(ReplyStore):
    """The replies of a folder on another machine: a spool here, whose rows are sent in batches."""

    def __init__(self, to: Link) -> None:
        """Open the spool; rows that a killed worker left are sent first."""
        super().__init__(to.folder / layout.REPLIES)
        self._link = to
        self._known: set[bytes] = set()
        """Keys of addresses at which the owner has a reply."""
        self.unsent = deque(self._starts)
        """Keys of the rows that were not acknowledged, in the order of the spool."""
        self.refused: StoreError | None = None
        self._sending = threading.Lock()

    def is_stopping(self) -> bool:
        """Whether the run was interrupted, where its folder is."""
        return self._link.is_stopping

    def add_rows(self, rows: Iterable[tuple[bytes, bytes]]) -> int:
        """Append rows to the spool. Raises `StoreError` where the owner's disk took no more."""
        given = tuple(rows)
        new = [key for key, _ in given if key not in self._starts]
        n_added = super().add_rows(given)
        self.unsent.extend(new)
        if self.refused is not None:
            raise self.refused
        return n_added

    def send(self) -> None:
        """Send every row that was not acknowledged."""
        with self._sending:
            while self.unsent:
                keys = [*islice(self.unsent, BATCH)]
                rows = [row for key in keys if (row := self.row(key)) is not None]
                try:
                    self._link.call("add", self._link.who, rows)
                except StoreError as error:  # said to whoever adds the next row; the spool keeps these
                    self.refused = error
                    return
                for _ in keys:
                    self.unsent.popleft()
                self._link.held.difference_update(keys)

    def __contains__(self, address: Address) -> bool:
        """Whether there is a reply at an address, here or at the owner's, as far as one looked there."""
        key = address.key()
        return key in self._starts or key in self._known

    def missing(self, addresses: Iterable[Address]) -> list[Address]:
        """Those of some addresses that have no reply, neither here nor at the owner's."""
        asked = tuple(addresses)
        for start in range(0, len(asked), 100 * BATCH):
            keys = [address.key() for address in asked[start : start + 100 * BATCH]]
            self.know(key for key, kept in zip(keys, self._link.call("kept", keys), strict=True) if kept)
        return super().missing(asked)

    def know(self, keys: Iterable[bytes]) -> None:
        """Note that the owner has replies at these addresses."""
        self._known.update(keys)

    def gather(self, addresses: Iterable[Address]) -> Iterator[Reply]:
        """The replies at some addresses, those that the owner has in batches."""
        asked = iter(addresses)
        while part := [address.key() for address in islice(asked, BATCH)]:
            far = [key for key in part if key not in self._starts]
            rows = dict(zip(far, self._link.call("rows", far), strict=True)) if far else {}
            yield from (loads(Reply, row) for key in part if (row := rows.get(key) or self.row(key)) is not None)


class Leases:
    """Claims on addresses by the owner's word: as `unsway.sampling.claims.Claims`, several at a time."""

    def __init__(self, to: Link, upcoming: Iterable[Address]) -> None:
        self._link = to
        self._upcoming = iter([address.key() for address in upcoming])

    def take(self, address: Address) -> bool:
        """Claim an address; False where another worker has it. An address that has a reply is known afterwards."""
        to, key = self._link, address.key()
        if key in to.held:
            return True
        with to.lock:
            batch = [key, *(each for each in islice(self._upcoming, AHEAD) if each != key)]
            states = dict(zip(batch, to.call("take", to.who, batch), strict=True))
            to.held.update(each for each, state in states.items() if state == "yours")
            to.store.know(each for each, state in states.items() if state == "kept")
        return bool(states[key] != "busy")

    def release(self, address: Address) -> None:
        """Release an address that got no reply; one that has a reply is released when the owner has that."""
        if address not in self._link.store:
            self._link.held.discard(address.key())

    def close(self) -> None:
        """Release what was claimed ahead."""
        with self._link.lock:
            self._link.held.intersection_update(tuple(self._link.store.unsent))


@dataclass
class RemoteBudget(Budget):
    """A worker's share of a budget: the owner lends it a few prompts' worth at a time, so all together keep the limit."""

    limit: float = 0.0
    """US dollars that were lent so far."""
    to: Link = field(kw_only=True, repr=False)
    """The link to the owner."""
    waits_until: float = 0.0
    """When to ask the owner again, after it had nothing but others may return some, by the monotonic clock."""
    refused_from: float = float("inf")
    """US dollars of the cheapest prompt that was refused when nobody held money that may come back."""

    @classmethod
    def of(cls, to: Link, table: Mapping[str, Price]) -> RemoteBudget:
        """A budget that has nothing yet."""
        made = cls(table=table, to=to)
        to.budgets[:] = [made]
        return made

    def count(self, replies: Iterable[Reply], place: str | Path = "") -> None:
        """Nothing: the owner counts."""

    def held(self) -> float:
        """US dollars that were lent and that the owner does not know as spent: replies on the way to it are among them."""
        left = self.left + self.set_aside  # before looking at what is on the way: a reply may settle in between
        rows = (self.to.store.row(key) for key in tuple(self.to.store.unsent))
        replies = (loads(Reply, row) for row in rows if row is not None)
        return left + sum(reply_cost(reply, self.table) or 0.0 for reply in replies)

    def may_grow(self, most: float) -> bool:
        """Borrow for more prompts, or for one; whether there is now enough, or may be when others return theirs."""
        if most >= self.refused_from:
            return False
        if time.monotonic() < self.waits_until:
            return True
        others = self._borrow((AHEAD * most, most * (1 + 1e-9)))  # sums of cents round
        if most <= self.left:
            return True
        if others or self.in_flight > 0:
            self.waits_until = time.monotonic() + LOOK_AGAIN
            return True
        self.refused_from = most
        return False

    def take_all(self) -> float:
        """Borrow all that is left, for a training whose cost is known afterwards."""
        self._borrow((float("inf"),))
        return self.left

    def totals(self) -> tuple[float, float, int]:
        """As `Budget.totals`, of all workers together."""
        self.to.store.send()  # then the owner has counted what was spent here
        limit, spent, n_unknown = self.to.call("totals")
        return limit, spent, n_unknown

    def _borrow(self, amounts: tuple[float, ...]) -> bool:
        """Ask the owner for the first of some amounts; returns whether others hold money."""
        with self.to.lock:
            self.to.store.send()  # then the owner has counted what was spent here
            lent, others = self.to.call("lend", self.to.who, self.set_aside, amounts)
            self.limit = self.spent + lent
        return bool(others)
