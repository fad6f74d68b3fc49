"""Questions: named sources, your own files, and procedural ones that need no download.

In: a name or a path. Out: questions, checked, their options shuffled, in a seeded order.

    from unsway import sources
    sources.load("arc_easy", 200)                    # 200 questions, the same on every machine
    sources.load("mine.jsonl")                       # your own (docs/sources.md has the fields)
    sources.load("procedural/arithmetic@2", 500)     # generated on demand, at difficulty 2
    sources.table()                                  # which there are, and which are available here

**Order of options.** Options are shuffled by a generator that depends on the question alone (its stem and its set of
options), because some sets list the right option first throughout. "All of the above" and the like go last; a question
whose options refer to each other's letters ("both A and B") keeps its order.
**Order of questions.** By a seeded rank of each question, so a small n is a prefix of a larger one, whichever file the
questions came from.
**Nothing is dropped silently.** `read` returns the questions and what was skipped with its reason; `load` logs it.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from unsway.errors import AssetUnavailable, BadInput
from unsway.seeds import content_id, rng, seed_int
from unsway.sources import files
from unsway.sources.checks import Problem, QuestionAudit, audit, check_overlap, key, problem, without_overlap
from unsway.sources.listing import Availability, SourceRow, SplitRow, available, table
from unsway.sources.registry import Purpose, Source, Split, get, names, source
from unsway.spelling import Json
from unsway.types import Question

__all__ = [
    "SOURCE",
    "Availability",
    "Loaded",
    "Problem",
    "Purpose",
    "QuestionAudit",
    "SkippedRow",
    "Source",
    "SourceRow",
    "Split",
    "SplitRow",
    "audit",
    "available",
    "check_overlap",
    "get",
    "load",
    "names",
    "read",
    "resolve",
    "source",
    "table",
    "without_overlap",
]

_log = logging.getLogger(__name__)

_LAST = re.compile(
    r"\W*(all|none|any|both|neither|either) of (the |these |those )?(above|these|those|choices|options)\b", re.I
)
"""Options that refer to the ones before them."""
_LETTERS = re.compile(r"\b(?:both|either|neither|only|all)?\s*\(?[A-H]\)?\s*(?:,|and|or|nor|&)\s*\(?[A-H]\)?(?=\W|$)")
"""Options that refer to others by letter: "Both A and B", "A, B and D only"."""


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that was not loaded."""

    where: str
    """Source and split with the number of the row from 1, or the file with its line."""
    problem: Problem
    """Why it was not."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Questions, and the rows that were left out."""

    questions: tuple[Question, ...]
    """In file order."""
    skipped: tuple[SkippedRow, ...]
    """In file order."""

    def counts(self) -> Mapping[str, int]:
        """The number of skipped rows, by kind of problem."""
        return Counter(f"{each.problem.field}: {each.problem.kind}" for each in self.skipped)


def load(
    name: str | Path | Source, n: int | None = None, *, seed: int = 0, split: str | None = None
) -> tuple[Question, ...]:
    """Questions of a source or of a file.

    Args:
        name: A source, its name (`names()` lists them), or a path to a `.jsonl` or `.csv` file, gzipped or not.
        n: How many; all where None. With one seed, a small n is the beginning of a larger one.
        seed: Seed of the order, and of what a procedural source generates.
        split: A split, or several (`validation+test`); the source's default where None.

    Raises:
        UnknownName: No such source or split.
        AssetUnavailable: The source's file is not here and could not be downloaded.
        BadRow: A row of your own file is not a question; names file, line and field.
        BadInput: There are fewer than n.
    """
    loaded = read(name, split=split, seed=seed)
    name = name.name if isinstance(name, Source) else name
    if loaded.skipped:
        level = logging.WARNING if files.is_file(str(name)) else logging.DEBUG
        parts = "; ".join(f"{count} × {why}" for why, count in loaded.counts().items())
        _log.log(level, "%s: %d rows skipped (%s)", name, len(loaded.skipped), parts)
    questions = sorted(loaded.questions, key=lambda q: seed_int(seed, "sample", q.id))
    if n is not None and not 0 <= n <= len(questions):
        found = f"{name} has {len(questions)} questions (split {split or 'default'}); asked for {n}."
        raise BadInput(f"{found} Ask for at most {len(questions)} (-n)." if questions else f"{found} It holds none.")
    return tuple(questions[:n])


