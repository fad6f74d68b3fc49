"""What sources there are, and what can be had of them right now.

In: the declared sources and the state of their assets. Out: rows for a person or a program.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from unsway import assets
from unsway.assets import Asset
from unsway.sources.registry import Kind, Source, Split, get, names

_MADE = (True, "needs no download")


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether something can be had right now; false in a boolean context where it cannot."""

    now: bool
    why: str
    """Where it is or comes from, or why it cannot be had."""

    def __bool__(self) -> bool:
        return self.now


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A split as `unsway sources` lists it."""

    name: str
    rows: int | None
    """Rows of its file before broken and duplicate ones are skipped; None where they are made on demand."""
    asset: str | None
    sha256: tuple[tuple[str, str], ...]
    """Files it comes from, with their pinned sums."""
    available: Availability


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as `unsway sources` lists it."""

    name: str
    kind: Kind
    summary: str
    revision: str
    licence: str
    paper: str
    levels: tuple[int, ...]
    default: str
    """The split that is taken where none is named."""
    splits: tuple[SplitRow, ...]
    available: Availability
    """Of the default split."""


def table(probe: bool = True) -> tuple[SourceRow, ...]:
    """Every source with revision, licence, splits, row counts, sums and availability.

    Args:
        probe: Ask the hub and the package index what they have, each once (a few seconds; nothing is downloaded).
            Else only look at what is here.
    """
    sources = tuple(get(name) for name in names())
    wanted = {_name(split.asset): split.asset for each in sources for split in each.splits if split.asset is not None}
    with ThreadPoolExecutor(max_workers=max(len(wanted), 1)) as pool:
        states = dict(zip(wanted, pool.map(lambda asset: assets.reach(asset, probe), wanted.values()), strict=True))
    return tuple(_row(each, states) for each in sources)


def available(name: str, probe: bool = False) -> Availability:
    """Whether the default split of a source can be had right now, and from where or why not.

    Raises `UnknownName`. Asks the network only with `probe`.
    """
    origin = get(name)
    parts = [origin.split(part) for part in origin.default.split("+")]
    return _all([_MADE if part.asset is None else assets.reach(part.asset, probe) for part in parts])


def _row(origin: Source, states: dict[str, tuple[bool, str]]) -> SourceRow:
    splits = tuple(_split_row(split, states) for split in origin.splits)
    wanted = origin.default.split("+")
    whole = _all([(row.available.now, row.available.why) for row in splits if row.name in wanted])
    return SourceRow(
        origin.name,
        origin.kind,
        origin.summary,
        origin.revision,
        origin.licence,
        origin.paper,
        origin.levels,
        origin.default,
        splits,
        whole,
    )


def _split_row(split: Split, states: dict[str, tuple[bool, str]]) -> SplitRow:
    if split.asset is None:
        return SplitRow(split.name, split.rows, None, (), Availability(*_MADE))
    name = _name(split.asset)
    asset = split.asset if isinstance(split.asset, Asset) else assets.find(name)
    return SplitRow(split.name, split.rows, name, asset.sums(), Availability(*states[name]))


def _name(asset: Asset | str | None) -> str:
    return asset.name if isinstance(asset, Asset) else str(asset)


def _all(states: list[tuple[bool, str]]) -> Availability:
    """Available where all parts are; the reasons of those that are not, else of all, each once."""
    missing = [why for now, why in states if not now]
    return Availability(not missing, "; ".join(dict.fromkeys(missing or [why for _, why in states])))
