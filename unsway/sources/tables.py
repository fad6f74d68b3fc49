"""Rows of the files that published question sets come in.

In: a file. Out: its rows as dictionaries. Arrow is read by nanoarrow, Parquet by pyarrow (optional), JSONL by the standard
library.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from unsway.extras import requires
from unsway.store import open_text

Row: TypeAlias = dict[str, Any]


def arrow(path: Path) -> Iterator[Row]:
    """Rows of an Arrow stream (the format that `datasets` keeps on disk)."""
    with requires("offline", f"Reading {path.name}"):
        import nanoarrow
        from nanoarrow import ipc

    with ipc.InputStream.from_path(str(path)) as stream:
        yield from nanoarrow.ArrayStream(stream).read_all().iter_py()


def parquet(path: Path) -> Iterator[Row]:
    """Rows of a Parquet file (the format of the hub)."""
    with requires("hub", f"Reading {path.name}"):
        read_table = importlib.import_module("pyarrow.parquet").read_table
    yield from read_table(path).to_pylist()


def jsonl(path: Path) -> Iterator[Row]:
    """Rows of a JSONL file, or `.jsonl.gz`."""
    with open_text(path) as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def once(rows: Iterator[Row], *at: str) -> Iterator[Row]:
    """Rows whose value at a path of keys has not occurred before."""
    seen = set()
    for row in rows:
        value: Any = row
        for step in at:
            value = value[step]
        if value not in seen:
            seen.add(value)
            yield row
