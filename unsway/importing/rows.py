"""The rows of a file of transcripts, one by one: what they must hold, and what is wrong with those that do not.

In: JSONL (or `.gz`) or an Inspect `.eval` log. Out: `Row`s and `BadRow`s; nothing is built here (see importing.py).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from unsway.errors import BadInput, BadRow
from unsway.prompts.render import MAX_OPTIONS
from unsway.store import open_text
from unsway.types import AnyChange, AwayFrom, Stop, Target, Toward

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

Side: TypeAlias = Literal["clean", "biased"]
VERSION = "imported"
"""Stands for a version in the names of biases and elicitations that were imported."""
MAX_LINE = 10_000_000
"""Longest row, in characters."""
MAX_NAME = 300
"""Longest name of a question, bias, model or source, in characters."""
_STOPS: Mapping[str, Stop] = {
    "end": "end",
    "stop": "end",
    "eos": "end",
    "end_turn": "end",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "filter",
    "filter": "filter",
    "unknown": "unknown",
}
"""Why a reply ended, in the words of common APIs."""


class Row(NamedTuple):
    """One row, checked."""

    line: int
    source: str
    question_id: str
    options: tuple[str, ...]
    """Texts; empty where only their number is known."""
    gold: int | None
    target: Target | None
    """None in a clean row that says none."""
    bias: str
    """Empty in a clean row that stands for every bias."""
    arm: Side
    model: str
    reply: str | None
    sample: int | None
    prompt: str
    stop: Stop
    elicit: str
    variant: str = ""
    """What tells cues of one question and bias apart, where they have several targets; found later, see joining.py."""


# ---------------------------------------------------------------- rows of a file


def _json_rows(file: Path) -> Iterator[tuple[int, Any]]:
    """Line and what it holds; text that is no JSON as it is."""
    try:
        with open_text(file) as lines:
            for line, raw in enumerate(lines, 1):
                text = raw.removeprefix("\ufeff") if line == 1 else raw
                if not text.strip():
                    continue
                try:
                    yield line, json.loads(text) if len(text) <= MAX_LINE else f"{len(text)} characters"
                except (ValueError, RecursionError):
                    yield line, text
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"Cannot read {file}: {error}. It must be JSONL in UTF-8, packed with gzip or not.") from error


def read_log(file: Path) -> EvalLog:
    """An Inspect log with its samples. Raises `BadInput` where it cannot be read."""
    from inspect_ai.log import read_eval_log

    try:
        return read_eval_log(str(file))
    except Exception as error:  # whatever a damaged archive makes Inspect raise
        raise BadInput(f"Cannot read the log {file}: {type(error).__name__}: {error}.") from error


def _eval_rows(log: EvalLog) -> Iterator[tuple[int, Any]]:
    """The samples of an Inspect log, numbered from 1; their metadata hold the fields."""
    for number, sample in enumerate(log.samples or (), 1):
        body = {"model": log.eval.model, "sample": sample.epoch - 1, **(sample.metadata or {})}
        if sample.error is None and sample.output.choices:
            body |= {"reply": sample.output.completion, "stop": sample.output.stop_reason}
        else:
            body |= {"reply": None}
        yield number, body


def rows_of(file: Path, log: EvalLog | None = None) -> tuple[list[Row], tuple[BadRow, ...]]:
    """Rows that can be used, and what is wrong with the others: by themselves, or beside earlier rows.

    Args:
        file: Where they are.
        log: What it holds, where it is an Inspect log.

    Raises:
        BadInput: The file cannot be read.
    """
    return _checked(file, _json_rows(file) if log is None else _eval_rows(log))


def _checked(file: Path, raw: Iterable[tuple[int, Any]]) -> tuple[list[Row], tuple[BadRow, ...]]:
    rows: list[Row] = []
    bad: list[BadRow] = []
    seen = _Seen(file)
    for line, body in raw:
        try:
            row = _row(file, line, body)
            seen.check(row)
            rows.append(row)
        except BadRow as error:
            bad.append(error)
    return rows, tuple(bad)


class _Seen:
    """What rows of one question, or of one question and bias, must agree on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._facts: dict[tuple[str, ...], tuple[object, int]] = {}

    def check(self, row: Row) -> None:
        """Raise `BadRow` where a row contradicts an earlier one."""
        question = (row.source, row.question_id)
        self._agree(row, "gold", question, row.gold)
        self._agree(row, "n_options", question, len(row.options))
        if any(row.options):
            self._agree(row, "options", question, row.options)
        if row.target is not None and row.bias:
            self._agree(row, "target", (*question, row.bias, row.model, str(row.sample)), row.target)
        if row.sample is not None:
            place = (*question, row.bias, row.arm, row.model, str(row.sample))
            self._agree(row, "reply", place, row.reply)

    def _agree(self, row: Row, name: str, key: tuple[str, ...], value: object) -> None:
        known, line = self._facts.setdefault((name, *key), (value, row.line))
        if known != value:
            raise BadRow(self._file, row.line, name, f"is not what line {line} says of the same question")


