"""Reads files of replies into rows with our field names, before they are checked.

In: files of any kind and a `Description` of what they lack. Out: rows with our field names, whose right option and target are
letters. A row that cannot be read this way is a `BadRow`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from unsway.errors import BadInput, BadRow, UnknownName
from unsway.importing.logs import read_log, rows_of_log
from unsway.importing.shapes import at, rows_of
from unsway.importing.words import NAMES, is_not_known, plain, rename_fields, side_of
from unsway.prompts.render import MAX_OPTIONS
from unsway.rows import BadField
from unsway.rows.opening import Opening
from unsway.sources.files.golds import Number, gold_of
from unsway.sources.files.options import Choices, choices_of, split_lettered

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

LONGEST_ROW = 10_000_000
"""Longest row, in characters: a prompt and a reply of a million tokens each."""
WAYS = ("0-based", "1-based", "letter", "text")
"""Accepted ways of writing a right option or target."""
ANY_CHANGE = frozenset({"any", "anychange", "change"})
"""Words, besides null, for a target that means any change of the answer."""
COUNTED = re.compile(rf"(?:{'|'.join((*NAMES['n_options'], *NAMES['sample'], 'reasoningtokens'))}) \d{{1,9}}")
"""A table's cell that is a number, preceded by the plain name of its column."""
NO_REPLY = frozenset({"", "null", "nan", "na", "<na>"})
"""A table's cell for a missing reply, in lower case, as data frames and databases write it."""
ROW_IDS = ("uuid", "rowid", "requestid", "responseid", "completionid", "timestamp", "createdat", "id")
"""Names of fields that identify one reply, so two rows with the same value are the same reply."""


@dataclass(frozen=True, slots=True)
class Description:
    """What files of replies do not say themselves."""

    clean: tuple[Path, ...] = ()
    """Files with only clean rows; rows of the other files are then biased unless they say otherwise."""
    facts: Path | None = None
    """A file with one row per question, for what the rows of its replies lack."""
    columns: str = ""
    """The roles of fields, as `reply=output,gold=answer:1-based`; `{question_id}|{arm}=custom_id` splits a name."""
    given: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Values shared by all rows, by our field name."""


class Body(NamedTuple):
    """A row before it is checked."""

    file: Path
    """Its file."""
    line: int
    """Its line in the file, from 1."""
    row: Any
    """Its fields with our names, or a `BadRow`; a value that is not an object stays as it is."""


class Counted(NamedTuple):
    """A right option or target that is a number."""

    place: int
    """The index of its row among all rows."""
    name: str
    """gold or target."""
    no: str
    """NOT if any other option is meant."""
    number: Number
    """The number, and the option with that text."""
    choices: Choices
    """The options."""
    way: str
    """The stated way of writing it, one of `WAYS`."""


class Column(NamedTuple):
    """One field's entry in `--columns`."""

    name: str
    """The field of the file; a path with dots leads into objects."""
    way: str = ""
    """One of `WAYS`; empty if it must be detected."""


def parse_columns(text: str) -> dict[str, Column]:
    """Read `reply=output,gold=answer:1-based`. Raises `BadInput`, `UnknownName`."""
    columns = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        role, equals, name = part.rpartition("=")
        if not equals or not role.strip() or not name.strip():
            raise BadInput(
                f"--columns has {part!r}. It is written as FIELD=COLUMN,…: reply=output,gold=answer:1-based."
            )
        for field_name in re.findall(r"\{(\w+)\}", role) or [role.strip()]:
            if field_name not in NAMES:
                raise UnknownName("field", field_name, tuple(NAMES))
        name, colon, way = name.strip().rpartition(":")
        columns[role.strip()] = Column(name, way) if colon and way in WAYS else Column(name + colon + way)
    return columns


