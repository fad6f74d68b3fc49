"""The cache of downloads: where an asset is, and whether its files still match their pins. Uses no network.

In: the name of an asset. Out: its folder, its status, its checksums.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unsway.assets.catalogue import CATALOGUE, find
from unsway.assets.origins import Asset, AssetKind
from unsway.errors import AssetUnavailable, ChecksumMismatch
from unsway.store import sha256_file

MANIFEST = "manifest.json"
"""The file of a cached copy that records its origin and the checksums of its files; written last."""


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """An asset and whether it is here."""

    name: str
    """The name to fetch it by."""
    kind: AssetKind
    """A model, questions, or tasks for instruct rows."""
    summary: str
    """What it is, in one line."""
    licence: str
    """The licence of its content."""
    size: int
    """Size of the download, in bytes."""
    origins: tuple[str, ...]
    """Where it can be downloaded, in the order tried."""
    folder: Path | None
    """Its folder; None if it has not been fetched."""
    origin: str | None
    """The origin of the local copy."""


def cache_folder() -> Path:
    """The folder of downloads: `UNSWAY_CACHE`, or the user's cache folder.

    Raises `AssetUnavailable` if neither is known.
    """
    path = os.environ.get("UNSWAY_CACHE")
    if path:
        return Path(path).expanduser()
    from platformdirs import user_cache_path

    try:
        return user_cache_path("unsway")
    except RuntimeError as error:  # a user without an account on the machine, as in some containers
        raise AssetUnavailable(f"There is no folder for downloads ({error}). Set UNSWAY_CACHE to one.") from error


def local_folder() -> Path | None:
    """The folder of the user's own copies (`UNSWAY_ASSETS_DIR`); None if unset."""
    path = os.environ.get("UNSWAY_ASSETS_DIR")
    return Path(path).expanduser() if path else None


def folder_of(asset: Asset | str) -> Path | None:
    """The folder of an asset, without fetching it: the user's own copy, else the cached one; None if there is neither."""
    asset = find(asset) if isinstance(asset, str) else asset
    own_copies = local_folder()
    if own_copies and (own_copies / asset.name).is_dir():
        return own_copies / asset.name
    cached_copy = cache_folder() / f"{asset.name}-{asset.version}"
    return cached_copy if (cached_copy / MANIFEST).is_file() else None


def status(asset: Asset | str) -> AssetStatus:
    """What an asset is and whether it is here."""
    asset = find(asset) if isinstance(asset, str) else asset
    folder = folder_of(asset)
    origin = str(_manifest(folder).get("origin", "a local copy")) if folder else None
    origins = tuple(origin.describe() for origin in asset.origins)
    return AssetStatus(asset.name, asset.kind, asset.summary, asset.licence, asset.size, origins, folder, origin)


def assets() -> tuple[AssetStatus, ...]:
    """Every asset, with its licence, size and origins, and its folder if it is here."""
    return tuple(status(asset) for asset in CATALOGUE)


def verify(name: str) -> Mapping[str, str]:
    """Check every file of a fetched asset against its manifest; returns each file's checksum.

    Raises:
        AssetUnavailable: The asset is not here.
        ChecksumMismatch: A file changed.
    """
    folder = folder_of(name)
    if folder is None:
        raise AssetUnavailable(f"The asset {name!r} is not here. Fetch it first: unsway.assets.fetch({name!r}).")
    sums: dict[str, str] = _manifest(folder).get("files", {})
    for path, expected in sums.items():
        actual = sha256_file(folder / path) if (folder / path).is_file() else "no file"
        if actual != expected:
            raise ChecksumMismatch(
                f"{folder / path}: sha256 is {actual}, must be {expected}. Delete {folder} and fetch."
            )
    return sums


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AssetUnavailable(f"{path} is damaged ({error}). Delete {folder} and fetch again.") from None
    return body
