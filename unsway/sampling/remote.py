"""A worker's side of a folder on another machine: replies, leases, budget, and the files that a call writes.

In: a scratch folder here, and a function that calls the `Owner` of the real one. Out: inside `link`, a call that asks in the
scratch folder asks only what the real one lacks, and its replies are sent there in batches.

    with link(scratch, call) as linked:
        ask(prompts, "openai/gpt-4o-mini", folder=scratch)

A reply is first written to a local file (the spool), then sent. If a worker was killed or its owner was gone, its rows are
sent when the same scratch folder is linked again, so no paid reply is lost.
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
"""Most replies per message."""
AHEAD = 64
"""Addresses leased per call, and prompts for which money is lent per call."""
LOOK_AGAIN = 0.5
"""Seconds between two requests for money that was refused."""
WORKER = "worker"
"""The file in a scratch folder that names its worker and its process."""
PAUSE = 0.25
"""Seconds between two checks for rows to send."""

Call = Callable[..., Any]
"""Calls a method of the owner by name: `call("add", who, rows)`. It waits while an owner restarts."""

_links: dict[Path, Link] = {}
_latest: ReplyStore | None = None
"""The latest store: a study opens its folder's store for each arm, and then only new rows are read."""


def link_of(folder: str | Path) -> Link | None:
    """The link of a scratch folder; None for a local folder."""
    return _links.get(Path(folder).resolve()) if _links else None


def store_at(folder: Path) -> ReplyStore:
    """The replies of a folder: local ones, or those of the owner it is linked to."""
    if remote := link_of(folder):
        return remote.store
    global _latest
    _latest = ReplyStore(folder / layout.REPLIES, _latest if _latest and _latest.path.parent == folder else None)
    return _latest


@contextmanager
def link(folder: Path, call: Call, lease: float = LEASE) -> Iterator[Link]:
    """Link a scratch folder to the owner of the real one while the block runs; at its end everything has been sent.

    Raises:
        StoreError: The owner's disk is full or not writable, or a file is too large to send.
    """
    new_link = Link(folder, call, lease)
    _links[folder.resolve()] = new_link
    new_link.start()
    try:
        yield new_link
    finally:
        del _links[folder.resolve()]
        new_link.close()


