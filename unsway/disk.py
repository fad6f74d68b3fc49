"""Durable files: whole files, appended rows, and locks that end with the process that holds them.

In: paths and bytes. Out: the same on disk, or a `StoreError` that says what to do. Nothing else in unsway locks a file.

    write_text("page.html", text)             # the old file or the new one, never half
    append_row("labels.jsonl", row)           # after any other writer; a row torn by a kill is cut off
    with exclusive("runs/mine"): ...          # one process (and thread) at a time

A file is locked and written under a name that begins with `.part-`, then moved. What a killed writer left is removed.
Whole-file locks come from filelock (`flock` on POSIX, elsewhere a lock file next to the file); it cannot lock single bytes.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from unsway.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from filelock import BaseFileLock

PART = ".part-"
"""Prefix of files and folders that are not complete yet."""
LOCK = ".lock"
"""Suffix of lock files; also the lock file of a folder."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Errors of a full disk, an exhausted quota and a file that has reached its largest size."""
UNSUPPORTED = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK, errno.EBADF}
"""Errors of systems and file systems that lack the requested lock or function."""
SHORT, LONG = 0.001, 0.1
"""Seconds between two attempts at a lock: short for rows, whose lock is held for microseconds; long for a folder."""
UNNAMED = 5.0
"""Seconds for which a lock file may stay empty. Its holder writes its process number at once, unless it is killed first."""

_log = logging.getLogger(__name__)


def write_error(path: str | Path, error: OSError) -> StoreError:
    """The `StoreError` for a disk error: what was refused and what to do."""
    if error.errno in FULL:
        advice = "Everything before it is kept: make room and run the same again."
    elif error.errno == errno.ENAMETOOLONG:
        advice = "Name a shorter path."
    else:
        advice = "Name another folder, or one that may be written."
    return StoreError(f"Cannot write {str(path)!r}: {error.strerror or error}. {advice}")


# ---------------------------------------------------------------- whole files


def write_text(path: str | Path, text: str) -> Path:
    """Write a whole text file. The path holds the old file or the new one, never half a file. Raises `StoreError`."""
    return write_parts(path, (text.encode("utf-8", "backslashreplace"),))


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write a whole file. The path holds the old file or the new one, never half a file. Raises `StoreError`."""
    return write_parts(path, (content,))


def write_parts(path: str | Path, parts: Iterable[bytes]) -> Path:
    """Write a whole file part by part. The path holds the old file or the new one, never half a file.

    Raises:
        StoreError: The disk refused it; the old file is unchanged.
    """
    target = Path(path)
    try:
        with replacing(target) as new_file, new_file.open("wb") as file:
            file.writelines(parts)
    except OSError as error:
        raise write_error(target, error) from error
    return target


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a new, empty file; it replaces `target` if the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with partial_file(target.parent) as new_file:
        yield new_file
        with new_file.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(new_file, target)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a folder to write files into. On success they get the umask's permissions; on failure nothing remains.

    If `folder` does not exist, the new folder becomes it in one step. Otherwise its files are moved there one by one.
    """
    is_new = not folder.exists()
    parent = folder.parent if is_new else folder
    parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(parent) as staging:
        yield staging
        for file in sorted(staging.iterdir()):
            file.chmod(file.stat().st_mode | staging.stat().st_mode & 0o666)  # safetensors writes owner-only files
            if not is_new:
                os.replace(file, folder / file.name)
        if is_new:
            os.replace(staging, folder)


@contextmanager
def partial_file(folder: Path, prefix: str = PART) -> Iterator[Path]:
    """Yield a new, empty, locked file in a folder. It is removed at the end unless it was moved."""
    with _partial(folder, prefix, Path.touch) as path:
        yield path


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """Yield a new, empty, locked folder inside a folder. It is removed at the end unless it was moved."""
    with _partial(folder, PART, Path.mkdir) as path:
        yield path


