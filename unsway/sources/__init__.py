"""Questions: named sources, your own files, and procedural ones that need no download.

In: a name or a path. Out: checked questions in a seeded order, with their options shuffled.

    from unsway import sources
    sources.load("arc_easy", 200)                    # 200 questions, the same on every machine
    sources.load("mine.jsonl")                       # your own (docs/sources.md has the fields)
    sources.load("procedural/arithmetic@2", 500)     # generated on demand, at difficulty 2
        sources.table()                                  # all sources, and which are available here

**Order of options.** Every question's options are shuffled in an order that depends only on the question, unless their
meaning depends on their order (`ordering.py`).
**Order of questions.** By a seeded rank of each question. So a small n is a prefix of a larger one, and the file of
origin does not matter.
**Nothing is dropped silently.** `read` returns the questions and what was skipped with its reason; `load` logs it.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from types import NoneType
from typing import Any, TypeAlias

from unsway.errors import AssetUnavailable, BadInput, UnknownName, expect, expect_each, number_of
from unsway.registry import blaming
from unsway.seeds import content_id, seed_int
from unsway.sources import files
from unsway.sources.checks import Problem, audit, check_overlap, key, problem, without_overlap
from unsway.sources.files import QuestionFile
from unsway.sources.files.options import without_letters
from unsway.sources.listing import available, table
from unsway.sources.ordering import order_of_options
from unsway.sources.registry import Rows, Source, Split, get, names, source
from unsway.spelling import Json, text_under
from unsway.types import Question

__all__ = [
    "SOURCE",
    "Loaded",
    "QuestionFile",
    "Source",
    "SourceLike",
    "Split",
    "audit",
    "available",
    "check_overlap",
    "get",
    "how_many",
    "load",
    "names",
    "order_of_options",
    "read",
    "resolve",
    "source",
    "table",
    "without_overlap",
]

N = 100
"""Questions to take from a source if no number is given."""
SourceLike: TypeAlias = str | Path | Source | QuestionFile
"""A source or a file of questions, or its name."""
_log = logging.getLogger(__name__)
_log_lines: set[str] = set()
"""Lines that are logged only once in a process."""


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that was not loaded."""

    where: str
    """Source and split with the row number (from 1), or the file with its line number."""
    problem: Problem
    """Why it was not loaded."""

    @property
    def reason(self) -> str:
        """The field and the kind of problem, which rows may share."""
        return f"{self.problem.field}: {self.problem.kind}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Questions, and the rows that were left out."""

    questions: tuple[Question, ...]
    """In file order."""
    skipped: tuple[SkippedRow, ...]
    """In file order."""
    notes: tuple[str, ...] = ()
    """What people should know about how a file was read: unused fields, numbers that count from 1."""

    def counts(self) -> Mapping[str, int]:
        """The number of skipped rows, by kind of problem."""
        return Counter(skip.reason for skip in self.skipped)


def load(
    name: SourceLike,
    n: int | None = None,
    *,
    seed: int = 0,
    split: str | None = None,
    columns: Mapping[str, str | Sequence[str]] | str = "",
    skip_bad: bool = False,
) -> tuple[Question, ...]:
    """Questions from a source or a file.

    Args:
        name: A source, its name (`names()` lists them), or a file: JSONL, JSON, CSV, TSV, Parquet (docs/sources.md).
        n: How many; None for all. With one seed, a small n is the beginning of a larger one.
        seed: Seed of the order, and of a procedural source's questions.
        split: A split, or several (`validation+test`); None for the source's default.
        columns: The roles of a file's columns, if their names do not show them:
            `"question=Frage,options=A..D,answer=Lösung"`, or the same as a dictionary.
        skip_bad: Whether rows of a file that are not questions are left out and counted.

    Raises:
        UnknownName: No such source or split.
        AssetUnavailable: The source's file is not here and could not be downloaded.
        BadRow: A row of your own file is not a question; the message gives file, line and field.
        BadInput: There are fewer than n questions, or n is not a valid number.
    """
    if n is not None and not hasattr(n, "__index__"):
        raise BadInput(f"n is {n!r}; it is a whole number of questions, or None for all.")
    expect(seed, Integral, "a seed is expected (seed=), a whole number")
    expect(split, (str, NoneType), "the name of a split is expected (split=), as 'test' or 'validation+test'")
    origin = resolve(name, columns, skip_bad)
    loaded = read(origin, split=split, seed=seed)
    for note in loaded.notes:
        _say(logging.WARNING, f"{origin}: {note}")
    skipped = ""
    if loaded.skipped:
        is_warning = isinstance(origin, QuestionFile) or not loaded.questions
        first = {skip.reason: skip.where.rpartition(", ")[2] for skip in reversed(loaded.skipped)}
        parts = "; ".join(f"{count} × {reason} (first: {first[reason]})" for reason, count in loaded.counts().items())
        skipped = f"{number_of(len(loaded.skipped), 'row')} skipped ({parts})"
        _say(logging.WARNING if is_warning else logging.DEBUG, f"{origin}: {skipped}")
    questions = sorted(loaded.questions, key=lambda q: seed_int(seed, "sample", q.id))
    if n is not None and not 0 <= n <= len(questions):
        summary = f"{origin} has {number_of(len(questions), 'question')} (split {split or 'default'}); asked for {n}."
        explanation = f"{skipped}." if skipped else "It holds none."
        raise BadInput(f"{summary} " + (f"Ask for at most {len(questions)} (-n)." if questions else explanation))
    return tuple(questions[:n])