def read_bodies(files: Mapping[Path, EvalLog | None], about: Description) -> tuple[list[Body], int]:
    """The rows of all files, and the number of repeated rows.

    Args:
        files: The files; for logs, with their content.
        about: What the files do not say themselves; its clean files are read too.

    Raises:
        BadInput: A file cannot be read, or numbers may count from 0 as well as from 1.
        UnknownName: A value given for all rows has an unknown field name.
    """
    columns = parse_columns(about.columns)
    facts = _facts(about)
    unknown = next((name for name in about.given if name not in NAMES), None)
    if unknown is not None:
        raise UnknownName("field", unknown, tuple(NAMES))
    bodies: list[Body] = []
    earlier_texts: set[str] = set()
    n_twice = 0
    for file in (*files, *about.clean):
        side = {} if not about.clean else {"arm": "clean" if file in about.clean else "biased"}
        for line, raw in _rows_in(file, columns, files.get(file)):
            if not isinstance(raw, Mapping):
                bodies.append(Body(file, line, raw))
                continue
            row_id = next((name for name in raw if plain(name) in ROW_IDS), None)
            if row_id is not None and raw[row_id] and rename_fields(raw).get("question_id") != raw[row_id]:
                row_text = json.dumps(raw, sort_keys=True, default=str)
                n_twice += row_text in earlier_texts
                if row_text in earlier_texts:
                    continue
                earlier_texts.add(row_text)
            try:
                by_column = dict(_named_by(columns, raw))
            except ValueError as error:
                bodies.append(Body(file, line, BadRow(file, line, "row", str(error))))
                continue
            for row in rows_of(raw):
                fact = facts.get(str((row | by_column).get("question_id")), {})
                values = {
                    name: value for name, value in (row | by_column).items() if value is not None or name not in fact
                }
                bodies.append(Body(file, line, side | fact | values | dict(about.given)))
    return _converted(_with_models(bodies), columns), n_twice


def _with_models(bodies: Sequence[Body]) -> list[Body]:
    """Fill in the model of rows without a reply and model, such as failed calls, if their file has only one model."""
    models: dict[Path, list[str]] = {}
    for file, _, row in bodies:
        name = isinstance(row, dict) and (row.get("model") or row.get("reported_model"))
        if name and name not in models.setdefault(file, []):
            models[file].append(name)
    filled_bodies = []
    for body in bodies:
        row = body.row
        names = models.get(body.file, [])
        is_lost = isinstance(row, dict) and "reply" in row and row["reply"] is None
        if is_lost and names and not (row.get("model") or row.get("reported_model")):
            problem = (
                f"is missing in a row without a reply, and the file has rows of {', '.join(map(str, names))}. Name it in the "
                "row, or import the rows of each model as a file of its own with --set model=NAME"
            )
            with_model = row | {"model": names[0]}
            body = body._replace(row=BadRow(body.file, body.line, "model", problem) if len(names) > 1 else with_model)
        filled_bodies.append(body)
    return filled_bodies


def _rows_in(file: Path, columns: Mapping[str, Column], log: EvalLog | None = None) -> Iterator[tuple[int, Any]]:
    """The line and the value of every row. Empty cells of a table are dropped; counts become numbers.

    An empty cell for a right option means unknown; for a reply, that there is none.
    """
    gold_columns, reply_columns = (
        {*NAMES[name], *(plain(column.name) for role, column in columns.items() if role == name)}
        for name in ("gold", "reply")
    )
    log = log or read_log(file)
    if log is not None:
        yield from rows_of_log(log)
        return
    opening = Opening(file, LONGEST_ROW)
    for line, raw in opening:
        if opening.kind == "table" and isinstance(raw, dict):
            empty = [
                name
                for name, cell in raw.items()
                if plain(name) in reply_columns and cell.strip().casefold() in NO_REPLY
            ]
            non_empty = [name for name in raw if plain(name) in reply_columns and name not in empty]
            cells = {name: cell for name, cell in raw.items() if cell.strip() or plain(name) in gold_columns}
            raw = {
                name: int(cell) if COUNTED.fullmatch(f"{plain(name)} {cell}") else cell
                for name, cell in cells.items()
                if name not in empty
            } | (dict.fromkeys(empty) if not non_empty else {})
        yield line, raw


