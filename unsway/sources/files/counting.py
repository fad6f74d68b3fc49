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
        golds = [gold for _, gold in self.answers if gold is not None and not isinstance(gold, Number)]
        return golds[0] if golds else self.choices.right

    def gold_of(self, counting: Counting) -> int | None:
        """The index of the right option. Raises `BadRow` if the row can be read in two ways or contradicts itself."""
        gold = self.certain
        for field, choice in self.answers:
            if isinstance(choice, Number):
                choice = self._by_number(
                    field, choice, counting.start if self.counts_from is None else self.counts_from, gold
                )
            if gold is not None and choice is not None and choice != gold:
                statements = " and ".join(
                    f"{name} = {value.value if isinstance(value, Number) else chr(65 + (value or 0))!r}"
                    for name, value in self.answers
                    if value is not None
                )
                raise BadRow(
                    self.path, self.line, field, f"names another option than the rest of the row: {statements}"
                )
            gold = choice if gold is None else gold
        return gold

    def _by_number(self, field: str, number: Number, start: int, certain: int | None) -> int | None:
        """The option that a number means. Raises `BadRow` if it means none, or could mean two."""
        index = number.value - start
        n = len(self.texts)
        is_option = 0 <= index < n
        if certain is not None and certain in (index, number.text):
            return certain
        if number.text is not None and is_option and index != number.text:
            readings = (
                f"{number.value} is the text of option {chr(65 + number.text)}, and counted from {start} it is option "
                f"{chr(65 + index)} ({self.texts[index][:40]!r})"
            )
            raise BadRow(
                self.path, self.line, field, f"{readings}; write its letter, or say which is meant: {say(field)}"
            )
        if number.text is not None:
            return number.text
        if not is_option:
            message = f"is {number.value}; allowed: {allowed(self.choices)}, or the text of an option"
            raise BadRow(
                self.path, self.line, field, message + (f" (numbers count from {start} here)" if start else "")
            )
        return index


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
    evidence: dict[int, tuple[int, str, int]] = {}
    unsure: list[tuple[Draft, str, Number]] = []
    offsets: Counter[int] = Counter()
    for draft in drafts:
        for field, number in draft.answers if draft.counts_from is None else ():
            if not isinstance(number, Number) or number.text is not None:
                continue
            n = len(draft.texts)
            certain = draft.certain
            if certain is not None:
                offsets[number.value - certain] += 1
            elif number.value in (0, n):
                evidence.setdefault(int(number.value == n), (draft.line, field, number.value))
            elif 0 < number.value < n:
                unsure.append((draft, field, number))
    if offsets:  # numbers next to letters or texts; rows where the two differ are reported elsewhere
        return Counting(1 if offsets[1] > offsets[0] else 0)
    if len(evidence) == 2:
        (line_from_0, field, first), (line_from_1, _, last) = evidence[0], evidence[1]
        raise BadRow(
            path,
            max(line_from_0, line_from_1),
            field,
            f"numbers count from 0 in line {line_from_0} ({first}) and from 1 in line {line_from_1} ({last} is the last "
            f"option). Correct one of the two, or say which is meant: {say(field)}",
        )
    if not evidence and unsure:
        draft, field, number = unsure[0]
        from_0, from_1 = (
            f"option {chr(65 + index)} ({draft.texts[index][:40]!r})" for index in (number.value, number.value - 1)
        )
        if len(unsure) == 1:
            note = f"{field!r} is {number.value} in line {draft.line}, read as counting from 0: {from_0}. One number alone "
            note += (
                f"does not show this; if it counts from 1, and {from_1} is meant, say --columns answer={field}:1-based."
            )
            return Counting(0, (note,))
        raise BadRow(
            path,
            draft.line,
            field,
            f"is {number.value}: {from_0} where numbers count from 0, and {from_1} where they count from 1. None of the "
            f"{len(unsure)} numbers of the file is 0 or the number of the last option, which would show it. Say which is "
            f"meant: --columns answer={field}:0-based or --columns answer={field}:1-based",
        )
    if 1 in evidence:
        line, field, last = evidence[1]
        note = f"{field!r} is read as counting from 1: line {line} names {last}, its last option, and no row names 0."
        return Counting(1, (note,))
    return Counting()