@contextmanager
def _partial(folder: Path, prefix: str, make: Callable[[Path], None]) -> Iterator[Path]:
    sweep(folder, prefix)
    with ExitStack() as stack:
        while True:
            path = folder / f"{prefix}{secrets.token_hex(8)}"
            make(path)
            stack.callback(Path(f"{path}{LOCK}").unlink, missing_ok=True)
            with suppress(FileNotFoundError):  # another process swept it before it was locked
                stack.enter_context(_lock(path))
                path.stat()
                break
        stack.callback(_remove, path)
        yield path


def sweep(folder: Path, prefix: str) -> list[Path]:
    """Remove the parts that killed processes left; returns the parts that a live process still holds."""
    in_use = []
    for path in folder.glob(f"{prefix}*"):
        with suppress(OSError):  # its owner, or another sweep, was faster
            if path.suffix != LOCK:
                with _lock(path, wait=None) as is_left_behind:
                    if is_left_behind:
                        _remove(path)
                    else:
                        in_use.append(path)
            elif not path.with_suffix("").exists():
                path.unlink()
    return in_use


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def allocate(path: Path, size: int) -> None:
    """Reserve a file's size on the disk, to notice a full disk now. Raises the system's `OSError`."""
    with path.open("rb+") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except (AttributeError, OSError) as error:  # macOS and Windows have no such function
            if isinstance(error, OSError) and error.errno not in UNSUPPORTED:
                raise
            file.write(bytes(size))


# ---------------------------------------------------------------- rows


@contextmanager
def appending(path: Path) -> Iterator[BinaryIO]:
    """Open a file of rows at its end and lock it against other appending processes. It is created if missing. See `put_row`.

    Raises:
        StoreError: The disk refused it.
    """
    try:
        with path.open("a+b", buffering=0) as file, _lock(path, file.fileno()):
            file.seek(0, os.SEEK_END)
            yield file
    except StoreError:
        raise
    except OSError as error:
        raise write_error(path, error) from error


def put_row(file: BinaryIO, row: bytes, at: int, *, sync: bool = False) -> int:
    """Write a row at a byte offset of a file from `appending`, whole or not at all. Returns the offset where it ends.

    Everything after the offset is cut off. With `sync` the row is flushed to the disk, so that it survives a power cut.
    """
    file.truncate(at)
    rest = memoryview(row + b"\n")
    end = at + len(rest)
    try:
        while rest:
            rest = rest[file.write(rest) :]
        if sync:
            os.fsync(file.fileno())
    except OSError:
        file.truncate(at)
        raise
    return end


def append_row(path: str | Path, row: str | Callable[[bytes], str], *, sync: bool = False) -> None:
    """Append one row to a file, whole or not at all. A last row torn by a kill is cut off first.

    Args:
        path: The file; created if missing.
        row: One row without its newline, or a function that makes it from the last row (empty if there is none). The
            file stays locked while the function runs, so no other process can append in between.
        sync: Flush the row to the disk, so that it survives a power cut.

    Raises:
        StoreError: The disk refused it; the rows before it are unchanged.
    """
    with appending(Path(path)) as file:
        end = _end_of_rows(file)
        if callable(row):
            start = _end_of_rows(file, end - 1) if end else 0
            file.seek(start)
            row = row(file.read(max(0, end - start - 1)))
        put_row(file, row.encode("utf-8", "backslashreplace"), end, sync=sync)


def whole_rows(path: str | Path) -> list[bytes]:
    """The complete rows of a file, without newlines; none if the file does not exist."""
    return Path(path).read_bytes().split(b"\n")[:-1] if Path(path).exists() else []


def repaired_rows(path: str | Path) -> list[bytes]:
    """The complete rows of a file, after cutting off a last row torn by a kill. Raises `StoreError`."""
    target = Path(path)
    if target.exists():
        with appending(target) as file:
            file.truncate(_end_of_rows(file))
    return whole_rows(target)


def _end_of_rows(file: BinaryIO, before: int | None = None) -> int:
    """The offset in bytes where the last complete row of the file, or of its first `before` bytes, ends."""
    end = file.seek(0, os.SEEK_END) if before is None else before
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


# ---------------------------------------------------------------- locks


