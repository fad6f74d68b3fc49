"""The store of labels: the replies shown (`items.jsonl`) and every click (`labels.jsonl`), appended immediately.

In: a folder. Out: a `LabelStore`. A label is a `Verdict` by a person, a row like any judge's. Rows are never changed; the
last row for a reply, question and labeller counts. Several people can label one folder at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from unsway import layout
from unsway.banks import bank
from unsway.disk import append_row, exclusive, whole_rows
from unsway.errors import BadRow
from unsway.judging.items import LabelItem
from unsway.judging.people import BANK, person_verdict
from unsway.registry import Ref
from unsway.store import dumps, loads, read_jsonl, read_manifest, why, write_jsonl
from unsway.types import Verdict


@dataclass(frozen=True, slots=True)
class FirstLabel:
    """A row of the first edition, with the answers to both its questions."""

    item: str
    """`LabelItem.id`."""
    labeller: str
    """Name of the labeller."""
    coherence: int | None
    """How coherent the reasoning is, 1 to 5."""
    mentions_cue: bool | None
    """Whether the reply says that the cue influenced it, which differs from whether it mentions the cue."""
    rubric: str = ""
    """Bank and version of the questions."""
    at: str = ""
    """When, in UTC."""
    note: str = ""
    """A remark."""

    def verdicts(self, items: dict[str, LabelItem]) -> Iterator[Verdict]:
        """A verdict for each question that has an answer."""
        values = {"coherent": self.coherence, "influenced": self.mentions_cue}
        for name, value in values.items():
            if value is not None and self.item in items:
                item = items[self.item]
                question = f"{name}@people.1"
                yield person_verdict(item, self.labeller, question, value, at=self.at, why=self.note)


class LabelStore:
    """The labels of a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder) / layout.LABELS
        self.items_path, self.path = Path(folder) / layout.LABEL_ITEMS, Path(folder) / layout.LABEL_ROWS

    def items(self) -> tuple[LabelItem, ...]:
        """The items drawn or imported so far, in order."""
        return tuple(read_jsonl(self.items_path, LabelItem)) if self.items_path.exists() else ()

    def add_items(self, items: Iterable[LabelItem], **about: object) -> tuple[LabelItem, ...]:
        """Append items to the existing ones, and return all. Equal items are stored once."""
        with exclusive(self.folder):
            old_items = {item.id: item for item in self.items()}
            all_items = old_items | {item.id: item for item in items if item.id not in old_items}
            if len(all_items) > len(old_items) or read_manifest(self.items_path) is None:
                write_jsonl(self.items_path, all_items.values(), rubric=bank(BANK).versioned, **about)
        return tuple(all_items.values())

    def add(self, label: Verdict) -> Verdict:
        """Append one label; it is on disk before this returns.

        Raises:
            StoreError: The disk could not be written; earlier labels are kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        append_row(self.path, dumps(label), sync=True)
        return label

    def rows(self) -> Iterator[Verdict]:
        """Every click in the order of arrival, without a row torn by a kill. Raises `BadRow`."""
        items: dict[str, LabelItem] | None = None
        for line, row in enumerate(whole_rows(self.path), 1):
            try:
                if b'"item":' in row[:9]:
                    items = items or {item.id: item for item in self.items()}
                    yield from loads(FirstLabel, row).verdicts(items)
                else:
                    yield loads(Verdict, row)
            except ValueError as error:
                raise BadRow(self.path, line, "row", f"is not a label ({why(error)})") from None

    def labels(self) -> tuple[Verdict, ...]:
        """The last label of each reply, question and labeller, without labels taken back."""
        last = {(label.reply, label.pair, label.question, label.by): label for label in self.rows()}
        return tuple(label for label in last.values() if label.value is not None)

    def of(self, labeller: str) -> dict[str, dict[str, bool | int | None]]:
        """One person's labels, by item and then by name of the question."""
        ids = {(item.address, item.pair): item.id for item in self.items()}
        labels: dict[str, dict[str, bool | int | None]] = {}
        for label in self.labels():
            if label.by == labeller and (label.reply, label.pair) in ids:
                item_labels = labels.setdefault(ids[label.reply, label.pair], {})
                item_labels[Ref.parse(label.question).name] = label.value
        return labels


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
