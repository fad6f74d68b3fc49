"""What a source is, how one is declared, and how all of them are found.

In: modules of this package, and of other packages through the entry-point group `unsway.plugins`. Out: `Source` values
by name. Adding a source is adding one module with one decorated generator; nothing else is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from unsway.assets import Asset
from unsway.errors import UnknownName
from unsway.registry import Registry
from unsway.types import Question

Kind: TypeAlias = Literal["train", "test", "other"]
"""What a source is for (SPEC §3): train and test questions never overlap."""
Rows: TypeAlias = Callable[..., Iterator[Question]]
"""Gives the questions of a split in a fixed order; called with the split, and where the source has levels also with the
level and the seed. `source` may be left empty in what it gives."""


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a source, with where its file comes from."""

    name: str
    rows: int | None = None
    """Rows of its file, before `load` skips what is broken or a duplicate; None where they are made on demand."""
    asset: Asset | str | None = None
    """The asset that holds it; None needs no download."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where questions come from."""

    name: str
    kind: Kind
    revision: str
    """Version of the content; part of each question's `source`, for it moves numbers."""
    licence: str
    summary: str
    splits: tuple[Split, ...]
    default: str
    """The split or splits (`validation+test`) that are taken where none is named."""
    paper: str
    levels: tuple[int, ...]
    """Difficulty levels, asked for as `name@level`; empty where there is one difficulty."""
    level: int
    """The level that is meant; 0 where there are none."""
    rows: Rows = field(repr=False, compare=False)

    def split(self, name: str) -> Split:
        """A split by name. Raises `UnknownName`."""
        for split in self.splits:
            if split.name == name:
                return split
        raise UnknownName(f"split of {self.name}", name, (split.name for split in self.splits))


_sources: Registry[Source] = Registry("source", "unsway.sources")


def source(
    name: str,
    *,
    revision: str,
    license: str,
    splits: tuple[Split, ...],
    summary: str,
    kind: Kind = "other",
    default: str = "",
    paper: str = "",
    levels: tuple[int, ...] = (),
) -> Callable[[Rows], Rows]:
    """Declare a source over a generator `(split) -> Iterator[Question]`.

    Args:
        name: How users call it; a family uses `family/member`.
        revision: Version of the content; change it when the questions change.
        license: The licence of the questions.
        splits: Its splits, each with its row count and the asset that holds it.
        summary: One line for a person.
        kind: train, test or other; a train and a test source may not share questions.
        default: Split or splits taken where none is named; the first where left empty.
        paper: Where the questions were published.
        levels: Difficulty levels; `name` alone means the first, `name@2` the level 2.
    """

    def declare(rows: Rows) -> Rows:
        first, level = default or splits[0].name, levels[0] if levels else 0
        declared = Source(name, kind, revision, license, summary, splits, first, paper, levels, level, rows)
        _sources.add(name, declared)
        return rows

    return declare


def names() -> tuple[str, ...]:
    """The names of all sources, in alphabetical order."""
    return _sources.names()


def get(name: str) -> Source:
    """The source of that name, or `name@level`. Raises `UnknownName` with the closest names."""
    plain, _, level = name.partition("@")
    if plain not in _sources:
        raise UnknownName("source", name, _sources.names())
    found = _sources.get(plain)
    if not level:
        return found
    if level not in map(str, found.levels):
        raise UnknownName(f"level of {plain}", level, map(str, found.levels))
    return replace(found, name=name, level=int(level))
