"""Rows of a question file as drafts of questions.

In: rows as read from the file. Out: a `Draft` or a `BadRow` for each question, and the unused fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from unsway.errors import BadRow, kind_of
from unsway.rows import BadField, ForeignRow, Name, check_rows
from unsway.sources.checks import problem, visible
from unsway.sources.files.counting import Draft
from unsway.sources.files.golds import Number, gold_of
from unsway.sources.files.layouts import NONE, Found, NamedColumns, find, plain
from unsway.sources.files.options import Choices, choices_of, is_missing, of_columns, split_lettered
from unsway.types import Question

OWN_FIELDS = ("id", "source", "split", "keep_order")
"""Fields of our own layout, besides the question, its options and its answer."""
WRAPPERS = ("doc", "row", "instance", "base")
"""Keys under which other harnesses store the set's own row: lm-evaluation-harness, the hub's API, HELM, sycophancy-eval."""
IMPLIED: tuple[tuple[str, ...], ...] = (("yes", "no"), ("yes", "no", "maybe"), ("true", "false"))
"""Options of rows without any, inferred from the answers: BoolQ and StrategyQA, PubMedQA, true/false statements."""


class OwnFields(ForeignRow):
    """A row's fields about itself, besides the question."""

    id: Name = ""
    """The file's own id of the question."""
    source: Name = ""
    """Its origin; empty if the row does not say."""
    split: Name = ""
    """Its split; empty if the row does not say."""
    keep_order: bool | str | None = None
    """Whether the options must keep their order; a table has it as text."""


def drafts_of(
    path: Path, bodies: Iterable[tuple[int, Any]], columns: NamedColumns
) -> tuple[list[Draft | BadRow], tuple[str, ...]]:
    """A draft of every question in a file, or a `BadRow`; and the fields that no draft uses.

    Raises `BadInput` if `columns` names a missing column.
    """
    rows = [(line, row) for line, body in bodies for row in unwrapped(body)]
    names = tuple(dict.fromkeys(name for _, row in rows if isinstance(row, dict) for name in row))
    answers = {
        {True: "yes", False: "no"}[row[name]] if isinstance(row[name], bool) else str(row[name]).strip().casefold()
        for _, row in rows
        if isinstance(row, dict)
        for name in row
        if plain(name) in ("answer", "finaldecision", "label", "target", "gold") and not is_missing(row[name])
    }
    if any(plain(name) == "finaldecision" for name in names):
        answers.add("maybe")  # PubMedQA has three answers
    implied = next((options for options in IMPLIED if answers and answers <= set(options)), ())
    results: list[Draft | BadRow] = []
    bad: list[BadRow] = []
    for line, row in rows:
        own_fields = [fields for _, fields in check_rows([(line, row)], OwnFields, path=path, bad=bad)]
        try:
            results.append(_draft(path, line, row, own_fields[0], columns, names, implied) if own_fields else bad[-1])
        except BadField as error:
            results.append(BadRow(path, line, error.field, error.problem))
    used = {field for result in results if isinstance(result, Draft) for field in result.fields}
    unused = tuple(name for name in names if name not in used and name not in OWN_FIELDS) if used else ()
    return results, unused


