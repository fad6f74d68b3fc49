"""Locks for folders that several processes use at once, and for network filesystems, where only one may.

In: a folder and the purpose of the work in it. Out: a hold on the folder, or a `StoreError` that says who else uses it.

Processes on one machine see each other's locks. Over a network that depends on the mount and the server, and appending is
not atomic, so a paid reply could be lost silently. There, only one process at a time may work, and it records its host.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from unsway.disk import LOCK, exclusive, partial_file, sweep, write_error
from unsway.errors import StoreError

NETWORK = frozenset(
    "9p afpfs afs beegfs ceph cifs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs panfs pvfs2 smb2 smb3 smbfs "
    "webdav wekafs".split()
)
"""Names of filesystems that other machines may also have mounted, as Linux and macOS list them."""
LOCAL_FUSE = frozenset(
    "fuse.bindfs fuse.cryfs fuse.encfs fuse.exfat fuse.fuse-overlayfs fuse.gocryptfs fuse.lxcfs fuse.mergerfs fuse.ntfs "
    "fuse.ntfs-3g fuse.overlayfs fuse.portal fuse.snapfuse fuse.squashfuse fuse.unionfs fuse.veracrypt fuse.zfs".split()
)
"""FUSE filesystems on a disk of this machine; all others count as network filesystems, as buckets and drives do."""

_log = logging.getLogger(__name__)


def network_filesystem(folder: Path) -> str | None:
    """The name of the network filesystem that holds a folder, such as "nfs4"; None for a disk of this machine."""
    import psutil

    place = folder.resolve()
    mounts = {
        Path(mount.mountpoint): mount for mount in psutil.disk_partitions(all=True)
    }  # of mounts on the same place, the last one is visible
    mount = next((mounts[above] for above in (place, *place.parents) if above in mounts), None)
    if mount is None:
        return None
    kind = mount.fstype.lower()
    is_network = kind in NETWORK or (kind.startswith("fuse.") and kind not in LOCAL_FUSE)
    return mount.fstype if is_network or "remote" in mount.opts.split(",") else None  # "remote" is Windows' word for it


@contextmanager
def shared(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder for one purpose. Several processes of one machine may share it; another purpose is refused.

    On a network filesystem only one process at a time holds it, whatever the purpose, and a warning says so.

    Raises:
        StoreError: The folder is in use for another purpose (on a network filesystem, for any), or it is not writable.
    """
    network, here = network_filesystem(folder), f"{socket.gethostname()} (process {os.getpid()})"
    if network:
        _log.warning("%s lies on a network filesystem (%s): one process at a time may work in it.", folder, network)
    with ExitStack() as stack:
        with exclusive(folder, f".shared{LOCK}"):
            _check_others(folder, what, here, network)
            try:
                mine = stack.enter_context(partial_file(folder, ".shared-"))
                mine.write_text(f"{what}\n{here}", encoding="utf-8")
            except OSError as error:
                raise write_error(folder, error) from error
            if network:  # another machine may have got past a lock that it did not see
                _check_others(folder, what, here, network)
        yield


def _check_others(folder: Path, what: str, here: str, network: str | None) -> None:
    """Raise `StoreError` if other holders forbid this use; removes what killed processes of this machine left."""
    others = {}
    for path in sorted(folder.glob(".shared-*")):
        with suppress(FileNotFoundError):  # it just ended
            if path.suffix != LOCK:
                going_on, _, where = path.read_text(encoding="utf-8").partition("\n")
                others[path] = going_on, where
    machine = here.partition(" (")[0]
    elsewhere = [path for path, (_, where) in others.items() if where.partition(" (")[0] != machine]
    for path in elsewhere if network and elsewhere else sweep(folder, ".shared-"):
        going_on, where = others.get(path, (what, here))
        if network and where != here:
            raise StoreError(
                f"{str(folder)!r} lies on a network filesystem ({network}), where one process at a time may work, and "
                f"{going_on} goes on in there, on {where}. Wait for it, or name a folder on this machine's own disk. If it "
                f"was killed, remove {path.name!r} from the folder."
            )
        if not network and going_on != what:
            raise StoreError(
                f"{str(folder)!r} is in use: {going_on} goes on in there, and this is {what}. Wait for it, or name another "
                "folder."
            )
