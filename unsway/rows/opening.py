"""Reads files of rows as JSON values: JSONL, a JSON document, a table with separators, Parquet, Arrow.

In: a path. Out: the line number (for Parquet and Arrow, the row number) and the value of every row, or a `BadRow` that
says what is wrong with it. The content decides the kind of file; the name's ending only if the content does not.

    opening = Opening(Path("mine.csv"), longest=1_000_000)
    opening.kind                # "table"
    for line, row in opening:   # 2, {"question": "…", "A": "…"}
        ...

JSONL and tables are read one row at a time, so a file of any size needs only the memory of its longest row. Text is UTF-8
or, with a byte order mark, UTF-16, and may be gzip-compressed.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import importlib
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from unsway.errors import BadInput, BadRow, kind_of
from unsway.extras import requires

Kind: TypeAlias = Literal["jsonl", "document", "table", "parquet", "arrow"]
"""The kind of file; a document is one JSON value with all rows."""
LARGEST = 400_000_000
"""Longest JSON document, in characters; JSONL and tables may have any length."""
SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
"""The possible separators of a table's cells, with their names."""
LISTS = (
    "data",
    "rows",
    "examples",
    "instances",
    "items",
    "records",
    "questions",
    "samples",
    "results",
    "train",
    "validation",
    "test",
)
"""Keys of a JSON document that may hold its rows."""


