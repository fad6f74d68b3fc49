"""All sources, and whether each is available here.

In: the declared sources and the state of their assets. Out: rows for people or programs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from unsway import assets
from unsway.assets import Asset
from unsway.sources.registry import Purpose, Split, get, names

_NO_DOWNLOAD = (True, "needs no download")


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether something is available here; false in a boolean context if it is not."""

    now: bool
    """Whether it is on disk, or can be downloaded."""
    why: str
    """Its place or origin, or the reason why it is not available."""

    def __bool__(self) -> bool:
        return self.now


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A split as `unsway sources` lists it."""

    name: str
    """The split's name."""
    rows: int | None
    """Rows of its file, before broken and duplicate ones are skipped; None if they are generated on demand."""
    asset: str | None
    """Name of its asset; None if it needs no download."""
    sha256: tuple[tuple[str, str], ...]
    """Its files, with their pinned sums."""
    available: Availability
    """Whether the split is available here."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as `unsway sources` lists it; the fields up to `default` are those of `Source`."""

    name: str
    kind: Purpose
    summary: str
    revision: str
    license: str
    paper: str
    levels: tuple[int, ...]
    default: str
    """The split that is loaded if none is named."""
    splits: tuple[SplitRow, ...]
    """Its splits."""
    available: Availability
    """Whether the default split is available here."""


def table(probe: bool = True) -> tuple[SourceRow, ...]:
    """Every source with revision, licence, splits, row counts, sums and availability.

    Args:
        probe: Ask the hub and the package index, each once (a few seconds; nothing is downloaded). Otherwise look only at
            local files.
    """
    sources = tuple(get(name) for name in names())
    asset_by_name = {
        _asset_name(split): split.asset for origin in sources for split in origin.splits if split.asset is not None
    }
    with ThreadPoolExecutor(max_workers=max(len(asset_by_name), 1)) as pool:
        states = dict(
            zip(asset_by_name, pool.map(lambda asset: assets.reach(asset, probe), asset_by_name.values()), strict=True)
        )

    def split_row(split: Split) -> SplitRow:
        if split.asset is None:
            return SplitRow(split.name, split.rows, None, (), Availability(*_NO_DOWNLOAD))
        name = _asset_name(split)
        asset = split.asset if isinstance(split.asset, Asset) else assets.find(name)
        return SplitRow(split.name, split.rows, name, asset.sums(), Availability(*states[name]))

    rows = []
    for origin in sources:
        splits = tuple(split_row(split) for split in origin.splits)
        defaults = origin.default.split("+")
        rows.append(
            SourceRow(
                name=origin.name,
                kind=origin.kind,
                summary=origin.summary,
                revision=origin.revision,
                license=origin.license,
                paper=origin.paper,
                levels=origin.levels,
                default=origin.default,
                splits=splits,
                available=_join_states([(s.available.now, s.available.why) for s in splits if s.name in defaults]),
            )
        )
    return tuple(rows)


def available(name: str, probe: bool = False) -> Availability:
    """Whether the default split of a source is available here, and its place or the reason why not.

    Raises `UnknownName`. Asks the network only with `probe`.
    """
    origin = get(name)
    parts = [origin.split(part) for part in origin.default.split("+")]
    return _join_states([_NO_DOWNLOAD if part.asset is None else assets.reach(part.asset, probe) for part in parts])


def _asset_name(split: Split) -> str:
    return split.asset.name if isinstance(split.asset, Asset) else str(split.asset)


def _join_states(states: list[tuple[bool, str]]) -> Availability:
    """Available if all parts are. Gives the reasons of the unavailable parts, or else of all; each reason once."""
    missing = [why for now, why in states if not now]
    return Availability(not missing, "; ".join(dict.fromkeys(missing or [why for _, why in states])))
