"""Labels that others made, people or a model, imported from JSONL and exported to it.

In: a file with a labelled reply a row. Out: items and labels in a folder. The fields of a row:

    labeller      who labelled it; required
    reply         the text that was labelled; required
    coherence     1 to 5, or null
    mentions_cue  true, false or null
    prompt        text of the prompt with its cue, or a list of {"role", "parts": [{"kind", "text"}]} as in exports
    cue           text of the cue where the prompt is a text: it is marked wherever it stands in the prompt
    answer, question_id, bias, arm, model, weights, sample, turns, reasoning, rubric, at, note   optional

Rows of the human labels released with arXiv 2403.05518 (score, biased_prompt, clean_question …) are read as they are.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from unsway.disk import write_text
from unsway.errors import BadInput, kind_of
from unsway.judging.items import LabelItem
from unsway.judging.label_store import Label, LabelStore
from unsway.rows import ForeignRow, Name, TextOrNull, read_rows
from unsway.seeds import content_id
from unsway.store import dumps, loads
from unsway.types import Part, Prompt, Role, Turn, is_encrypted

PUBLISHED = "arXiv 2403.05518"
"""The labeller and the rubric of the released labels, whose labellers have no names."""


class ImportedLabels(NamedTuple):
    """What a file brought."""

    rows: int
    """Rows of the file."""
    items: int
    """Items that were not there before."""
    labels: int
    """Labels that were not there before, or were different."""


def import_labels(path: str | Path, folder: str | Path) -> ImportedLabels:
    """Add the replies and labels of a file to those of a folder. All rows are read before anything is kept.

    Raises:
        BadInput: The file cannot be read or is empty.
        BadRow: A row does not fit the schema; file, line and field are named.
    """
    found: list[tuple[LabelItem, Label]] = []
    times: dict[str, int] = {}
    for _, row in read_rows(path, PublishedLabelRow, LabelRow):
        item = row.item()
        again = times[item.id] = times.get(item.id, -1) + 1
        if again and isinstance(
            row, PublishedLabelRow
        ):  # equal replies of two models, which these rows do not tell apart
            item = replace(item, sample=again, id="")
        found.append((item, row.label(item.id)))
    if not found:
        raise BadInput(f"{path} has no rows.")
    store = LabelStore(folder)
    before, known = len(store.items()), {(label.item, label.labeller): label for label in store.labels()}
    after = store.add_items(item for item, _ in found)
    new = [label for _, label in found if known.get((label.item, label.labeller)) != label]
    for label in new:
        store.add(label)
    return ImportedLabels(len(found), len(after) - before, len(new))


def export_labels(folder: str | Path, path: str | Path) -> Path:
    """Write every label with the reply it is about, in the schema that `import_labels` reads."""
    store = LabelStore(folder)
    items = {item.id: item for item in store.items()}
    rows = (label_row(items[label.item], label) for label in store.labels() if label.item in items)
    return write_text(path, "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows))


def label_row(item: LabelItem, label: Label, *, blind: bool = False) -> dict[str, Any]:
    """A row of the schema; a blind one does not say who wrote the reply."""
    body: dict[str, Any] = json.loads(dumps(item))
    body["prompt"] = body["prompt"]["turns"]
    for name in ("id", *(("arm", "model", "weights") if blind else ())):
        del body[name]
    return body | asdict(label)


# ---------------------------------------------------------------- the schema


class LabelLayout(ForeignRow):
    """A row that holds one label of one reply."""

    @abstractmethod
    def item(self) -> LabelItem:
        """The reply that was labelled."""

    @abstractmethod
    def label(self, item: str) -> Label:
        """What was said of it."""


class LabelRow(LabelLayout):
    """A row as `export_labels` writes it; `LabelItem` and `Label` say what the fields are."""

    labeller: str
    reply: str
    coherence: int | None = None
    mentions_cue: bool | None = None
    cue: TextOrNull = ""
    """The text of the cue, where the prompt is a text."""
    prompt: Prompt = Field("", validate_default=True)
    """The prompt with its cue: a text, or a list of turns."""
    question_id: Name = ""
    turns: list[str] = Field(default_factory=list)
    sample: int = 0
    reasoning: TextOrNull = ""
    answer: TextOrNull = ""
    bias: TextOrNull = ""
    arm: TextOrNull = ""
    model: TextOrNull = ""
    weights: TextOrNull = ""
    rubric: TextOrNull = ""
    at: TextOrNull = ""
    note: TextOrNull = ""

    @model_validator(mode="before")
    @classmethod
    def name_question(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Name the question after its prompt where the row has no name for it."""
        return row | {"question_id": row.get("question_id") or content_id("labelled", row.get("prompt", ""))}

    @field_validator("prompt", mode="plain")
    @classmethod
    def read_prompt(cls, value: Any, info: ValidationInfo) -> Prompt:
        """A list of turns, or a text that becomes a turn of the user in which the cue is marked."""
        if isinstance(value, list):
            return loads(Prompt, json.dumps({"turns": value}), strict=True)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"must be text or a list of turns, is {kind_of(value)}")
        cue, text = info.data.get("cue"), value or ""
        first, *rest = text.split(cue) if cue else [text]
        parts = [Part("stem", first)]
        for each in rest:
            parts += [Part("cue", str(cue)), Part("stem", each)]
        return Prompt((Turn("user", tuple(part for part in parts if part.text)),))

    @model_validator(mode="after")
    def check_label(self) -> Self:
        """The row's label must be one that a labeller could give."""
        self.label("")
        return self

    def item(self) -> LabelItem:
        """The reply that was labelled."""
        same = ("reply", "reasoning", "answer", "question_id", "bias", "arm", "model", "weights", "sample")
        item = LabelItem(self.prompt, tuple(self.turns), **{name: getattr(self, name) for name in same})
        return replace(item, reasoning="", id="") if is_encrypted(item.reasoning) else item

    def label(self, item: str) -> Label:
        """What was said of it."""
        same = ("labeller", "coherence", "mentions_cue", "rubric", "at", "note")
        return Label(item, **{name: getattr(self, name) for name in same})


