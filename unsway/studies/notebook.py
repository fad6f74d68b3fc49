"""The notebook of a project: one row for each forecast, decision and outcome, never rewritten.

In: values of `unsway.planning` and the folder that holds the studies' folders. Out: `notebook.jsonl` there. Each row holds
the hash of itself and of the row before, so edited, removed and inserted rows are noticed. This is a safeguard against
faulty memory, not against forgery. Notebooks of other machines (`notebook-NAME.jsonl`) are merged with it by time.

    book = Notebook("runs")
    book.append(forecast)
    [row.body for row in book.rows() if isinstance(row.body, Forecast)]
"""

from __future__ import annotations

import getpass
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from unsway import layout
from unsway.disk import append_row, appending, whole_rows, write_error
from unsway.errors import BadRow
from unsway.planning.decisions import Decided, FreeNote, StatedChoice, StatedDecision
from unsway.planning.forecasts import Forecast, Printed
from unsway.seeds import content_id
from unsway.store import dumps, loads, why

Body: TypeAlias = Forecast | Printed | StatedDecision | StatedChoice | Decided | FreeNote
KINDS: dict[str, type[Any]] = {
    "forecast": Forecast,
    "result": Printed,
    "decision": StatedDecision,
    "choice": StatedChoice,
    "decided": Decided,
    "note": FreeNote,
}
"""The kinds of rows, and the type that each holds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotebookRow:
    """One row of a notebook."""

    kind: str
    """One of `KINDS`."""
    at: str
    """When it was written, in UTC: 2026-11-28T09:30:00."""
    body: Body
    """What was noted."""
    edited: bool = False
    """Whether it was changed after it was written; such a row is kept but not used."""


class Notebook:
    """The notebook in a folder of studies."""

    def __init__(self, project: str | Path) -> None:
        """Nothing is written until something is appended.

        Args:
            project: The folder that holds the studies' folders.
        """
        self.project = Path(project)
        self.path = self.project / layout.NOTEBOOK

    @classmethod
    def of(cls, folder: str | Path) -> Notebook:
        """The notebook that a study's folder belongs to: the one next to it."""
        return cls(Path(folder).resolve().parent)

    def append(self, body: Body, at: str = "") -> None:
        """Append a row; safe with several processes.

        Args:
            body: What to note.
            at: When, in UTC; now where empty.

        Raises:
            StoreError: The disk could not be written.
            BadRow: The last row is not one of a notebook.
        """
        kind = next(name for name, type_ in KINDS.items() if isinstance(body, type_))
        row = {"kind": kind, "at": at or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}", "body": json.loads(dumps(body))}

        def chain(last: bytes) -> str:
            """Return the row as a line whose hash follows on from the file's last line."""
            is_first = not last and not whole_rows(self.path)
            full_row = row | {"before": "" if is_first else json.loads(last)["sha256"]}
            return json.dumps(full_row | {"sha256": _hash(full_row)}, ensure_ascii=False)

        try:
            self.project.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.path, error) from error
        _end_last_row(self.path)
        try:
            append_row(self.path, chain, sync=True)
        except (json.JSONDecodeError, KeyError, TypeError, RecursionError) as error:
            raise _no_row(self.path, len(whole_rows(self.path)), error) from None

    def rows(self) -> tuple[NotebookRow, ...]:
        """Every row, by time (in file order if a clock was set back); warns about edited or removed rows.

        Raises:
            BadRow: A row is not one of a notebook.
        """
        dated_rows: list[tuple[str, NotebookRow]] = []
        for path in sorted(self.project.glob(f"{self.path.stem}*{self.path.suffix}")):
            rows, problems = _read(path)
            dated_rows += zip(accumulate((row.at for row in rows), max), rows, strict=True)
            for problem in problems:
                _warn(path, problem)
        return tuple(row for _, row in sorted(dated_rows, key=itemgetter(0)))

    def problems(self) -> tuple[str, ...]:
        """What was changed in the notebook after it was written, in words; empty if nothing was."""
        return _read(self.path)[1]

    def all(self, kind: type[Any]) -> tuple[Any, ...]:
        """The bodies of one type, oldest first, without edited rows."""
        return tuple(row.body for row in self.rows() if isinstance(row.body, kind) and not row.edited)

    def forecasts_of(self, folder: str | Path) -> tuple[Forecast, ...]:
        """The forecasts of a study's folder, oldest first, without edited rows.

        A renamed folder keeps its forecasts: they are found by the same study, under an old name that has results but no
        longer exists.
        """
        path = Path(folder).resolve()
        file = path / layout.STUDY
        study = content_id(file.read_text(encoding="utf-8", errors="replace").rstrip("\n")) if file.is_file() else ""
        lost_names = {result.folder for result in self.all(Printed) if not (path.parent / result.folder).exists()}
        return tuple(
            replace(forecast, folder=path.name)
            for forecast in self.all(Forecast)
            if forecast.folder == path.name or (forecast.study == study and forecast.folder in lost_names)
        )


def person() -> str:
    """The default author of a forecast: this machine's user name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # the user has no name, as in some containers
        return "me"


def _hash(row: dict[str, Any]) -> str:
    """The hash of a row's fields, except the hash itself."""
    text = json.dumps({key: value for key, value in row.items() if key != "sha256"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _end_last_row(path: Path) -> None:
    """Add the line end that an editor left out of the last row; a row torn by a kill stays until the next append."""
    with appending(path) as file:
        file.seek(max(0, file.tell() - 1))
        if file.read() in (b"", b"\n"):
            return
        file.seek(0)
        if _is_whole(file.read().rpartition(b"\n")[2]):
            file.write(b"\n")


def _is_whole(tail: bytes) -> bool:
    """Whether the text after the last line end is a complete row."""
    try:
        return "sha256" in json.loads(tail)
    except (ValueError, TypeError, RecursionError):
        return False


@cache
def _warn(path: Path, problem: str) -> None:
    """Warn once about a problem in a notebook, however often it is read."""
    _log.warning("%s: %s.", path, problem)


def _no_row(path: Path, number: int, error: Exception) -> BadRow:
    return BadRow(path, number, "row", f"is none of a notebook ({why(error)}). Restore the line, or delete it")


def _read(path: Path) -> tuple[list[NotebookRow], tuple[str, ...]]:
    """The rows of a file, and what was changed in it after writing."""
    rows, problems, last_hash = [], [], ""
    *lines, tail = path.read_bytes().split(b"\n") if path.exists() else [b""]
    for number, line in enumerate([*lines, tail] if _is_whole(tail) else lines, 1):
        try:
            row = json.loads(line)
            body = loads(KINDS[row["kind"]], json.dumps(row["body"]))
            edited = row["sha256"] != _hash(row)
            rows.append(NotebookRow(row["kind"], row["at"], body, edited))
            hash_before = row["before"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _no_row(path, number, error) from None
        if edited:
            problems.append(f"row {number} was edited after it was written, and is not used")
        if hash_before != last_hash:
            problems.append(f"what stood between rows {number - 1} and {number} was removed or changed")
        last_hash = row["sha256"]
    return rows, tuple(problems)
