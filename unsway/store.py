"""Types to JSONL and back: whole files written atomically, rows appended safely, a manifest beside every file.

In: frozen values of `unsway.types`. Out: files that one can open in an editor, and the same values again.
A manifest (`NAME.manifest.json`) holds what the file depends on: versions, seeds, row count, sha256.
Reading and writing of values is pydantic's (`TypeAdapter`), locking is `fcntl` by the standard library.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from unsway.disk import refused, write_parts
from unsway.disk import write_bytes as write_bytes  # the whole files of every room
from unsway.disk import write_text as write_text
from unsway.errors import BadRow, StoreError
from unsway.types import Reply, Settings

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


class Once:
    """Makes equal values one value in memory: `once(value)` is the first one that was equal to it."""

    def __init__(self) -> None:
        self._known: dict[object, object] = {}

    def __call__(self, value: T) -> T:
        """The first value that was equal to this one."""
        return cast("T", self._known.setdefault(value, value))


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


def loads(kind: type[T], line: str | bytes, *, strict: bool = False) -> T:
    """A value from its line of JSON. Raises pydantic's `ValidationError` (a `ValueError`) where it does not fit.

    Strict takes no `"4"`, `4.0` or `true` for a 4.
    """
    value: T = _adapter(kind).validate_json(line, strict=strict)
    return value


# ---------------------------------------------------------------- whole files


def write_jsonl(path: str | Path, values: Iterable[object], **about: object) -> Path:
    """Write values as JSONL with a manifest beside it; `about` says what the rows depend on (versions, seeds)."""
    rows = 0

    def lines() -> Iterator[bytes]:
        nonlocal rows
        for value in values:
            rows += 1
            yield dumps(value).encode() + b"\n"

    target = write_parts(path, lines())
    write_manifest(target, rows=rows, **about)
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

    def key(self) -> bytes:
        """A short hash of the address, 12 bytes."""
        text = repr((self.prompt_id, self.model, self.weights, self.settings, self.sample))
        return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=12).digest()


def replies_in(path: str | Path) -> Iterator[Reply]:
    """The replies of a store in the order in which they came, each address once: one pass, no index, nothing written."""
    seen: set[Asked] = set()
    once = Once()
    if not Path(path).exists():
        return
    with Path(path).open("rb") as file:
        for _, reply in _complete(file, path, 0):
            asked = Asked.of(reply)
            if asked not in seen:
                seen.add(asked)
                yield replace(reply, weights=once(reply.weights), settings=once(reply.settings))


def _complete(file: IO[bytes], path: str | Path, start: int) -> Iterator[tuple[int, Reply]]:
    """Bytes and reply of each row from a place on, up to one that is not complete. Raises `StoreError`."""
    file.seek(start)
    for line in file:
        if not line.endswith(b"\n"):
            return
        start += len(line)
        try:
            yield len(line), loads(Reply, line)
        except ValueError as error:
            raise StoreError(
                f"{path}: the row that ends at byte {start} is not a reply ({str(error)[:200]}). Move the file away, or "
                "mend that row."
            ) from None


class ReplyStore:
    """Every reply once, appended to one JSONL file as it comes; safe against a kill and against other writers.

    A row torn by a kill is cut off by the next writer. Appends take a file lock and read what others added first, so
    that an address has one row whoever writes. In memory are the addresses and where their rows stand, not the rows: the
    store of a million replies takes about 150 MB. benchmarks/store.py has it beside SQLite and Inspect's cache.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._places: dict[bytes, int] = {}
        self._read_to = 0
        self._lock = threading.Lock()
        try:
            if not self.path.exists():  # what is there may be read where nothing may be written
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch()
        except OSError as error:
            raise refused(self.path, error) from error
        self.refresh()

    def refresh(self) -> None:
        """Read the complete rows that were added since the last look, by this process or another."""
        with self._lock, self.path.open("rb") as file:
            self._read_new(file)

    def _read_new(self, file: IO[bytes]) -> None:
        for size, reply in _complete(file, self.path, self._read_to):
            self._places.setdefault(Asked.of(reply).key(), self._read_to)
            self._read_to += size

    def add(self, reply: Reply) -> bool:
        """Append one reply and hand it to the operating system before returning.

        Returns whether it was added: False where its address has a row already, which stays as it is.

        Raises:
            StoreError: The disk took no more; rows before this one are whole.
        """
        import fcntl

        row, key = dumps(reply).encode() + b"\n", Asked.of(reply).key()
        try:
            with self._lock, self.path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._read_new(file)
                if key in self._places:
                    return False
                file.seek(self._read_to)
                file.truncate()
                file.write(row)
                file.flush()
                self._places[key] = self._read_to
                self._read_to += len(row)
        except OSError as error:
            raise refused(self.path, error) from error
        return True

    def get(self, asked: Asked) -> Reply | None:
        """The reply at an address, or None where it was never asked."""
        place = self._places.get(asked.key())
        if place is None:
            return None
        with self.path.open("rb") as file:
            file.seek(place)
            return loads(Reply, file.readline())

    def __contains__(self, asked: Asked) -> bool:
        return asked.key() in self._places

    def __iter__(self) -> Iterator[Reply]:
        """All replies in the order in which they came, read from the file one by one."""
        with self.path.open("rb") as file:
            for place in tuple(self._places.values()):
                if file.tell() != place:
                    file.seek(place)
                yield loads(Reply, file.readline())

    def __len__(self) -> int:
        return len(self._places)