# ---------------------------------------------------------------- the labels released with the paper

_SPEAKERS: Mapping[str, Role] = {"Human": "user", "Assistant": "assistant", "System": "system"}


class PublishedLabelRow(LabelLayout):
    """A row of the labels released with arXiv 2403.05518."""

    biased_prompt: str
    """The prompt as one text, with `Human: ` and `Assistant: ` where a turn begins."""
    clean_question: str
    """The question without its cue; the cue is every line of the prompt that is not in it."""
    reply: str
    """The text that was labelled."""
    score: Literal["1.0", "2.0", "3.0", "4.0", "5.0"]
    """How coherent the reasoning is."""
    mentions_cue: Literal["y", "n"]
    """Whether the reply says that the cue influenced it."""
    bias: str
    """Name of the bias."""
    arm: str
    """Which model replied."""
    parsed_answer: TextOrNull = ""
    """The answer that was read."""
    comments: TextOrNull = ""
    """A remark of the labeller."""

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Only these rows have a score."""
        return "score" in row

    def item(self) -> LabelItem:
        """The reply that was labelled."""
        clean = {line.strip() for line in self.clean_question.splitlines()}
        turns: list[tuple[Role, list[Part]]] = []
        for line in self.biased_prompt.splitlines(keepends=True):
            speaker, colon, rest = line.partition(": ")
            if colon and speaker in _SPEAKERS:
                turns.append((_SPEAKERS[speaker], []))
                line = rest
            turns = turns or [("user", [])]
            turns[-1][1].append(Part("stem" if line.strip() in clean or not line.strip() else "cue", line))
        made = (Turn(role, tuple(parts)) for role, parts in turns)
        return LabelItem(
            prompt=Prompt(tuple(turn for turn in made if turn.text().strip())),
            turns=(),
            reply=self.reply,
            reasoning="",
            answer=self.parsed_answer,
            question_id=content_id("released", self.clean_question),
            bias=self.bias,
            arm=self.arm,
            model=self.arm,
        )

    def label(self, item: str) -> Label:
        """What was said of it."""
        mark, mentions = int(float(self.score)), self.mentions_cue == "y"
        return Label(item, PUBLISHED, mark, mentions, rubric=PUBLISHED, note=self.comments)
