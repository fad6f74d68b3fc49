"""Rows that people and other programs wrote: reads a file into checked values, one row of limited length at a time.

In: a file of rows of any kind that `opening.py` supports (JSONL, a JSON document, a table, Parquet, Arrow), and the
required fields as a pydantic model. Out: the line number and the value of every row, or an error with file, line and field.

    class Note(ForeignRow):
        text: str
        stars: int | None = Field(description="write null where there are none")

    for line, note in read_rows("notes.jsonl", Note):
        ...

Rows that unsway itself writes are read by `store.read_jsonl`, which checks only types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from unsway.errors import BadRow, kind_of
from unsway.rows.opening import Opening
from unsway.types import Role

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LONGEST = 4_000_000
"""Longest row, in characters: about a million tokens, as much as the longest contexts hold."""
LONGEST_NAME = 300
"""Longest name of a question, model, bias or source, in characters."""


class BadField(ValueError):
    """A value that does not fit, raised by a validator that gives the field's name itself."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field, self.problem = field, problem


class ForeignRow(BaseModel):
    """What a row of a foreign file must be. Each subclass is one layout. Types are strict, unknown fields are ignored.

    The description of a required field tells people what to write if it is missing.
    """

    model_config = ConfigDict(strict=True, frozen=True)
    OTHER_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Alternative names of a field in files; a row may use one of them."""
    REPLACES_HALVES: ClassVar[bool] = False
    """Whether halves of surrogate pairs, which no file can hold, become question marks; otherwise they are an error."""

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Whether a row has this layout; the last layout given is used for every remaining row."""
        return True

    @classmethod
    def known_fields(cls) -> frozenset[str]:
        """The fields that this layout reads, under all their names."""
        return frozenset(cls.model_fields).union(*cls.OTHER_NAMES.values())

    @model_validator(mode="before")
    @classmethod
    def use_own_names(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Rename fields that have an alternative name in the file. Raises `BadField` for a field given twice."""
        own_fields = dict(row)
        for field, aliases in cls.OTHER_NAMES.items():
            present = [name for name in (field, *aliases) if name in row]
            if len(present) > 1:
                raise BadField(field, f"is given twice, as {' and '.join(present)}")
            if present:
                own_fields[field] = own_fields.pop(present[0])
        return own_fields


Row = TypeVar("Row", bound=ForeignRow)

_HALF = re.compile("[\ud800-\udfff]")


# ---------------------------------------------------------------- reading


def read_rows(
    path: str | Path, *layouts: type[Row], longest: int = LONGEST, bad: list[BadRow] | None = None
) -> Iterator[tuple[int, Row]]:
    """Read a file of rows that another program or person wrote.

    Args:
        path: The file.
        layouts: The allowed layouts; each row is read with the first one that fits.
        longest: Longest row, in characters; a longer one is never held in memory.
        bad: A list to collect rows that do not fit, while reading continues; with None, the first one is raised.

    Returns:
        The line number, from 1, and the row, one after the other. Blank lines are skipped; cells of a table are texts.

    Raises:
        BadInput: The file cannot be read.
        BadRow: A row does not fit.
    """
    file = Path(path)
    return check_rows(Opening(file, longest), *layouts, path=file, bad=bad)


def check_rows(
    bodies: Iterable[tuple[int, object]], *layouts: type[Row], path: str | Path, bad: list[BadRow] | None = None
) -> Iterator[tuple[int, Row]]:
    """Check rows already read (JSON values or `BadRow`s, with their line numbers) as `read_rows` does."""
    for line, body in bodies:
        try:
            row = _check(body, layouts, path, line)
        except BadRow as error:
            if bad is None:
                raise
            bad.append(error)
        else:
            yield line, row


def _check(body: object, layouts: Sequence[type[Row]], path: str | Path, line: int) -> Row:
    """The row from a JSON value, in the first layout that fits. Raises `BadRow`."""
    if isinstance(body, BadRow):
        raise body
    try:
        if not isinstance(body, dict):
            raise BadRow(path, line, "row", f"must be an object (one JSON object a line), is {kind_of(body)}")
        layout = next((candidate for candidate in layouts if candidate.fits(body)), layouts[-1])
        names = layout.known_fields()
        row = {name: value for name, value in body.items() if name in names}
        half = next((field for name, value in row.items() if (field := _half_pair(value, name))), None)
        if half and not layout.REPLACES_HALVES:
            raise BadRow(path, line, half, "holds half of a surrogate pair, which no file can; remove it")
        if half:
            row = json.loads(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace"))
        try:
            return layout.model_validate(row)
        except ValidationError as error:
            raise BadRow(path, line, *_complaint(error.errors(include_url=False)[0], layout, body)) from None
    except RecursionError:
        raise BadRow(path, line, "row", "holds lists or objects that are nested too deeply") from None


def _half_pair(value: object, field: str) -> str | None:
    """The name of the first field whose text holds half of a surrogate pair; None if there is none."""
    if isinstance(value, str):
        return field if not value.isascii() and _HALF.search(value) else None
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next((inner_field for key, part in parts if (inner_field := _half_pair(part, f"{field}.{key}"))), None)


# ---------------------------------------------------------------- what is wrong with a row

_RULES: Mapping[str, str] = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "finite_number": "must be a finite number",
}
"""What a value must be, by pydantic's error type."""


def _complaint(error: ErrorDetails, layout: type[ForeignRow], body: Mapping[str, Any]) -> tuple[str, str]:
    """The field, as the file names it, and what is wrong with it."""
    ctx = error.get("ctx", {})
    value = error["input"]
    kind = error["type"]
    cause = ctx.get("error")
    location = error["loc"]
    if isinstance(cause, BadField):
        return cause.field, cause.problem
    if isinstance(cause, ValidationError):  # raised by one of our values inside the field
        inner = cause.errors(include_url=False)[0]
        return _complaint(inner | {"loc": (*location, *inner["loc"])}, layout, body)
    first, *rest = location or ("row",)
    aliases = (name for name in layout.OTHER_NAMES.get(str(first), ()) if name in body and first not in body)
    field = ".".join(map(str, [next(aliases, first), *rest]))
    model_field = None if rest else layout.model_fields.get(str(first))
    if kind == "missing":
        advice = f"; {model_field.description}" if model_field and model_field.description else ""
        names = ", ".join(value if rest else body)[:200].encode("utf-8", "replace").decode() or "nothing"
        return field, f"is missing{advice}. The row has: {names}"
    if isinstance(cause, ValueError):
        return field, str(cause)
    if kind == "literal_error":
        return (
            field,
            f"is {str(value)[:60]!r}; allowed: {ctx['expected'].replace(' or ', ', ').replace(chr(39), '')}",
        )
    rule = _RULES.get(kind) or error["msg"].replace("Input should be", "must be")
    nullable = " or null" if model_field and NoneType in get_args(model_field.annotation) else ""
    return field, f"{rule}{nullable}, is {kind_of(value)}"


# ---------------------------------------------------------------- fields that several layouts have


def name(value: object) -> str:
    """A short printable name; a whole number becomes its text, null the empty name. Raises `ValueError`."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"must be text (a short name), is {kind_of(value)}")
    text = str(value)
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise ValueError(f"must be at most {LONGEST_NAME} printable characters")
    return text


def require_value(value: object) -> object:
    """The value, unless it is null or blank text. Raises `ValueError`."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError(f"must be a name, is {kind_of(value)}")
    return value


Name: TypeAlias = Annotated[str, BeforeValidator(name)]
"""A short printable name, or empty."""
TextOrNull: TypeAlias = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""Text; null becomes the empty text."""
NeededName: TypeAlias = Annotated[Name, BeforeValidator(require_value)]
"""A short printable name that is not empty."""


class ChatTurn(BaseModel):
    """One turn of a chat, as chat APIs write it; other fields, such as a tool call, are ignored."""

    model_config = ConfigDict(strict=True, frozen=True)
    role: Role
    """Who speaks."""
    content: str
    """What they say."""