def read(name: str | Path | Source, *, split: str | None = None, seed: int = 0) -> Loaded:
    """All questions of a source or file, in file order, and the rows that were skipped, each with its problem.

    Rows of your own file are never skipped but raise `BadRow`, except for exact duplicates. The seed matters only to
    procedural sources, which generate other questions from it.
    """
    origin = resolve(name)
    if isinstance(origin, Source):
        return _collect(_rows(origin, split, seed))
    rows = ((f"{origin}, line {line}", q, keep) for line, q, keep in files.read(origin))
    return _collect((w, q, k) for w, q, k in rows if split is None or q.split in split.split("+"))


def resolve(name: str | Path | Source) -> Source | Path:
    """The source itself, the source of that name, or the path of a file of questions.

    Raises:
        UnknownName: There is no such source.
        BadInput: The path is not one of a file of questions.
    """
    if isinstance(name, Source):
        return name
    if files.is_file(str(name)):
        return Path(name)
    if str(name).lower().endswith((".json", ".gz", ".tsv", ".txt", ".parquet", ".xlsx")):
        raise BadInput(f"{name} is not a question file: write one of {', '.join(files.SUFFIXES)}.")
    return get(str(name))


SOURCE = Json(lambda source: source.name if isinstance(source, Source) else str(source), resolve)
"""Sources in JSON: by name, files by their path."""


def _rows(origin: Source, split: str | None, seed: int) -> Iterator[tuple[str, Question, bool]]:
    """The rows of the chosen splits, stamped with where they come from; no row keeps its order of options."""
    for name in (split or origin.default).split("+"):
        part = origin.split(name)
        more = (origin.level, seed) if origin.levels else ()
        try:
            for number, question in enumerate(origin.rows(part.name, *more), 1):
                stamped = replace(question, source=f"{origin.name}@{origin.revision}", split=part.name)
                yield f"{origin.name} {part.name}, row {number}", stamped, False
        except AssetUnavailable as error:
            others = ", ".join(repr(each.name) for each in origin.splits if each.asset != part.asset)
            hint = f" The source {origin.name!r} has other splits, from elsewhere: {others}." if others else ""
            raise AssetUnavailable(f"{error}{hint}") from error


def _collect(rows: Iterable[tuple[str, Question, bool]]) -> Loaded:
    """Check every row, leave out what is broken or a duplicate, and shuffle the options of the rest."""
    questions: list[Question] = []
    skipped: list[SkippedRow] = []
    seen: dict[tuple[object, ...], Question] = {}
    for where, question, keep_order in rows:
        found = problem(question)
        if found is None:
            question = question if keep_order else _shuffled(question)
            twin = seen.setdefault(key(question), question)
            if twin is not question:
                golds = {None if q.gold is None else q.options[q.gold] for q in (question, twin)}
                if len(golds) == 1 or None in golds:
                    found = Problem("stem", "duplicate question", f"is the same question as {twin.id}")
                else:
                    text = f"is the same question as {twin.id}, with another gold"
                    found = Problem("gold", "duplicate question, another gold", text)
        if found:
            skipped.append(SkippedRow(where, found))
        else:
            questions.append(question)
    return Loaded(tuple(questions), tuple(skipped))


def _shuffled(question: Question) -> Question:
    """The question with its options in an order that depends on the question alone."""
    order = order_of_options(question.stem, question.options)
    options = tuple(question.options[place] for place in order)
    gold = None if question.gold is None else order.index(question.gold)
    own_id = question.id != content_id(question.stem, question.options)
    return replace(question, options=options, gold=gold, id=question.id if own_id else "")


def order_of_options(stem: str, options: tuple[str, ...]) -> tuple[int, ...]:
    """The index that each shown option had, the same shown order for every order in which the options arrive."""
    if any(_LETTERS.search(option) for option in options):
        return tuple(range(len(options)))
    last = [place for place, option in enumerate(options) if _LAST.match(option)]
    first = [place for place in range(len(options)) if place not in last]
    first.sort(key=lambda place: options[place])
    rng(0, "options", stem, sorted(options)).shuffle(first)
    return (*first, *last)
