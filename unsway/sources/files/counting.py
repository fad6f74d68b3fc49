"""A question before its right option is known, and whether the numbers of a file count from 0 or 1.

In: drafts of all questions of a file. Out: a `Counting`, which tells each draft its right option.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unsway.errors import BadRow
from unsway.sources.files.golds import Number, allowed
from unsway.sources.files.options import Choices


@dataclass(frozen=True, slots=True)
class Draft:
    """A question whose right option may depend on the rest of the file."""

    path: Path
    """The file."""
    line: int
    """Its line in the file."""
    stem: str
    """The question, preceded by its passage."""
    choices: Choices
    """The options."""
    answers: tuple[tuple[str, int | Number | None], ...]
    """Every field that names the right option, with its value."""
    counts_from: Literal[0, 1] | None
    """What numbers count from, if the layout fixes it."""
    keep_order: bool
    """Whether the options keep their order."""
    fields: tuple[str, ...]
    """The fields used."""
    id: str
    source: str
    split: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the options."""
        return self.choices.texts

    @property
    def certain(self) -> int | None:
        """The right option, if a letter, a label or a text names it."""
        known = [gold for _, gold in self.answers if gold is not None and not isinstance(gold, Number)]
        return known[0] if known else self.choices.right

    def gold_of(self, counting: Counting) -> int | None:
        """The index of the right option. Raises `BadRow` if the row can be read in two ways or contradicts itself."""
        gold = self.certain
        for field, named in self.answers:
            if isinstance(named, Number):
                named = self._by_number(
                    field, named, counting.start if self.counts_from is None else self.counts_from, gold
                )
            if gold is not None and named is not None and named != gold:
                both = " and ".join(
                    f"{name} = {value.value if isinstance(value, Number) else chr(65 + (value or 0))!r}"
                    for name, value in self.answers
                    if value is not None
                )
                raise BadRow(self.path, self.line, field, f"names another option than the rest of the row: {both}")
            gold = named if gold is None else gold
        return gold

    def _by_number(self, field: str, number: Number, start: int, known: int | None) -> int | None:
        """The option that a number means. Raises `BadRow` if it means none, or could mean two."""
        place, n = number.value - start, len(self.texts)
        there = 0 <= place < n
        if known is not None and known in (place, number.text):
            return known
        if number.text is not None and there and place != number.text:
            readings = (
                f"{number.value} is the text of option {chr(65 + number.text)}, and counted from {start} it is option "
                f"{chr(65 + place)} ({self.texts[place][:40]!r})"
            )
            raise BadRow(
                self.path, self.line, field, f"{readings}; write its letter, or say which is meant: {say(field)}"
            )
        if number.text is not None:
            return number.text
        if not there:
            what = f"is {number.value}; allowed: {allowed(self.choices)}, or the text of an option"
            raise BadRow(self.path, self.line, field, what + (f" (numbers count from {start} here)" if start else ""))
        return place


@dataclass(frozen=True, slots=True)
class Counting:
    """What the numbers of a file count from."""

    start: Literal[0, 1] = 0
    """The number of the first option."""
    notes: tuple[str, ...] = ()
    """If they count from 1, a line that says so, with the row that shows it."""


def say(field: str) -> str:
    """The `--columns` arguments that fix how a number is read."""
    return f"--columns answer={field}:text, answer={field}:0-based or answer={field}:1-based"


def decide_counting(path: Path, drafts: Sequence[Draft]) -> Counting:
    """Decide whether the numbers of a file count from 0 or from 1, by a row that names the first or the last option.

    Raises `BadRow` if no row decides it, or if two rows disagree.
    """
    shown: dict[int, tuple[int, str, int]] = {}
    unsure: list[tuple[Draft, str, Number]] = []
    agreed: Counter[int] = Counter()
    for draft in drafts:
        for field, named in draft.answers if draft.counts_from is None else ():
            if not isinstance(named, Number) or named.text is not None:
                continue
            n, known = len(draft.texts), draft.certain
            if known is not None:
                agreed[named.value - known] += 1
            elif named.value in (0, n):
                shown.setdefault(int(named.value == n), (draft.line, field, named.value))
            elif 0 < named.value < n:
                unsure.append((draft, field, named))
    if agreed:  # numbers next to letters or texts; rows where the two differ are reported elsewhere
        return Counting(1 if agreed[1] > agreed[0] else 0)
    if len(shown) == 2:
        (zero, field, first), (one, _, last) = shown[0], shown[1]
        raise BadRow(
            path,
            max(zero, one),
            field,
            f"numbers count from 0 in line {zero} ({first}) and from 1 in line {one} ({last} is the last option). Correct "
            f"one of the two, or say which is meant: {say(field)}",
        )
    if not shown and unsure:
        draft, field, named = unsure[0]
        from_0, from_1 = (
            f"option {chr(65 + place)} ({draft.texts[place][:40]!r})" for place in (named.value, named.value - 1)
        )
        if len(unsure) == 1:
            note = (
                f"{field!r} is {named.value} in line {draft.line}, read as counting from 0: {from_0}. One number alone "
            )
            note += (
                f"does not show this; if it counts from 1, and {from_1} is meant, say --columns answer={field}:1-based."
            )
            return Counting(0, (note,))
        raise BadRow(
            path,
            draft.line,
            field,
            f"is {named.value}: {from_0} where numbers count from 0, and {from_1} where they count from 1. None of the "
            f"{len(unsure)} numbers of the file is 0 or the number of the last option, which would show it. Say which is "
            f"meant: --columns answer={field}:0-based or --columns answer={field}:1-based",
        )
    if 1 in shown:
        line, field, last = shown[1]
        note = f"{field!r} is read as counting from 1: line {line} names {last}, its last option, and no row names 0."
        return Counting(1, (note,))
    return Counting()