@contextmanager
def _lock(path: Path, handle: int | None = None, *, wait: float | None = SHORT) -> Iterator[bool]:
    """Lock an existing file or folder. Yields whether we hold the lock, which is False only with `wait=None`.

    `wait` is the seconds between two attempts; None makes one attempt. With the `handle` of an open file, the system's
    lock ends when the file is closed.
    """
    from filelock import FileLock, lock_descriptor

    own_handle, lock = None, None
    try:
        try:
            if os.name == "nt":  # locking the file itself would keep readers out
                raise OSError(errno.ENOSYS, "no advisory locks")
            if handle is None:
                handle = own_handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
            is_ours = lock_descriptor(handle, blocking=wait is not None, poll_interval=wait or SHORT)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            lock = FileLock(f"{path}{LOCK}", thread_local=False)
            is_ours = _acquire(lock, wait)
        yield is_ours
    finally:
        if lock is not None:
            lock.release()
        if own_handle is not None:
            os.close(own_handle)  # which releases the lock


def _acquire(lock: BaseFileLock, wait: float | None) -> bool:
    """Try to acquire a lock, and return whether we hold it. Removes an empty lock file that its killed holder left.

    filelock removes the lock file of a process that has ended, but waits forever for an empty one.
    """
    from filelock import SoftFileLock, Timeout

    marker = Path(lock.lock_file)
    while True:
        if isinstance(lock, SoftFileLock):  # the files of other locks are always empty
            with suppress(OSError):  # another process removed it, or holds it open
                stat = marker.stat()
                if stat.st_size == 0 and time.time() - stat.st_mtime > UNNAMED:
                    marker.unlink()
        with suppress(Timeout):
            lock.acquire(timeout=0 if wait is None else UNNAMED, poll_interval=wait or SHORT)
        if lock.is_locked or wait is None:
            return lock.is_locked


@contextmanager
def exclusive(folder: str | Path, name: str = LOCK, *, waiting: str = "", wait: bool = True) -> Iterator[None]:
    """Hold a folder: only one process or thread at a time runs the block.

    Args:
        folder: The folder; created if missing.
        name: The lock file in it; different names are independent.
        waiting: What the other holder does; logged while waiting.
        wait: Whether to wait for the other holder.

    Raises:
        StoreError: Another process or thread holds it and `wait` is off, or the folder is not writable.
    """
    lock_path = Path(folder) / name
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        lock_path.touch()
    except OSError as error:
        raise write_error(lock_path, error) from error
    with ExitStack() as stack:
        if not stack.enter_context(_lock(lock_path, wait=None)):
            if not wait:
                raise StoreError(f"{str(folder)!r} is in use: {waiting}. Let it, or name another folder.")
            if waiting:
                _log.warning("%s: %s. Waiting for it.", folder, waiting)
            stack.enter_context(_lock(lock_path, wait=LONG))
        yield


class ByteLocks:
    """Numbers, each held by at most one process until it releases the number or ends.

    On POSIX a number is one byte of a file, under a record lock. The process loses all its record locks on a file when it
    closes any handle of that file. So make only one `ByteLocks` per file in a process.
    """

    SPACE = 2**62
    """Numbers are below this: the largest offset of a record lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self._files: dict[int, BaseFileLock] = {}
        """Lock files of the numbers held, on systems without record locks."""

    def take(self, number: int) -> bool:
        """Claim a number; returns False if another process holds it."""
        try:
            if fcntl is None:
                raise OSError(errno.ENOSYS, "no record locks")
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            return True
        except (BlockingIOError, PermissionError):  # another process holds it
            return False
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
        from filelock import SoftFileLock

        lock = SoftFileLock(f"{self._path}.{number:x}{LOCK}", thread_local=False)
        if is_ours := _acquire(lock, None):
            self._files[number] = lock
        return is_ours

    def release(self, number: int) -> None:
        """Release a number that this process holds."""
        if number in self._files:
            self._files.pop(number).release()
        elif fcntl is not None:
            fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, number)

    def close(self) -> None:
        """Release everything."""
        for number in tuple(self._files):
            self.release(number)
        os.close(self._handle)