def _draft(
    path: Path,
    line: int,
    row: Mapping[str, Any],
    own: OwnFields,
    columns: NamedColumns,
    names: tuple[str, ...],
    implied: tuple[str, ...],
) -> Draft:
    """The question of a row. Raises `BadField`, with the file's name of the field."""
    fields = fields_of(tuple(row), columns, names)
    if not fields.question:
        raise BadField("stem", _missing_message("", row, fields, "question"))
    parts = [_text(row[name], name) for name in fields.question]
    question_text = parts[0] if len(parts) == 1 else " ".join(part.strip() for part in parts).strip()
    stem, choices, keeps_order = _options_of(row, fields, fields.words.get(question_text, question_text), implied)
    advice = "; leave it out with --columns passage=none"
    passages = {name: row[name] for name in fields.passage if not is_missing(row[name])}
    if passage := dict.fromkeys(_text(value, name, advice).strip() for name, value in passages.items()):
        stem = "\n\n".join([*passage, stem.strip()])
    defect = problem(Question(stem, choices.texts, None, "", "", id="unchecked"))
    if defect:
        culprit = (
            fields.question[0] if defect.field == "stem" else "options" if fields.is_columns else fields.options[:1]
        )
        raise BadField(culprit if isinstance(culprit, str) else (culprit or ("options",))[0], defect.text)
    no_answer = dict(columns.named).get("answer") == NONE
    if not fields.answer and choices.right is None and not no_answer:
        raise BadField("gold", _missing_message("; write null where nobody knows it", row, fields, "answer"))
    answers: list[tuple[str, int | Number | None]] = []
    for field in fields.answer:
        try:
            answer_text = plain(str(row[field]))  # option_b may name a column; B names an option
            indexes = [
                index
                for index, name in enumerate(fields.options)
                if plain(name) == answer_text and len(answer_text) > 1
            ]
            is_column = fields.is_columns and len(indexes) == 1 and row[field] not in choices.texts
            right = indexes[0] if is_column else gold_of(row[field], choices, fields.answer_as)
            if isinstance(right, Number) and fields.answer_as:
                right = right._replace(text=None)  # the caller says that numbers count
            answers.append((field, right))
        except ValueError as error:
            if field == fields.answer[0]:
                raise BadField(field, str(error).replace("NAME", field)) from None
    if choices.right is not None:
        answers.append((fields.options[0], choices.right))
    keep_order = own.keep_order.strip().lower() if isinstance(own.keep_order, str) else own.keep_order
    if keep_order not in (None, "", "true", "false", True, False):
        raise BadField("keep_order", f"must be true or false, is {kind_of(own.keep_order)}")
    return Draft(
        path=path,
        line=line,
        stem=stem,
        choices=choices,
        answers=tuple(answers),
        counts_from={"0-based": 0, "1-based": 1}.get(fields.answer_as, fields.counts_from),  # type: ignore[arg-type]
        keep_order=keep_order in (True, "true") or keeps_order or choices.is_lettered,
        fields=(*fields.question, *fields.passage, *fields.options, *fields.answer),
        id=str(columns.id_of(row, names) or "") if any(role == "id" for role, _ in columns.named) else own.id,
        source=own.source,
        split=own.split,
    )


@lru_cache(maxsize=256)
def fields_of(row: tuple[str, ...], columns: NamedColumns, names: tuple[str, ...]) -> Found:
    """The fields of a row with these names, as far as the file has them. Raises `BadField` and `BadInput`."""
    fields = columns.over(Found() if columns.without_header else find(row), names)
    row_names = set(row)
    return fields._replace(
        question=tuple(name for name in fields.question if name in row_names),
        passage=tuple(name for name in fields.passage if name in row_names),
        options=tuple(name for name in fields.options if name in row_names),
        answer=tuple(name for name in fields.answer if name in row_names),
    )


def unwrapped(body: Any) -> Iterator[Any]:
    """The rows inside a row: the row itself, the one wrapped by a harness, or one for each question about a passage."""
    if not isinstance(body, dict):
        yield body
        return
    inner = next((body[key] for key in WRAPPERS if isinstance(body.get(key), dict)), None)
    if inner is not None and "question" not in body:
        yield from unwrapped(inner)
        return
    for key in ("question", "input"):  # the ARC family in its authors' files; HELM
        if isinstance(body.get(key), dict):
            inner_fields = {key: body[key]["text"]} if "text" in body[key] and "stem" not in body[key] else body[key]
            body = {name: value for name, value in body.items() if name != key} | inner_fields
    questions = body.get("questions")
    if not isinstance(questions, list) or "question" in body:
        yield body
        return
    shared = {name: value for name, value in body.items() if not isinstance(value, list)}  # QuALITY, RACE
    for number, question in enumerate(questions, 1):
        own_id = {"id": f"{shared['id']}-{number}"} if "id" in shared else {}
        if not isinstance(question, dict):
            values = {"options": body.get("options"), "answer": body.get("answers")}
            lists = {
                name: value[number - 1]
                for name, value in values.items()
                if isinstance(value, list) and len(value) == len(questions)
            }
            question = {"question": question} | lists
        yield from unwrapped(shared | own_id | question)


