"""The right option of a row, in all the ways that rows state it.

In: a row's answer with its options. Out: the index of the right option, None if it is unknown, or a `Number`, whose
meaning depends on the other rows of the file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from unsway.errors import kind_of
from unsway.sources.checks import visible
from unsway.sources.files.layouts import AnswerAs
from unsway.sources.files.options import Choices, is_missing, one_hot

MISSING = frozenset({"", "-1", "-1.0", "nan", "none", "null", "nil", "unknown", "n/a", "na", "<na>", "?", "-"})
"""Spellings of an unknown answer, in lower case; an option with the same text takes precedence."""
YES_NO = {True: ("yes", "true"), False: ("no", "false")}
"""The option texts that stand for a truth value."""
_LETTER = re.compile(r"\W*(?:(?:option|answer|choice)[\W_]+)?[(\[（]?([A-Za-z])[)\]）]?[.:：]?\W*", re.I)
_LETTER_AND_TEXT = re.compile(
    r"\W*(?:(?:option|answer|choice)\W+)?([A-Za-z])(?:\s*[)\]）.:：、．–-]+\s*|\s+)(.*\S)\s*", re.S | re.I
)
_NUMBER_AND_TEXT = re.compile(r"\W*(\d{1,2})\s*(?:[)\]）:：、．-]+|\.\s)\s*(.*\S)\s*", re.S)


class Number(NamedTuple):
    """An answer that is a number: an index from 0, an index from 1, or the text of an option."""

    value: int
    """The number."""
    text: int | None
    """Index of the option with that text; None if there is none."""


def gold_of(value: object, choices: Choices, answer_as: AnswerAs = "") -> int | Number | None:
    """The right option. Raises `ValueError`, which says what was found and what is allowed."""
    texts, n = choices.texts, len(choices.texts)
    if isinstance(value, list | tuple):
        if (right := one_hot(value, n)) is not None:
            return right
        if len(value) != 1:
            raise ValueError(f"names {len(value)} right options ({str(value)[:60]}); one is allowed")
        return gold_of(value[0], choices, answer_as)
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    if is_missing(value):
        return None
    if isinstance(value, bool):
        indexes = [index for index, text in enumerate(texts) if _fold(text) in YES_NO[value]]
        if len(indexes) != 1:
            raise ValueError(f"must be an index, a letter or an option's text, is {kind_of(value)}")
        return indexes[0]
    if not isinstance(value, int | float | str) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"must be an index, a letter or an option's text, is {kind_of(value)}")
    answer = unicodedata.normalize("NFKC", str(int(value) if isinstance(value, float) else value)).strip()
    by_text = _index_of_text(answer, texts)
    number = re.fullmatch(r"(-?\d{1,4})(?:\.0+)?", answer)
    if by_text is None and number:
        number_pattern = re.compile(rf"\s*{int(number[1])}(?:\.0+)?\s*")
        by_text = next((index for index, text in enumerate(texts) if number_pattern.fullmatch(str(text))), None)
    if answer_as == "text":
        if by_text is None and answer.lower() not in MISSING:
            raise ValueError(f"is {answer[:80]!r}, which is the text of no option")
        return by_text
    if number and by_text is None and number[1] == "-1":
        return None
    by_label = _index_of_label(answer, choices.labels)
    if number and answer_as != "letter" and (by_label is None or by_text not in (None, by_label)):
        return Number(int(number[1]), by_text)
    by_letter = by_label
    if by_letter is None and not number and (letter := _LETTER.fullmatch(answer)):
        label_index = _index_of_label(letter[1], choices.labels)
        index = ord(letter[1].upper()) - 65
        by_letter = label_index if label_index is not None else index if index < n else None
    if by_letter is not None and by_text is not None and by_letter != by_text and answer_as != "letter":
        advice = "its letter" if number else "the index"
        raise ValueError(
            f"{value!r} is option {by_text} by text and option {by_letter} by letter; write {advice}, or say which is meant: "
            "--columns answer=NAME:text or answer=NAME:letter"
        )
    if answer_as == "letter" and by_letter is not None:
        return by_letter
    if by_text is not None or by_letter is not None:
        return by_letter if by_text is None else by_text
    return _in_words(answer, choices)


def _in_words(answer: str, choices: Choices) -> int | None:
    """The option in a longer answer: a letter or number with the option's text; None for a word that means missing."""
    n = len(choices.texts)
    for pattern in (_LETTER_AND_TEXT, _NUMBER_AND_TEXT):
        if (match := pattern.fullmatch(answer)) and (by_text := _index_of_text(match[2], choices.texts)) is not None:
            by_label = _index_of_label(match[1], choices.labels)
            if by_label is None and match[1].isalpha():
                by_label = ord(match[1].upper()) - 65
            if by_label is not None and by_label != by_text:
                raise ValueError(
                    f"is {answer[:80]!r}: {match[1]} is not the letter of that text, which is option {by_text}"
                )
            return by_text
    if answer.lower() in MISSING:
        return None
    letters = re.findall(r"[A-Z]", answer) if re.fullmatch(r"\W*[A-Z](?:(?:\W|and|und|et|y)*[A-Z])+\W*", answer) else []
    if len(letters) > 1 and all(ord(letter) - 65 < n for letter in letters):
        raise ValueError(f"is {answer[:80]!r}, which names {len(letters)} right options; one is allowed")
    raise ValueError(f"is {answer[:80]!r}; allowed: {allowed(choices)}, or the text of an option")


def allowed(choices: Choices) -> str:
    """The numbers and letters that name an option, for messages."""
    last = len(choices.texts) - 1
    labels = (
        f", the labels {', '.join(choices.labels)}"[:120] if choices.labels and choices.labels[0] not in "Aa01" else ""
    )
    return f"0 to {last}, A to {chr(65 + last)}{labels}"


def _fold(text: object) -> str:
    return visible(str(text)).casefold().rstrip(".")


def _index_of_text(answer: str, texts: Sequence[object]) -> int | None:
    """The only option with that text, ignoring white space and, if nothing matches exactly, case and a final full stop."""
    indexes = [index for index, text in enumerate(texts) if str(text) == answer]
    indexes = indexes or [index for index, text in enumerate(texts) if visible(str(text)) == visible(answer)]
    if len(answer) > 1:  # "A" is a letter even if an option is "a"
        indexes = indexes or [index for index, text in enumerate(texts) if _fold(text) == _fold(answer)]
    return indexes[0] if len(indexes) == 1 else None


def _index_of_label(answer: str, labels: Sequence[str]) -> int | None:
    """The only option with that label."""
    marks = "()[].: "
    indexes = [
        index for index, label in enumerate(labels) if label.strip(marks).casefold() == answer.strip(marks).casefold()
    ]
    return indexes[0] if len(indexes) == 1 else None
