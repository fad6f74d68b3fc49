"""Cache what reports need about all replies of a large folder: where each row starts, and its numbers.

In: a folder. Out: a `ReplyTable`, taken from `replies.npz` if that was made from the first bytes of the current file; rows
added since are read. The file is only a cache: you may delete it at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unsway import layout
from unsway.disk import write_bytes
from unsway.errors import StoreError
from unsway.stats import reply_table as this_reader
from unsway.stats.outcomes import ReplyIndex, Run
from unsway.stats.reply_table import KINDS, IndexOfFile, ReplyTable
from unsway.store import dumps, loads, rows_from
from unsway.studies.arms import Arm, asked_arms
from unsway.types import ArmKey, Settings

LARGE = 10_000_000
"""Size in bytes from which a file of replies is cached as columns: reading that much takes a second."""


def is_large(folder: Path) -> bool:
    """Whether a folder's file of replies is large enough to be cached as columns."""
    replies = folder / layout.REPLIES
    return replies.exists() and replies.stat().st_size >= LARGE


def file_index(folder: Path, arms: Sequence[Arm], instead: dict[ArmKey, dict[str, str]]) -> ReplyIndex:
    """Index the replies of some arms of a large folder; the replies stay in the file until they are needed."""
    return IndexOfFile(folder / layout.REPLIES, reply_table(folder), asked_arms(arms, instead))


def reply_table(folder: Path) -> ReplyTable:
    """The replies of a folder as columns; for a large folder they are cached."""
    path = folder / layout.REPLIES
    cached = None
    if not path.exists():
        return ReplyTable.of(())
    if is_large(folder):
        cached = _load_cached(folder)
    old_table, size, digest = cached or (None, 0, hashlib.sha256())
    if old_table is not None and size == path.stat().st_size:
        return old_table
    end = size

    def rows() -> Any:
        nonlocal end
        for start, row, reply in rows_from(path, size):
            digest.update(row)
            end = start + len(row)
            yield start, reply

    table = ReplyTable.of(rows(), old_table)
    if end - size >= LARGE:
        _keep(folder, table, end, digest.hexdigest())
    return table


def _hash_of(path: Path, size: int) -> Any:
    """A hash object of the first bytes of a file, which can be updated with the rest."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (part := file.read(min(size, 1 << 22))):
            digest.update(part)
            size -= len(part)
    return digest


def _keep(folder: Path, table: ReplyTable, size: int, sha256: str) -> None:
    """Cache a table of the first bytes of the file; a folder that cannot be written is left unchanged."""
    tables = {
        "prompts": list(table.prompts),
        "runs": [[run.model, run.weights, run.sample, dumps(run.settings)] for run in table.runs],
        "size": size,
        "changed": (folder / layout.REPLIES).stat().st_mtime_ns,
        "sha256": sha256,
        "made by": _code(),
    }
    write_columns(folder / layout.REPLY_COLUMNS, table.columns, tables)


def _load_cached(folder: Path) -> tuple[ReplyTable, int, Any] | None:
    """The cached table, how many bytes of the file it covers, and their hash object if the file changed since.

    None if there is no table, or it was made from other bytes or by other code.
    """
    content = read_columns(folder / layout.REPLY_COLUMNS)
    if content is None or content[1].get("made by") != _code() or set(content[0]) != set(KINDS):
        return None
    columns, tables = content
    stat = (folder / layout.REPLIES).stat()
    size = tables["size"]
    is_untouched = (stat.st_size, stat.st_mtime_ns) == (size, tables["changed"])
    if stat.st_size < size:
        return None
    digest = None if is_untouched else _hash_of(folder / layout.REPLIES, size)
    if digest is not None and digest.hexdigest() != tables["sha256"]:
        return None
    runs = [Run(model, weights, sample, loads(Settings, row)) for model, weights, sample, row in tables["runs"]]
    return ReplyTable(tables["prompts"], runs, columns), size, digest


@cache
def _code() -> str:
    """A hash of the code that makes the columns."""
    return hashlib.sha256(Path(str(this_reader.__file__)).read_bytes()).hexdigest()


# ---------------------------------------------------------------- files of columns


def write_columns(path: Path, columns: Any, tables: dict[str, Any]) -> None:
    """Write arrays and the tables they index; a folder that cannot be written is left unchanged."""
    buffer = io.BytesIO()
    np.savez(buffer, **columns, tables=np.frombuffer(json.dumps(tables).encode(), np.uint8))
    with suppress(StoreError):
        write_bytes(path, buffer.getvalue())


def read_columns(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """The arrays of a file and the tables they index; None if it is missing, torn or of another format."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        return columns, json.loads(columns.pop("tables").tobytes())
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile):
        return None
