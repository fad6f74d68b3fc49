"""What a row of transcripts must be: a reply that somebody else sampled, with the question and cue that it answers.

In: JSONL (or `.gz`), or an Inspect `.eval` log whose samples carry the fields as metadata. Out: `Transcript`s, and a `BadRow`
for every row that cannot be used. docs/import.md has the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from unsway.errors import BadInput, BadRow, kind_of
from unsway.prompts.render import MAX_OPTIONS
from unsway.rows import BadField, ForeignRow, Name, NeededName, TextOrNull, check_rows, read_rows
from unsway.types import AnyChange, AwayFrom, Stop, Target, Toward

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

Side: TypeAlias = Literal["clean", "biased"]
VERSION = "imported"
"""Stands for the version in the names of imported biases and elicitations, and for a source that no row names."""
LONGEST_ROW = 10_000_000
"""Longest row, in characters: a prompt and a reply of a million tokens each."""
STOPS: Mapping[str, Stop] = {
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


class Transcript(NamedTuple):
    """One reply that somebody else sampled, checked."""

    line: int
    """Where it stands in its file, counted from 1."""
    source: str
    """Where the question comes from."""
    question_id: str
    """The file's name for the question."""
    options: tuple[str, ...]
    """The texts of the options; empty texts where only their number is known."""
    gold: int | None
    """Index of the right option."""
    target: Target | None
    """What follows the cue; None in a clean row that does not say."""
    bias: str
    """Name of the bias; empty in a clean row that stands for every bias."""
    side: Side
    """Whether the prompt had the cue."""
    model: str
    """The model that replied."""
    reply: str | None
    """What it said; None where there is no reply."""
    sample: int | None
    """Number of the sample, from 0; None where the row has none."""
    prompt: str
    """The text of the prompt; empty where the row has none."""
    stop: Stop
    """Why the reply ended."""
    elicit: str
    """How the question was put; `unknown` where the row does not say."""
    variant: str = ""
    """Tells the cues of one question and bias apart where they have several targets; filled in by joining.py."""

    def facts(self) -> Iterator[tuple[str, tuple[str, ...], object]]:
        """What the row says of its question and cue: the field, what it is said of, and the value. Rows must agree."""
        question = (self.source, self.question_id)
        yield "gold", question, self.gold
        yield "n_options", question, len(self.options)
        if any(self.options):
            yield "options", question, self.options
        if self.target is not None and self.bias:
            yield "target", (*question, self.bias, self.model, str(self.sample)), self.target
        if self.sample is not None:
            yield "reply", (*question, self.bias, self.side, self.model, str(self.sample)), self.reply


# ---------------------------------------------------------------- the fields of a row