def _row(file: Path, line: int, body: Any) -> Row:
    """One row. Raises `BadRow`."""
    if not isinstance(body, dict):
        raise BadRow(file, line, "row", f"must be a JSON object, is {str(body)[:80]!r}")
    fields = _Fields(file, line, body)
    options = fields.options()
    arm = fields.one_of("arm", ("clean", "biased"))
    bias = fields.name("bias", needed=arm == "biased")
    target = fields.target(len(options), needed=arm == "biased")
    if target is None and arm == "biased":
        target = AnyChange()
    return Row(
        line=line,
        source=fields.name("source", needed=False) or VERSION,
        question_id=fields.name("question_id", needed=True),
        options=options,
        gold=fields.gold(len(options)),
        target=target,
        bias="" if arm == "clean" and bias.lower() in ("", "none", "clean") else bias,
        arm=arm,
        model=fields.name("model", needed=True),
        reply=fields.reply(),
        sample=fields.sample(),
        prompt=fields.text("prompt"),
        stop=_STOPS[fields.one_of("stop", tuple(_STOPS), "end")],
        elicit=fields.name("elicit", needed=False) or "unknown",
    )


class _Fields:
    """The fields of one row, each checked as it is taken."""

    def __init__(self, file: Path, line: int, body: Mapping[str, Any]) -> None:
        self.file, self.line, self.body = file, line, body

    def bad(self, name: str, problem: str) -> BadRow:
        return BadRow(self.file, self.line, name, problem)

    def name(self, name: str, *, needed: bool) -> str:
        """A short name; a whole number stands for itself."""
        value = self.body.get(name)
        if value is None and not needed:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int) or (needed and not str(value).strip()):
            raise self.bad(name, "is missing" if name not in self.body else f"must be a name, is {str(value)[:60]!r}")
        text = str(value)
        if len(text) > MAX_NAME or not text.isprintable():
            raise self.bad(name, f"must be at most {MAX_NAME} printable characters")
        return text

    def text(self, name: str) -> str:
        value = self.body.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.bad(name, f"must be text, is {str(value)[:60]!r}")
        return _valid(value)

    def one_of(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> Any:
        value = self.body.get(name, default)
        value = default if value is None else value
        if value not in allowed:
            raise self.bad(name, f"is {str(value)[:60]!r}; allowed: {', '.join(allowed)}")
        return value

    def options(self) -> tuple[str, ...]:
        """Texts of the options; empty ones where only their number is given."""
        texts, n = self.body.get("options"), _whole(self.body.get("n_options"))
        if texts is None and n is None:
            raise self.bad("n_options", "is missing, and so is options; give one of them")
        if texts is not None and (not isinstance(texts, list) or not all(isinstance(text, str) for text in texts)):
            raise self.bad("options", "must be a list of texts")
        if n is not None and (isinstance(n, bool) or not isinstance(n, int)):
            raise self.bad("n_options", f"must be a whole number, is {str(n)[:60]!r}")
        count = len(texts) if texts is not None else int(n or 0)
        if n is not None and n != count:
            raise self.bad("n_options", f"is {n}, but there are {count} options")
        if not 2 <= count <= MAX_OPTIONS:
            raise self.bad("n_options", f"is {count}; 2 to {MAX_OPTIONS} are allowed")
        return tuple(_valid(text) for text in texts) if texts is not None else ("",) * count

    def gold(self, n: int) -> int | None:
        """The right option, by letter or index; None for null."""
        if "gold" not in self.body:
            raise self.bad("gold", "is missing; write null where nobody knows it")
        value = _whole(self.body["gold"])
        return None if value is None else self._place("gold", value, n)

    def _place(self, name: str, value: Any, n: int) -> int:
        place = -1
        if isinstance(value, str):
            text = value.strip().strip("().").upper()
            if text.isdigit() and text.isascii():
                place = int(text) if len(text) < 3 else -1
            elif len(text) == 1 and text in ascii_uppercase:
                place = ascii_uppercase.index(text)
        elif isinstance(value, int) and not isinstance(value, bool):
            place = value
        if not 0 <= place < n:
            last = ascii_uppercase[n - 1]
            raise self.bad(name, f"is {str(value)[:60]!r}; allowed: A to {last}, or 0 to {n - 1}")
        return place

    def target(self, n: int, *, needed: bool) -> Target | None:
        """What follows the cue; None for null."""
        if needed and "target" not in self.body:
            raise self.bad("target", "is missing; write null where any change of the answer follows the cue")
        value = _whole(self.body.get("target"))
        if value is None:
            return None
        if isinstance(value, str) and value.strip().upper().startswith("NOT "):
            return AwayFrom(self._place("target", value.strip()[4:], n))
        return Toward(self._place("target", value, n))

    def reply(self) -> str | None:
        """The reply; None for null, which is a missing one."""
        if "reply" not in self.body:
            raise self.bad("reply", "is missing; write null where there is none")
        value = self.body["reply"]
        if value is not None and not isinstance(value, str):
            raise self.bad("reply", f"must be text or null, is {str(value)[:60]!r}")
        return None if value is None else _valid(value)

    def sample(self) -> int | None:
        value = _whole(self.body.get("sample"))
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise self.bad("sample", f"must be a whole number from 0, is {str(value)[:60]!r}")
        return value


def _whole(value: Any) -> Any:
    """A whole number that a data frame wrote as 1.0, as 1; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _valid(text: str) -> str:
    """Text that can be kept: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
