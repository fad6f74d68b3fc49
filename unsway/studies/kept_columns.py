"""Store a large folder's outcomes as columns next to its replies, so its numbers need no re-reading of replies.

In: a folder and its pairs. Out: its outcomes from `outcomes.npz` if that was made from the current files by the current
readers; else None. The file is only a cache: you may delete it at any time, and it is written again when the numbers are
computed from the replies.

The format is numpy's own, because numpy computes the numbers anyway: Parquet, DuckDB or polars would add a library for
arrays that are only read as a whole.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from unsway import layout
from unsway.readers import readers
from unsway.stats.outcome_table import AskedPair, OutcomeTable, OutcomeValues
from unsway.store import dumps, loads
from unsway.studies.kept_replies import is_large, read_columns, write_columns
from unsway.types import ArmKey, Excluded, Outcome, Pair, Reading

MADE_OF = (
    layout.REPLIES,
    layout.PAIRS,
    layout.QUESTIONS,
    layout.ARMS,
    layout.ASKED,
    layout.VERDICTS,
    layout.SECOND_READINGS,
    layout.UNTIL,
)
"""Files whose change makes the columns stale."""
READ_BY = (
    "readers",
    "stats/outcomes.py",
    "stats/outcome_table.py",
    "stats/answer_turns.py",
    "judging/requests.py",
    "types",
    "studies/kept_columns.py",
)
"""Modules of this package whose change makes the columns stale."""


def stamp(folder: Path) -> str:
    """What a folder's columns currently depend on: the sizes and times of its files, the readers and their code.

    Empty if the folder is too small to need columns.
    """
    if not is_large(folder):
        return ""
    stats = [(name, (folder / name).stat()) for name in MADE_OF if (folder / name).exists()]
    files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    versions = sorted(readers.get(name).versioned for name in readers.names())
    return hashlib.sha256(repr((files, versions, _code())).encode()).hexdigest()


def keep_columns(folder: Path, outcomes: Iterable[Outcome], pairs: Sequence[Pair], made_of: str) -> None:
    """Store outcomes as columns; a folder that cannot be written is left unchanged.

    Args:
        folder: The study's folder.
        outcomes: The outcomes of the folder.
        pairs: The pairs of the folder, which supply the remaining fields of each outcome.
        made_of: The `stamp` taken before anything was read.
    """
    table = OutcomeTable.of(outcomes)
    index_of_pair = {pair.id: i for i, pair in enumerate(pairs)}
    values, columns = table.values, dict(table.columns)
    columns["pair"] = np.array([index_of_pair[pair.pair_id] for pair in values.asked], np.int32)[columns["pair"]]
    tables = {
        "arms": [dumps(arm) for arm in values.arm],
        "readings": [dumps(reading) for reading in values.reading],
        "reasons": [None if reason is None else dumps(reason) for reason in values.excluded],
        "parsers": list(values.parser),
        "made of": made_of,
    }
    write_columns(folder / layout.COLUMNS, columns, tables)


def kept_columns(folder: Path, pairs: Sequence[Pair], made_of: str) -> OutcomeTable | None:
    """The outcomes that a folder stores as columns; None if it stores none, or they are stale."""
    content = read_columns(folder / layout.COLUMNS) if made_of else None
    if content is None or content[1].get("made of") != made_of:
        return None
    columns, tables = content
    values = OutcomeValues(
        [
            AskedPair(pair.id, pair.question.id, pair.question.source, pair.bias, pair.elicit, pair.rule)
            for pair in pairs
        ],
        [loads(ArmKey, row) for row in tables["arms"]],
        [loads(Reading, row) for row in tables["readings"]],
        [None if row is None else loads(Excluded, row) for row in tables["reasons"]],
        tables["parsers"],
    )
    return OutcomeTable(values, columns)


@contextmanager
def pause_collector() -> Iterator[None]:
    """Switch the garbage collector off while many values are created, none of them garbage: it cost a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _code() -> str:
    """A hash of the code that reads replies."""
    package = Path(__file__).parent.parent
    files = [
        file for name in READ_BY for file in sorted({package / name, *(package / name).rglob("*.py")}) if file.is_file()
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
