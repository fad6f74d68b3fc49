"""Train examples into a checkpoint, with a method on a back-end.

In: examples (or their JSONL file), a method, a base model, a back-end. Out: a `Checkpoint` that `unsway measure` takes.
A finished fit (same examples, same method, same base) is not repeated; a killed one is resumed.
Back-ends are in a higher room, which this one never imports.

    fit("rows/examples.jsonl", Bct(learning_rate=1e-4), "smollm2-135m", Local(), "trained")
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unsway.data.provenance import biases_in, read_beside
from unsway.disk import write_text
from unsway.errors import BadInput, expect, number_of
from unsway.models.weights import CHECKPOINT_FILE, checkpoint_of, read_checkpoint
from unsway.store import dumps
from unsway.training.card import CARD, card
from unsway.training.seams import WHAT, Backend, Method, Tuner
from unsway.types import Checkpoint, Example, Pair
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.data.mixture import Mixture


@checked
def fit(
    examples: Mixture | Sequence[Example] | str | Path, method: Method, base: str, backend: Backend, folder: str | Path
) -> Checkpoint:
    """Train a model.

    Args:
        examples: A mixture, rows, or the JSONL file that holds them, ours or of another program (`unsway.data.foreign`).
            The biases they teach are noted if their pairs are available: in a mixture, or next to a file of ours.
        method: The method with its hyper-parameters.
        base: The model to start from, as the back-end names it.
        backend: Where it is trained.
        folder: Where to store the checkpoint.

    Raises:
        BadRow: A row of the file is invalid; the error names line and field.
        BadInput: The back-end cannot do the method, the method does not accept a row, there are no rows, or the folder holds
            the checkpoint of another fit.
        TrainingError: The fit failed; its last good step is stored, and the next call resumes from it.
    """
    from unsway.data.foreign import read_examples  # loads pydantic
    from unsway.data.mixture import Mixture  # loads Inspect

    expect(method, Method, "a method is expected, as Bct(): fit(examples, method, base, backend, folder)")
    expect(backend, Backend, "a back-end is expected, as Local(): fit(examples, method, base, backend, folder)")
    check(method, backend, base)
    pairs: Mapping[str, Pair] = {}
    if isinstance(examples, str | Path):
        rows = tuple(read_examples(examples))
        pairs = read_beside(examples).pairs
    elif isinstance(examples, Mixture):
        rows = examples.examples
        pairs = {pair.id: pair for pair in examples.pairs}
    else:
        expect(examples, Iterable, "training examples are expected: the path of a JSONL file, or unsway.mixture(…)")
        rows = tuple(examples)
    check_rows(rows, method)
    base_checkpoint = checkpoint_of(base)  # a base that is an exported checkpoint knows the biases of its own training
    biases = (
        () if method.is_control else (base_checkpoint.trained_on if base_checkpoint else ()) + biases_in(rows, pairs)
    )
    path = Path(folder)
    checkpoint = done(path, method, backend.describe(base), examples_sha256(rows))
    if checkpoint is not None:
        backend.tidy(path)
    elif Tuner in method.needs:
        checkpoint = backend.fit(rows, method, base, path)
    else:
        with backend.open(rows, method, base, path) as model:
            method.train(rows, model)
            checkpoint = model.save()
        backend.tidy(path)
    return _with_role(checkpoint, method, tuple(dict.fromkeys(biases)), path)


def _with_role(checkpoint: Checkpoint, method: Method, biases: tuple[str, ...], folder: Path) -> Checkpoint:
    """Add the checkpoint's role and the biases it was taught, also in its record and its card."""
    updated = replace(checkpoint, role=method.role, trained_on=biases or checkpoint.trained_on)
    if updated != checkpoint:
        if (folder / CARD).is_file():
            write_text(folder / CARD, card(updated, folder))
        write_text(folder / CHECKPOINT_FILE, dumps(updated) + "\n")
    return updated


def check(method: Method, backend: Backend, base: str) -> None:
    """Raise `BadInput` for a method or a base that a back-end cannot do, before money or time is spent."""
    missing = [WHAT[seam] for seam in method.seams - backend.offers]
    if Tuner in method.needs & backend.offers and type(method.objective) not in backend.objectives:
        missing.append(method.objective.what)
    if missing:
        offers = [WHAT[seam] for seam in backend.offers - {Tuner}] + [
            objective.what for objective in backend.objectives
        ]
        hint = f"; or set {method.sparing}" if method.sparing and method.seams == method.needs else ""
        raise BadInput(
            f"{method.name!r} needs a back-end that can {', '.join(sorted(missing))}; "
            f"{backend.name!r} can {'only ' + ', '.join(sorted(offers)) if offers else 'do nothing'}. Choose another "
            f"back-end, or another method{hint}."
        )
    backend.check(method, base)


def check_rows(rows: Sequence[Example], method: Method) -> None:
    """Raise `BadInput` if a method does not accept a row, with the number of the first such row and what it lacks."""
    if not rows:
        raise BadInput("There are no examples to train on.")
    if not method.n_steps(len(rows)):
        raise BadInput(
            f"{method.epochs:g} epochs over {number_of(len(rows), 'row')} are less than half a row, so nothing would be "
            "trained. Set epochs higher."
        )
    foreign_types = {type(row).__name__ for row in rows} - {Example.__name__}
    if foreign_types:
        raise BadInput(
            f"Rows to train on are unsway.Example, and here are some of the type {min(foreign_types)}. Give the "
            "examples of a mixture, or the path of a JSONL file in a layout of docs/training-data.md, which "
            "dataset.to_json(PATH) writes."
        )
    refusals = [(number, reason) for number, row in enumerate(rows, 1) if (reason := method.refuses(row))]
    if refusals:
        number, reason = refusals[0]
        raise BadInput(
            f"row {number} {reason}, so {method.name!r} cannot train on it ({len(refusals)} of "
            f"{number_of(len(rows), 'row')} are refused). "
            "Leave such rows out, or choose another method."
        )


def examples_sha256(examples: Sequence[Example]) -> str:
    """sha256 of examples as JSONL."""
    return hashlib.sha256("".join(dumps(example) + "\n" for example in examples).encode()).hexdigest()


def done(folder: Path, method: Method, base: str, sha256: str) -> Checkpoint | None:
    """The checkpoint in the folder, or None. Raises `BadInput` if it belongs to another fit."""
    if not (folder / CHECKPOINT_FILE).is_file():
        return None
    checkpoint = read_checkpoint(folder)
    if (checkpoint.method, checkpoint.base, checkpoint.data_sha256) != (repr(method), base, sha256):
        raise BadInput(
            f"{str(folder)!r} holds the checkpoint of another fit ({checkpoint.method} from {checkpoint.base} on rows "
            f"{checkpoint.data_sha256[:12]}). Name another folder, or remove that one."
        )
    return checkpoint
