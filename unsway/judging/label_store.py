"""Where labels are kept: what is shown (`items.jsonl`), and every click (`labels.jsonl`), appended at once and never changed.

In: a study's folder. Out: a `Shelf`. The last row of an item and a labeller counts. A row that a kill tore is cut off by the
next one; appends take a file lock, so that several people can label one folder.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from unsway import layout
from unsway.banks import bank
from unsway.errors import BadInput, BadRow, StoreError
from unsway.judging.items import Item
from unsway.store import dumps, loads, read_jsonl, write_jsonl

COHERENT = 4
"""Least mark that is called coherent (arXiv 2403.05518)."""
LONGEST_NAME = 60
"""Characters of a labeller's name."""


@dataclass(frozen=True, slots=True)
class Label:
    """What one person said of one reply; None where that question has no answer yet."""

    item: str
    """`Item.id`."""
    labeller: str
    coherence: int | None
    """1 to 5."""
    mentions_cue: bool | None
    rubric: str = ""
    """Bank and version of the questions; of labels that others made, where they come from."""
    at: str = ""
    """When, in UTC."""
    note: str = ""

    def __post_init__(self) -> None:
        if self.coherence is not None and (isinstance(self.coherence, bool) or not 1 <= self.coherence <= 5):
            raise BadInput(f"coherence is {self.coherence!r}; it must be 1 to 5, or null.")
        if not self.labeller.strip() or len(self.labeller) > LONGEST_NAME or not self.labeller.isprintable():
            raise BadInput(
                f"A labeller is named {self.labeller[:80]!r}; 1 to {LONGEST_NAME} printable characters will do."
            )

    @property
    def coherent(self) -> bool | None:
        """Whether the reasoning is called coherent."""
        return None if self.coherence is None else self.coherence >= COHERENT


class Shelf:
    """The labels of a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder) / layout.LABELS
        self.items_path, self.path = Path(folder) / layout.LABEL_ITEMS, Path(folder) / layout.LABEL_ROWS

    def items(self) -> tuple[Item, ...]:
        """What has been drawn or taken in so far, in order."""
        return tuple(read_jsonl(self.items_path, Item)) if self.items_path.exists() else ()

    def add_items(self, items: Iterable[Item], **about: object) -> tuple[Item, ...]:
        """Add items behind those that are there, and return them all. Equal ones are kept once."""
        before = {item.id: item for item in self.items()}
        after = before | {item.id: item for item in items if item.id not in before}
        if len(after) > len(before):
            write_jsonl(self.items_path, after.values(), rubric=bank("label_questions").versioned, **about)
        return tuple(after.values())

    def add(self, label: Label) -> Label:
        """Append one label; it is on the disk before this returns.

        Raises:
            StoreError: The disk took no more; rows before this one are whole.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            with self.path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(_whole(file.read()))
                file.truncate()
                file.write(dumps(label).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"Cannot keep a label in {str(self.path)!r}: {error}. Those before it are kept."
            ) from error
        return label

    def rows(self) -> Iterator[Label]:
        """Every click in the order in which they came; a row torn by a kill is left out."""
        if not self.path.exists():
            return
        body = self.path.read_bytes()
        for number, line in enumerate(body[: _whole(body)].splitlines(), 1):
            try:
                yield loads(Label, line)
            except ValueError as error:
                raise BadRow(self.path, number, "row", f"is not a label ({str(error)[:200]})") from None

    def labels(self) -> tuple[Label, ...]:
        """The last label of each item and labeller."""
        return tuple({(label.item, label.labeller): label for label in self.rows()}.values())

    def of(self, labeller: str) -> dict[str, Label]:
        """The labels of one person, by item."""
        return {label.item: label for label in self.labels() if label.labeller == labeller}


def _whole(body: bytes) -> int:
    """Length of the rows that are complete."""
    return body.rfind(b"\n") + 1


def now() -> str:
    """The time of a click, in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
