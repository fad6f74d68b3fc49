"""The only writer of a folder of replies that workers on other machines fill.

In: the workers' messages: rows of replies, the addresses they are asking, the money they want to spend. Out: one
`replies.jsonl` for everyone, leases on addresses being asked, and shares of a budget. It runs on the folder's machine.

Its state is the folder: restarted after a kill, it reads the file of replies and learns from the workers' next renewal what
they hold. So every method may be called twice with the same effect as once.
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
"""Seconds after a worker's last sign of life before others may ask its addresses."""
MOST_BYTES = 256_000_000
"""Most bytes of a folder, such as a checkpoint, that one message carries between machines."""
BY_ROWS = frozenset({layout.PAST, layout.FAILURES})
"""Files of rows, to which workers add; any other file of theirs replaces the existing one."""


@dataclass
class WorkerShare:
    """One worker's leases and money."""

    until: float
    """When it counts as dead, on this machine's monotonic clock."""
    keys: set[bytes] = field(default_factory=set)
    """Keys of the addresses it is asking."""
    dollars: float = 0.0
    """US dollars that it may spend, or has spent on replies that have not arrived."""
    beats: set[Path] = field(default_factory=set)
    """The files of its heartbeats."""

    def let_go(self) -> None:
        """Free its addresses for others and remove its heartbeats; it keeps its money."""
        self.keys.clear()
        for path in self.beats:
            path.unlink(missing_ok=True)
        self.beats.clear()


class Owner:
    """Stores the replies of one folder, and decides who may ask what and spend how much. Calls come one at a time."""

    def __init__(self, folder: str | Path, budget: Budget | None = None, lease: float = LEASE) -> None:
        """Open the folder and count its replies as spent. Raises `StoreError`."""
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
        """The number of replies that arrived for an address that already had another one."""
        return self.n_duplicates

    def stop(self) -> None:
        """Tell every worker, at its next renewal, to stop because the run was interrupted."""
        self.is_stopping = True

    def stopping(self) -> bool:
        """Whether workers should stop."""
        return self.is_stopping

    # ------------------------------------------------------------ replies

    def kept(self, keys: Sequence[bytes]) -> list[bool]:
        """Whether the address of each key has a reply."""
        return [self.store.has(key) for key in keys]

    def rows(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The lines of the replies for these keys; None if there is none."""
        return [self.store.row(key) for key in keys]

    def add(self, who: str, rows: Sequence[bytes]) -> None:
        """Store replies; the first one at an address wins. When this returns, the operating system has them.

        Raises:
            StoreError: The disk is full or not writable.
        """
        replies = [loads(Reply, row) for row in rows]
        keys = [Address.of(reply).key() for reply in replies]
        old_rows = [self.store.row(key) for key in keys]
        self.store.add_rows(zip(keys, rows, strict=True))
        share = self._share(who)
        for key, row, old, reply in zip(keys, rows, old_rows, replies, strict=True):
            self.n_duplicates += old not in (None, row)
            share.keys.discard(key)
            if old != row and self.budget is not None:  # a second reply at an address was also paid for
                share.dollars = max(0.0, share.dollars - self.budget.add(reply))

    # ------------------------------------------------------------ leases

    def take(self, who: str, keys: Sequence[bytes]) -> list[str]:
        """Lease addresses; each becomes `yours`, or is `kept` (it has a reply) or `busy` (another worker has it)."""
        share, others = self._share(who), self._others(who)
        states = []
        for key, is_kept in zip(keys, self.kept(keys), strict=True):
            state = "kept" if is_kept else "busy" if any(key in other.keys for other in others) else "yours"
            if state == "yours":
                share.keys.add(key)
            states.append(state)
        return states

    def renew(self, who: str, keys: Iterable[bytes], dollars: float, beats: Mapping[str, str]) -> bool:
        """Report that a worker is alive, what it is asking, how much it may still spend, and what it is doing.

        Returns whether the worker should stop (`stop`).

        Args:
            who: The worker.
            keys: Every address it is asking; all its other leases end.
            dollars: US dollars lent to it whose replies have not arrived.
            beats: The texts of its heartbeats, by file name.
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
        """End a worker: its leases and its money are free."""
        if who in self.workers:
            self.workers.pop(who).let_go()

    def _share(self, who: str) -> WorkerShare:
        """A worker's share, marked as alive now.

        Others may ask the addresses of a worker that was silent too long, but not spend its money: it may be slow, not dead.
        """
        now = time.monotonic()
        for name, worker in self.workers.items():
            if worker.until < now and name != who:
                worker.let_go()
        share = self.workers.setdefault(who, WorkerShare(now))
        share.until = now + self.lease
        return share

    def _others(self, who: str) -> list[WorkerShare]:
        return [share for name, share in self.workers.items() if name != who]

    # ------------------------------------------------------------ money

    def lend(self, who: str, held: float, amounts: Sequence[float]) -> tuple[float, bool]:
        """Lend a worker US dollars: the first of several amounts that is available, or nothing.

        Args:
            who: The worker.
            held: What its prompts in flight may cost; it keeps this.
            amounts: Amounts it wants in addition, the largest first; `inf` means all that is left.

        Returns:
            The total it may spend before its next replies arrive, and whether others hold money that may come back.
        """
        share = self._share(who)
        budget = self.budget
        if budget is None:
            return float("inf"), False
        others = [other for other in self._others(who) if other.dollars > 0]
        free = budget.limit - budget.trained - budget.spent - sum(other.dollars for other in others) - held
        candidates = [max(0.0, free) if amount == float("inf") else amount for amount in amounts]
        share.dollars = held + next((amount for amount in candidates if amount <= free), 0.0)
        return share.dollars, any(other.until >= time.monotonic() for other in others)

    def totals(self) -> tuple[float, float, int]:
        """As `Budget.totals`, for all workers together."""
        return (float("inf"), 0.0, 0) if self.budget is None else self.budget.totals()

    # ------------------------------------------------------------ files

    def append(self, name: str, rows: Sequence[bytes]) -> None:
        """Add rows to a file of the folder, except rows it already has."""
        path = self._inside(name)
        existing = set(whole_rows(path))
        for row in rows:
            if row not in existing:
                append_row(path, row.decode())

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the folder, replacing one with that name."""
        write_bytes(self._inside(name), content)

    def pull(self, name: str) -> dict[str, bytes] | None:
        """A file or subfolder of the folder, as its files by name; None if it is too large for a message."""
        target = self._inside(name)
        files = [path for path in ([target] if target.is_file() else sorted(target.rglob("*"))) if path.is_file()]
        if sum(path.stat().st_size for path in files) > MOST_BYTES:
            return None
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}

    def _inside(self, name: str) -> Path:
        """A path in the folder. Raises `StoreError` if a name leads outside."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise StoreError(
                f"{name!r} leads out of {str(self.folder)!r}, where a worker may write. Name a file in it."
            )
        return path
