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
        rows, pairs = tuple(read_examples(examples)), read_beside(examples).pairs
    elif isinstance(examples, Mixture):
        rows, pairs = examples.examples, {pair.id: pair for pair in examples.pairs}
    else:
        expect(examples, Iterable, "training examples are expected: the path of a JSONL file, or unsway.mixture(…)")
        rows = tuple(examples)
    check_rows(rows, method)
    first = checkpoint_of(base)  # a base that is an exported checkpoint knows the biases of its own training
    taught = () if method.is_control else (first.trained_on if first else ()) + biases_in(rows, pairs)
    place = Path(folder)
    made = done(place, method, backend.describe(base), examples_sha256(rows))
    if made is not None:
        backend.tidy(place)
    elif Tuner in method.needs:
        made = backend.fit(rows, method, base, place)
    else:
        with backend.open(rows, method, base, place) as model:
            method.train(rows, model)
            made = model.save()
        backend.tidy(place)
    return _named(made, method, tuple(dict.fromkeys(taught)), place)


def _named(made: Checkpoint, method: Method, taught: tuple[str, ...], folder: Path) -> Checkpoint:
    """Add the checkpoint's role and the biases it was taught, also in its record and its card."""
    named = replace(made, role=method.role, trained_on=taught or made.trained_on)
    if named != made:
        if (folder / CARD).is_file():
            write_text(folder / CARD, card(named, folder))
        write_text(folder / CHECKPOINT_FILE, dumps(named) + "\n")
    return named


def check(method: Method, backend: Backend, base: str) -> None:
    """Raise `BadInput` for a method or a base that a back-end cannot do, before money or time is spent."""
    missing = [WHAT[seam] for seam in method.seams - backend.offers]
    if Tuner in method.needs & backend.offers and type(method.objective) not in backend.objectives:
        missing.append(method.objective.what)
    if missing:
        can = [WHAT[seam] for seam in backend.offers - {Tuner}] + [each.what for each in backend.objectives]
        spare = f"; or set {method.sparing}" if method.sparing and method.seams == method.needs else ""
        raise BadInput(
            f"{method.name!r} needs a back-end that can {', '.join(sorted(missing))}; "
            f"{backend.name!r} can {'only ' + ', '.join(sorted(can)) if can else 'do nothing'}. Choose another back-end, or "
            f"another method{spare}."
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
    odd = {type(row).__name__ for row in rows} - {Example.__name__}
    if odd:
        raise BadInput(
            f"Rows to train on are unsway.Example, and here are some of the type {min(odd)}. Give the examples of a mixture, "
            "or the path of a JSONL file in a layout of docs/training-data.md, which dataset.to_json(PATH) writes."
        )
    refused = [(number, why) for number, row in enumerate(rows, 1) if (why := method.refuses(row))]
    if refused:
        number, why = refused[0]
        raise BadInput(
            f"row {number} {why}, so {method.name!r} cannot train on it ({len(refused)} of "
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
    found = read_checkpoint(folder)
    if (found.method, found.base, found.data_sha256) != (repr(method), base, sha256):
        raise BadInput(
            f"{str(folder)!r} holds the checkpoint of another fit ({found.method} from {found.base} on rows "
            f"{found.data_sha256[:12]}). Name another folder, or remove that one."
        )
    return found
