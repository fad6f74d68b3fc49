"""The outcomes of a large folder as columns beside its replies, so that its numbers need no reply to be read again.

In: a folder and its pairs. Out: its outcomes from `outcomes.npz`, where that was made of the very files that lie there, by
these readers; else None. The file is a copy and never the truth: it may be removed at any time, and is written again when
the numbers are computed from the replies.

numpy's own format, because numpy computes the numbers anyway: Parquet, DuckDB and polars would each be one more library for
arrays that are only read whole.
"""

from __future__ import annotations

import gc
import hashlib
import io
import json
import zipfile
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from unsway import layout
from unsway.disk import write_bytes
from unsway.errors import StoreError
from unsway.readers import readers
from unsway.store import dumps, loads
from unsway.types import ArmKey, Excluded, Outcome, Pair, Reading

LARGE = 10_000_000
"""Bytes of replies from which the columns are kept: reading so many takes a second."""
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
"""Files of which a change makes the columns stale."""
READ_BY = (
    "readers",
    "stats/outcomes.py",
    "stats/answer_turns.py",
    "judging/requests.py",
    "types",
    "studies/kept_columns.py",
)
"""Code of which a change makes them stale, in this package."""
TRUTH: tuple[bool | None, ...] = (None, False, True)
"""What a number of a column of hits stands for."""

T = TypeVar("T", bound=Hashable)


def stamp(folder: Path) -> str:
    """What the columns of a folder depend on, now: the sizes and times of its files, the readers and their code.

    Empty where the folder is too small for columns.
    """
    replies = folder / layout.REPLIES
    if not replies.exists() or replies.stat().st_size < LARGE:
        return ""
    there = [(name, (folder / name).stat()) for name in MADE_OF if (folder / name).exists()]
    files = [(name, found.st_size, found.st_mtime_ns) for name, found in there]
    versions = sorted(readers.get(name).versioned for name in readers.names())
    return hashlib.sha256(repr((files, versions, _code())).encode()).hexdigest()


def keep_columns(folder: Path, outcomes: Sequence[Outcome], pairs: Sequence[Pair], made_of: str) -> None:
    """Keep outcomes as columns; a folder that cannot be written is left as it is.

    Args:
        folder: The study's folder.
        outcomes: What was read.
        pairs: The pairs of the folder, which hold the rest of each outcome.
        made_of: The `stamp` from before anything was read.
    """
    import numpy as np

    number = {pair.id: i for i, pair in enumerate(pairs)}
    arms, readings, reasons, parsers = (
        _Distinct[ArmKey](),
        _Distinct[Reading](),
        _Distinct[Excluded | None](),
        _Distinct[str](),
    )
    columns = {
        "pair": np.array([number[o.pair_id] for o in outcomes], np.int32),
        "arm": np.array([arms(o.arm) for o in outcomes], np.int32),
        "sample": np.array([o.sample for o in outcomes], np.int32),
        "clean": np.array([readings(o.clean) for o in outcomes], np.int32),
        "biased": np.array([readings(o.biased) for o in outcomes], np.int32),
        "excluded": np.array([reasons(o.excluded) for o in outcomes], np.int16),
        "parser": np.array([parsers(o.parser) for o in outcomes], np.int16),
    }
    for name in ("hit_clean", "hit_biased", "right_clean", "right_biased"):
        columns[name] = np.array([TRUTH.index(getattr(o, name)) for o in outcomes], np.int8)
    tables = {
        "arms": [dumps(arm) for arm in arms.known],
        "readings": [dumps(reading) for reading in readings.known],
        "reasons": [None if reason is None else dumps(reason) for reason in reasons.known],
        "parsers": list(parsers.known),
        "made of": made_of,
    }
    columns["tables"] = np.frombuffer(json.dumps(tables).encode(), np.uint8)
    packed = io.BytesIO()
    np.savez_compressed(packed, **columns)  # type: ignore[arg-type]
    with suppress(StoreError):
        write_bytes(folder / layout.COLUMNS, packed.getvalue())


def kept_columns(folder: Path, pairs: Sequence[Pair], made_of: str) -> tuple[Outcome, ...] | None:
    """The outcomes that a folder keeps as columns; None where it keeps none, or they are of other files or readers."""
    path = folder / layout.COLUMNS
    if not made_of or not path.is_file():
        return None
    import numpy as np

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        tables = json.loads(columns.pop("tables").tobytes())
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        zipfile.BadZipFile,
    ):  # torn or foreign: it is made again
        return None
    if tables["made of"] != made_of:
        return None
    return tuple(_outcomes(pairs, {name: column.tolist() for name, column in columns.items()}, tables))


def _outcomes(
    pairs: Sequence[Pair], columns: Mapping[str, list[int]], tables: Mapping[str, list[Any]]
) -> Iterable[Outcome]:
    """The outcomes of columns, in their order."""
    arms = [loads(ArmKey, row) for row in tables["arms"]]
    readings = [loads(Reading, row) for row in tables["readings"]]
    reasons = [None if row is None else loads(Excluded, row) for row in tables["reasons"]]
    parsers, truth = tables["parsers"], TRUTH
    names = ("pair", "arm", "sample", "clean", "biased", "hit_clean", "hit_biased", "right_clean", "right_biased")
    for at, arm, sample, clean, biased, hit_c, hit_b, right_c, right_b, why, parser in zip(
        *(columns[name] for name in (*names, "excluded", "parser")), strict=True
    ):
        pair = pairs[at]
        yield Outcome(
            pair_id=pair.id,
            question_id=pair.question.id,
            source=pair.question.source,
            bias=pair.bias,
            elicit=pair.elicit,
            arm=arms[arm],
            sample=sample,
            clean=readings[clean],
            biased=readings[biased],
            hit_clean=truth[hit_c],
            hit_biased=truth[hit_b],
            right_clean=truth[right_c],
            right_biased=truth[right_b],
            excluded=reasons[why],
            rule=pair.rule,
            parser=parsers[parser],
        )


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave the garbage collector off while many values are made, none of which is garbage: it took a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Distinct(dict[T, int]):
    """Numbers equal values alike, from 0: `numbered(value)`."""

    def __call__(self, value: T) -> int:
        return self.setdefault(value, len(self))

    @property
    def known(self) -> tuple[T, ...]:
        return tuple(self)


@cache
def _code() -> str:
    """A hash of the code that reads replies."""
    package = Path(__file__).parent.parent
    files = [
        file for name in READ_BY for file in sorted({package / name, *(package / name).rglob("*.py")}) if file.is_file()
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