class Link:
    """A worker's state for a folder on another machine; created by `link`."""

    def __init__(self, folder: Path, call: Call, lease: float) -> None:
        self.folder, self.call, self.who, self.lease = folder, call, uuid4().hex[:16], lease
        self.held: set[bytes] = set()
        """Keys of the addresses leased by this worker."""
        self.budgets: list[RemoteBudget] = []
        self.lock = threading.RLock()
        """Held while leases change, so that a renewal never drops one just granted."""
        self.store = RemoteStore(self)
        self.about: Callable[[], Mapping[str, Any]] = dict
        """The extra content of a heartbeat, besides the fields of `unsway.sampling`."""
        self._same: dict[Path, int] = {}
        """Time of change, in nanoseconds, of each local file that the owner has in the same version."""
        self._done = threading.Event()
        self.is_stopping = False
        """Whether the owner reported that the run was interrupted."""
        self._thread = threading.Thread(target=self._keep_up, name="unsway link", daemon=True)

    def start(self) -> None:
        """Send what a killed worker of this folder left, end its leases, and start sending and renewing."""
        self.store.send()
        running = self.folder / layout.RUNNING
        worker_file = running / WORKER
        if worker_file.is_file():
            who, pid, *started = worker_file.read_text(encoding="utf-8").split()
            if not process_lives(int(pid), float(started[0]) if started else 0.0):
                self.call("leave", who)
        for beat in running.glob("*.json"):
            beat.unlink()
        write_text(worker_file, f"{self.who} {os.getpid()} {own_start()}")
        self._thread.start()

    def close(self) -> None:
        """Send the remaining rows, then files, and end all leases. Raises `StoreError` if a row was refused."""
        self._done.set()
        self._thread.join()
        self.store.send()
        if self.store.unsent:
            raise self.store.refused or StoreError("The owner of the study's folder took no more rows.")
        self.send_files()
        self.call("leave", self.who)

    def _keep_up(self) -> None:
        period = max(1, round(min(1.0, self.lease / 4) / PAUSE))
        try:
            for tick in count():
                self.store.send()
                if tick % period == 0:
                    self.renew()
                if self._done.wait(PAUSE):
                    return
        except Exception as error:  # raised when the next row is added
            self.store.refused = StoreError(f"The owner of the study's folder cannot be reached: {error}")

    def renew(self) -> None:
        """Report this worker's leases and running calls, and learn whether to continue."""
        with self.lock:
            dollars = sum(budget.held() for budget in self.budgets)
            beats = {}
            for path in (self.folder / layout.RUNNING).glob("*.json"):
                with suppress(FileNotFoundError):  # its call just ended
                    beat = json.loads(path.read_text(encoding="utf-8"))
                    beats[path.name] = json.dumps(beat | {"seen": time.time()} | self.about())
            self.is_stopping = self.call("renew", self.who, tuple(self.held), dollars, beats)

    def pull(self, name: str) -> None:
        """Copy a file or a folder of the real folder here."""
        files = self.call("pull", name)
        if files is None:
            shutil.copytree(self._seen(name) / name, self.folder / name, dirs_exist_ok=True)
            return
        for path, content in files.items():
            write_bytes(self.folder / path, content)
            self._same[self.folder / path] = (self.folder / path).stat().st_mtime_ns

    def send_files(self) -> None:
        """Send new files other than replies."""
        skip = {layout.REPLIES, layout.CLAIMS, layout.RUNNING}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if not path.is_file() or name.split("/")[0] in skip or path.name.startswith(PART) or path.suffix == LOCK:
                continue
            size, mtime_ns = path.stat().st_size, path.stat().st_mtime_ns
            if self._same.get(path) == mtime_ns:
                continue
            if name in BY_ROWS:
                self.call("append", name, whole_rows(path))
            elif size <= MOST_BYTES:
                self.call("put", name, path.read_bytes())
            else:
                with replacing(self._seen(name) / name) as new_file:
                    shutil.copyfile(path, new_file)
            self._same[path] = mtime_ns

    def _seen(self, name: str) -> Path:
        """The real folder, if this machine sees it under the same path. Raises `StoreError` if it does not."""
        folder = Path(self.call("where"))
        study_files = self.call("pull", layout.STUDY)
        if (
            study_files
            and (folder / layout.STUDY).is_file()
            and (folder / layout.STUDY).read_bytes() == study_files[layout.STUDY]
        ):
            return folder
        raise StoreError(
            f"{name!r} has more than {MOST_BYTES // 1_000_000} MB, which is too much to send from machine to machine. Put "
            f"{str(folder)!r} on a disk that all of them see under this path, or run the study on one machine."
        )

    def leases(self, upcoming: Iterable[Address]) -> Leases:
        """Claims on the addresses that will be asked, in order."""
        return Leases(self, upcoming)


class RemoteStore(ReplyStore):
    """The replies of a folder on another machine, with a local spool whose rows are sent in batches."""

    def __init__(self, to: Link) -> None:
        """Open the spool; rows left by a killed worker are sent first."""
        super().__init__(to.folder / layout.REPLIES)
        self._link = to
        self._known: set[bytes] = set()
        """Keys of addresses whose reply the owner has."""
        self.unsent = deque(self._starts)
        """Keys of the rows not yet acknowledged, in the order of the spool."""
        self.refused: StoreError | None = None
        self._sending = threading.Lock()

    def is_stopping(self) -> bool:
        """Whether the run was interrupted on the folder's machine."""
        return self._link.is_stopping

    def add_rows(self, rows: Iterable[tuple[bytes, bytes]]) -> int:
        """Append rows to the spool. Raises `StoreError` if the owner's disk refused rows."""
        new_rows = tuple(rows)
        new_keys = [key for key, _ in new_rows if key not in self._starts]
        n_added = super().add_rows(new_rows)
        self.unsent.extend(new_keys)
        if self.refused is not None:
            raise self.refused
        return n_added

    def send(self) -> None:
        """Send every row that is not yet acknowledged."""
        with self._sending:
            while self.unsent:
                keys = [*islice(self.unsent, BATCH)]
                rows = [row for key in keys if (row := self.row(key)) is not None]
                try:
                    self._link.call("add", self._link.who, rows)
                except StoreError as error:  # raised when the next row is added; the spool keeps these
                    self.refused = error
                    return
                for _ in keys:
                    self.unsent.popleft()
                self._link.held.difference_update(keys)

    def __contains__(self, address: Address) -> bool:
        """Whether an address has a reply, here or (as far as already known) at the owner."""
        key = address.key()
        return key in self._starts or key in self._known

    def missing(self, addresses: Iterable[Address]) -> list[Address]:
        """The given addresses without a reply, neither here nor at the owner."""
        all_addresses = tuple(addresses)
        for start in range(0, len(all_addresses), 100 * BATCH):
            keys = [address.key() for address in all_addresses[start : start + 100 * BATCH]]
            self.know(key for key, is_kept in zip(keys, self._link.call("kept", keys), strict=True) if is_kept)
        return super().missing(all_addresses)

    def know(self, keys: Iterable[bytes]) -> None:
        """Record that the owner has replies at these addresses."""
        self._known.update(keys)

    def gather(self, addresses: Iterable[Address]) -> Iterator[Reply]:
        """The replies at the given addresses; the owner's are fetched in batches."""
        iterator = iter(addresses)
        while keys := [address.key() for address in islice(iterator, BATCH)]:
            remote_keys = [key for key in keys if key not in self._starts]
            rows = dict(zip(remote_keys, self._link.call("rows", remote_keys), strict=True)) if remote_keys else {}
            yield from (loads(Reply, row) for key in keys if (row := rows.get(key) or self.row(key)) is not None)


