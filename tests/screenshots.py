"""Take pictures of the page for visual checks: every odd study on a desktop, in dark mode, on a phone and on paper.

    python tests/screenshots.py FOLDER [STUDY …]

In: nothing. Out: pages and PNGs in the folder. Needs what tests/browser/chromium.py installs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import odd_studies
import scripted_study
from browser.chromium import FLAGS, find

from unsway.reporting.page import write_page

WAYS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "print": {"viewport": {"width": 720, "height": 1000}},
}
STUDIES = odd_studies.ODD | {"usual": lambda: scripted_study.study(60)}


def take(browser: Any, page: Path, name: str, how: dict[str, Any]) -> None:
    """One picture of the whole page, and on paper the PDF too."""
    context = browser.new_context(**how)
    opened = context.new_page()
    opened.set_default_timeout(120_000)
    if name == "print":
        opened.emulate_media(media="print")
    opened.goto(f"file://{page}")
    opened.wait_for_selector("html[data-ready=yes]")
    opened.screenshot(path=page.with_name(f"{page.stem}-{name}.png"), full_page=True)
    if name == "print":
        opened.pdf(path=page.with_suffix(".pdf"), format="A4")
    context.close()


def main(folder: str, *wanted: str) -> None:
    """Make the pages and take the pictures."""
    from playwright.sync_api import sync_playwright

    place = Path(folder).resolve()
    place.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find(), args=FLAGS)
        for study in wanted or STUDIES:
            page = write_page(STUDIES[study](), place / f"{study}.html")
            for name, how in WAYS.items():
                take(browser, page, name, how)
            print(f"{page}: {page.stat().st_size / 1e6:.1f} MB")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
