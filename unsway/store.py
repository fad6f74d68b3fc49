"""Types to JSONL and back: whole files written atomically, rows appended safely, a manifest beside every file.

In: frozen values of `unsway.types`. Out: files that one can open in an editor, and the same values again.
A manifest (`NAME.manifest.json`) holds what the file depends on: versions, seeds, row count, sha256.
Reading and writing of values is pydantic's (`TypeAdapter`), locking is `fcntl` by the standard library.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from unsway.errors import BadRow, StoreError
from unsway.types import Reply, Settings

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


# ---------------------------------------------------------------- values <-> text


_ADAPTERS: dict[object, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """The reader and writer of a type, made once."""
    if kind not in _ADAPTERS:
        from pydantic import TypeAdapter

        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dumps(value: object) -> str:
    """One value as one line of JSON (no newline)."""
    return _adapter(type(value)).dump_json(value).decode("utf-8")


def loads(kind: type[T], line: str | bytes) -> T:
    """A value from its line of JSON. Raises pydantic's `ValidationError` (a `ValueError`) where it does not fit."""
    value: T = _adapter(kind).validate_json(line)
    return value


# ---------------------------------------------------------------- whole files


def write_text(path: str | Path, text: str) -> Path:
    """Write a whole file so that it is either the old one or the new one, never half."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return target


@cache
def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_jsonl(path: str | Path, values: Iterable[object], **about: object) -> Path:
    """Write values as JSONL with a manifest beside it; `about` says what the rows depend on (versions, seeds)."""
    lines = [dumps(value) for value in values]
    target = write_text(path, "".join(line + "\n" for line in lines))
    write_manifest(target, rows=len(lines), **about)
    return target


def open_text(path: str | Path) -> IO[str]:
    """Open a text file for reading, unpacking `.gz`."""
    source = Path(path)
    if source.suffix == ".gz":
        return gzip.open(source, "rt", encoding="utf-8")
    return source.open(encoding="utf-8")


def read_jsonl(path: str | Path, kind: type[T]) -> Iterator[T]:
    """Values of a JSONL file (or `.gz`). A row that does not fit names file, line and field."""
    from pydantic import ValidationError

    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield loads(kind, line)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"]) or "row"
                raise BadRow(path, number, where, first["msg"]) from None


# ---------------------------------------------------------------- manifests


def sha256_file(path: str | Path) -> str:
    """sha256 of a file, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_path(path: str | Path) -> Path:
    """Where the manifest of a file is."""
    target = Path(path)
    return target.with_name(target.name + ".manifest.json")


def write_manifest(path: str | Path, **about: object) -> Path:
    """Write the manifest of a file that is complete: sha256, the versions of unsway and Python, and `about`."""
    from importlib.metadata import version

    body: dict[str, object] = {"file": Path(path).name, "sha256": sha256_file(path), "unsway": version("unsway")}
    body |= {"python": sys.version.split()[0]} | about
    return write_text(manifest_path(path), json.dumps(body, indent=2, default=str) + "\n")


def read_manifest(path: str | Path) -> Mapping[str, Any] | None:
    """The manifest of a file, or None where it has none or is not the file that the manifest describes."""
    beside = manifest_path(path)
    if not beside.exists() or not Path(path).exists():
        return None
    body: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
    return body if body.get("sha256") == sha256_file(path) else None


# ---------------------------------------------------------------- replies


@dataclass(frozen=True, slots=True)
class Asked:
    """The address of a reply: what was asked, of which weights, how decoded, which sample."""

    prompt_id: str
    model: str
    weights: str
    settings: Settings
    sample: int

    @classmethod
    def of(cls, reply: Reply) -> Asked:
        """The address of a reply."""
        return cls(reply.prompt_id, reply.model, reply.weights, reply.settings, reply.sample)


class ReplyStore:
    """Every reply once, appended to one JSONL file as it comes; safe against a kill and against a second writer.

    A row torn by a kill is cut off when the file is next opened for writing. Appends take a file lock, so that several
    processes may write; each reads what the others added before it decides what is missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._replies: dict[Asked, Reply] = {}
        self._read_to = 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(exist_ok=True)
        except OSError as error:
            raise StoreError(f"Cannot keep replies at {str(self.path)!r}: {error}. Name another folder.") from error
        self.refresh()

    def refresh(self) -> None:
        """Read the complete rows that were added since the last look, by this process or another."""
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_to += len(line)
                try:
                    reply = loads(Reply, line)
                except ValueError as error:
                    raise StoreError(
                        f"{self.path}: the row that ends at byte {self._read_to} is not a reply ({str(error)[:200]}). "
                        "Move the file away, or mend that row."
                    ) from None
                self._replies[Asked.of(reply)] = reply

    def add(self, reply: Reply) -> None:
        """Append one reply and hand it to the operating system before returning."""
        import fcntl

        row = dumps(reply).encode() + b"\n"
        with self.path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0, os.SEEK_END)
            file.truncate(_end_of_last_row(file))
            file.seek(0, os.SEEK_END)
            file.write(row)
        self._replies[Asked.of(reply)] = reply

    def get(self, asked: Asked) -> Reply | None:
        """The reply at an address, or None where it was never asked."""
        return self._replies.get(asked)

    def __iter__(self) -> Iterator[Reply]:
        return iter(tuple(self._replies.values()))

    def __len__(self) -> int:
        return len(self._replies)


def _end_of_last_row(file: IO[bytes]) -> int:
    """Where the last complete row ends: the size of the file, unless a kill tore the last row."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
