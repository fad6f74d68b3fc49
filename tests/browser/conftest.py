"""A real Chromium for the tests of the page; they are skipped, with the reason, where there is none."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Where a Chromium is, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")  # its event loop runs in this thread until it is closed
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    found = chromium()
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the path")
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


class Watched:
    """A page whose every request, error, dialog and policy violation is noted."""

    def __init__(self, page: Any, path: Path, at: str = "") -> None:
        self.page, self.path = page, path
        self.requests: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(f"file://{path}{at}")
        page.wait_for_selector("html[data-ready=yes]", timeout=30_000)

    @property
    def quiet(self) -> bool:
        """Nothing was asked for but the file itself, and nothing went wrong."""
        local = ("blob:null/", "data:")
        return not self.faults and all(url.startswith(("file://" + str(self.path), *local)) for url in self.requests)


@pytest.fixture(scope="module")
def visit(browser: Any) -> Iterator[Callable[..., Watched]]:
    """Open a page in a fresh profile: `visit(path, at="#table", color_scheme="dark")`."""
    contexts = []

    def open_page(path: Path, at: str = "", **how: Any) -> Watched:
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True} | how)
        )
        return Watched(contexts[-1].new_page(), path, at)

    yield open_page
    for context in contexts:
        context.close()
