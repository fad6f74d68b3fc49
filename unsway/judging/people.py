"""What people are asked: the rubrics of judges in words for a person, from the bank `label_questions`.

In: names of rubrics. Out: `PeopleQuestion`s, and the `Verdict` that a click becomes. A person's verdict is a row like any
judge's; its version is that of the words that people read (`coherent@people.2`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unsway.banks import bank
from unsway.errors import BadInput
from unsway.judging import rubrics
from unsway.judging.items import LabelItem
from unsway.types import MissingVerdict, Verdict

BANK = "label_questions"
DEFAULT = ("coherent", "mentions_cue")
"""What is asked by default, as in the study of coherence (arXiv 2403.05518)."""
LONGEST_NAME = 60
"""Longest name of a labeller, in characters."""


@dataclass(frozen=True, slots=True)
class PeopleQuestion:
    """A rubric's question in words for a person."""

    name: str
    """The rubric."""
    ask: str
    """The question."""
    marks: tuple[str, ...]
    """What each mark means, from 1 on; empty for a question of yes or no."""

    @property
    def versioned(self) -> str:
        """What a person's verdict is on: the rubric, and the version of the words that were read."""
        return f"{self.name}@people.{bank(BANK).version}"

    def check(self, value: bool | int | None) -> None:
        """Raise `BadInput` where the value is no answer to the question."""
        is_mark = isinstance(value, int) and not isinstance(value, bool)
        if self.marks and not (is_mark and 1 <= value <= len(self.marks)):  # type: ignore[operator]
            raise BadInput(f"{self.name} is {value!r}; it must be 1 to {len(self.marks)}.")
        if not self.marks and not isinstance(value, bool):
            raise BadInput(f"{self.name} is {value!r}; it must be true or false.")


def people_questions(names: Iterable[str] = DEFAULT) -> tuple[PeopleQuestion, ...]:
    """The questions of these rubrics in words for a person; a rubric without such words is asked by its summary.

    Raises:
        UnknownName: A rubric is not known.
    """
    words = dict(entry.split(" = ", 1) for entry in bank(BANK).entries)
    found = []
    for rubric in rubrics.resolve(names):
        marks = tuple(text for key, text in words.items() if key.startswith(f"{rubric.name} "))
        found.append(PeopleQuestion(rubric.name, words.get(rubric.name, f"{rubric.summary}?"), marks))
    return tuple(found)


def person_verdict(
    item: LabelItem, labeller: str, question: str, value: bool | int | None, *, at: str = "", why: str = ""
) -> Verdict:
    """What a person said of an item.

    Args:
        item: The reply.
        labeller: Who said it.
        question: The rubric with the version of its words.
        value: Yes or no, or a mark; None takes an answer back.
        at: When, in UTC.
        why: A remark.

    Raises:
        BadInput: The labeller's name is not allowed.
    """
    if not labeller.strip() or len(labeller) > LONGEST_NAME or not labeller.isprintable():
        raise BadInput(f"A labeller is named {labeller[:80]!r}; a name has 1 to {LONGEST_NAME} printable characters.")
    missing: MissingVerdict = "unsure" if value is None else ""
    return Verdict(
        item.address, "answer", question, labeller, value, why, at=at, pair=item.pair, side="biased", missing=missing
    )
