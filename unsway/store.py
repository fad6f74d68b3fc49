"""Values as JSONL files with manifests, and the store of replies: each reply once, appended as it arrives.

In: frozen values of `unsway.types`. Out: files that open in an editor, and the same values again.
A manifest (`NAME.manifest.json`) records what a file depends on: versions, seeds, row count, sha256.
pydantic's `TypeAdapter` reads and writes the values; `disk.py` appends and locks.

    store = ReplyStore("runs/mine/replies.jsonl")
    store.add(reply)
    store.get(Address.of(reply)) == reply
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from unsway.disk import appending, put_row, whole_rows, write_error, write_parts, write_text
from unsway.errors import BadInput, BadRow, StoreError
from unsway.types import Reply, Settings
from unsway.types.address import Address

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


# ---------------------------------------------------------------- values and lines of JSON


SETTINGS_KNOWN = b'"settings_known":'
"""The field that older rows of imported replies lack."""
_ADAPTERS: dict[object, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """The reader and writer of a type, cached because making one takes milliseconds."""
    if kind not in _ADAPTERS:
        from pydantic import TypeAdapter

        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dumps(value: object) -> str:
    """One value as one line of JSON (no newline)."""
    return _adapter(type(value)).dump_json(value).decode("utf-8")


def loads(kind: type[T], line: str | bytes, *, strict: bool = False) -> T:
    """A value from its line of JSON; with `strict`, `"4"`, `4.0` and `true` are not accepted as 4.

    Raises:
        ValueError: The line does not fit the type (pydantic's `ValidationError`).
    """
    value: T = _adapter(kind).validate_json(line, strict=strict)
    return cast("T", _of_earlier_import(value, line)) if isinstance(value, Reply) else value


def _of_earlier_import(reply: Reply, line: str | bytes) -> Reply:
    """Mark an older imported reply, whose row does not say so, as having unknown settings.

    A reply that was asked here, not imported, has tokens, weights or the day on which it was asked.
    """
    if reply.weights or reply.tokens_in or reply.tokens_out or reply.asked_on or reply.settings != Settings():
        return reply
    is_stated = SETTINGS_KNOWN in (line.encode() if isinstance(line, str) else line)
    return reply if is_stated else replace(reply, settings_known=False)


# ---------------------------------------------------------------- whole files


def write_jsonl(path: str | Path, values: Iterable[object], **about: object) -> Path:
    """Write values as JSONL with its manifest; `about` says what the rows depend on (versions, seeds)."""
    n_rows = 0

    def lines() -> Iterator[bytes]:
        nonlocal n_rows
        for value in values:
            n_rows += 1
            yield dumps(value).encode() + b"\n"

    target = write_parts(path, lines())
    write_manifest(target, rows=n_rows, **about)
    return target


def misfit(error: Exception) -> tuple[str, str]:
    """The field that does not fit and the reason, from an error of `loads`, or of text that is not JSON or not UTF-8."""
    if hasattr(error, "errors"):  # pydantic's ValidationError
        first_error = error.errors()[0]
        return ".".join(str(part) for part in first_error["loc"]) or "row", first_error["msg"].removeprefix(
            "Value error, "
        )
    return "row", str(error)


def why(error: Exception) -> str:
    """The same as `misfit`, as one sentence."""
    field, problem = misfit(error)
    return problem if field == "row" else f"{field}: {problem}"


def read_jsonl(path: str | Path, kind: type[T]) -> Iterator[T]:
    """The values of a JSONL file (or `.gz`). Raises `BadRow` with file, line and field where a row does not fit."""
    source = Path(path)
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as file:
        yield from _values(path, file, kind)


def read_appended(path: str | Path, kind: type[T]) -> Iterator[T]:
    """The values of an append-only file of rows; none if the file does not exist.

    Raises:
        BadRow: A row does not fit; the message gives file, line and field. A last row torn by a kill is ignored.
    """
    return _values(path, whole_rows(path), kind)


def _values(path: str | Path, lines: Iterable[bytes], kind: type[T]) -> Iterator[T]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield loads(kind, line)
            except ValueError as error:
                raise BadRow(path, number, *misfit(error)) from None


@dataclass(frozen=True, slots=True)
class JsonFields:
    """The fields of the object in a JSON file, parsed once."""

    path: Path
    """The file."""
    fields: Mapping[str, Any]
    """Its fields as stored; empty if the file does not exist."""

    def get(self, name: str, kind: type[T]) -> T | None:
        """A field, checked; None if it is missing. Raises `BadInput` if it does not fit its type."""
        value = self.fields.get(name)
        try:
            return None if value is None else loads(kind, json.dumps(value))
        except ValueError as error:
            raise BadInput(f"{self.path} is damaged ({name}: {why(error)}). Restore it from a copy.") from None


def read_json(path: str | Path) -> JsonFields:
    """The fields of the object in a JSON file; empty if the file does not exist. Raises `BadInput` if it is damaged."""
    source = Path(path)
    try:
        return JsonFields(source, loads(dict[str, Any], source.read_bytes()) if source.exists() else {})
    except ValueError as error:
        raise BadInput(f"{path} is damaged ({why(error)}). Restore it from a copy.") from None


# ---------------------------------------------------------------- manifests


def sha256_file(path: str | Path) -> str:
    """sha256 of a file, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_path(path: str | Path) -> Path:
    """The path of a file's manifest."""
    target = Path(path)
    return target.with_name(target.name + ".manifest.json")


def write_manifest(path: str | Path, **about: object) -> Path:
    """Write the manifest of a complete file: its sha256, the versions of unsway and Python, and `about`."""
    from importlib.metadata import version

    body: dict[str, object] = {"file": Path(path).name, "sha256": sha256_file(path), "unsway": version("unsway")}
    body |= {"python": sys.version.split()[0]} | about
    return write_text(manifest_path(path), json.dumps(body, indent=2, default=str) + "\n")


def read_manifest(path: str | Path) -> Mapping[str, Any] | None:
    """The manifest of a file; None if it is missing or unreadable, or if the file changed since it was written."""
    manifest = manifest_path(path)
    if not manifest.exists() or not Path(path).exists():
        return None
    try:
        body: Any = json.loads(manifest.read_bytes())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and body.get("sha256") == sha256_file(path) else None


# ---------------------------------------------------------------- replies


def replies_in(path: str | Path) -> Iterator[Reply]:
    """The replies of a store in order of arrival, each address once. Reads one at a time and writes nothing."""
    # by prompt, the samples and runs seen: a tenth of the memory of addresses
    samples_by_prompt: dict[str, set[tuple[int, int]]] = {}
    # one object per run and per sample, to save memory
    runs: dict[tuple[str, str, Settings], tuple[int, str, Settings]] = {}
    sample_keys: dict[tuple[int, int], tuple[int, int]] = {}
    if not Path(path).exists():
        return
    with Path(path).open("rb") as file:
        for _, reply in _complete_rows(file, path):
            key = (reply.model, reply.weights, reply.settings)
            run, weights, settings = runs.setdefault(key, (len(runs), *key[1:]))
            sample = sample_keys.setdefault((run, reply.sample), (run, reply.sample))
            samples = samples_by_prompt.setdefault(reply.prompt_id, set())
            if sample not in samples:
                samples.add(sample)
                yield replace(reply, weights=weights, settings=settings)


def rows_from(path: str | Path, start: int = 0) -> Iterator[tuple[int, bytes, Reply]]:
    """Each complete row of a store from a byte offset on: its offset, its line and its reply. Raises `StoreError`."""
    with Path(path).open("rb") as file:
        file.seek(start)
        for line, reply in _complete_rows(file, path):
            yield start, line, reply
            start += len(line)


def reply_at(file: IO[bytes], start: int) -> Reply:
    """The reply whose row starts at a byte offset of a store."""
    file.seek(start)
    return loads(Reply, file.readline())


def _complete_rows(file: IO[bytes], path: str | Path) -> Iterator[tuple[bytes, Reply]]:
    """The line and the reply of each row from here on, up to an incomplete row. Raises `StoreError`."""
    end = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            return
        end += len(line)
        try:
            yield line, loads(Reply, line)
        except ValueError as error:
            raise StoreError(
                f"{path}: the row that ends at byte {end} is not a reply ({why(error)}). Move the file away, or "
                "repair that row."
            ) from None


class ReplyStore:
    """Every reply once, appended to one JSONL file as it arrives; safe against a kill and against other writers.

    A row torn by a kill is cut off by the next writer. An append locks the file and first reads what others added, so
    each address has exactly one row, across processes. Memory holds the addresses and where their rows start, not the
    rows: a million replies take about 150 MB. benchmarks/store.py compares it with SQLite and Inspect's cache.
    """

    def __init__(self, path: str | Path, earlier: ReplyStore | None = None) -> None:
        """Open a store, creating it if missing; an existing one may be read-only.

        What an `earlier` store has read is not read again, if the last row it read is still at the same offset.
        """
        self.path = Path(path)
        self._starts: dict[bytes, int] = {}
        """The byte offset of each address's row, by the address's key."""
        self._read_to = 0
        """The byte offset where the last row read ends."""
        self._last = b""
        """The last row read."""
        self.on_arrival: Callable[[Reply], object] | None = None
        """Called with each reply that another process adds."""
        self._lock = threading.Lock()
        try:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch()
        except OSError as error:
            raise write_error(self.path, error) from error
        if earlier is not None:
            with earlier._lock, self.path.open("rb") as file:
                file.seek(earlier._read_to - len(earlier._last))
                if file.read(len(earlier._last)) == earlier._last:
                    self._starts, self._read_to, self._last = dict(earlier._starts), earlier._read_to, earlier._last
        self.refresh()

    def refresh(self) -> None:
        """Read the complete rows that any process added since the last read."""
        with self._lock:
            self._read_new_rows()

    def _read_new_rows(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line, reply in _complete_rows(file, self.path):
                self._starts.setdefault(Address.of(reply).key(), self._read_to)
                self._read_to, self._last = self._read_to + len(line), line
                if self.on_arrival is not None:
                    self.on_arrival(reply)

    def add(self, reply: Reply) -> bool:
        """Append a reply. When this returns, the operating system has it.

        Returns whether it was added: False if its address already has a row, which stays unchanged.

        Raises:
            StoreError: The disk is full or cannot be written; the rows before this one are complete.
        """
        return self.add_rows(((Address.of(reply).key(), dumps(reply).encode()),)) == 1

    def add_rows(self, rows: Iterable[tuple[bytes, bytes]]) -> int:
        """Append replies, each given as its address's key and its line; the file is locked once for all of them.

        Returns how many were added; an address that already has a row keeps it. Raises `StoreError` as `add` does.
        """
        with self._lock, appending(self.path) as file:
            size = file.tell()
            if size < self._read_to:
                raise StoreError(
                    f"{self.path} is shorter than it was. Stop what else writes it, and run the same again."
                )
            if size > self._read_to:
                self._read_new_rows()
            n_before = len(self._starts)
            for key, row in rows:
                if key not in self._starts:
                    end = put_row(file, row, self._read_to)
                    self._starts[key], self._read_to, self._last = self._read_to, end, row + b"\n"
        return len(self._starts) - n_before

    def get(self, address: Address) -> Reply | None:
        """The reply at an address, or None."""
        row = self.row(address.key())
        return None if row is None else loads(Reply, row)

    def row(self, key: bytes) -> bytes | None:
        """The line of the reply whose address has this key, without its newline; None if there is none."""
        start = self._starts.get(key)
        if start is None:
            return None
        with self.path.open("rb") as file:
            file.seek(start)
            return file.readline().rstrip(b"\n")

    def missing(self, addresses: Iterable[Address]) -> list[Address]:
        """The given addresses that have no reply."""
        return [address for address in addresses if address not in self]

    def gather(self, addresses: Iterable[Address]) -> Iterator[Reply]:
        """The replies at the given addresses; addresses without a reply are left out."""
        for address in addresses:
            if (reply := self.get(address)) is not None:
                yield reply

    def __contains__(self, address: Address) -> bool:
        """Whether there is a reply at an address."""
        return self.has(address.key())

    def has(self, key: bytes) -> bool:
        """Whether the address with this key has a reply."""
        return key in self._starts

    def __iter__(self) -> Iterator[Reply]:
        """All replies in order of arrival, read from the file one at a time."""
        with self.path.open("rb") as file:
            for start in tuple(self._starts.values()):
                if file.tell() != start:
                    file.seek(start)
                yield loads(Reply, file.readline())

    def __len__(self) -> int:
        """The number of replies."""
        return len(self._starts)
