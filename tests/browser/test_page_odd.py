"""Studies of unusual shape: nothing leaves the screen, no two texts of a chart lie on each other, nothing goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import odd_studies
import pytest

from unsway.report.page import write_page

WIDTHS = (1280, 390)
CUT = """() => [...document.querySelectorAll(".plot")].flatMap((plot) => {
  const at = plot.getBoundingClientRect();
  return [...plot.querySelectorAll("svg text")].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.width && (box.left < at.left - 2 || box.right > at.right + 2 || box.bottom > at.bottom + 2);
  }).map((text) => `${plot.dataset.spec}: ${text.textContent}`);
})"""
"""Texts that stick out of their chart."""
OVER = """() => [...document.querySelectorAll(".plot")].flatMap((plot) => {
  const boxes = [...plot.querySelectorAll("svg text")].map((text) => [text.textContent, text.getBoundingClientRect()])
    .filter(([, box]) => box.width);
  return boxes.flatMap(([one, a], i) => boxes.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
    .map(([other]) => `${plot.dataset.spec}: ${one} / ${other}`));
})"""
"""Texts of a chart that lie on each other."""


@pytest.mark.parametrize("name", odd_studies.ODD)
def test_nothing_is_cut_and_nothing_overlaps(name: str, visit: Callable[..., Any], tmp_path_factory: Any) -> None:
    path = write_page(odd_studies.ODD[name](), tmp_path_factory.mktemp(name) / "report.html")
    for width in WIDTHS:
        watched = visit(path, viewport={"width": width, "height": 900})
        page = watched.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        assert page.evaluate(CUT) == [] and page.evaluate(OVER) == [], width
        assert page.locator("#pair h3").is_visible() and watched.quiet, (width, watched.faults, watched.requests)
        page.close()
