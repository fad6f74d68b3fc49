"""Install what tests/browser need: Chromium, playwright and axe. Missing parts are reported, but are no error.

    python tests/browser/chromium.py

In: a machine. Out: a Chromium on the path (by apt if there is none and apt may be used); in this Python the packages of the
extra `browser`, at the versions of constraints.txt. Without them the tests of the page are skipped, with the reason.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
"""Flags of Chromium: no network requests of its own, and no large /dev/shm, which containers lack."""
APT = "-o Acquire::http::Timeout=15 -o Acquire::Retries=1 -o DPkg::Lock::Timeout=90".split()
"""Options of apt: give up soon on a mirror that does not answer, but wait for another process that installs."""
SECONDS = 240
"""Timeout of one command in seconds; a download of 100 MB takes less in CI."""
ROOT = Path(__file__).parent.parent.parent


def find() -> str | None:
    """Path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install() -> str:
    """Install what is missing; returns what is installed now, or what is missing and why."""
    browser = find() or _by_apt()
    if find() is None:
        return f"no Chromium ({browser}): the tests of the page will be skipped"
    packages = _by_pip()
    return (
        f"{find()} for the tests of the page" if not packages else f"{packages}: the tests of the page will be skipped"
    )


def _by_apt() -> str:
    """Install Debian's Chromium; returns why that failed."""
    if shutil.which("apt-get") is None:
        return "no apt-get here; install chromium by hand"
    if os.geteuid() != 0:
        return "not root; `sudo apt-get install chromium` helps"
    packages = ("chromium", "fonts-dejavu-core")
    for words in (("update", "-qq"), ("install", "-qq", "-y", "--no-install-recommends", *packages)):
        failed = _failure(["apt-get", *APT, *words], DEBIAN_FRONTEND="noninteractive")
        if failed:
            return failed
    return "installed, and not on the path"


def _by_pip() -> str:
    """Install the extra `browser`; returns why that failed, or an empty text."""
    if all(importlib.util.find_spec(name) for name in ("playwright", "axe_playwright_python")):
        return ""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["browser"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return _failure([*pip, "-c", str(ROOT / "constraints.txt"), *wanted])


def _failure(command: list[str], **more: str) -> str:
    """Run a command; returns its last line if it failed, else an empty text."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=os.environ | more)
    except subprocess.TimeoutExpired:
        return f"{command[0]} took more than {SECONDS} seconds"
    said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
    return "" if done.returncode == 0 else f"{Path(command[0]).name}: {said}"


if __name__ == "__main__":
    print(install())
