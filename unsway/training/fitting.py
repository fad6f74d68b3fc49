"""Examples to a checkpoint, by a method and on a backend.

In: examples (or their JSONL file), a method, a base model, a backend. Out: a `Checkpoint` that `run` accepts.
A fit that was done already (same examples, same method, same base) is not done again; one that was killed is resumed.
Backends implement `Backend`; this room never imports them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from unsway.errors import BadInput, BadRow
from unsway.models.weights import CHECKPOINT_FILE, read_checkpoint
from unsway.store import dumps, read_jsonl
from unsway.training.methods import Need, Sft
from unsway.training.preferences import Preference
from unsway.types import Checkpoint, Example

Row: TypeAlias = Example | Preference
"""What is trained on: an example for methods that fit, a preference for those that prefer."""


class Backend(Protocol):
    """Where weights live and are changed."""

    name: str
    can: frozenset[Need]
    """What it can be asked."""

    def describe(self, base: str) -> str:
        """The base with what pins its weights: `name@fingerprint`."""
        ...

    def check(self, how: Sft, base: str) -> None:
        """Refuse hyper-parameters or a base that it has no place for; nothing is loaded or sent. Raises `BadInput`."""
        ...

    def fit(self, examples: Sequence[Any], how: Sft, base: str, folder: Path, sha256: str) -> Checkpoint:
        """Train on rows of the type `how.row`; everything lands in the folder, the record of the checkpoint last."""
        ...

    def tidy(self, folder: Path) -> None:
        """Remove what a fit that is done needs no more, where a kill came between."""
        ...


def fit(examples: Sequence[Row] | str | Path, how: Sft, base: str, backend: Backend, folder: str | Path) -> Checkpoint:
    """Train a model.

    Args:
        examples: Rows, or the JSONL file that holds them.
        how: The method with its hyper-parameters.
        base: The model to start from, as the backend names it.
        backend: Where it is trained.
        folder: Where the checkpoint goes.

    Raises:
        BadInput: The backend cannot do the method, the rows are of another kind, there are none, or the folder holds the
            checkpoint of another fit.
        TrainingError: The fit went wrong; the last good step is kept and resumed from.
    """
    check(how, backend, base)
    rows = _read(examples, how) if isinstance(examples, str | Path) else tuple(examples)
    _check_rows(rows, how)
    sha256 = examples_sha256(rows)
    found = done(Path(folder), how, backend.describe(base), sha256)
    if found is None:
        return backend.fit(rows, how, base, Path(folder), sha256)
    backend.tidy(Path(folder))
    return found


def check(how: Sft, backend: Backend, base: str) -> None:
    """Refuse a method or a base that a backend cannot do, before money or time is spent. Raises `BadInput`."""
    missing = how.needs - backend.can
    if missing:
        raise BadInput(
            f"{how.name!r} needs a backend that can {', '.join(sorted(missing))}; {backend.name!r} can only "
            f"{', '.join(sorted(backend.can))}. Choose another backend, or another method."
        )
    backend.check(how, base)


def examples_sha256(examples: Sequence[Row]) -> str:
    """sha256 of examples as JSONL."""
    return hashlib.sha256("".join(dumps(example) + "\n" for example in examples).encode()).hexdigest()


def _read(path: str | Path, how: Sft) -> tuple[Row, ...]:
    try:
        return tuple(read_jsonl(path, how.row))
    except BadRow as error:
        verb = "preferences" if how.row is Preference else "build"
        raise BadInput(
            f"{error}. {how.name!r} trains on rows that `unsway data {verb}` writes; chats that others wrote are taken in by "
            "`unsway data import`."
        ) from None


def _check_rows(rows: Sequence[Row], how: Sft) -> None:
    if not rows:
        raise BadInput("There are no examples to train on.")
    allowed = {"preference"} if how.row is Preference else {how.trains_on, "instruct"}
    wrong = sorted({row.kind if isinstance(row, Example) else "preference" for row in rows} - allowed)
    if wrong:
        raise BadInput(
            f"{how.name!r} trains on rows of kind {sorted(allowed)}, but there are rows of kind {wrong}. "
            "`unsway data` writes one file for each method."
        )
    weighted = [(i, row.weight) for i, row in enumerate(rows, 1) if isinstance(row, Example) and row.weight != 1.0]
    if weighted:
        number, weight = weighted[0]
        raise BadInput(
            f"row {number}: weight {weight:g} ({len(weighted)} of {len(rows)} rows have another than 1). No backend weighs "
            "rows: leave rows out, or repeat them."
        )


def done(folder: Path, how: Sft, base: str, sha256: str) -> Checkpoint | None:
    """The checkpoint that is in the folder, if there is one. Raises `BadInput` where it is that of another fit."""
    if not (folder / CHECKPOINT_FILE).is_file():
        return None
    found = read_checkpoint(folder)
    if (found.method, found.base, found.data_sha256) != (repr(how), base, sha256):
        raise BadInput(
            f"{str(folder)!r} holds the checkpoint of another fit ({found.method} from {found.base} on rows "
            f"{found.data_sha256[:12]}). Name another folder, or remove that one."
        )
    return found
