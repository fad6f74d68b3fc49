"""Fetches an asset: tries its origins in order, checks each file, and moves the whole into the cache in one step.

In: the name of an asset. Out: its folder, or an error that says what was tried and what to do.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from unsway.assets.cache import MANIFEST, cache_folder, folder_of
from unsway.assets.catalogue import find
from unsway.assets.hub import check_repository, download_repository
from unsway.assets.origins import Archive, Asset, Hub, Origin
from unsway.disk import exclusive, partial_folder, write_text
from unsway.errors import AssetUnavailable, BadInput, ChecksumMismatch, MissingExtra
from unsway.progress import Track, track_bytes
from unsway.store import sha256_file


def fetch(asset: Asset | str, track: Track = track_bytes) -> Path:
    """The folder of an asset, downloaded and checked unless it is already here.

    Args:
        asset: Its name, or your own `Asset` (for example of a plug-in's source).
        track: Shows progress; called with what is being done and its number of bytes.

    Raises:
        UnknownName: There is no such asset.
        AssetUnavailable: No origin could be reached; the message says what was tried and what to do.
        MissingExtra: The only origin needs an optional library.
        ChecksumMismatch: A file is not the pinned one; nothing from that download is kept.
    """
    asset = find(asset) if isinstance(asset, str) else asset
    folder = folder_of(asset)
    if folder is not None:
        return folder
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AssetUnavailable(f"Cannot write to the cache {cache} ({error}). Set UNSWAY_CACHE to a folder.") from error
    with exclusive(cache, f".lock-{asset.name}", waiting=f"another process fetches {asset.name}"):
        folder = folder_of(asset)
        if folder is not None:
            return folder
        errors: list[AssetUnavailable | MissingExtra] = []
        for origin in asset.origins:
            try:
                return _fetch_from(origin, asset, cache, track)
            except (AssetUnavailable, MissingExtra) as error:
                errors.append(error)
    if len(errors) == 1 and isinstance(errors[0], MissingExtra):
        raise errors[0]
    attempts = "".join(f"\n  {origin.describe()}: {error}" for origin, error in zip(asset.origins, errors, strict=True))
    raise AssetUnavailable(
        f"The asset {asset.name!r} ({asset.summary}; {asset.size / 1e6:.1f} MB) is not available. Tried:{attempts}\n"
        "What to do: connect to a network that reaches one of them (unset HF_HUB_OFFLINE for the hub), or copy it from "
        f"another machine: {_own_copy(asset)}."
    )


def _fetch_from(origin: Origin, asset: Asset, cache: Path, track: Track) -> Path:
    """Download an asset from one origin, write its manifest, and move the finished folder into the cache."""
    with partial_folder(cache) as work:
        files = work / "files"
        files.mkdir()
        if isinstance(origin, Hub):
            entries = download_repository(origin, files, track)
        else:
            from unsway.assets.offline.archives import download_archive

            entries = download_archive(origin, files, work, track)
        sums = {str(path.relative_to(files)): sha256_file(path) for path in sorted(files.rglob("*")) if path.is_file()}
        body = {"asset": asset.name, "version": asset.version, "licence": asset.licence, "origin": origin.describe()}
        write_text(files / MANIFEST, json.dumps(body | entries | {"files": sums}, indent=2) + "\n")
        target = cache / f"{asset.name}-{asset.version}"
        shutil.rmtree(target, ignore_errors=True)  # a folder without a manifest is not a copy
        return files.rename(target)


LARGE = 5_000_000
"""Bytes. For an explicit asset above this size, messages give the size as the reason."""


def need(asset: Asset | str) -> Path:
    """The folder of an asset that other work needs. Fetches it as `fetch` does, but an explicit asset must be here already.

    Raises:
        AssetUnavailable: An explicit asset is not here; the message says how to fetch it. Otherwise as `fetch`.
    """
    asset = find(asset) if isinstance(asset, str) else asset
    if asset.explicit and folder_of(asset) is None:
        raise AssetUnavailable(
            f"The asset {asset.name!r} ({asset.summary}; licence: {asset.licence}) "
            + (f"is {asset.size / 1e6:.0f} MB, so it is" if asset.size > LARGE else "is")
            + f" fetched only when asked for: run unsway.assets.fetch({asset.name!r}), or {_own_copy(asset)}."
        )
    return fetch(asset)


def model_folder(name: str) -> Path:
    """The folder of a model that transformers loads by `from_pretrained`; fetched on first use.

    Raises as `fetch` does, and `BadInput` if the asset is not a model.
    """
    asset = find(name)
    if asset.kind != "model":
        raise BadInput(f"The asset {name!r} holds {asset.kind}, not a model.")
    return fetch(asset)


def reach(asset: Asset | str, probe: bool = True) -> tuple[bool, str]:
    """Whether an asset is available, and its place or the reason why not.

    Args:
        asset: Its name, or your own `Asset`.
        probe: Ask the hub and the package index, which takes seconds; otherwise check only local files and settings.
    """
    asset = find(asset) if isinstance(asset, str) else asset
    folder = folder_of(asset)
    if folder is not None:
        return True, f"here: {folder}"
    problems = []
    for origin in asset.origins:
        try:
            if isinstance(origin, Hub):
                check_repository(origin, probe)
            else:
                from unsway.assets.offline.archives import check_archive

                check_archive(origin, probe)
        except (AssetUnavailable, ChecksumMismatch, MissingExtra) as error:
            problems.append(f"{origin.describe()}: {error}")
        else:
            size = f"{asset.size / 1e6:.1f} MB"
            when = f"fetched when asked for: unsway.assets.fetch({asset.name!r})" if asset.explicit else "on first use"
            return True, f"{'can' if probe else 'may'} be downloaded ({size}, {when}) from: {origin.describe()}"
    return False, "; ".join(problems)


def _own_copy(asset: Asset) -> str:
    """The advice on how to use your own copy."""
    archives = " or ".join(origin.filename for origin in asset.origins if isinstance(origin, Archive))
    note = f", or {archives} itself" if archives else ""
    return f"set UNSWAY_ASSETS_DIR to a folder that holds a folder {asset.name!r} with its files{note}"
