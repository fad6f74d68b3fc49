"""Questions from your own file, in whatever layout it has.

In: a `QuestionFile`: a path and how to read it. Out: `FileContent`: the questions, the rows that are not questions, and
notes on how the file was read.

    QuestionFile(Path("mine.jsonl"))
    QuestionFile(Path("prüfung.csv"), columns="question=Frage,options=A..D,answer=Lösung", skip_bad=True)

`layouts.py` finds the role of each field, `options.py` and `golds.py` read options and answers in all spellings, `drafts.py`
puts rows together, and `counting.py` decides over the whole file whether numbers count from 0 or 1. docs/sources.md lists
the accepted layouts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unsway.errors import BadRow, number_of
from unsway.spelling import expression
from unsway.types import Question

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".jsonl.gz", ".json.gz", ".csv.gz", ".tsv.gz")
"""Endings of a question file's name, even if the file does not exist."""
LONGEST_ROW = 1_000_000
"""Longest row, in characters: 26 options and a stem of the greatest length have 150,000."""


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """A file of questions, and how to read it."""

    path: Path
    """The file."""
    columns: str = ""
    """The roles of columns, if their names do not show them: `question=Frage,options=A..D,answer=Lösung:1-based`."""
    skip_bad: bool = False
    """Whether rows that are not questions are left out and counted; otherwise the first one is an error."""

    def __post_init__(self) -> None:
        if self.columns:
            from unsway.sources.files.layouts import NamedColumns

            NamedColumns.parse(self.columns)

    @property
    def name(self) -> str:
        """The file's name, also used as its questions' source."""
        return self.path.name

    def __str__(self) -> str:
        """The path."""
        return str(self.path)

    def as_json(self) -> str | dict[str, object]:
        """The path, or an object with the other fields if any is set."""
        if self == QuestionFile(self.path):
            return str(self)
        return {"file": str(self), "columns": self.columns, "skip_bad": self.skip_bad}


@expression.register
def file_expression(value: QuestionFile) -> str:
    """The path, or the expression that makes the value if another field is set."""
    return repr(str(value)) if value == QuestionFile(value.path) else expression.dispatch(object)(value)


@dataclass(frozen=True, slots=True)
class FileContent:
    """The content of a file of questions."""

    rows: tuple[tuple[int, Question, bool], ...]
    """For each question: its line, the question, and whether its options keep their order."""
    bad: tuple[BadRow, ...]
    """Rows that are not questions and were left out."""
    notes: tuple[str, ...]
    """What people should know about how the file was read: unused fields, numbers that count from 1."""


def read(file: QuestionFile) -> FileContent:
    """Read a file of questions as a whole.

    Raises:
        BadInput: The file cannot be read, or `columns` names a missing column.
        BadRow: A row is not a question, unless `skip_bad` leaves it out; or the whole file can be read in two ways.
    """
    from unsway.rows.opening import Opening
    from unsway.sources.files.counting import Counting, Draft, decide_counting
    from unsway.sources.files.drafts import check_header, drafts_of
    from unsway.sources.files.layouts import NamedColumns
    from unsway.store import sha256_file

    columns = NamedColumns.parse(file.columns)
    opening = Opening(file.path, LONGEST_ROW, header=not columns.without_header)
    bodies = list(opening)
    if opening.kind == "table":
        check_header(file.path, opening.columns, bodies, columns)
    results, unused = drafts_of(file.path, bodies, columns)
    drafts = [result for result in results if isinstance(result, Draft)]
    bad = [result for result in results if isinstance(result, BadRow)]
    counting = Counting()
    try:
        counting = decide_counting(file.path, drafts)
    except BadRow as error:
        raise min([error, *([] if file.skip_bad else bad)], key=lambda error: error.line) from None
    own_source = f"{file.name}@{sha256_file(file.path)[:12]}" if drafts else ""
    rows: list[tuple[int, Question, bool]] = []
    lines: dict[str, int] = {}
    for draft in drafts:
        try:
            gold = draft.gold_of(counting)
            if draft.id and draft.id in lines:
                raise BadRow(file.path, draft.line, "id", f"{draft.id!r} is also the id of line {lines[draft.id]}")
        except BadRow as error:
            bad.append(error)
            continue
        lines[draft.id] = draft.line
        # a bare number is unique only within its file
        name = f"{file.name.partition('.')[0]}/{draft.id}" if draft.id.isdigit() else draft.id
        question = Question(draft.stem, draft.texts, gold, draft.source or own_source, draft.split or "test", id=name)
        rows.append((draft.line, question, draft.keep_order))
    bad.sort(key=lambda error: error.line)
    if bad and not file.skip_bad:
        row_count = number_of(len(bodies), "row")
        advice = f". {len(bad)} of {row_count} do not fit; --skip-bad (skip_bad=True) leaves such rows out"
        raise BadRow(bad[0].path, bad[0].line, bad[0].field, bad[0].problem + (advice if rows else ""))
    notes = list(counting.notes)
    if unused:
        notes.append(
            f"not used: {', '.join(unused)[:300]}. What belongs to the question is named by --columns, as in "
            f"passage={unused[0]}."
        )
    return FileContent(tuple(rows), tuple(bad), tuple(notes))
