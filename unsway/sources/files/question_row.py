"""What a row of a question file must be, as a pydantic model; the package's docstring has the fields.

In: a JSON object or the cells of a CSV row. Out: a `QuestionRow` whose question can be asked as it is.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from unsway.errors import kind_of
from unsway.rows import BadField, ForeignRow, Name
from unsway.sources.checks import problem
from unsway.types import Question

_COLUMNS = (*string.ascii_uppercase, "AA")
"""Columns of options in a CSV file; AA is one too many, which the error then says."""


class QuestionRow(ForeignRow):
    """One question of a file."""

    OTHER_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "stem": ("question",),
        "options": ("choices",),
        "gold": ("answer",),
    }
    stem: str
    """The question, without its options."""
    options: tuple[str, ...]
    """The texts of the options."""
    gold: int | None = Field(description="write null where nobody knows it")
    """Index of the right option."""
    id: Name = ""
    """The file's own name for the question."""
    source: Name = ""
    """Where it comes from; empty where the row does not say."""
    split: Name = ""
    """The split that it belongs to; empty where the row does not say."""
    keep_order: bool = False
    """Whether the options must stay in their order."""

    @field_validator("options", mode="plain")
    @classmethod
    def check_texts(cls, value: object, info: ValidationInfo) -> tuple[str, ...]:
        """The options, where they and the stem can be asked."""
        if not isinstance(value, list):
            raise ValueError(f"must be a list of texts, is {kind_of(value)}")
        found = problem(Question(info.data.get("stem", "?"), tuple(value), None, "", "", id="unchecked"))
        if found:
            raise BadField(found.field, found.text)
        return tuple(value)

    @field_validator("gold", mode="plain")
    @classmethod
    def find_gold(cls, value: object, info: ValidationInfo) -> int | None:
        """The index of the right option, from its index, its letter or its text."""
        options: tuple[str, ...] = info.data.get("options", ())
        if value is None or not options:
            return None
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(f"must be an index, a letter or an option's text, is {kind_of(value)}")
        by_text = options.index(str(value)) if str(value) in options else None
        index = re.fullmatch(r"-?\d{1,3}", str(value).strip())
        letter = re.fullmatch(r"\(?([A-Za-z])[).:]?", str(value).strip())
        by_place = int(index[0]) if index else ord(letter[1].upper()) - 65 if letter else -1
        is_place = 0 <= by_place < len(options)
        if by_text is not None and is_place and by_place != by_text:
            named, write = ("place", "write its letter") if index else ("letter", "write the index")
            raise ValueError(f"{value!r} is option {by_text} by text and option {by_place} by {named}; {write}")
        if by_text is None and not is_place:
            last = len(options) - 1
            raise ValueError(
                f"is {repr(value)[:80]}; allowed: 0 to {last}, A to {chr(65 + last)}, or the text of an option"
            )
        return by_place if by_text is None else by_text

    @field_validator("keep_order", mode="plain")
    @classmethod
    def read_truth(cls, value: object) -> bool:
        """True or false, which a CSV file spells out."""
        known = value.lower() if isinstance(value, str) else value
        if known not in ("", "true", "false") and known is not None and not isinstance(known, bool):
            raise ValueError(f"must be true or false, is {kind_of(value)}")
        return known is True or known == "true"


def from_cells(cells: dict[str, str]) -> dict[str, Any]:
    """A CSV row in the shape of a JSONL row. Raises `BadField`."""
    row: dict[str, Any] = dict(cells)
    letters = [column for column in _COLUMNS if cells.get(column, "").strip()]
    name = "choices" if "choices" in cells else "options"
    if name in cells and letters:
        raise BadField("options", f"is given twice, as {name} and as the columns {', '.join(letters)}")
    if name in cells:
        try:
            row[name] = json.loads(cells[name])
        except (ValueError, RecursionError):
            raise BadField("options", f'must be a JSON list like ["yes", "no"], is {cells[name][:60]!r}') from None
    elif letters:
        if letters != list(_COLUMNS[: len(letters)]):
            raise BadField("options", f"columns must be filled from A without a gap, are {', '.join(letters)}")
        row["options"] = [cells[letter] for letter in letters]
    return row | {name: None for name in ("gold", "answer") if name in cells and not cells[name].strip()}