def _say(level: int, text: str) -> None:
    """Log a line only once per process."""
    if text not in _log_lines:
        _log_lines.add(text)
        _log.log(level, "%s", text)


def read(name: SourceLike, *, split: str | None = None, seed: int = 0) -> Loaded:
    """All questions of a source or file, in file order, and the rows that were skipped, each with its problem.

    The first row of a file that is not a question raises `BadRow`, unless the file skips such rows; exact duplicates are
    always skipped. The seed matters only to procedural sources, which generate their questions from it.
    """
    origin = resolve(name)
    if isinstance(origin, Source):
        split_name = split or origin.default
        return (
            _generate(origin, origin.rows, split_name, seed)
            if origin.levels
            else _collect(_rows(origin, split_name, seed))
        )
    content = files.read(origin)
    splits = {question.split for _, question, _ in content.rows}
    if splits and (unknown := set(split.split("+") if split else ()) - splits):
        raise UnknownName(f"split of {origin}", min(unknown), sorted(splits))
    rows = ((f"{origin}, line {line}", question, keep_order) for line, question, keep_order in content.rows)
    loaded = _collect(
        (where, question, keep_order)
        for where, question, keep_order in rows
        if split is None or question.split in split.split("+")
    )
    bad = tuple(
        SkippedRow(
            f"{origin}, line {row.line}", Problem(row.field, re.sub(r"'[^']*'|\d+", "…", row.problem)[:80], row.problem)
        )
        for row in content.bad
    )
    return replace(loaded, skipped=bad + loaded.skipped, notes=content.notes)


def resolve(
    name: SourceLike | Mapping[str, Any], columns: Mapping[str, str | Sequence[str]] | str = "", skip_bad: bool = False
) -> Source | QuestionFile:
    """The source itself, the source with that name, or the file of questions.

    Args:
        name: A source, its name, a path, or a JSON row with a file and its columns.
        columns: The roles of a file's columns; see `load`. Only for files.
        skip_bad: Whether rows of a file that are not questions are left out and counted.

    Raises:
        UnknownName: There is no such source.
        BadInput: The path is not a file of questions, or `columns` cannot be parsed.
    """
    expect(name, (str, Path, Source, QuestionFile, Mapping), "a source is expected, as 'mmlu', or a file of questions")
    expected = "columns are expected (columns=), as 'question=Frage,answer=Lösung'"
    expect(columns, (str, Mapping), expected)
    column_spec = (
        columns
        if isinstance(columns, str)
        else ",".join(
            f"{role}={column if isinstance(column, str) else '+'.join(expect_each(column, str, expected))}"
            for role, column in columns.items()
        )
    )
    if isinstance(name, Mapping):
        return QuestionFile(Path(text_under(name, "file")), text_under(name, "columns"), bool(name.get("skip_bad")))
    if isinstance(name, QuestionFile):
        return replace(name, columns=column_spec or name.columns, skip_bad=skip_bad or name.skip_bad)
    if isinstance(name, Source):
        return name
    text = str(name)
    if isinstance(name, Path) or text.lower().endswith(files.ENDINGS):
        return QuestionFile(Path(name), column_spec, skip_bad)
    try:
        return get(text)
    except UnknownName:
        path = Path(text)
        if path.is_dir():
            contents = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
            raise BadInput(f"{text} is a folder, which holds {contents}. Name a file of questions.") from None
        if path.is_file():
            return QuestionFile(path, column_spec, skip_bad)
        if (
            path.suffix.lower() in (".gz", ".txt", ".xlsx", ".zip", ".zst")
            or path.is_absolute()
            or text.startswith(".")
        ):
            raise BadInput(
                f"There is no file {text}. A question file is one of {', '.join(files.ENDINGS[:6])}."
            ) from None
        raise


