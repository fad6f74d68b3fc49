"""What a source is, how one is declared, and how all of them are found.

In: modules of this package, and of other packages through the entry-point group `unsway.plugins`. Out: `Source` values
by name. Adding a source is adding one module with one decorated generator; nothing else is edited.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.assets import Asset
from unsway.errors import BadInput, UnknownName
from unsway.types import Question

Kind: TypeAlias = Literal["train", "test", "other"]
"""What a source is for (SPEC §3): train and test questions never overlap."""
Rows: TypeAlias = Callable[[str], Iterator[Question]]
"""Gives the questions of a split, in a fixed order; `source` may be left empty."""

PLUGINS = "unsway.plugins"
"""The entry-point group by which other packages add sources."""


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
    rows: Rows = field(repr=False, compare=False)

    def split(self, name: str) -> Split:
        """A split by name. Raises `UnknownName`."""
        for split in self.splits:
            if split.name == name:
                return split
        raise UnknownName(f"split of {self.name}", name, (split.name for split in self.splits))


_SOURCES: dict[str, Source] = {}
_found: set[str] = set()


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
    """

    def declare(rows: Rows) -> Rows:
        if name in _SOURCES:
            raise BadInput(f"There are two sources named {name!r}. Rename one of them.")
        first = default or splits[0].name
        _SOURCES[name] = Source(name, kind, revision, license, summary, splits, first, paper, rows)
        return rows

    return declare


def names() -> tuple[str, ...]:
    """The names of all sources, in alphabetical order."""
    _discover()
    return tuple(sorted(_SOURCES))


def get(name: str) -> Source:
    """The source of that name. Raises `UnknownName` with the closest names."""
    _discover()
    if name not in _SOURCES:
        raise UnknownName("source", name, _SOURCES)
    return _SOURCES[name]


def _discover() -> None:
    """Import every module of this package, then the plug-ins of other packages; once."""
    if _found:
        return
    package = importlib.import_module("unsway.sources")
    for module in pkgutil.iter_modules(package.__path__, prefix=f"{package.__name__}."):
        importlib.import_module(module.name)
    _found.add("unsway")
    from importlib.metadata import entry_points

    for entry in entry_points(group=PLUGINS):
        if entry.name not in _found:
            _found.add(entry.name)
            entry.load()
