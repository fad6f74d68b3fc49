"""Durable files: whole files, appended rows, and locks that end with the process that holds them.

In: paths and bytes. Out: the same on disk, or a `StoreError` that says what to do. Nothing else in unsway locks a file.

    write_text("page.html", text)             # the old file or the new one, never half
    append_row("labels.jsonl", row)           # after any other writer; a row torn by a kill is cut off
    with exclusive("runs/mine"): ...          # one process (and thread) at a time

A file is written under a name that begins with `.part-` and locked, then moved; what a killed writer left is swept.
Whole-file locks are filelock's (`flock` on POSIX; elsewhere a lock file next to the file), which locks no single bytes.
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
"""Errors of a full disk, an exhausted quota and a file of the largest size."""
UNSUPPORTED = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK, errno.EBADF}
"""Errors of systems and file systems without the lock or the function that was asked for."""
SHORT, LONG = 0.001, 0.1
"""Seconds between two attempts at a lock: of rows, which is held for microseconds, and of a folder."""
UNNAMED = 5.0
"""Seconds for which a lock file may be empty: its holder writes its number at once, unless it is killed in between."""

_log = logging.getLogger(__name__)


def write_error(path: str | Path, error: OSError) -> StoreError:
    """What the disk refused, and what to do about it."""
    if error.errno in FULL:
        advice = "Everything before it is kept: make room and run the same again."
    elif error.errno == errno.ENAMETOOLONG:
        advice = "Name a shorter path."
    else:
        advice = "Name another folder, or one that may be written."
    return StoreError(f"Cannot write {str(path)!r}: {error.strerror or error}. {advice}")


# ---------------------------------------------------------------- whole files


def write_text(path: str | Path, text: str) -> Path:
    """Write a whole text file: afterwards it is the old one or the new one, never half. Raises `StoreError`."""
    return write_parts(path, (text.encode("utf-8", "backslashreplace"),))


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write a whole file: afterwards it is the old one or the new one, never half. Raises `StoreError`."""
    return write_parts(path, (content,))


def write_parts(path: str | Path, parts: Iterable[bytes]) -> Path:
    """Write a whole file, part after part: afterwards it is the old one or the new one, never half.

    Raises:
        StoreError: The disk refused it; the old file is unchanged.
    """
    target = Path(path)
    try:
        with replacing(target) as new, new.open("wb") as file:
            file.writelines(parts)
    except OSError as error:
        raise write_error(target, error) from error
    return target


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new, empty file that takes the place of `target` when the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with partial_file(target.parent) as new:
        yield new
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(new, target)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write files into, readable as the umask says at the end; nothing stays if it fails.

    It becomes `folder` where there is none, so that a kill leaves no half of it; else its files move into that.
    """
    is_new = not folder.exists()
    place = folder.parent if is_new else folder
    place.mkdir(parents=True, exist_ok=True)
    with partial_folder(place) as new:
        yield new
        for file in sorted(new.iterdir()):
            file.chmod(file.stat().st_mode | new.stat().st_mode & 0o666)  # safetensors writes for the owner alone
            if not is_new:
                os.replace(file, folder / file.name)
        if is_new:
            os.replace(new, folder)


@contextmanager
def partial_file(folder: Path, prefix: str = PART) -> Iterator[Path]:
    """A new, empty file in a folder, locked; removed at the end unless it was moved."""
    with _partial(folder, prefix, Path.touch) as path:
        yield path


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """A new, empty folder in a folder, locked; removed at the end unless it was moved."""
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
                stack.enter_context(_locked(path))
                path.stat()
                break
        stack.callback(_remove, path)
        yield path


def sweep(folder: Path, prefix: str) -> list[Path]:
    """Remove the parts that killed processes left; returns those that some process holds."""
    held = []
    for path in folder.glob(f"{prefix}*"):
        with suppress(OSError):  # its owner, or another sweep, was faster
            if path.suffix != LOCK:
                with _locked(path, wait=None) as is_left_behind:
                    if is_left_behind:
                        _remove(path)
                    else:
                        held.append(path)
            elif not path.with_suffix("").exists():
                path.unlink()
    return held


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def allocate(path: Path, size: int) -> None:
    """Give a file its size on the disk, so that a full disk is noticed now. Raises `OSError` of the system."""
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
    """Open a file of rows at its end, made where it is missing, while no other process appends; see `put_row`.

    Raises:
        StoreError: The disk refused it.
    """
    try:
        with path.open("a+b", buffering=0) as file, _locked(path, file.fileno()):
            file.seek(0, os.SEEK_END)
            yield file
    except StoreError:
        raise
    except OSError as error:
        raise write_error(path, error) from error


def put_row(file: BinaryIO, row: bytes, at: int, *, sync: bool = False) -> int:
    """Put a row at a place of a file from `appending`, whole or not at all; returns where it ends, in bytes.

    What stood there is cut off. `sync` waits until the disk has it, so that not even a power cut loses it.
    """
    file.truncate(at)
    left = memoryview(row + b"\n")
    end = at + len(left)
    try:
        while left:
            left = left[file.write(left) :]
        if sync:
            os.fsync(file.fileno())
    except OSError:
        file.truncate(at)
        raise
    return end


def append_row(path: str | Path, row: str | Callable[[bytes], str], *, sync: bool = False) -> None:
    """Append one row to a file of rows, whole or not at all; a row torn by a kill is cut off.

    Args:
        path: The file; made where it is missing.
        row: One row, without its line end; or what makes it from the last row (empty where there is none), which no other
            process can follow meanwhile.
        sync: Wait until the disk has it, so that not even a power cut loses it.

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
    """The complete rows of a file, without their line ends; none where there is no file."""
    return Path(path).read_bytes().split(b"\n")[:-1] if Path(path).exists() else []


