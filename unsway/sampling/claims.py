"""Claims on prompts by processes and threads that share a store, so that no two ask the same prompt at once.

In: the path of a store, and addresses. Out: whether an address is yours to ask. A claim ends when it is released or when
its process ends, even by a kill.

    with claims(store.path) as mine:
        if mine.take(address): ...
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from unsway import layout
from unsway.disk import ByteLocks
from unsway.sampling.remote import Leases, link_of
from unsway.sharing import network_filesystem, shared
from unsway.types.address import Address

_guard = threading.Lock()
_open_claims: dict[Path, Claims] = {}
"""Open claims by path, for the whole process: `ByteLocks` separates processes, a set separates this process's threads."""


class Claims:
    """This process's claims on the addresses of one store; created by `claims`."""

    def __init__(self, path: Path) -> None:
        """Open the file of claims, creating it if missing. Raises `StoreError` if another machine may ask too."""
        self._alone = ExitStack()
        if network_filesystem(path.parent):  # its locks do not protect against other machines
            self._alone.enter_context(shared(path.parent, "asking"))
        self._locks = ByteLocks(path)
        self._mine: set[int] = set()
        self.users = 0

    def take(self, address: Address) -> bool:
        """Claim an address; returns False if another process or thread has it."""
        number = self._number(address)
        with _guard:
            if number in self._mine or not self._locks.take(number):
                return False
            self._mine.add(number)
            return True

    def release(self, address: Address) -> None:
        """Release an address."""
        number = self._number(address)
        with _guard:
            self._mine.discard(number)
            self._locks.release(number)

    def close(self) -> None:
        """Release every address."""
        self._locks.close()
        self._alone.close()

    def _number(self, address: Address) -> int:
        return int.from_bytes(address.key()[:8], "big") % ByteLocks.SPACE


@contextmanager
def claims(store: Path, upcoming: Iterable[Address] = ()) -> Iterator[Claims | Leases]:
    """The claims next to a store. All users in this process share them; the last one releases them.

    Args:
        store: The file of replies. In a folder that is linked to an owner on another machine, the claims are the
            owner's leases.
        upcoming: The addresses that will be claimed, in order; leases are taken several at a time.
    """
    if (link := link_of(store.parent)) is not None:
        leases = link.leases(upcoming)
        try:
            yield leases
        finally:
            leases.close()
        return
    path = store.resolve().with_name(layout.CLAIMS)
    with _guard:
        if path not in _open_claims:
            _open_claims[path] = Claims(path)
        shared_claims = _open_claims[path]
        shared_claims.users += 1
    try:
        yield shared_claims
    finally:
        with _guard:
            shared_claims.users -= 1
            if shared_claims.users == 0:
                shared_claims.close()
                del _open_claims[path]
