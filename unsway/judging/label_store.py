"""Where labels are kept: the replies shown (`items.jsonl`) and every click (`labels.jsonl`), which is appended at once.

In: a folder. Out: a `LabelStore`. No row is ever changed; the last row of an item and a labeller counts. Several people can
label one folder at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from unsway import layout
from unsway.banks import bank
from unsway.disk import append_row, whole_rows
from unsway.errors import BadInput, BadRow
from unsway.judging.items import LabelItem
from unsway.store import dumps, loads, read_jsonl, write_jsonl

COHERENT = 4
"""The lowest mark that counts as coherent (arXiv 2403.05518)."""
LONGEST_NAME = 60
"""Longest name of a labeller, in characters."""


@dataclass(frozen=True, slots=True)
class Label:
    """What one person said of one reply; None where a question has no answer yet."""

    item: str
    """`LabelItem.id`."""
    labeller: str
    """Who said it, a person or a model."""
    coherence: int | None
    """How coherent the reasoning is, 1 to 5."""
    mentions_cue: bool | None
    """Whether the reply says that the cue influenced it."""
    rubric: str = ""
    """Bank and version of the questions; for imported labels, where they come from."""
    at: str = ""
    """When, in UTC."""
    note: str = ""
    """A remark of the labeller."""

    def __post_init__(self) -> None:
        if self.coherence is not None and (isinstance(self.coherence, bool) or not 1 <= self.coherence <= 5):
            raise BadInput(f"coherence is {self.coherence!r}; it must be 1 to 5, or null.")
        if not self.labeller.strip() or len(self.labeller) > LONGEST_NAME or not self.labeller.isprintable():
            raise BadInput(
                f"A labeller is named {self.labeller[:80]!r}; a name has 1 to {LONGEST_NAME} printable characters."
            )

    @property
    def coherent(self) -> bool | None:
        """Whether the reasoning counts as coherent."""
        return None if self.coherence is None else self.coherence >= COHERENT


class LabelStore:
    """The labels of a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder) / layout.LABELS
        self.items_path, self.path = Path(folder) / layout.LABEL_ITEMS, Path(folder) / layout.LABEL_ROWS

    def items(self) -> tuple[LabelItem, ...]:
        """The items drawn or imported so far, in order."""
        return tuple(read_jsonl(self.items_path, LabelItem)) if self.items_path.exists() else ()

    def add_items(self, items: Iterable[LabelItem], **about: object) -> tuple[LabelItem, ...]:
        """Add items after those that are there, and return all of them. Equal items are kept once."""
        before = {item.id: item for item in self.items()}
        after = before | {item.id: item for item in items if item.id not in before}
        if len(after) > len(before):
            write_jsonl(self.items_path, after.values(), rubric=bank("label_questions").versioned, **about)
        return tuple(after.values())

    def add(self, label: Label) -> Label:
        """Append one label; it is on the disk before this returns.

        Raises:
            StoreError: The disk refused it; the labels before it are kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        append_row(self.path, dumps(label), sync=True)
        return label

    def rows(self) -> Iterator[Label]:
        """Every click in the order of arrival, without a row torn by a kill."""
        for line, row in enumerate(whole_rows(self.path), 1):
            try:
                yield loads(Label, row)
            except ValueError as error:
                raise BadRow(self.path, line, "row", f"is not a label ({str(error)[:200]})") from None

    def labels(self) -> tuple[Label, ...]:
        """The last label of each item and labeller."""
        return tuple({(label.item, label.labeller): label for label in self.rows()}.values())

    def of(self, labeller: str) -> dict[str, Label]:
        """The labels of one person, by item."""
        return {label.item: label for label in self.labels() if label.labeller == labeller}


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
