"""The one writer of a folder that workers on other machines ask for.

In: what workers say: rows of replies, what they are asking, what they want to spend. Out: one `replies.jsonl` that anyone
opens, leases on what is being asked, and shares of a budget. It runs on the machine of the folder.

Its state is the folder: started again after a kill it reads the file of replies, and learns from the workers' next renewal
what they hold. So every method may be called twice with the same effect as once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unsway import layout
from unsway.disk import append_row, whole_rows, write_bytes, write_text
from unsway.errors import StoreError
from unsway.planning.budget import Budget
from unsway.store import ReplyStore, loads
from unsway.types import Reply
from unsway.types.address import Address

LEASE = 120.0
"""Seconds after the last sign of a worker at which what it was asking is free for others."""
MOST_BYTES = 256_000_000
"""Bytes of one folder, such as a checkpoint, that go from machine to machine as a message."""
BY_ROWS = frozenset({layout.PAST, layout.FAILURES})
"""Files of rows, to which workers add; any other file of theirs replaces the one that is there."""


@dataclass
class WorkerShare:
    """What one worker holds."""

    until: float
    """When it counts as dead, on this machine's monotonic clock."""
    keys: set[bytes] = field(default_factory=set)
    """Keys of the addresses that it is asking."""
    dollars: float = 0.0
    """US dollars that it may spend and whose replies have not arrived."""
    beats: set[Path] = field(default_factory=set)
    """Files that say what it is doing."""

    def let_go(self) -> None:
        """Let others ask what it was asking, and say no more that it does; its money stays its own."""
        self.keys.clear()
        for path in self.beats:
            path.unlink(missing_ok=True)
        self.beats.clear()


