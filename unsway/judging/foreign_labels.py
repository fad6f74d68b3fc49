"""Import labels that other people or models made from JSONL, and export labels to it.

In: a file with one labelled reply per row. Out: items and labels in a folder. The fields of a row:

    labeller      who labelled it; required
    reply         the text that was labelled; required
    coherence     1 to 5, or null
    request_outcome   0 neither, 1 answers, 2 declines, or null
    mentions_cue, relies_on_cue, rejects_cue, declines   true, false or null; likewise any other rubric, by its name
    prompt        text of the prompt with its cue, or a list of {"role", "parts": [{"kind", "text"}]} as in exports
    cue           text of the cue, if the prompt is a text: it is marked wherever it occurs in the prompt
    rubric        which wording was read: `people.3` for each question of the label page of that version
    answer, question_id, bias, arm, model, weights, sample, turns, reasoning, address, pair, at, note   optional

Rows of the human labels released with arXiv 2403.05518 (score, biased_prompt, clean_question …) are read too.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from unsway.disk import write_text
from unsway.errors import BadInput, kind_of
from unsway.judging import rubrics
from unsway.judging.items import LabelItem
from unsway.judging.label_store import LabelStore
from unsway.judging.people import person_verdict
from unsway.rows import BadField, ForeignRow, Name, TextOrNull, read_rows
from unsway.seeds import content_id
from unsway.store import dumps, loads
from unsway.types import Part, Prompt, Role, Turn, Verdict, is_encrypted

IMPORTED = "imported"
"""The version of questions whose wording is unknown."""
PUBLISHED = "arXiv 2403.05518"
"""The labeller and the rubric of the released labels, whose labellers have no names."""


COLUMNS = {"coherent": "coherence"}
"""Rubrics whose column has a different name."""


class ImportedLabels(NamedTuple):
    """The result of importing a file."""

    rows: int
    """Rows of the file."""
    items: int
    """Number of new items."""
    labels: int
    """Number of new or changed labels."""


def import_labels(path: str | Path, folder: str | Path) -> ImportedLabels:
    """Add the replies and labels of a file to a folder. All rows are checked before anything is stored.

    Raises:
        BadInput: The file cannot be read or is empty.
        BadRow: A row does not fit the schema; file, line and field are named.
    """
    entries: list[tuple[LabelItem, tuple[Verdict, ...]]] = []
    repeats: dict[str, int] = {}
    for _, row in read_rows(path, PublishedLabelRow, LabelRow):
        item = row.item()
        repeat = repeats[item.id] = repeats.get(item.id, -1) + 1
        if repeat and isinstance(
            row, PublishedLabelRow
        ):  # equal replies of two models, which these rows cannot distinguish
            item = replace(item, sample=repeat, id="", address="")
        entries.append((item, row.labels(item)))
    if not entries:
        raise BadInput(f"{path} has no rows.")
    store = LabelStore(folder)
    n_before = len(store.items())
    old_labels = set(store.labels())
    all_items = store.add_items(item for item, _ in entries)
    new_labels = [label for _, labels in entries for label in labels if label not in old_labels]
    for label in new_labels:
        store.add(label)
    return ImportedLabels(len(entries), len(all_items) - n_before, len(new_labels))


def export_labels(folder: str | Path, path: str | Path) -> Path:
    """Write every label with the reply it is about, in the schema that `import_labels` reads."""
    store = LabelStore(folder)
    rows = label_rows(store.items(), store.labels())
    return write_text(path, "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows))


def label_rows(
    items: Iterable[LabelItem], labels: Iterable[Verdict], *, blind: bool = False
) -> Iterator[dict[str, Any]]:
    """A row of the schema for each reply, labeller and wording version; blind rows do not say who wrote the reply."""
    item_of = {(item.address, item.pair): item for item in items}
    groups: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for label in labels:
        name, _, rubric = label.question.partition("@")
        if (label.reply, label.pair) in item_of:
            group = groups.setdefault((label.reply, label.pair, label.by, rubric), {})
            group |= {COLUMNS.get(name, name): label.value, "at": label.at, "note": label.why}
    for (reply, pair, by, rubric), group in groups.items():
        row: dict[str, Any] = json.loads(dumps(item_of[reply, pair]))
        row["prompt"] = row["prompt"]["turns"]
        for name in ("id", *(("arm", "model", "weights") if blind else ())):
            del row[name]
        yield row | {"labeller": by, "rubric": rubric} | group


# ---------------------------------------------------------------- the schema


class LabelLayout(ForeignRow):
    """A row that holds one label of one reply."""

    @abstractmethod
    def item(self) -> LabelItem:
        """The reply that was labelled."""

    @abstractmethod
    def labels(self, item: LabelItem) -> tuple[Verdict, ...]:
        """The labels of the reply: a verdict for each answered question."""


class LabelRow(LabelLayout):
    """A row as `export_labels` writes it; `LabelItem` says what the fields of the reply are."""

    labeller: str
    reply: str
    said: dict[str, Any] = Field(default_factory=dict)
    """The labels by name of the rubric; each rubric has a column."""
    influenced: bool | None = None
    """The question of the first edition's label page: whether the reply says that the cue influenced it; or None."""
    cue: TextOrNull = ""
    """The text of the cue, if the prompt is a text."""
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
    address: TextOrNull = ""
    pair: TextOrNull = ""
    rubric: TextOrNull = ""
    at: TextOrNull = ""
    note: TextOrNull = ""

    @classmethod
    def known_fields(cls) -> frozenset[str]:
        """The row's own fields and a column for each rubric."""
        return super().known_fields().union(COLUMNS.get(name, name) for name in rubrics.names())

    @model_validator(mode="before")
    @classmethod
    def gather(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Gather the labels, which the rubrics must allow; name the question after its prompt if it has no name."""
        labels = {}
        for rubric in map(rubrics.get, rubrics.names()):
            column = COLUMNS.get(rubric.name, rubric.name)
            if row.get(column) is not None:
                labels[rubric.name] = row[column]
                if not rubric.allows(row[column]):
                    raise BadField(column, f"is {row[column]!r}; it takes {rubric.allowed}, or null for no label")
        question = row.get("question_id") or content_id("labelled", row.get("prompt", ""))
        return row | {"said": labels, "question_id": question}

    @field_validator("prompt", mode="plain")
    @classmethod
    def read_prompt(cls, value: Any, info: ValidationInfo) -> Prompt:
        """Read a list of turns, or turn a text into a user turn with the cue marked."""
        if isinstance(value, list):
            return loads(Prompt, json.dumps({"turns": value}), strict=True)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"must be text or a list of turns, is {kind_of(value)}")
        cue = info.data.get("cue")
        text = value or ""
        first, *rest = text.split(cue) if cue else [text]
        parts = [Part("stem", first)]
        for stem in rest:
            parts += [Part("cue", str(cue)), Part("stem", stem)]
        return Prompt((Turn("user", tuple(part for part in parts if part.text)),))

    @model_validator(mode="after")
    def check_label(self) -> Self:
        """Check that a labeller could have given the row's label."""
        self.labels(self.item())
        return self

    def item(self) -> LabelItem:
        """The reply that was labelled."""
        names = "reply reasoning answer question_id bias arm model weights sample address pair"
        item = LabelItem(self.prompt, tuple(self.turns), **{name: getattr(self, name) for name in names.split()})
        return replace(item, reasoning="", id="") if is_encrypted(item.reasoning) else item

    def labels(self, item: LabelItem) -> tuple[Verdict, ...]:
        """The labels of the reply, as verdicts."""
        values = self.said | ({} if self.influenced is None else {"influenced": self.influenced})
        return tuple(
            person_verdict(item, self.labeller, f"{name}@{self.rubric or IMPORTED}", value, at=self.at, why=self.note)
            for name, value in values.items()
        )


# ---------------------------------------------------------------- the labels released with the paper

_SPEAKERS: Mapping[str, Role] = {"Human": "user", "Assistant": "assistant", "System": "system"}


class PublishedLabelRow(LabelLayout):
    """A row of the labels released with arXiv 2403.05518."""

    biased_prompt: str
    """The prompt as one text, with `Human: ` and `Assistant: ` at the start of turns."""
    clean_question: str
    """The question without its cue; the cue is every other line of the prompt."""
    reply: str
    """The text that was labelled."""
    score: Literal["1.0", "2.0", "3.0", "4.0", "5.0"]
    """How coherent the reasoning is."""
    mentions_cue: Literal["y", "n"]
    """Whether the reply says that the cue influenced it."""
    bias: str
    """Name of the bias."""
    arm: str
    """Name of the model that replied."""
    parsed_answer: TextOrNull = ""
    """The answer that was read."""
    comments: TextOrNull = ""
    """A remark of the labeller."""

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        """Whether a row has this layout: only these rows have a score."""
        return "score" in row

    def item(self) -> LabelItem:
        """The reply that was labelled."""
        clean_lines = {line.strip() for line in self.clean_question.splitlines()}
        turn_parts: list[tuple[Role, list[Part]]] = []
        for line in self.biased_prompt.splitlines(keepends=True):
            speaker, colon, rest = line.partition(": ")
            if colon and speaker in _SPEAKERS:
                turn_parts.append((_SPEAKERS[speaker], []))
                line = rest
            turn_parts = turn_parts or [("user", [])]
            turn_parts[-1][1].append(Part("stem" if line.strip() in clean_lines or not line.strip() else "cue", line))
        turns = (Turn(role, tuple(parts)) for role, parts in turn_parts)
        return LabelItem(
            prompt=Prompt(tuple(turn for turn in turns if turn.text().strip())),
            turns=(),
            reply=self.reply,
            reasoning="",
            answer=self.parsed_answer,
            question_id=content_id("released", self.clean_question),
            bias=self.bias,
            arm=self.arm,
            model=self.arm,
        )

    def labels(self, item: LabelItem) -> tuple[Verdict, ...]:
        """The labels of the reply, as verdicts."""
        values = {"coherent": int(float(self.score)), "mentions_cue": self.mentions_cue == "y"}
        return tuple(
            person_verdict(item, PUBLISHED, f"{name}@{PUBLISHED}", value, why=self.comments)
            for name, value in values.items()
        )