def repaired_rows(path: str | Path) -> list[bytes]:
    """The complete rows of a file; a row torn by a kill is cut off in the file. Raises `StoreError`."""
    place = Path(path)
    if place.exists():
        with appending(place) as file:
            file.truncate(_end_of_rows(file))
    return whole_rows(place)


def _end_of_rows(file: BinaryIO, before: int | None = None) -> int:
    """Where the last complete row ends, in bytes: of the whole file, or of its first `before` bytes."""
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
def _locked(path: Path, handle: int | None = None, *, wait: float | None = SHORT) -> Iterator[bool]:
    """Lock a file or folder that exists; yields whether the lock is ours, which is False only without `wait`.

    `wait` is the seconds between two attempts; None makes one. With the handle of the open file, a lock of the system
    ends when that is closed.
    """
    from filelock import FileLock, lock_descriptor

    opened, lock = None, None
    try:
        try:
            if os.name == "nt":  # a lock on the file itself would keep its readers out
                raise OSError(errno.ENOSYS, "no advisory locks")
            if handle is None:
                handle = opened = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
            is_ours = lock_descriptor(handle, blocking=wait is not None, poll_interval=wait or SHORT)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            lock = FileLock(f"{path}{LOCK}", thread_local=False)
            is_ours = _acquired(lock, wait)
        yield is_ours
    finally:
        if lock is not None:
            lock.release()
        if opened is not None:
            os.close(opened)  # which releases the lock


def _acquired(lock: BaseFileLock, wait: float | None) -> bool:
    """Whether a lock is ours now, after any wait; one whose holder was killed before it wrote its number is taken away.

    filelock takes away the lock file of a process that has ended, but waits for ever for an empty one.
    """
    from filelock import SoftFileLock, Timeout

    marker = Path(lock.lock_file)
    while True:
        if isinstance(lock, SoftFileLock):  # the files of other locks are always empty
            with suppress(OSError):  # another one took it away, or holds it open
                about = marker.stat()
                if about.st_size == 0 and time.time() - about.st_mtime > UNNAMED:
                    marker.unlink()
        with suppress(Timeout):
            lock.acquire(timeout=0 if wait is None else UNNAMED, poll_interval=wait or SHORT)
        if lock.is_locked or wait is None:
            return lock.is_locked


@contextmanager
def exclusive(folder: str | Path, name: str = LOCK, *, waiting: str = "", wait: bool = True) -> Iterator[None]:
    """Hold a folder: of several processes and threads, one at a time runs the block.

    Args:
        folder: The folder; made where it is missing.
        name: The lock file in it; different names are independent.
        waiting: What the other one does; logged where this one waits.
        wait: Whether to wait.

    Raises:
        StoreError: Another one holds it and `wait` is off; or the folder cannot be written.
    """
    place = Path(folder) / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    except OSError as error:
        raise write_error(place, error) from error
    with ExitStack() as stack:
        if not stack.enter_context(_locked(place, wait=None)):
            if not wait:
                raise StoreError(f"{str(folder)!r} is in use: {waiting}. Let it, or name another folder.")
            if waiting:
                _log.warning("%s: %s. Waiting for it.", folder, waiting)
            stack.enter_context(_locked(place, wait=LONG))
        yield


class ByteLocks:
    """Numbers that one process at a time holds, each until it releases it or ends.

    On POSIX a number is one byte of a file, under a record lock. Such locks belong to the process, and are all lost when
    it closes any handle of that file, so a process makes one `ByteLocks` for each file.
    """

    SPACE = 2**62
    """Numbers are below this: the largest offset of a record lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self._files: dict[int, BaseFileLock] = {}
        """Soft lock files of the numbers held, where there are no record locks."""

    def take(self, number: int) -> bool:
        """Claim a number; False where another process has it."""
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
        if is_ours := _acquired(lock, None):
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
