"""Questions from your own JSONL or CSV file, packed with gzip or not.

In: `mine.jsonl`, `mine.csv`, or either with `.gz`. Out: questions; the first row that is not a question stops everything
with its file, line and field, before anything is asked.

A JSONL row is an object; a CSV file has a header line. The fields:

    stem (or question)    the question, without its options
    options (or choices)  JSONL: a list of 2 to 26 texts. CSV: a JSON list in one cell, or columns A, B, …
    gold (or answer)      the right option: its index from 0, its letter, or its text; null or an empty cell where
                          nobody knows it
    id                    optional: your own name for the question, unique in the file
    source                optional: where the question comes from; by default the file's name and, as its revision, its sha256
    split                 optional: test by default
    keep_order            optional: true where the options must stay in their order; otherwise they are shuffled

A whole number as gold is an index, in JSONL and CSV alike. Where it is also the text of another option, or a letter is, the
row is an error: nobody can tell which of the two was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unsway.errors import BadRow
from unsway.store import sha256_file
from unsway.types import Question

SUFFIXES = (".jsonl", ".csv", ".jsonl.gz", ".csv.gz")
LONGEST_ROW = 1_000_000
"""Longest row, in characters: 26 options and a stem of the longest kind have 150,000."""


def is_file(name: str) -> bool:
    """Whether a name means a question file rather than a source."""
    return name.lower().endswith(SUFFIXES)


def read(path: Path) -> Iterator[tuple[int, Question, bool]]:
    """Line, question and whether its order is kept, for every row.

    Raises `BadInput` where the file cannot be read and `BadRow` at the first row that is no question.
    """
    from unsway.rows import read_rows
    from unsway.sources.files.question_row import QuestionRow, from_cells

    ids: dict[str, int] = {}
    own_source = ""
    for line, row in read_rows(path, QuestionRow, longest=LONGEST_ROW, cells=from_cells):
        own_source = own_source or f"{path.name}@{sha256_file(path)[:12]}"
        question = Question(row.stem, row.options, row.gold, row.source or own_source, row.split or "test", id=row.id)
        if question.id in ids and row.id:
            raise BadRow(path, line, "id", f"{question.id!r} is also the id of line {ids[question.id]}")
        ids.setdefault(question.id, line)
        yield line, question, row.keep_order