class Opening:
    """A file to be read: its kind and its rows."""

    def __init__(self, path: Path, longest: int, header: bool = True) -> None:
        """Inspect the beginning of a file.

        Args:
            path: The file.
            longest: Longest row, in characters; a longer one is never held in memory.
            header: Whether a table begins with column names; otherwise the columns are named 1, 2, 3, …

        Raises:
            BadInput: The file cannot be read, or its kind is not supported.
        """
        self.path, self.longest, self.header = path, longest, header
        self.columns: list[str] = []
        """The names of a table's columns, once its first row has been read."""
        try:
            with path.open("rb") as file:
                magic = file.read(8)
            self.is_packed = magic.startswith(b"\x1f\x8b") or path.suffix.lower() == ".gz"
            with self._bytes() as file:
                start = file.read(4096)
        except (OSError, EOFError, zlib.error) as error:
            raise self._unreadable(error) from error
        is_wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in start
        self.encoding = "utf-16" if is_wide else "utf-8-sig"
        suffixes = "".join(path.suffixes[-2:]).lower()
        text = start.decode(self.encoding, "replace").lstrip("\ufeff \t\r\n")
        first = text.partition("\n")[0]
        self.kind: Kind = "jsonl"
        """The kind of the file."""
        if start.startswith(b"PK\x03\x04"):
            description = "an Inspect log: `unsway import` reads it"
            if ".eval" not in suffixes:
                description = "a zip archive or a workbook (.xlsx): save its sheet as CSV in UTF-8, or unpack it"
            raise BadInput(f"{path} is {description}.")
        if start.startswith(b"\x28\xb5\x2f\xfd"):
            raise BadInput(f"{path} is packed with zstd. Unpack it first (zstd -d), or pack it with gzip.")
        if start.startswith(b"PAR1"):
            self.kind = "parquet"
        elif start.startswith(b"ARROW1") or ".arrow" in suffixes:
            self.kind = "arrow"
        elif text.startswith("[") or (text.startswith("{") and not self.has_a_value_a_line()):
            self.kind = "document"
        elif not text.startswith("{") and (
            ".csv" in suffixes or ".tsv" in suffixes or any(first.count(mark) > 1 for mark in SEPARATORS)
        ):
            self.kind = "table"

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """The line number and the value of every row, or a `BadRow`. Raises `BadInput` if the file cannot be read."""
        if self.kind == "parquet":
            return enumerate(parquet(self.path), 1)
        if self.kind == "arrow":
            return enumerate(arrow(self.path), 1)
        return {"jsonl": self.values, "document": self.document, "table": self.table}[self.kind]()

    def has_a_value_a_line(self) -> bool:
        """Whether a JSON value fills the first non-blank line and more text follows; the file's name decides if unclear."""
        is_json = False
        for _, text, length in self.lines():
            if is_json and text.strip():
                return True
            if length > self.longest:
                return ".jsonl" in "".join(self.path.suffixes[-2:]).lower()
            if text.strip():
                try:
                    json.loads(text)
                except RecursionError:
                    return True
                except ValueError:
                    return False
                is_json = True
        return is_json and ".jsonl" in "".join(self.path.suffixes[-2:]).lower()  # one row

    # ------------------------------------------------------------ text

    def _bytes(self) -> IO[bytes]:
        return gzip.open(self.path) if self.is_packed else self.path.open("rb")  # type: ignore[return-value]

    def _unreadable(self, error: Exception) -> BadInput:
        if isinstance(error, UnicodeError):
            detail = f" ({error.reason} at byte {error.start})" if isinstance(error, UnicodeDecodeError) else ""
            return BadInput(
                f"{self.path} is not UTF-8 text{detail}. Save it as UTF-8 (in Excel: CSV UTF-8; elsewhere: iconv -f "
                "WINDOWS-1252 -t UTF-8)."
            )
        return BadInput(f"Cannot read {self.path}: {error}. It must be UTF-8 text, or such a text packed as .gz.")

    def lines(self) -> Iterator[tuple[int, str, int]]:
        """The number, the text and the length of every line; only the beginning of a line that is too long."""
        try:
            with self._bytes() as raw, io.TextIOWrapper(raw, self.encoding, newline="") as stream:
                line = 0
                while text := stream.readline(self.longest + 1):
                    line = line + 1
                    size = len(text)
                    rest = text
                    while size > self.longest and not rest.endswith("\n") and (rest := stream.readline(self.longest)):
                        size += len(rest)
                    yield line, text.lstrip("\ufeff"), size - rest.endswith("\n")
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise self._unreadable(error) from error

    def _too_long(self, line: int, length: int) -> BadRow:
        return BadRow(self.path, line, "row", f"has {length} characters; at most {self.longest} are allowed")

    # ------------------------------------------------------------ JSON

    def values(self) -> Iterator[tuple[int, Any]]:
        """The rows of a JSONL file."""
        for line, text, length in self.lines():
            if length > self.longest:
                yield line, self._too_long(line, length)
            elif text.strip():
                try:
                    yield line, json.loads(text, object_pairs_hook=distinct)
                except (ValueError, RecursionError) as error:
                    reason = str(error)[:200]
                    if isinstance(error, json.JSONDecodeError):
                        reason = f"{error.msg} (character {error.pos + 1})"
                    problem = f"is not JSON: {reason}. Each line must be one JSON object"
                    if text.lstrip().startswith("["):
                        problem += "; a file that is one JSON array must be written as one object a line"
                    elif line == 1 and not text.lstrip().startswith(("{", '"')):
                        problem += (
                            f"; the file begins with {text.strip()[:60]!r}. A table's first line names its columns"
                        )
                    yield line, BadRow(self.path, line, "row", problem)

    def document(self) -> Iterator[tuple[int, Any]]:
        """The rows of a JSON document; rows of an array come with the line numbers where they begin.

        If the whole text is not valid JSON, it is read line by line. Raises `BadInput` if it is too large.
        """
        try:
            with self._bytes() as raw, io.TextIOWrapper(raw, self.encoding) as stream:
                text = stream.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise self._unreadable(error) from error
        if len(text) > LARGEST:
            raise BadInput(
                f"{self.path} is one JSON value of more than {LARGEST} characters. Write a row a line (JSONL)."
            )
        try:
            body = json.loads(text, object_pairs_hook=distinct)
        except (ValueError, RecursionError):
            yield from self.values()
            return
        begin = re.match(r"\s*", text).end()  # type: ignore[union-attr]  # it matches the empty text
        line = 1 + text.count("\n", 0, begin)
        if not isinstance(body, list):
            yield from enumerate(rows_of(body, self.path), line)
            return
        decoder = json.JSONDecoder(object_pairs_hook=distinct)
        position = begin + 1
        while text[after := re.compile(r"[\s,]*").match(text, position).end()] != "]":  # type: ignore[union-attr]
            line, begin = line + text.count("\n", begin, after), after
            value, position = decoder.raw_decode(text, after)
            yield line, value

    # ------------------------------------------------------------ tables

    def table(self) -> Iterator[tuple[int, Any]]:
        """The rows of a table, as cells by column name; blank rows are skipped. Raises `BadRow`."""
        separator, n_skipped = self.separator()
        csv.field_size_limit(max(csv.field_size_limit(), self.longest))

        def texts() -> Iterator[str]:
            for line, text, length in self.lines():
                if length > self.longest:
                    raise self._too_long(line, length)
                if line > n_skipped:
                    yield text

        table = csv.reader(texts(), delimiter=separator, strict=True)
        names: list[str] | None = None
        line = n_skipped
        try:
            for cells in table:
                line = table.line_num + n_skipped
                if not any(cell.strip() for cell in cells):
                    continue
                if names is None:
                    names = [f"{number}" for number in range(1, len(cells) + 1)]
                    if self.header:
                        names = [
                            cell.strip() or f"(column {number})" for number, cell in zip(names, cells, strict=True)
                        ]
                        if duplicates := sorted({name for name in names if names.count(name) > 1}):
                            problem = f"names a column twice: {', '.join(duplicates)[:200]}"
                            raise BadRow(self.path, line, "header", problem)
                        self.columns = names
                        continue
                if any(cell.strip() for cell in cells[len(names) :]):
                    problem = (
                        f"has more cells than the header, which has {len(names)} ({SEPARATORS[separator]} between them)"
                    )
                    yield line, BadRow(self.path, line, "row", problem)
                else:
                    yield line, dict(zip(names, cells, strict=False))
        except csv.Error as error:
            raise BadRow(self.path, line + 1, "row", f"cannot be read as CSV: {error}") from None

    def separator(self) -> tuple[str, int]:
        """The separator between cells, and the number of lines before the header.

        Prefers a separator that splits the header and the first row into equally many cells, then the one with the most
        cells. A first line `sep=;` (Excel) names the separator.
        """
        head: list[str] = []
        for _, text, _ in self.lines():
            if text.strip() or head:
                head.append(text)
            if len(head) == 20:
                break
        match = re.match(r"sep=(.)\s*$", head[0]) if head else None
        if match and match[1] in SEPARATORS:
            return match[1], 1
        default = "\t" if ".tsv" in "".join(self.path.suffixes[-2:]).lower() else ","
        candidates = {}
        for separator in (default, *(mark for mark in SEPARATORS if mark != default)):
            try:
                rows = [row for row in csv.reader(head, delimiter=separator) if any(cell.strip() for cell in row)]
            except csv.Error:
                continue
            widths = [len(row) for row in rows]
            if widths and widths[0] > 1:
                candidates[separator] = (len(widths) < 2 or widths[0] == widths[1], widths[0])
        return max(candidates, key=lambda mark: candidates[mark], default=default), 0


