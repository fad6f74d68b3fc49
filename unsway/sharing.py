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

    path = folder.resolve()
    mounts = {
        Path(mount.mountpoint): mount for mount in psutil.disk_partitions(all=True)
    }  # of mounts on the same place, the last one is visible
    mount = next((mounts[parent] for parent in (path, *path.parents) if parent in mounts), None)
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
    filesystem = network_filesystem(folder)
    own_holder = f"{socket.gethostname()} (process {os.getpid()})"
    if filesystem:
        _log.warning("%s lies on a network filesystem (%s): one process at a time may work in it.", folder, filesystem)
    with ExitStack() as stack:
        with exclusive(folder, f".shared{LOCK}"):
            _check_others(folder, what, own_holder, filesystem)
            try:
                own_file = stack.enter_context(partial_file(folder, ".shared-"))
                own_file.write_text(f"{what}\n{own_holder}", encoding="utf-8")
            except OSError as error:
                raise write_error(folder, error) from error
            if filesystem:  # another machine may have got past a lock that it did not see
                _check_others(folder, what, own_holder, filesystem)
        yield


def _check_others(folder: Path, own_purpose: str, own_holder: str, filesystem: str | None) -> None:
    """Raise `StoreError` if other holders forbid this use; removes what killed processes of this machine left."""
    holders = {}
    for path in sorted(folder.glob(".shared-*")):
        with suppress(FileNotFoundError):  # it just ended
            if path.suffix != LOCK:
                purpose, _, holder = path.read_text(encoding="utf-8").partition("\n")
                holders[path] = purpose, holder
    machine = own_holder.partition(" (")[0]
    remote_paths = [path for path, (_, holder) in holders.items() if holder.partition(" (")[0] != machine]
    for path in remote_paths if filesystem and remote_paths else sweep(folder, ".shared-"):
        purpose, holder = holders.get(path, (own_purpose, own_holder))
        if filesystem and holder != own_holder:
            raise StoreError(
                f"{str(folder)!r} lies on a network filesystem ({filesystem}), where one process at a time may work, and "
                f"{purpose} is going on there, on {holder}. Wait for it, or name a folder on this machine's own disk. If it "
                f"was killed, remove {path.name!r} from the folder."
            )
        if not filesystem and purpose != own_purpose:
            raise StoreError(
                f"{str(folder)!r} is in use: {purpose} is going on there, and this is {own_purpose}. Wait for it, or "
                "name another folder."
            )