class Owner:
    """Keeps the replies of one folder, and says who may ask what and spend how much. Calls come one at a time."""

    def __init__(self, folder: str | Path, budget: Budget | None = None, lease: float = LEASE) -> None:
        """Open the folder; what it holds is counted as spent. Raises `StoreError`."""
        self.folder, self.budget, self.lease = Path(folder), budget, lease
        self.store = ReplyStore(self.folder / layout.REPLIES)
        self.workers: dict[str, WorkerShare] = {}
        self.n_duplicates = 0
        self.is_stopping = False
        if budget is not None:
            budget.count(self.store, self.store.path)

    def where(self) -> str:
        """The path of the folder on this machine."""
        return str(self.folder)

    def duplicates(self) -> int:
        """How many replies arrived for an address that has another one."""
        return self.n_duplicates

    def stop(self) -> None:
        """Tell every worker, when it next renews, to end; so somebody interrupted the run."""
        self.is_stopping = True

    def stopping(self) -> bool:
        """Whether workers are to end."""
        return self.is_stopping

    # ------------------------------------------------------------ replies

    def kept(self, keys: Sequence[bytes]) -> list[bool]:
        """Whether there is a reply at each address, by its key."""
        return [self.store.has(key) for key in keys]

    def rows(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The lines of the replies at some addresses; None where there is none."""
        return [self.store.row(key) for key in keys]

    def add(self, who: str, rows: Sequence[bytes]) -> None:
        """Keep replies; the first at an address wins. When this returns, the operating system has them.

        Raises:
            StoreError: The disk takes no more.
        """
        replies = [loads(Reply, row) for row in rows]
        keys = [Address.of(reply).key() for reply in replies]
        before = [self.store.row(key) for key in keys]
        self.store.add_rows(zip(keys, rows, strict=True))
        share = self._share(who)
        for key, row, old, reply in zip(keys, rows, before, replies, strict=True):
            self.n_duplicates += old not in (None, row)
            share.keys.discard(key)
            if old != row and self.budget is not None:  # a second reply at an address was paid for too
                share.dollars = max(0.0, share.dollars - self.budget.add(reply))

    # ------------------------------------------------------------ leases

    def take(self, who: str, keys: Sequence[bytes]) -> list[str]:
        """Lease addresses, each of which is then `yours`, `kept` (it has a reply) or `busy` (another worker's)."""
        share, others = self._share(who), self._others(who)
        found = []
        for key, is_kept in zip(keys, self.kept(keys), strict=True):
            state = "kept" if is_kept else "busy" if any(key in other.keys for other in others) else "yours"
            if state == "yours":
                share.keys.add(key)
            found.append(state)
        return found

    def renew(self, who: str, keys: Iterable[bytes], dollars: float, beats: Mapping[str, str]) -> bool:
        """Say that a worker lives, what it is asking, how much it may still spend, and what it is doing.

        Returns whether it is to end (`stop`).

        Args:
            who: The worker.
            keys: Every address that it is asking; it holds these and no others.
            dollars: US dollars lent to it whose replies have not arrived.
            beats: Texts of its heartbeats, by file name.
        """
        share, others = self._share(who), self._others(who)
        share.keys = {key for key in keys if not any(key in other.keys for other in others)}
        share.dollars = dollars
        files = {self.folder / layout.RUNNING / f"{who}-{name}": text for name, text in beats.items()}
        for path in share.beats - files.keys():
            path.unlink(missing_ok=True)
        share.beats = set(files)
        for path, text in files.items():
            write_text(path, text)
        return self.is_stopping

    def leave(self, who: str) -> None:
        """A worker is done: what it held is free."""
        if who in self.workers:
            self.workers.pop(who).let_go()

    def _share(self, who: str) -> WorkerShare:
        """What a worker holds, which lives as of now.

        Others may ask what one asked that was silent for too long, but not spend its money: it may be slow, not dead.
        """
        now = time.monotonic()
        for name, other in self.workers.items():
            if other.until < now and name != who:
                other.let_go()
        share = self.workers.setdefault(who, WorkerShare(now))
        share.until = now + self.lease
        return share

    def _others(self, who: str) -> list[WorkerShare]:
        return [share for name, share in self.workers.items() if name != who]

    # ------------------------------------------------------------ money

    def lend(self, who: str, held: float, amounts: Sequence[float]) -> tuple[float, bool]:
        """Lend a worker US dollars to spend, the first of some amounts that is left, or none.

        Args:
            who: The worker.
            held: What its prompts in flight may cost, which it keeps.
            amounts: What it wants on top, most first; `inf` is all that is left.

        Returns:
            What it may spend in all before its next replies arrive, and whether others hold money that may come back.
        """
        share, budget = self._share(who), self.budget
        if budget is None:
            return float("inf"), False
        others = [other for other in self._others(who) if other.dollars > 0]
        free = budget.limit - budget.trained - budget.spent - sum(other.dollars for other in others) - held
        wanted = [max(0.0, free) if amount == float("inf") else amount for amount in amounts]
        share.dollars = held + next((amount for amount in wanted if amount <= free), 0.0)
        return share.dollars, any(other.until >= time.monotonic() for other in others)

    def totals(self) -> tuple[float, float, int]:
        """As `Budget.totals`, of all workers together."""
        return (float("inf"), 0.0, 0) if self.budget is None else self.budget.totals()

    # ------------------------------------------------------------ files

    def append(self, name: str, rows: Sequence[bytes]) -> None:
        """Add rows to a file of the folder; those that it has already are left out."""
        path = self._inside(name)
        there = set(whole_rows(path))
        for row in rows:
            if row not in there:
                append_row(path, row.decode())

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the folder, in place of one of that name."""
        write_bytes(self._inside(name), content)

    def pull(self, name: str) -> dict[str, bytes] | None:
        """A file or a folder of the folder, as its files by name; None where it is too large for a message."""
        place = self._inside(name)
        files = [path for path in ([place] if place.is_file() else sorted(place.rglob("*"))) if path.is_file()]
        if sum(path.stat().st_size for path in files) > MOST_BYTES:
            return None
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}

    def _inside(self, name: str) -> Path:
        """A path in the folder. Raises `StoreError` where a name leads out of it."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise StoreError(
                f"{name!r} leads out of {str(self.folder)!r}, where a worker may write. Name a file in it."
            )
        return path
