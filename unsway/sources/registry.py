"""What a source is, how to declare one, and how to find them all.

In: modules of this package, and of other packages through the entry-point group `unsway.plugins`. Out: `Source` values
by name. To add a source, add one module with one decorated generator; nothing else is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, Required, TypeAlias, TypedDict, Unpack

from unsway.assets import Asset
from unsway.errors import BadInput, UnknownName
from unsway.registry import Ref, Registry, declared
from unsway.spelling import expression
from unsway.types import Question

Purpose: TypeAlias = Literal["train", "test", "other"]
"""The purpose of a source: train and test questions never overlap (docs/sources.md)."""
Rows: TypeAlias = Callable[..., Iterator[Question]]
"""Yields the questions of a split in a fixed order. Arguments: the split and, if the source has levels, the level and the
seed. The questions may leave `source` empty."""


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a source, with the asset that contains it."""

    name: str
    """train, validation, test, or the source's own word."""
    rows: int | None = None
    """Rows of its file, before `load` skips broken and duplicate ones; None if they are generated on demand."""
    asset: Asset | str | None = None
    """Its asset; None if it needs no download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An origin of questions."""

    name: str
    """Its name for users; a family uses `family/member`, and `name@level` asks for a level."""
    revision: str
    """Version of the content; part of each question's `source`, because another version changes numbers."""
    license: str
    """The licence of the questions."""
    splits: tuple[Split, ...]
    """Its splits."""
    summary: str
    """One line for people."""
    kind: Purpose = "other"
    """train, test or other; train and test sources must not share questions."""
    default: str = ""
    """The split or splits (`validation+test`) to load if none is named; if empty, the first."""
    paper: str = ""
    """Where the questions were published."""
    levels: tuple[int, ...] = ()
    """Difficulty levels; `name` alone means the first; empty if there is only one difficulty.

    The questions of a source with levels depend only on level and seed, and are generated once per process.
    """
    level: int = 0
    """The chosen level; 0 if there are none."""
    rows: Rows = field(repr=False, compare=False)
    """Yields its questions."""

    def __str__(self) -> str:
        """Its name for users, with the level if one was chosen."""
        return f"{self.name}@{self.level}" if self.level else self.name

    def split(self, name: str) -> Split:
        """The split with that name. Raises `UnknownName`."""
        for split in self.splits:
            if split.name == name:
                return split
        raise UnknownName(f"split of {self.name}", name, (split.name for split in self.splits))


class AboutSource(TypedDict, total=False):
    """The keywords of `source`; each is the `Source` field with the same name."""

    revision: Required[str]
    license: Required[str]
    splits: Required[tuple[Split, ...]]
    summary: Required[str]
    kind: Purpose
    default: str
    paper: str
    levels: tuple[int, ...]


sources: Registry[Source] = Registry("source", "unsway.sources", Source)
"""All sources, by name."""


def source(name: str, **about: Unpack[AboutSource]) -> Callable[[Rows], Rows]:
    """Declare a source from a generator `(split) -> Iterator[Question]`.

    Args:
        name: Its name for users; a family uses `family/member`.
        about: Fields of `Source`; revision, license, splits and summary are required.

    Raises:
        UnknownName: A source has no such field.
        BadInput: The name is taken, a field is missing, or there is no split.
    """

    def declare(rows: Rows) -> Rows:
        new_source = declared("source", Source, name, about, rows=rows, level=0)
        if not new_source.splits:
            raise BadInput(f'The source {name!r} has no splits. Name one at least: splits=(Split("test", 100),).')
        level = new_source.levels[0] if new_source.levels else 0
        sources.add(name, replace(new_source, default=new_source.default or new_source.splits[0].name, level=level))
        return rows

    return declare


names = sources.names
"""The names of all sources, in alphabetical order."""


def get(name: str) -> Source:
    """The source with that name, or `name@level`. Raises `UnknownName` with the closest names."""
    ref = Ref.parse(name)
    if ref.unversioned not in sources:
        raise UnknownName("source", name, sources.names())
    origin = sources.get(ref.unversioned)
    if not ref.version:
        return origin
    if ref.version not in map(str, origin.levels):
        raise UnknownName(f"level of {ref.unversioned}", ref.version, map(str, origin.levels))
    return replace(origin, name=name, level=int(ref.version))


@expression.register
def source_expression(value: Source) -> str:
    """The name of a source, as a quoted text."""
    return repr(value.name)
