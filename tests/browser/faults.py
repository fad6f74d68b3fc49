"""Find the faults of a page: requests, errors, cut or overlapping texts, and axe's findings.

    python tests/browser/faults.py runs/demo/report.html

In: a page and a browser. Out: one line for each fault; none for a faultless page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

WAYS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}
CUT = """() => [...document.querySelectorAll(".plot")].flatMap((plot) => {
  const at = plot.getBoundingClientRect();
  return [...plot.querySelectorAll("svg text")].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.width && (box.left < at.left - 2 || box.right > at.right + 2 || box.bottom > at.bottom + 2);
  }).map((text) => `${plot.dataset.spec}: ${text.textContent}`);
})"""
"""Texts that stick out of their chart."""
OVER = """() => [...document.querySelectorAll(".plot")].flatMap((plot) => {
  const boxes = [...plot.querySelectorAll("svg text")].filter((text) => text.getAttribute("opacity") !== "0")
    .map((text) => [text.textContent, text.getBoundingClientRect()]).filter(([, box]) => box.width);
  return boxes.flatMap(([one, a], i) => boxes.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
    .map(([other]) => `${plot.dataset.spec}: ${one} / ${other}`));
})"""
"""Texts of a chart that overlap; Vega makes labels without room transparent."""
WIDER = "() => Math.max(0, document.documentElement.scrollWidth - innerWidth)"


def layout(page: Any) -> Iterator[str]:
    """Elements that stick out, overlap, or make the page wider than the screen."""
    yield from (f"cut: {one}" for one in page.evaluate(CUT))
    yield from (f"overlap: {one}" for one in page.evaluate(OVER))
    if wider := page.evaluate(WIDER):
        yield f"{wider} pixels wider than the screen"


def by_axe(page: Any) -> Iterator[str]:
    """Axe's findings of any severity. Raises `ImportError` if it is not installed."""
    import axe_playwright_python

    for summary in page.locator(".numbers summary").all()[:2]:
        summary.click()
    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    if len(found["passes"]) <= 20:
        yield f"axe: looked at {len(found['passes'])} rules only"
    for one in found["violations"]:
        yield f"axe: {one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']][:3]}"


def faults(visit: Callable[..., Any], path: Path) -> Iterator[str]:
    """All faults, on a desktop, in dark mode and on a phone, including requests and errors of the page."""
    for name, how in WAYS.items():
        watched = visit(path, **how)
        with closing(watched.page) as page:
            yield from (f"{name}: {one}" for one in (*layout(page), *by_axe(page)))
            if not watched.quiet:
                yield f"{name}: {watched.faults} {watched.requests}"


def main(path: str) -> int:
    """Print the faults of a page; 1 where there is any."""
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(Path(__file__).parent.parent))
    from browser.chromium import FLAGS, find
    from browser.conftest import Watched

    with sync_playwright() as play, closing(play.chromium.launch(executable_path=find(), args=FLAGS)) as browser:
        found = list(
            faults(lambda where, **how: Watched(browser.new_context(**how).new_page(), where), Path(path).resolve())
        )
    print("\n".join(found) or f"{path}: no fault on a desktop, in the dark or on a phone")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
