"""A real Chromium for the tests of the page; they are skipped, with the reason, where there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

PATIENCE = 90_000
"""Timeout of one step in milliseconds: long, because a cold machine with busy cores is slow but not wrong."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """More time for these tests than for others, for the same reason."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="package")  # its event loop runs in this thread until it is closed
def browser() -> Iterator[Any]:
    from browser.chromium import FLAGS, NAMES, find

    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: python tests/browser/chromium.py")
    found = find()
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the path; python tests/browser/chromium.py")
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=found, args=FLAGS, timeout=PATIENCE)
        yield opened
        opened.close()


class Watched:
    """A page whose every request, error, dialog and policy violation is noted."""

    def __init__(self, page: Any, path: Path, at: str = "") -> None:
        self.page, self.path = page, path
        self.requests: list[str] = []
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(f"file://{path}{at}")
        page.wait_for_selector("html[data-ready=yes]")

    @property
    def quiet(self) -> bool:
        """Whether nothing but the file itself was requested, and nothing went wrong."""
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
