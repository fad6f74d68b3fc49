"""Questions of one's own: a JSONL or CSV file, packed with gzip or not. No code is needed.

In: `mine.jsonl`, `mine.csv`, or either with `.gz`. Out: questions; the first broken row stops everything with its file,
line and field, before anything else happens.

A JSONL row is an object; a CSV file has a header line. The fields:

    stem (or question)    the question, without its options
    options (or choices)  JSONL: a list of 2 to 26 texts. CSV: a JSON list in one cell, or columns A, B, …
    gold (or answer)      the right option: its index from 0, its letter, or its text; null or an empty cell where
                          nobody knows it
    id                    optional: a name of your own, unique in the file
    source                optional: where the question comes from; else the file's name and, as its revision, its sha256
    split                 optional: else test
    keep_order            optional: true where the options must stay in their order; else they are shuffled like all

A whole number as gold is an index, in JSONL and CSV alike, unless it is the text of exactly one option, which is an
error that asks for the letter: nobody can tell which was meant.
"""

from __future__ import annotations

import csv
import json
import re
import string
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unsway.errors import BadInput, BadRow
from unsway.seeds import content_id
from unsway.sources.checks import kind_of, problem
from unsway.store import open_text, sha256_file
from unsway.types import Question

SUFFIXES = (".jsonl", ".csv", ".jsonl.gz", ".csv.gz")
_COLUMNS = (*string.ascii_uppercase, "AA")
"""Columns of options in a CSV file; the one after Z is one too many, and is said to be."""
MAX_LINE = 1_000_000
"""Longest row, in characters: a file with longer ones is not a question file."""


def is_file(name: str) -> bool:
    """Whether a name means a question file rather than a source."""
    return name.lower().endswith(SUFFIXES)


def read(path: Path) -> Iterator[tuple[int, Question, bool]]:
    """Line, question and whether its order is kept, for every row.

    Raises `BadInput` where the file cannot be read and `BadRow` at the first row that is no question.
    """
    rows = _csv_rows(path) if ".csv" in "".join(path.suffixes[-2:]).lower() else _jsonl_rows(path)
    ids: dict[str, int] = {}
    try:
        source = f"{path.name}@{sha256_file(path)[:12]}"
        for line, row in rows:
            question = _question(path, line, row, source)
            if question.id in ids and row.get("id") not in (None, ""):
                raise BadRow(path, line, "id", f"{question.id!r} is also the id of line {ids[question.id]}")
            ids.setdefault(question.id, line)
            yield line, question, _keep_order(path, line, row)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"Cannot read {path}: {error}.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8.") from None


