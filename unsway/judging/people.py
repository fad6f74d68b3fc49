"""Questions for people: the judges' rubrics in words for a person, from the bank `label_questions`.

In: names of rubrics. Out: `PeopleQuestion`s, and the `Verdict` that a click becomes. A person's verdict is a row like any
judge's; its version is that of the wording that people read (`coherent@people.3`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from unsway.banks import bank
from unsway.errors import BadInput
from unsway.judging import rubrics
from unsway.judging.items import LabelItem
from unsway.types import MissingVerdict, Verdict

BANK = "label_questions"
DEFAULT = ("coherent", "mentions_cue")
"""The default questions, as in the study of coherence (arXiv 2403.05518)."""
LONGEST_NAME = 60
"""Longest name of a labeller, in characters."""


class Mark(NamedTuple):
    """One number that a person may answer."""

    value: int
    """The number."""
    key: str
    """The key for it on the label page."""
    text: str
    """What it means."""


@dataclass(frozen=True, slots=True)
class PeopleQuestion:
    """A rubric's question in words for a person."""

    name: str
    """The rubric."""
    ask: str
    """The question."""
    marks: tuple[Mark, ...]
    """What each number means; empty for a question of yes or no."""

    @property
    def versioned(self) -> str:
        """The question of a person's verdict: the rubric, and the version of the wording read."""
        return f"{self.name}@people.{bank(BANK).version}"

    def check(self, value: bool | int | None) -> None:
        """Raise `BadInput` if the value is not an answer to the question."""
        rubric = rubrics.get(self.name)
        if not rubric.allows(value):
            raise BadInput(f"{self.name} is {value!r}; it takes {rubric.allowed}.")


def people_questions(names: Iterable[str] = DEFAULT) -> tuple[PeopleQuestion, ...]:
    """The questions of some rubrics in words for a person; a yes-or-no rubric without such words uses its summary.

    Raises:
        UnknownName: A rubric is not known.
        BadInput: A rubric takes numbers that have no words for people.
    """
    words = dict(entry.split(" = ", 1) for entry in bank(BANK).entries)
    questions = []
    for rubric in rubrics.resolve(names):
        entries = ((name.split(" "), text) for name, text in words.items() if name.startswith(f"{rubric.name} "))
        marks = tuple(Mark(int(key[1]), key[-1], text) for key, text in entries)
        if rubric.scale is not None and len(marks) != rubric.scale[1] - rubric.scale[0] + 1:
            raise BadInput(
                f"{rubric.name} takes {rubric.allowed}, and the bank {BANK} does not say to people what each number means. "
                "Ask people another question, or bring in what they said: `unsway verdicts FOLDER --from FILE`."
            )
        questions.append(PeopleQuestion(rubric.name, words.get(rubric.name, f"{rubric.summary}?"), marks))
    return tuple(questions)


def person_verdict(
    item: LabelItem, labeller: str, question: str, value: bool | int | None, *, at: str = "", why: str = ""
) -> Verdict:
    """Make the verdict of a person on an item.

    Args:
        item: The reply.
        labeller: Who said it.
        question: The rubric with the version of its wording.
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