def _text(value: object, name: str, advice: str = "") -> str:
    """The text of a field: a text, a list of texts (PubMedQA), or a chat of one turn (Inspect)."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0].get("content")
    if isinstance(value, dict):
        value = value.get("contexts", value.get("text"))
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = "\n".join(value)
    if not isinstance(value, str):
        raise BadField(name, f"must be text, is {kind_of(value)}{advice}")
    return value


def _options_of(
    row: Mapping[str, Any], fields: Found, question_text: str, implied: tuple[str, ...]
) -> tuple[str, Choices, bool]:
    """The question without options listed in its text, the options, and whether they must keep their order."""
    stem_and_choices = split_lettered(question_text)
    values = [row[name] for name in fields.options]
    try:
        if fields.is_columns and fields.answer_as == "text" and fields.options[0] == fields.answer[0]:
            rest: list[object] = []
            for name, value in zip(fields.options[1:], values[1:], strict=True):
                parts = re.split(r";\s+", value) if isinstance(value, str) and plain(name)[-1] == "s" else value
                rest += parts if isinstance(parts, list) else [parts]
            choices = choices_of([values[0], *(option for option in rest if not is_missing(option))])
        elif fields.is_columns:
            choices = of_columns(values, fields.options)
        elif values and not is_missing(values[0]):
            choices = choices_of(values[0])
        elif stem_and_choices:
            return stem_and_choices[0], stem_and_choices[1], False
        elif implied or isinstance(row.get(fields.answer[0]) if fields.answer else None, bool):
            return question_text, Choices(tuple(option.capitalize() for option in implied or ("yes", "no"))), False
        else:
            raise BadField("options", _missing_message("", row, fields, "options"))
    except BadField:
        raise
    except ValueError as error:
        raise BadField("options" if fields.is_columns else fields.options[0], str(error)) from None
    if not stem_and_choices:
        return question_text, choices, False
    texts = {visible(str(text)).casefold().rstrip(".") for text in choices.texts}
    if texts == {visible(text).casefold().rstrip(".") for text in stem_and_choices[1].texts}:
        return stem_and_choices[0], choices, False
    if len(stem_and_choices[1].texts) == len(texts) and all(len(text) == 1 for text in texts) and choices.is_lettered:
        return stem_and_choices[0], stem_and_choices[1], False
    return question_text, choices, True


def _missing_message(advice: str, row: Mapping[str, Any], fields: Found, role: str) -> str:
    """The message for a missing field: what the row has, and how to name the right field."""
    fields_by_role = {"question": fields.question, "options": fields.options, "answer": fields.answer}
    free_fields = [
        name
        for name in row
        if name not in OWN_FIELDS and not any(name in role_fields for role_fields in fields_by_role.values())
    ]
    guess = {"question": free_fields[:1], "options": free_fields[1:-1], "answer": free_fields[-1:]}
    parts = []
    for other_role, role_fields in fields_by_role.items():
        names = list(role_fields[:1] if other_role == "answer" else role_fields) or guess[other_role] or ["…"]
        parts.append(f"{other_role}={'..'.join([names[0], names[-1]]) if len(names) > 1 else names[0]}")
    row_names = ", ".join(row)[:200].encode("utf-8", "replace").decode() or "nothing"
    example = f"--columns {','.join(parts)}"
    return f"is missing{advice}. The row has: {row_names}. Say which field is the {role}, for example: {example}"


def check_header(path: Path, names: Sequence[str], bodies: Sequence[tuple[int, Any]], columns: NamedColumns) -> None:
    """Raise `BadRow` if a table's first line is not its column names but a title, a question, or something else."""
    if columns.named or not names or any((fields := find([name])).question or fields.answer for name in names):
        return
    for line, row in bodies[:10]:
        cells = list(row.values()) if isinstance(row, dict) else []
        if any(find([cell]).question for cell in cells) and any(find([cell]).answer for cell in cells):
            message = f"stands in line {line}, after {', '.join(names)[:60]!r}. Remove the lines before it"
            raise BadRow(path, 1, "header", message)
    is_question = any(len(name) > 40 or name.rstrip().endswith(("?", "？")) for name in names)
    if is_question or not bodies or re.fullmatch(r"\(?[A-Ea-e0-9]\)?", names[-1]):
        raise BadRow(
            path,
            1,
            "header",
            f"is missing: the first line reads {', '.join(names)[:120]!r}. Write the names of the columns before it "
            "(question,A,B,C,D,answer), or number them: "
            f"--columns question=1,options=2..{len(names) - 1},answer={len(names)}",
        )
