"""Training rows as one file, with their pairs and the origins of their completions in two files next to it.

In: examples, their pairs, the origins of their completions. Out: `examples.jsonl`, `examples.pairs.jsonl` (the pairs that
`pair_id` names) and `examples.provenance.jsonl` (line i belongs to row i).

    path = write_examples("rows/examples.jsonl", rows, pairs, provenance, seed=0)
    beside = read_beside(path)
        beside.pairs["5f2c…"].drawn         # the bias's choices for that row: form, place, wording
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from unsway.data.formats import write_rows
from unsway.errors import BadInput, number_of
from unsway.registry import Ref
from unsway.store import read_jsonl, read_manifest, write_jsonl
from unsway.types import Example, Pair, Reply, Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Provenance:
    """The reply that became the completion of a row."""

    model: str
    """The model that wrote it."""
    weights: str
    """Fingerprint of its weights; see `Reply.weights`."""
    prompt_id: str
    """Id of the clean prompt."""
    sample: int
    """Number of the sample, from 0."""
    settings: Settings
    """Its decoding settings."""
    source: str
    """The source of the question (`name@revision`), or the task set of an instruct row."""

    @classmethod
    def of(cls, reply: Reply, source: str) -> Provenance:
        """The provenance of a row whose completion is this reply."""
        return cls(reply.model, reply.weights, reply.prompt_id, reply.sample, reply.settings, source)


@dataclass(frozen=True, slots=True)
class SelectedRows:
    """Rows made from those pairs of a study that show an effect, and why its other pairs gave none."""

    nothing: ClassVar[str]
    """The message, with `{why}`, if no pair gave a row."""
    rows: tuple[Example, ...]
    """The rows."""
    pairs: tuple[Pair, ...]
    """The pair of each row."""
    provenance: tuple[Provenance, ...]
    """The origin of each row's completion."""
    left_out: Mapping[str, int]
    """The number of pairs without a row, by reason."""

    def write(self, path: str | Path) -> Path:
        """Write the rows, their pairs and their provenance. Raises `BadInput` if there are no rows."""
        if not self.rows:
            reasons = ", ".join(f"{n} {reason}" for reason, n in self.left_out.items()) or "nothing was asked"
            raise BadInput(self.nothing.format(why=reasons))
        return write_examples(path, self.rows, self.pairs, self.provenance, left_out=dict(self.left_out))


class Beside(NamedTuple):
    """The files next to a file of rows; empty if there are none."""

    pairs: Mapping[str, Pair]
    """Pairs by id."""
    provenance: tuple[Provenance, ...]
    """One for each row, in order."""


def write_examples(
    path: str | Path, rows: Sequence[Example], pairs: Iterable[Pair], provenance: Iterable[Provenance], **about: object
) -> Path:
    """Write rows and the two files next to them, each with a manifest that holds `about`; returns the path of the rows."""
    write_jsonl(_beside(path, "provenance"), provenance, kind="provenance", **about)
    write_jsonl(_beside(path, "pairs"), {pair.id: pair for pair in pairs}.values(), kind="pairs", **about)
    return write_rows(path, rows, **about)


def read_beside(path: str | Path) -> Beside:
    """Pairs and provenance of a file of rows; empty if the rows are not the ones written with them."""
    pairs, provenance = _beside(path, "pairs"), _beside(path, "provenance")
    if read_manifest(path) is None or not pairs.exists() or not provenance.exists():
        return Beside({}, ())
    return Beside({pair.id: pair for pair in read_jsonl(pairs, Pair)}, tuple(read_jsonl(provenance, Provenance)))


def biases_in(rows: Iterable[Example], pairs: Mapping[str, Pair]) -> tuple[str, ...]:
    """Names of the biases whose cues are in some rows, found through their pairs; warns if pairs are missing."""
    cued_rows = [row for row in rows if row.kind == "consistency"]
    cued_pairs = [pairs[row.pair_id] for row in cued_rows if row.pair_id is not None and row.pair_id in pairs]
    if len(cued_pairs) < len(cued_rows):
        _log.warning(
            "Which biases %s of %s teach is not known, for their pairs are not there, so the record does not name these and "
            "they count as held out. Train on the file that `unsway data` wrote with its pairs beside it, or on the mixture.",
            f"{len(cued_rows) - len(cued_pairs):,}",
            number_of(len(cued_rows), "row"),
        )
    return tuple(dict.fromkeys(Ref.parse(pair.bias).name for pair in cued_pairs))


def _beside(path: str | Path, kind: str) -> Path:
    """The path `rows/examples.WHAT.jsonl` next to `rows/examples.jsonl`; a `.gz` is dropped."""
    rows = Path(path)
    return rows.with_name(f"{rows.name.removesuffix('.gz').removesuffix('.jsonl')}.{kind}.jsonl")