def _whole(value: Any) -> Any:
    """A whole number that a data frame wrote as 1.0, as 1; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _option(value: Any, n_options: int) -> int:
    """The index of an option from its letter or index."""
    index = -1
    if isinstance(value, str):
        text = value.strip().strip("().").upper()
        if text.isdigit() and text.isascii() and len(text) < 3:
            index = int(text)
        elif len(text) == 1 and text in ascii_uppercase:
            index = ascii_uppercase.index(text)
    elif isinstance(value, int) and not isinstance(value, bool):
        index = value
    if not 0 <= index < n_options:
        last = ascii_uppercase[n_options - 1]
        raise ValueError(f"is {str(value)[:60]!r}; allowed: A to {last}, or 0 to {n_options - 1}")
    return index


class TranscriptRow(ForeignRow):
    """A row of transcripts. Later fields are checked with the help of earlier ones."""

    REPLACES_HALVES: ClassVar[bool] = True
    question_id: NeededName
    """Name of the question, the same on both sides."""
    model: NeededName
    """The model that replied."""
    arm: Side
    """Whether the prompt had the cue."""
    options: tuple[str, ...] | None = None
    """The texts of the options."""
    n_options: int = Field(None, validate_default=True)
    """How many options there are."""
    gold: int | None = Field(description="write null where nobody knows it")
    """The right option."""
    bias: Name = Field("", validate_default=True)
    """Name of the bias."""
    target: Target | None = None
    """What follows the cue."""
    reply: str | None = Field(description="write null where there is none")
    """What the model said."""
    source: Name = ""
    """Where the question comes from."""
    sample: int | None = None
    """Number of the sample."""
    prompt: TextOrNull = ""
    """The text of the prompt."""
    stop: Stop = "end"
    """Why the reply ended."""
    elicit: Name = ""
    """How the question was put."""

    @field_validator("options", mode="plain")
    @classmethod
    def check_options(cls, value: Any) -> tuple[str, ...] | None:
        """The texts of the options, or null."""
        if value is not None and (not isinstance(value, list) or not all(isinstance(text, str) for text in value)):
            raise ValueError(f"must be a list of texts, is {kind_of(value)}")
        return None if value is None else tuple(value)

    @field_validator("n_options", mode="plain")
    @classmethod
    def count_options(cls, value: Any, info: ValidationInfo) -> int:
        """The number of options, which their texts may give as well."""
        if "options" not in info.data:
            return 0  # they are bad, which is said first
        given, texts = _whole(value), info.data["options"]
        if given is None and texts is None:
            raise ValueError("is missing, and so is options; give one of them")
        if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
            raise ValueError(f"must be a whole number, is {kind_of(given)}")
        count = int(given or 0) if texts is None else len(texts)
        if given not in (None, count):
            raise ValueError(f"is {given}, but there are {count} options")
        if not 2 <= count <= MAX_OPTIONS:
            raise ValueError(f"is {count}; 2 to {MAX_OPTIONS} are allowed")
        return count

    @field_validator("gold", mode="plain")
    @classmethod
    def find_gold(cls, value: Any, info: ValidationInfo) -> int | None:
        """The index of the right option from its letter or index."""
        n = info.data.get("n_options", 0)
        return None if value is None or not n else _option(_whole(value), n)

    @field_validator("bias", mode="after")
    @classmethod
    def need_bias(cls, value: str, info: ValidationInfo) -> str:
        """The name of the bias, which a biased row must have; a clean row may say `none`."""
        if info.data.get("arm") == "biased" and not value.strip():
            raise ValueError("must be a name in a biased row, and is empty")
        return "" if info.data.get("arm") == "clean" and value.lower() in ("none", "clean") else value

    @field_validator("target", mode="plain")
    @classmethod
    def find_target(cls, value: Any, info: ValidationInfo) -> Target | None:
        """A letter or index; `NOT X` means any option but X, null any change of the answer."""
        n, value = info.data.get("n_options", 0), _whole(value)
        if value is None or not n:
            return AnyChange() if info.data.get("arm") == "biased" else None
        if isinstance(value, str) and value.strip().upper().startswith("NOT "):
            return AwayFrom(_option(value.strip()[4:], n))
        return Toward(_option(value, n))

    @field_validator("sample", mode="plain")
    @classmethod
    def check_sample(cls, value: Any) -> int | None:
        """The number of the sample, or null."""
        value = _whole(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ValueError(f"must be a whole number from 0, is {kind_of(value)}")
        return value

    @field_validator("stop", mode="plain")
    @classmethod
    def map_stop(cls, value: Any) -> Stop:
        """Why the reply ended, in our words."""
        if value is not None and (not isinstance(value, str) or value not in STOPS):
            raise ValueError(f"is {str(value)[:60]!r}; allowed: {', '.join(STOPS)}")
        return STOPS[value or "end"]

    @model_validator(mode="after")
    def need_target(self) -> TranscriptRow:
        """A biased row says what follows its cue, even where that is null."""
        if self.arm == "biased" and "target" not in self.model_fields_set:
            raise BadField("target", "is missing; write null where any change of the answer follows the cue")
        return self

    def transcript(self, line: int) -> Transcript:
        """The row as a value that takes little memory."""
        return Transcript(
            line=line,
            source=self.source or VERSION,
            question_id=self.question_id,
            options=("",) * self.n_options if self.options is None else self.options,
            gold=self.gold,
            target=self.target,
            bias=self.bias,
            side=self.arm,
            model=self.model,
            reply=self.reply,
            sample=self.sample,
            prompt=self.prompt,
            stop=self.stop,
            elicit=self.elicit or "unknown",
        )


# ---------------------------------------------------------------- the rows of a file


def read_log(file: Path) -> EvalLog:
    """An Inspect log with its samples. Raises `BadInput` where it cannot be read."""
    from inspect_ai.log import read_eval_log

    try:
        return read_eval_log(str(file))
    except Exception as error:  # whatever a damaged archive makes Inspect raise
        raise BadInput(f"Cannot read the log {file}: {type(error).__name__}: {error}.") from error


def read_transcripts(file: Path, log: EvalLog | None = None) -> tuple[list[Transcript], tuple[BadRow, ...]]:
    """The rows that can be used, and what is wrong with the others, in themselves or next to earlier rows.

    Args:
        file: The file.
        log: What it holds, where it is an Inspect log; the metadata of its samples hold the fields that the log lacks.

    Raises:
        BadInput: The file cannot be read.
    """
    bad: list[BadRow] = []
    if log is None:
        rows = read_rows(file, TranscriptRow, longest=LONGEST_ROW, bad=bad)
    else:
        rows = check_rows(rows_of_log(log), TranscriptRow, path=file, bad=bad)
    found: list[Transcript] = []
    facts: dict[tuple[str, ...], tuple[object, int]] = {}
    for line, row in rows:
        transcript = row.transcript(line)
        for field, about, value in transcript.facts():
            known, earlier = facts.setdefault((field, *about), (value, line))
            if known != value:
                bad.append(BadRow(file, line, field, f"is not what line {earlier} says of the same question"))
                break
        else:
            found.append(transcript)
    return found, tuple(bad)


def rows_of_log(log: EvalLog) -> Iterator[tuple[int, dict[str, Any]]]:
    """The samples of an Inspect log as rows, numbered from 1."""
    for number, sample in enumerate(log.samples or (), 1):
        body = {"model": log.eval.model, "sample": sample.epoch - 1, **(sample.metadata or {}), "reply": None}
        if sample.error is None and sample.output.choices:
            body |= {"reply": sample.output.completion, "stop": sample.output.stop_reason}
        yield number, body
