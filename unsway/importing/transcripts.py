"""The required form of a row of transcripts: a reply that someone else sampled, with its question and cue.

In: rows with our field names (`bodies.py`). Out: `Transcript`s, and a `BadRow` for every unusable row. docs/import.md lists
the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import Field, ValidationInfo, field_validator, model_validator

from unsway.errors import BadRow, kind_of
from unsway.importing.bodies import Body
from unsway.importing.words import stop_of
from unsway.models.thoughts import shows
from unsway.prompts.render import MAX_OPTIONS
from unsway.readers.channels import split
from unsway.rows import BadField, ForeignRow, Name, NeededName, TextOrNull, check_rows
from unsway.types import AnyChange, AwayFrom, Side, Stop, Target, Thought, Toward

VERSION = "imported"
"""The version in the names of imported biases and elicitations, and the source if no row names one."""


class Transcript(NamedTuple):
    """One reply that someone else sampled, checked."""

    line: int
    """Its line in the file, from 1."""
    source: str
    """The source of the question."""
    question_id: str
    """The file's name for the question."""
    options: tuple[str, ...]
    """The texts of the options; empty texts if only their number is known."""
    gold: int | None
    """Index of the right option."""
    target: Target | None
    """What following the cue means; None in a clean row that does not say."""
    bias: str
    """Name of the bias; empty in a clean row that belongs to every bias."""
    side: Side
    """Whether the prompt had the cue."""
    model: str
    """The model that replied."""
    reply: str | None
    """Its text; None if there is no reply."""
    sample: int | None
    """Number of the sample, from 0; None if the row has none."""
    prompt: str
    """The text of the prompt; empty if the row has none."""
    stop: Stop
    """Why the reply ended."""
    elicit: str
    """The elicitation; `unknown` if the row does not say."""
    reasoning: str
    """The readable text of the reasoning channel; empty if there is none."""
    thought: Thought
    """How much of the thinking is readable."""
    reasoning_tokens: int | None
    """Tokens of thinking, if the row gives them."""
    reported_model: str
    """The name that the provider reported; empty if the row gives none."""
    asked_on: str
    """The day on which it was asked; empty if the row gives none."""
    variant: str = ""
    """Distinguishes the cues of one question and bias if they have several targets; set by joining.py."""

    def facts(self) -> Iterator[tuple[str, tuple[str, ...], object]]:
        """The row's facts about its question and cue: the field, the subject, and the value. Rows must agree on them."""
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
    """A whole number that a data frame wrote as 1.0, as 1; any other value unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class TranscriptRow(ForeignRow):
    """A row of transcripts. Later fields are checked using earlier ones."""

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
    """The number of options."""
    gold: int | None = Field(description="write null where nobody knows it")
    """The right option."""
    bias: Name = Field("", validate_default=True)
    """Name of the bias."""
    target: Target | None = None
    """What following the cue means."""
    reply: str | None = Field(description="write null where there is none")
    """The text of the reply."""
    source: Name = ""
    """The source of the question."""
    sample: int | None = None
    """Number of the sample."""
    prompt: TextOrNull = ""
    """The text of the prompt."""
    stop: Stop = "end"
    """Why the reply ended."""
    elicit: Name = ""
    """The elicitation."""
    reasoning: TextOrNull = ""
    """The model's thinking, from a separate channel."""
    thought_kind: Thought = "unknown"
    """How much of the thinking is readable, if the row says so."""
    reasoning_tokens: int | None = None
    """Tokens of thinking."""
    reported_model: Name = ""
    """The name that the provider reported."""
    asked_on: Name = ""
    """The day on which it was asked."""

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
        """The number of options, which their texts may also give."""
        if "options" not in info.data:
            return 0  # they are invalid, which is reported first
        n_options = _whole(value)
        texts = info.data["options"]
        if n_options is None and texts is None:
            raise ValueError("is missing, and so is options; give one of them")
        if n_options is not None and (isinstance(n_options, bool) or not isinstance(n_options, int)):
            raise ValueError(f"must be a whole number, is {kind_of(n_options)}")
        count = int(n_options or 0) if texts is None else len(texts)
        if n_options not in (None, count):
            raise ValueError(f"is {n_options}, but there are {count} options")
        if not 2 <= count <= MAX_OPTIONS:
            raise ValueError(f"is {count}; 2 to {MAX_OPTIONS} are allowed")
        return count

    @field_validator("bias", mode="after")
    @classmethod
    def need_bias(cls, value: str, info: ValidationInfo) -> str:
        """The name of the bias, required in a biased row; a clean row may have `none`."""
        if info.data.get("arm") == "biased" and not value.strip():
            raise ValueError("must be a name in a biased row, and is empty")
        return "" if info.data.get("arm") == "clean" and value.lower() in ("none", "clean") else value

    @field_validator("gold", "target", mode="plain")
    @classmethod
    def name_option(cls, value: Any, info: ValidationInfo) -> Any:
        """The option of a letter, which `bodies.py` made from the file's value; after NOT, any option but that."""
        letter = str(value or "").removeprefix("NOT ")
        index = ord(letter) - ord("A") if len(letter) == 1 else -1
        if info.field_name == "gold":
            return None if value is None else index
        if value is None:
            return AnyChange() if info.data.get("arm") == "biased" else None
        return AwayFrom(index) if value != letter else Toward(index)

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
        """Why the reply ended, in our terms."""
        return stop_of(value)

    @model_validator(mode="after")
    def need_target(self) -> TranscriptRow:
        """Require the field in a biased row, even if its value is null."""
        if self.arm == "biased" and "target" not in self.model_fields_set:
            raise BadField("target", "is missing; write null where any change of the answer follows the cue")
        return self

    def transcript(self, line: int) -> Transcript:
        """The row as a value that needs little memory."""
        thought = self.thought_kind
        if thought == "unknown" and self.reply is not None:
            kind_in_reply = split(self.reply).thought_kind
            thought = shows(self.model) if self.reasoning else "hidden" if self.reasoning_tokens else kind_in_reply
            thought = "unknown" if thought == "none" else thought  # it may have been hidden
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
            reasoning=self.reasoning,
            thought=thought,
            reasoning_tokens=self.reasoning_tokens,
            reported_model=self.reported_model,
            asked_on=self.asked_on,
        )


# ---------------------------------------------------------------- the rows of files


def check_bodies(bodies: Sequence[Body]) -> tuple[list[Transcript], tuple[BadRow, ...]]:
    """The usable rows, and what is wrong with the others, on their own or compared with earlier rows."""
    bad: list[BadRow] = []
    transcripts: list[Transcript] = []
    facts: dict[tuple[str, ...], tuple[object, Body]] = {}
    for body in bodies:
        for _, row in check_rows([(body.line, body.row)], TranscriptRow, path=body.file, bad=bad):
            transcript = row.transcript(body.line)
            for field, subject, value in transcript.facts():
                first_value, first_body = facts.setdefault((field, *subject), (value, body))
                if first_value != value:
                    origin = f"line {first_body.line}" + (
                        f" of {first_body.file}" if first_body.file != body.file else ""
                    )
                    problem = f"is not what {origin} says of the same question"
                    bad.append(BadRow(body.file, body.line, field, problem))
                    break
            else:
                transcripts.append(transcript)
    texts = {(row.source, row.question_id): row.options for row in transcripts if any(row.options)}
    return [row._replace(options=texts.get((row.source, row.question_id), row.options)) for row in transcripts], tuple(
        bad
    )
