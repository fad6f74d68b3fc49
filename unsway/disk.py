"""Files that survive a kill, a full disk and a second writer: whole files, appended rows, a folder held by one process.

In: paths and bytes. Out: the same on disk, or a `StoreError` that says what to do.
A file is written beside its place under a name that begins with `.part-` and then put there; its writer holds a lock on it,
so that what a killed process left is told apart from what a living one writes, and is removed by the next writer.
Locks are the system's (`fcntl.flock`), so they end with the process; `filelock` and `atomicwrites` do the same with more.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, BinaryIO

from unsway.errors import StoreError

PART = ".part-"
"""How names of files begin that are not whole yet."""
LOCK = ".lock"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What systems say of a disk, a quota or a file that takes no more."""


def refused(path: str | Path, error: OSError) -> StoreError:
    """What the disk did not do, and what to do about it."""
    if error.errno in FULL:
        advice = "Everything before it is kept: make room and run the same again."
    elif error.errno == errno.ENAMETOOLONG:
        advice = "Name a shorter path."
    else:
        advice = "Name another folder, or one that may be written."
    return StoreError(f"Cannot write {str(path)!r}: {error.strerror or error}. {advice}")


# ---------------------------------------------------------------- whole files


def write_text(path: str | Path, text: str) -> Path:
    """Write a whole text file so that it is either the old one or the new one, never half. Raises `StoreError`."""
    return write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write a whole file so that it is either the old one or the new one, never half. Raises `StoreError`."""
    return write_parts(path, (content,))


def write_parts(path: str | Path, parts: Iterable[bytes]) -> Path:
    """Write a whole file, part after part, so that it is either the old one or the new one, never half.

    Raises:
        StoreError: The disk does not take it; the old one is as it was.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part(target.parent) as (file, name):
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, target)
    except OSError as error:
        raise refused(target, error) from error
    return target


@contextmanager
def part(folder: Path) -> Iterator[tuple[IO[bytes], str]]:
    """A new file in a folder and its path, locked while its writer lives; gone at the end, unless it was put elsewhere."""
    _sweep(folder)
    handle, name = _held(lambda: tempfile.mkstemp(dir=folder, prefix=PART))
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


@contextmanager
def together(folder: Path) -> Iterator[Path]:
    """A folder to write files into, each of which is put into `folder` once all of them are whole; none where one fails."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    handle, name = _held(lambda: _new_folder(folder))
    try:
        yield Path(name)
        for file in sorted(Path(name).iterdir()):
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(name, ignore_errors=True)
        os.close(handle)
        if made:
            with suppress(OSError):  # it holds what was written
                folder.rmdir()


def _new_folder(folder: Path) -> tuple[int, str]:
    while True:
        name = tempfile.mkdtemp(dir=folder, prefix=PART)
        with suppress(FileNotFoundError):  # swept before it was opened
            return os.open(name, os.O_RDONLY), name


def _held(new: Callable[[], tuple[int, str]]) -> tuple[int, str]:
    """A new part that is locked."""
    while True:
        handle, name = new()
        fcntl.flock(handle, fcntl.LOCK_EX)
        if Path(name).exists():
            return handle, name
        os.close(handle)  # swept before it was locked


def _sweep(folder: Path) -> None:
    """Remove what killed processes left: parts that nobody holds."""
    for left in folder.glob(PART + "*"):
        with suppress(OSError):  # its writer lives, or was quicker
            handle = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            finally:
                os.close(handle)


@cache
def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# ---------------------------------------------------------------- rows


def append_row(path: str | Path, row: str) -> None:
    """Append one row to a file of rows, whole or not at all; what a kill tore before it is cut off.

    Raises:
        StoreError: The disk does not take it; the rows before it are as they were.
    """
    try:
        with Path(path).open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = _end_of_rows(file)
            file.truncate(end)
            try:
                _write(file, row.encode("utf-8", "backslashreplace") + b"\n")
            except OSError:
                file.truncate(end)
                raise
    except OSError as error:
        raise refused(path, error) from error


def whole_rows(path: str | Path) -> list[bytes]:
    """The rows of a file that is appended to, without one that a kill tore; none where there is no file."""
    place = Path(path)
    return place.read_bytes().split(b"\n")[:-1] if place.exists() else []


def mended_rows(path: str | Path) -> list[bytes]:
    """The rows of a file that nobody else appends to; one that a kill tore is cut off there. Raises `StoreError`."""
    try:
        if Path(path).exists():
            with Path(path).open("r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.truncate(_end_of_rows(file))
    except OSError as error:
        raise refused(path, error) from error
    return whole_rows(path)


def _end_of_rows(file: BinaryIO) -> int:
    """Where the last whole row ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _write(file: BinaryIO, content: bytes) -> None:
    while content:
        content = content[file.write(content) :]


# ---------------------------------------------------------------- one at a time


@contextmanager
def alone(folder: str | Path, name: str = LOCK, *, waiting: str = "", wait: bool = True) -> Iterator[None]:
    """Hold a folder, so that of several processes (and threads) one at a time is in here.

    Args:
        folder: The folder; made where it is missing.
        name: What is held; other names are held apart.
        waiting: Said on stderr where another one is in here.
        wait: Whether to wait for it.

    Raises:
        StoreError: Another one is in here and there is no waiting; or the folder cannot be written.
    """
    place = Path(folder) / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = place.open("a+b")
    except OSError as error:
        raise refused(place, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise StoreError(f"{str(folder)!r} is in use: {waiting}. Let it, or name another folder.") from None
            if waiting:
                print(f"{folder}: {waiting}. Waiting for it.", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(folder: str | Path, what: str, name: str = ".shared") -> Iterator[None]:
    """Hold a folder for one thing, which several processes may do there at once; another thing is refused.

    Raises:
        StoreError: Something else goes on in there; or the folder cannot be written.
    """
    place = Path(folder) / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = place.open("a+", encoding="utf-8")
    except OSError as error:
        raise refused(place, error) from error
    with file:
        with suppress(BlockingIOError):  # others are in here, who wrote what they do
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate(0)
            file.write(what)
            file.flush()
        fcntl.flock(file, fcntl.LOCK_SH)
        file.seek(0)
        going_on = file.read(1000)
        if going_on != what:
            raise StoreError(
                f"{str(folder)!r} is in use: {going_on} goes on in there, and this is {what}. Wait for it, or name another "
                "folder."
            )
        yield