class Leases:
    """Claims on addresses, granted by the owner: like `unsway.sampling.claims.Claims`, but several at a time."""

    def __init__(self, to: Link, upcoming: Iterable[Address]) -> None:
        self._link = to
        self._upcoming = iter([address.key() for address in upcoming])

    def take(self, address: Address) -> bool:
        """Claim an address; returns False if another worker has it. If the address already has a reply, that is recorded."""
        link = self._link
        key = address.key()
        if key in link.held:
            return True
        with link.lock:
            batch = [key, *(upcoming for upcoming in islice(self._upcoming, AHEAD) if upcoming != key)]
            states = dict(zip(batch, link.call("take", link.who, batch), strict=True))
            link.held.update(batch_key for batch_key, state in states.items() if state == "yours")
            link.store.know(batch_key for batch_key, state in states.items() if state == "kept")
        return bool(states[key] != "busy")

    def release(self, address: Address) -> None:
        """Release an address without a reply; an address with a reply is released when the owner has the reply."""
        if address not in self._link.store:
            self._link.held.discard(address.key())

    def close(self) -> None:
        """Release the addresses claimed ahead."""
        with self._link.lock:
            self._link.held.intersection_update(tuple(self._link.store.unsent))


@dataclass
class RemoteBudget(Budget):
    """A worker's share of a budget. The owner lends it enough for a few prompts at a time, so all together keep the limit."""

    limit: float = 0.0
    """US dollars lent so far."""
    to: Link = field(kw_only=True, repr=False)
    """The link to the owner."""
    waits_until: float = 0.0
    """When to ask the owner again, after it had nothing but others may return some; on the monotonic clock."""
    refused_from: float = float("inf")
    """US dollars of the cheapest prompt that was refused when no one held money that might come back."""

    @classmethod
    def of(cls, to: Link, table: Mapping[str, Price]) -> RemoteBudget:
        """A budget that has borrowed nothing yet."""
        budget = cls(table=table, to=to)
        to.budgets[:] = [budget]
        return budget

    def count(self, replies: Iterable[Reply], place: str | Path = "") -> None:
        """Do nothing: the owner counts."""

    def held(self) -> float:
        """US dollars lent that the owner does not yet know as spent, including the cost of replies on the way to it."""
        # read before the rows on the way, because a reply may be settled in between
        unspent = self.left + self.set_aside
        rows = (self.to.store.row(key) for key in tuple(self.to.store.unsent))
        replies = (loads(Reply, row) for row in rows if row is not None)
        return unspent + sum(reply_cost(reply, self.table) or 0.0 for reply in replies)

    def may_grow(self, most: float) -> bool:
        """Borrow for several prompts, or for one; whether there is now enough, or may be when others return money."""
        if most >= self.refused_from:
            return False
        if time.monotonic() < self.waits_until:
            return True
        others = self._borrow((AHEAD * most, most * (1 + 1e-9)))  # sums of cents are rounded
        if most <= self.left:
            return True
        if others or self.in_flight > 0:
            self.waits_until = time.monotonic() + LOOK_AGAIN
            return True
        self.refused_from = most
        return False

    def take_all(self) -> float:
        """Borrow all that is left, for a training whose cost is only known afterwards."""
        self._borrow((float("inf"),))
        return self.left

    def totals(self) -> tuple[float, float, int]:
        """As `Budget.totals`, for all workers together."""
        self.to.store.send()  # so that the owner has counted what was spent here
        limit, spent, n_unknown = self.to.call("totals")
        return limit, spent, n_unknown

    def _borrow(self, amounts: tuple[float, ...]) -> bool:
        """Ask the owner for the first available amount; returns whether others hold money."""
        with self.to.lock:
            self.to.store.send()  # so that the owner has counted what was spent here
            amount, others = self.to.call("lend", self.to.who, self.set_aside, amounts)
            self.limit = self.spent + amount
        return bool(others)