def _jsonl_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open_text(path) as file:
        for line, text in enumerate(file, 1):
            if not text.strip():
                continue
            if len(text) > MAX_LINE:
                raise BadRow(path, line, "row", f"has {len(text)} characters; at most {MAX_LINE} are allowed")
            try:
                row = json.loads(text.lstrip("\ufeff"), object_pairs_hook=_object)
            except (ValueError, RecursionError) as error:
                raise BadRow(path, line, "row", f"is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise BadRow(path, line, "row", f"must be an object with stem, options and gold, is {kind_of(row)}")
            yield line, row


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, whose fields must differ: of two with one name, one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a field is given twice, among {', '.join(name for name, _ in pairs)[:200]}")
    return found


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open_text(path) as file:
        table = csv.DictReader((text.lstrip("\ufeff") for text in file), strict=True)
        try:
            named = [name.strip() for name in table.fieldnames or ()]
            if twice := sorted({name for name in named if named.count(name) > 1}):
                raise BadRow(path, table.line_num, "header", f"names a column twice: {', '.join(twice)[:200]}")
            for row in table:
                if None in row:
                    raise BadRow(path, table.line_num, "row", "has more cells than the header")
                yield table.line_num, _from_cells(path, table.line_num, row)
        except csv.Error as error:
            raise BadRow(path, table.line_num + 1, "row", f"cannot be read as CSV: {error}") from None


def _from_cells(path: Path, line: int, row: dict[str, Any]) -> dict[str, Any]:
    """A CSV row in the shape of a JSONL row."""
    out = {name.strip(): cell for name, cell in row.items() if cell is not None}
    letters = [column for column in _COLUMNS if (out.get(column) or "").strip()]
    name = "choices" if "choices" in out else "options"
    if name in out and letters:
        raise BadRow(path, line, "options", f"is given twice, as {name} and as the columns {', '.join(letters)}")
    cell = out.get(name)
    if cell is not None:
        try:
            out[name] = json.loads(cell)
        except ValueError:
            raise BadRow(path, line, "options", f'must be a JSON list like ["yes", "no"], is {cell[:60]!r}') from None
    elif letters:
        if letters != list(_COLUMNS[: len(letters)]):
            raise BadRow(
                path, line, "options", f"columns must be filled from A without a gap, are {', '.join(letters)}"
            )
        out["options"] = [out[letter] for letter in letters]
    for name in ("gold", "answer"):
        if name in out and not out[name].strip():
            out[name] = None
    return out


# ---------------------------------------------------------------- one row


def _question(path: Path, line: int, row: dict[str, Any], source: str) -> Question:
    """A row as a question, of that source where it names none. Raises `BadRow`."""
    stem = _field(path, line, row, "stem", "question")
    options = _field(path, line, row, "options", "choices")
    if not isinstance(stem, str):
        raise BadRow(path, line, "stem", f"must be text, is {kind_of(stem)}")
    if not isinstance(options, list):
        raise BadRow(path, line, "options", f"must be a list of texts, is {kind_of(options)}")
    texts = tuple(options)
    found = problem(Question(stem, texts, None, "", "", id="unchecked"))
    if found:
        raise BadRow(path, line, found.field, found.text)
    gold = _gold(path, line, _field(path, line, row, "gold", "answer"), texts)
    named = {name: _name(path, line, row, name) for name in ("id", "source", "split")}
    return Question(
        stem,
        texts,
        gold,
        named["source"] or source,
        named["split"] or "test",
        named["id"] or content_id(stem, texts),
    )


def _field(path: Path, line: int, row: dict[str, Any], *called: str) -> Any:
    """The value of a field under any of its names."""
    present = [name for name in called if name in row]
    if len(present) > 1:
        raise BadRow(path, line, called[0], f"is given twice, as {' and '.join(present)}")
    if present:
        return row[present[0]]
    extra = "; write null where nobody knows it" if called[0] == "gold" else ""
    raise BadRow(
        path, line, called[0], f"is missing{extra}. The row has: {', '.join(map(str, row))[:200] or 'nothing'}"
    )


def _gold(path: Path, line: int, value: Any, options: tuple[str, ...]) -> int | None:
    """The index of the right option from an index, a letter or the option's text."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadRow(path, line, "gold", f"must be an index, a letter or an option's text, is {kind_of(value)}")
    as_text = options.index(value) if value in options else None
    place = _place(value)
    if as_text is not None and place is not None and place != as_text and 0 <= place < len(options):
        raise BadRow(
            path,
            line,
            "gold",
            f"{value!r} is option {as_text} by text and option {place} by place; write its letter"
            if isinstance(value, str) and value.strip().isdigit()
            else f"{value!r} is option {as_text} by text and option {place} by letter; write the index",
        )
    gold = as_text if as_text is not None else place
    if gold is None or not 0 <= gold < len(options):
        last = len(options) - 1
        raise BadRow(
            path, line, "gold", f"is {value!r}; allowed: 0 to {last}, A to {chr(65 + last)}, or the text of an option"
        )
    return gold


def _place(value: int | str) -> int | None:
    """An index, or a letter with or without brackets and stop, as a place from 0."""
    if isinstance(value, int):
        return value
    text = value.strip()
    if re.fullmatch(r"-?\d{1,3}", text):
        return int(text)
    letter = re.fullmatch(r"\(?([A-Za-z])[).:]?", text)
    return ord(letter[1].upper()) - 65 if letter else None


def _name(path: Path, line: int, row: dict[str, Any], name: str) -> str:
    """An optional name: text, or a number that stands for itself."""
    value = row.get(name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadRow(path, line, name, f"must be text, is {kind_of(value)}")
    text = str(value)
    if len(text) > 200 or not text.isprintable():
        raise BadRow(path, line, name, "must be at most 200 printable characters")
    return text


def _keep_order(path: Path, line: int, row: dict[str, Any]) -> bool:
    value = row.get("keep_order")
    truths = {None: False, "": False, False: False, True: True, "true": True, "false": False}
    known = value.lower() if isinstance(value, str) else value
    if not isinstance(known, bool | str | None) or known not in truths:
        raise BadRow(path, line, "keep_order", f"must be true or false, is {kind_of(value)}")
    return truths[known]