SOURCE = Json(lambda source: source.name if isinstance(source, Source) else source.as_json(), resolve)
"""Sources in JSON: sources by name, files by path, with their columns if needed."""


def how_many(name: SourceLike, n: int | None) -> int | None:
    """How many questions to load: n if it is given, else `N` from a source and all of a file (None)."""
    return n if n is not None or isinstance(resolve(name), QuestionFile) else N


@lru_cache(maxsize=16)
def _generate(origin: Source, rows: Rows, split: str, seed: int) -> Loaded:
    """A procedural source's questions, cached: generating them takes a fifth of a second, at every step of a study.

    `rows` distinguishes sources with the same name, which otherwise compare equal.
    """
    return _collect(_rows(origin, split, seed))


def _rows(origin: Source, split: str, seed: int) -> Iterator[tuple[str, Question, bool]]:
    """The rows of the chosen splits, with source and split filled in; False means that options need not keep their order."""
    for name in split.split("+"):
        part = origin.split(name)
        arguments = (origin.level, seed) if origin.levels else ()
        try:
            with blaming("source", origin.name, f"its split {part.name!r}"):
                for number, question in enumerate(origin.rows(part.name, *arguments), 1):
                    if not isinstance(question, Question):
                        raise BadInput(
                            f"The source {origin.name!r} gave {question!r:.60}, which is no Question. Mend it."
                        )
                    with_source = replace(question, source=f"{origin.name}@{origin.revision}", split=part.name)
                    yield f"{origin.name} {part.name}, row {number}", with_source, False
        except AssetUnavailable as error:
            other_names = ", ".join(repr(other.name) for other in origin.splits if other.asset != part.asset)
            hint = (
                f" The source {origin.name!r} has other splits, from elsewhere: {other_names}." if other_names else ""
            )
            raise AssetUnavailable(f"{error}{hint}") from error


def _collect(rows: Iterable[tuple[str, Question, bool]]) -> Loaded:
    """Check every row, leave out broken rows and duplicates, and shuffle the options of the rest.

    Letters inside option texts are removed; the order of the options depends only on the question.
    """
    questions: list[Question] = []
    skipped: list[SkippedRow] = []
    question_by_key: dict[tuple[object, ...], Question] = {}
    for where, question, keep_order in rows:
        defect = problem(question)
        if defect is None:
            choices = without_letters(question.options)
            if not keep_order and not question.is_request and not choices.is_lettered:
                order = order_of_options(question.stem, choices.texts)
                own_id = question.id != content_id(question.stem, question.options)
                question = replace(
                    question,
                    options=tuple(choices.texts[index] for index in order),
                    gold=None if question.gold is None else order.index(question.gold),
                    id=question.id if own_id else "",
                )
            twin = question_by_key.setdefault(key(question), question)
            if twin is not question:
                golds = {
                    None if duplicate.gold is None else duplicate.options[duplicate.gold]
                    for duplicate in (question, twin)
                }
                if len(golds) == 1 or None in golds:
                    defect = Problem("stem", "duplicate question", f"is the same question as {twin.id}")
                else:
                    text = f"is the same question as {twin.id}, with another gold"
                    defect = Problem("gold", "duplicate question, another gold", text)
        if defect:
            skipped.append(SkippedRow(where, defect))
        else:
            questions.append(question)
    return Loaded(tuple(questions), tuple(skipped))