# ---------------------------------------------------------------- rows of binary files and of documents


def arrow(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of an Arrow stream (the format that `datasets` writes to disk) or of an Arrow file, a stream after eight bytes.

    Raises `BadInput` if it is damaged.
    """
    with requires("offline", f"Reading {path.name}"):
        import nanoarrow
        from nanoarrow import ipc

    try:
        with path.open("rb") as file:
            file.seek(8 if file.read(8).startswith(b"ARROW1") else 0)
            with ipc.InputStream.from_readable(file) as stream:
                yield from nanoarrow.ArrayStream(stream).read_all().iter_py()
    except (OSError, ValueError, RuntimeError) as error:  # nanoarrow's own errors are RuntimeErrors
        raise BadInput(f"Cannot read {path}: {error}. It must be a whole Arrow file or stream.") from error


def parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file (the format of the hub). Raises `BadInput` if it is damaged."""
    with requires("hub", f"Reading {path.name}"):
        open_file = importlib.import_module("pyarrow.parquet").ParquetFile
    try:
        with open_file(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        reason = str(error).strip(" .\n")
        raise BadInput(f"Cannot read {path}: {reason}. It must be a whole Parquet file.") from error


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object from its pairs. Raises `ValueError` if two have the same name, because one would be lost."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError(f"a field is given twice, among {', '.join(name for name, _ in pairs)[:150]}")
    return fields


def rows_of(body: object, path: Path) -> Iterable[Any]:
    """The rows of a JSON document that is not an array.

    These are a list under a key of `LISTS`; an object of rows by name; columns of equal length, as lists or by row number
    (pandas); separate columns and data (pandas' `split`); or else the document is the only row.

    Raises:
        BadInput: It is an Inspect log, or contains several lists of rows.
    """
    if not isinstance(body, dict):
        raise BadInput(f"{path} is one JSON value, {kind_of(body)}. It must hold rows, each a JSON object.")
    if {"eval", "status"} <= body.keys():
        raise BadInput(f"{path} is a log of Inspect, which holds replies: `unsway import {path}` reads it.")
    values = list(body.values())
    columns = body.get("columns")
    if isinstance(columns, list) and isinstance(body.get("data"), list):
        return [dict(zip(columns, row, strict=False)) for row in body["data"]]
    lists = [key for key in LISTS if isinstance(body.get(key), list) and all(isinstance(r, dict) for r in body[key])]
    if len(lists) > 1:
        raise BadInput(f"{path} holds several lists of rows: {', '.join(lists)}. Write each into a file of its own.")
    if len(body) == 1 and isinstance(values[0], list) and values[0] and all(isinstance(row, dict) for row in values[0]):
        return list(values[0])
    if lists and not {"article", "passage", "context", "text"} & body.keys():
        return list(body[lists[0]])
    is_columns = all(isinstance(value, list) and not any(isinstance(v, dict) for v in value) for value in values)
    if len(values) > 1 and is_columns and len({len(value) for value in values}) == 1:
        return [dict(zip(body, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(value, dict) for value in values):
        keys = list(values[0])
        if keys and all(key.isdigit() for key in keys) and all(list(value) == keys for value in values):
            return [{name: column[key] for name, column in body.items()} for key in keys]
        return [{"id": name} | value for name, value in body.items()]
    return [body]