def _named_by(columns: Mapping[str, Column], raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields that `--columns` names in a row. Raises `ValueError` if a column does not exist."""
    for role, (name, _) in columns.items():
        value = raw.get(name, at(raw, name))
        if value is None and ("{" in role or (name not in raw and name not in NAMES)):
            raise ValueError(f"has no {name}, which --columns names as {role}; it has: {', '.join(raw)[:200]}")
        if "{" in role:
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(role))
            match = re.fullmatch(pattern, str(value))
            if match is None:
                raise ValueError(f"has {name} = {str(value)[:60]!r}, which is not of the form {role}")
            yield from match.groupdict().items()
        elif value is not None or (role in ("reply", "gold", "target") and name in raw):
            yield role, value


def _facts(about: Description) -> dict[str, dict[str, Any]]:
    """The row of the facts file for each question, by its name. Raises `BadInput` if a question has two different rows."""
    facts: dict[str, dict[str, Any]] = {}
    for _, raw in _rows_in(about.facts, {}) if about.facts else ():
        if isinstance(raw, BadRow):
            raise raw
        row = rename_fields(raw) if isinstance(raw, Mapping) else {}
        question_id = str(row.pop("question_id", ""))
        if not question_id:
            raise BadInput(f"{about.facts}: a row names no question. Each needs question_id (or id, custom_id, …).")
        if facts.setdefault(question_id, row) != row:
            raise BadInput(f"{about.facts}: the question {question_id!r} has two rows that differ. Keep one of them.")
    return facts


# ---------------------------------------------------------------- what values mean


def _converted(bodies: Sequence[Body], columns: Mapping[str, Column]) -> list[Body]:
    """Convert side, options, right option and target of all rows to our terms. Raises `BadInput` as `_counts_from` does."""
    converted_bodies: list[Body] = []
    numbers: list[Counted] = []
    not_numeric: set[str] = set()
    has_bias = any(isinstance(body.row, Mapping) and _bias(body.row) for body in bodies)
    for body in bodies:
        if isinstance(body.row, Mapping):
            row = _with_side(body.row, has_bias)
            try:
                own_numbers = _named_options(row, columns, len(converted_bodies))
            except BadField as error:
                body = body._replace(row=BadRow(body.file, body.line, error.field, error.problem))
            else:
                body = body._replace(row=row)
                numbers += own_numbers
                not_numeric |= {name for name in ("gold", "target") if row.get(name)} - {
                    counted.name for counted in own_numbers
                }
        converted_bodies.append(body)
    start = _counts_from(
        converted_bodies, [counted for counted in numbers if counted.name not in not_numeric and not counted.way]
    )
    for index, name, negation, number, choices, way in numbers:
        body = converted_bodies[index]
        problem = ""
        if isinstance(body.row, BadRow):
            continue
        option = number.value - (int(way[0]) if way in ("0-based", "1-based") else 0 if name in not_numeric else start)
        if not 0 <= option < len(choices.texts):
            last = len(choices.texts) - 1
            problem = f"is {number.value!r}; allowed: A to {chr(65 + last)}, or {start} to {last + start}"
        elif number.text not in (None, option) and not way:
            problem = (
                f"is {number.value}, which is the text of option {chr(65 + (number.text or 0))} and the number of option "
                f"{chr(65 + option)}; write the letter, or say which: --columns {name}={name}:text or {name}={name}:0-based"
            )
        if problem:
            converted_bodies[index] = body._replace(row=BadRow(body.file, body.line, name, problem))
        else:
            body.row[name] = negation + chr(65 + option)
    return converted_bodies


def _with_side(row: Mapping[str, Any], has_bias: bool) -> dict[str, Any]:
    """A row with its side; if it gives none, it is biased if it names a bias, provided that some row does."""
    fields = dict(row)
    if fields.get("model") is None and fields.get("reported_model"):
        fields["model"] = fields["reported_model"]
    if isinstance(fields.get("arm"), Mapping):  # a description of the change to the prompt
        fields["arm"] = "biased"
    elif "arm" in fields:
        fields["arm"] = side_of(fields["arm"]) or fields["arm"]
    elif has_bias:
        fields["arm"] = "biased" if _bias(fields) else "clean"
    if fields.get("arm") == "clean" and "bias" in fields and not _bias(fields):
        fields["bias"] = ""
    return fields


def _named_options(row: dict[str, Any], columns: Mapping[str, Column], index: int) -> list[Counted]:
    """Replace a row's right option and target by letters; returns those that are numbers. Raises `BadField`."""
    try:
        choices = _choices(row)
    except ValueError as error:
        raise BadField("options", str(error)) from None
    numbers: list[Counted] = []
    if choices is None:
        return numbers
    for name in ("gold", "target"):
        value = row.get(name)
        negation = ""
        way = columns[name].way if name in columns else ""
        if isinstance(value, str) and (match := re.fullmatch(r"\s*not\s+(.+?)\s*", value, re.I | re.S)):
            value, negation = match[1], "NOT "
        if is_not_known(value) or (name == "target" and plain(str(value)) in ANY_CHANGE):
            if name in row:
                row[name] = None
            continue
        try:
            option = gold_of(value, choices, way if way in ("letter", "text") else "")  # type: ignore[arg-type]
        except ValueError as error:
            last = len(choices.texts) - 1
            allowed = "" if "A to" in str(error) else f"; allowed: A to {chr(65 + last)}, or 0 to {last}"
            raise BadField(name, f"{error}{allowed}") from None
        if isinstance(option, Number):
            numbers.append(Counted(index, name, negation, option, choices, way))
        else:
            row[name] = None if option is None else negation + chr(65 + option)
    return numbers


def _bias(row: Mapping[str, Any]) -> bool:
    """Whether a row names a bias, other than by a word for none."""
    name = row.get("bias")
    return bool(name) and not is_not_known(name) and side_of(name) != "clean" and "unbiased" not in plain(str(name))


def _choices(row: dict[str, Any]) -> Choices | None:
    """The options of a row, which are then stored in it as texts; None if even their number is unknown.

    A row without options gets those listed in its prompt. Raises `ValueError` if they cannot be read.
    """
    if row.get("options") is None and row.get("n_options") is None and isinstance(row.get("prompt"), str):
        stem_and_choices = split_lettered(row["prompt"])
        if stem_and_choices is not None:
            if row.get("arm") == "clean":  # in a biased prompt a cue may have changed the texts
                row["options"] = [re.split(r"\n\s*\n", text)[0].strip() for text in stem_and_choices[1].texts]
            row["n_options"] = len(stem_and_choices[1].texts)
    if row.get("options") is not None:
        choices = choices_of(row["options"])
        row["options"] = list(choices.texts)
        return choices
    n = row.get("n_options")
    if isinstance(n, float) and n.is_integer():
        n = int(n)
    if isinstance(n, bool) or not isinstance(n, int) or not 2 <= n <= MAX_OPTIONS:
        return None  # the check of the row reports it
    return Choices(tuple(f"\0{index}" for index in range(n)))  # texts that equal no answer


def _counts_from(bodies: Sequence[Body], numbers: Sequence[Counted]) -> int:
    """Whether numeric options count from 0 or 1: from 0 if one is 0 (or none is numeric), from 1 if one is the last option.

    Raises `BadInput` if the numbers decide neither.
    """
    indices = [counted for counted in numbers if counted.number.text is None]
    values = {counted.number.value for counted in indices}
    if not values or 0 in values:
        return 0
    if any(counted.number.value == len(counted.choices.texts) for counted in indices):
        return 1
    body = bodies[indices[0].place]
    name = indices[0].name
    value = indices[0].number.value
    fields = sorted({counted.name for counted in indices})
    ways = [
        "--columns " + ",".join(f"{field_name}={field_name}:{way}" for field_name in fields)
        for way in ("1-based", "0-based")
    ]
    raise BadInput(
        f"{body.file}: {' and '.join(fields)} are numbers from {min(values)} to {max(values)}, never 0, so they may count "
        f"from 1 (line {body.line}: {name} {value} is option {chr(64 + value)}) or from 0 (it is option {chr(65 + value)}). "
        f"Say which: {ways[0]} or {ways[1]}."
    )
