"""Checks of questions: whether one can be asked, whether two are the same, and what a set of questions looks like.

In: questions. Out: the problem with a question, a `QuestionAudit` of many, or an error if train and test share questions.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from unsway.errors import BadInput, kind_of, number_of
from unsway.types import Question

MIN_OPTIONS, MAX_OPTIONS = 2, 26
"""A choice needs two options; they get the letters A to Z."""
MAX_STEM, MAX_OPTION = 20_000, 5_000
"""Longest stem and option, in characters: about 5,000 and 1,250 tokens, which leaves room in an 8,192-token context
for the demonstrations of a few-shot cue. The longest stem among the named sources has 4,900 characters."""
LONG_STEM = 8
"""Fewest words of a stem that alone identifies a question, whatever its options. Shorter stems are often only frames
("Which of these is true?")."""
EXAMPLES = 5


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and halves of surrogate pairs; tab and line ends are text."""
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Invisible characters outside the category Cf: fillers and variation selectors (Unicode's Default_Ignorable_Code_Point)."""
_PUNCTUATION = str.maketrans(
    dict.fromkeys(".,;:!?'\"`()[]{}_", " ") | dict.fromkeys("‘’“”„«»…—", " ") | dict.fromkeys("‐‑‒–−", "-")
)
"""Punctuation that is ignored when two texts are compared. Signs with a meaning in a sum or in code stay."""


# ---------------------------------------------------------------- text


def visible(text: str) -> str:
    """The text as a reader sees it: composed (NFC), without zero-width and direction marks, white space as single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        if not text.isprintable():  # such marks are not printable
            text = "".join(c for c in text if c.isascii() or unicodedata.category(c) != "Cf")
        text = _INVISIBLE.sub("", text).replace("\u2800", " ")  # a Braille pattern without dots
    return " ".join(text.split())


def words(text: str) -> tuple[str, ...]:
    """The words of a text for comparing: compatibility forms, case and punctuation folded away."""
    folded = unicodedata.normalize("NFKC", visible(text)).casefold()
    return tuple(folded.translate(_PUNCTUATION).split()) or (folded,)


def key(question: Question) -> tuple[object, ...]:
    """Two questions of a source with the same key are the same: visible stem and visible options, in any order."""
    return visible(question.stem), tuple(sorted(visible(option) for option in question.options))


# ---------------------------------------------------------------- one question


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a question cannot be asked."""

    field: str
    """The wrong field: stem, options or gold."""
    kind: str
    """The kind of problem, in a few words that are the same for every row."""
    text: str
    """What was found and what is allowed."""


def problem(question: Question) -> Problem | None:
    """What is wrong with a question, or None. Accepts fields of any type, because they may come from a file."""
    defect = text_problem("stem", "", question.stem, MAX_STEM)
    if defect:
        return defect
    count = len(question.options)
    if not MIN_OPTIONS <= count <= MAX_OPTIONS:
        allowed = f"{MIN_OPTIONS} to {MAX_OPTIONS} are allowed (letters A to Z)"
        return Problem("options", "too few options" if count < 2 else "too many options", f"has {count}; {allowed}")
    for index, option in enumerate(question.options):
        defect = text_problem("options", f"option {index} ", option, MAX_OPTION)
        if defect:
            return defect
    texts = [visible(option) for option in question.options]
    for index, text in enumerate(texts):
        if text in texts[:index]:
            message = (
                f"option {texts.index(text)} and option {index} both read {text[:80]!r}; nobody could tell them apart"
            )
            return Problem("options", "duplicate options", message)
    gold: object = question.gold
    if gold is None:
        return None
    if isinstance(gold, bool) or not isinstance(gold, int):
        return Problem("gold", "not an index", f"must be an index or missing, is {kind_of(gold)}")
    if not 0 <= gold < count:
        return Problem("gold", "no such option", f"is {gold}; the options have indices 0 to {count - 1}")
    return None


def text_problem(field: str, prefix: str, text: object, limit: int) -> Problem | None:
    """What is wrong with the text of a stem or option, or None."""
    if not isinstance(text, str):
        return Problem(field, "not text", f"{prefix}must be text, is {kind_of(text)}")
    if len(text) > limit:
        return Problem(field, "too long", f"{prefix}has {len(text)} characters; at most {limit} are allowed")
    if text.isascii() and text.isprintable() and text.strip():
        return None  # most texts: no control character or direction mark, and something visible
    control = _CONTROL.search(text)
    if control:
        return Problem(
            field, "control character", f"{prefix}holds the control character U+{ord(control[0]):04X}; remove it"
        )
    if not visible(text):
        return Problem(field, "empty", f"{prefix}is empty (nothing in it can be seen)")
    # marks that change the writing direction must be closed, or they would affect the prompt around them
    unclosed: list[str] = []
    for mark in _DIRECTION_MARKS.findall(text):
        if mark not in "\u202c\u2069":
            unclosed.append("\u202c" if mark < "\u2066" else "\u2069")
        elif unclosed and unclosed[-1] == mark:
            unclosed.pop()
    if unclosed:
        message = f"{prefix}turns the writing direction (U+202A–U+202E, U+2066–U+2068) and does not turn it back"
        return Problem(field, "open change of direction", message)
    return None


# ---------------------------------------------------------------- many questions


@dataclass(frozen=True, slots=True)
class QuestionAudit:
    """What a set of questions looks like. Lengths are in characters, shares are fractions."""

    n: int
    """Number of questions."""
    n_without_gold: int
    """Number of questions whose right option is not known."""
    duplicates: tuple[tuple[str, str], ...]
    """Ids of pairs that are the same except for white space, case and punctuation, or that share a long stem."""
    option_counts: tuple[tuple[int, int], ...]
    """Each number of options, with the number of questions that have it."""
    gold_places: tuple[tuple[int, int], ...]
    """Each index, with the number of questions whose gold option is there."""
    gold_expected: tuple[tuple[int, float], ...]
    """Each index, with the number of questions expected there if gold positions were drawn evenly."""
    gold_longest: float | None
    """Share of questions whose gold option is the only longest one; chance is one in the number of options."""
    stem_median: int
    """Median length of a stem."""
    stem_longest: int
    """Longest stem."""
    option_longest: int
    """Longest option."""

    def lines(self) -> tuple[str, ...]:
        """The audit for people, one fact per line."""
        counts = ", ".join(f"{n} with {k} options" for k, n in self.option_counts)
        golds = ", ".join(f"{chr(65 + index)} {n}" for index, n in self.gold_places)
        longest = "unknown" if self.gold_longest is None else f"{self.gold_longest:.2f}"
        questions, duplicates = number_of(self.n, "question"), number_of(len(self.duplicates), "duplicate")
        return (
            f"{questions} ({counts}); {self.n_without_gold} without gold; {duplicates}",
            f"gold letters: {golds or 'none'}; gold is the longest option in a share of {longest}",
            f"stems: median {self.stem_median}, longest {self.stem_longest} characters",
            f"options: longest {self.option_longest} characters",
        )


def audit(questions: Iterable[Question]) -> QuestionAudit:
    """Audit a set of questions: duplicates, balance of gold letters, option counts and lengths."""
    rows = tuple(questions)
    with_gold = [q for q in rows if q.gold is not None]
    gold_counts: Counter[int] = Counter()
    expected: dict[int, float] = {}
    n_longest = 0
    for q in with_gold:
        gold_counts[q.gold or 0] += 1
        for index in range(len(q.options)):
            expected[index] = expected.get(index, 0.0) + 1 / len(q.options)
        lengths = [len(option) for option in q.options]
        n_longest += lengths[q.gold or 0] == max(lengths) and lengths.count(max(lengths)) == 1
    stems = sorted(len(q.stem) for q in rows)
    return QuestionAudit(
        n=len(rows),
        n_without_gold=len(rows) - len(with_gold),
        duplicates=tuple((a.id, b.id) for a, b in _equal_pairs(rows, ())),
        option_counts=tuple(sorted(Counter(len(q.options) for q in rows).items())),
        gold_places=tuple(sorted(gold_counts.items())),
        gold_expected=tuple(sorted((index, round(n, 3)) for index, n in expected.items())),
        gold_longest=n_longest / len(with_gold) if with_gold else None,
        stem_median=stems[len(stems) // 2] if stems else 0,
        stem_longest=stems[-1] if stems else 0,
        option_longest=max((len(o) for q in rows for o in q.options), default=0),
    )


def check_overlap(train: Iterable[Question], test: Iterable[Question]) -> None:
    """Raise `BadInput`, with examples, if a train question is also a test question.

    Two questions are the same if their words are (ignoring white space, case, punctuation and the order of options), or if
    they share a stem of at least `LONG_STEM` words.
    """
    shared = _equal_pairs(tuple(train), tuple(test))
    if not shared:
        return
    examples = [f"  {a.source} {a.id} and {b.source} {b.id}: {a.stem[:120]!r}" for a, b in shared[:EXAMPLES]]
    raise BadInput(
        f"{len(shared)} train questions are also test questions, so the test would measure memory. Examples:\n"
        + "\n".join(examples)
        + "\nUse unsway.sources.without_overlap(train, test), or other sources."
    )


def without_overlap(train: Iterable[Question], test: Iterable[Question]) -> tuple[Question, ...]:
    """The train questions that are not also test questions."""
    rows = tuple(train)
    shared_ids = {a.id for a, _ in _equal_pairs(rows, tuple(test))}
    return tuple(q for q in rows if q.id not in shared_ids)


def _equal_pairs(left: tuple[Question, ...], right: tuple[Question, ...]) -> list[tuple[Question, Question]]:
    """Pairs of equal questions: across two sets, or within the first if the second is empty."""
    question_by_key: dict[tuple[object, ...], Question] = {}
    pairs: list[tuple[Question, Question]] = []
    for q in right:
        for word_key in _comparison_keys(q):
            question_by_key.setdefault(word_key, q)
    for q in left:
        twin = next(
            (question_by_key[word_key] for word_key in _comparison_keys(q) if word_key in question_by_key), None
        )
        if twin is not None:
            pairs.append((q, twin))
        elif not right:
            for word_key in _comparison_keys(q):
                question_by_key.setdefault(word_key, q)
    return pairs


def _comparison_keys(question: Question) -> list[tuple[object, ...]]:
    """The keys by which a question is compared: two questions are equal if they share one."""
    stem = words(question.stem)
    whole = ("whole", stem, tuple(sorted(words(option) for option in question.options)))
    return [whole, ("stem", stem)] if len(stem) >= LONG_STEM else [whole]
