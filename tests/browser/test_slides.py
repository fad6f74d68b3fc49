"""The HTML deck in a real browser: a page for each slide, nothing spills over, nothing runs, nothing is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scripted_study

from unsway.reporting.deck import write_slides
from unsway.reporting.deck.content import slides

SPILLS = """() => [...document.querySelectorAll(".title, .text, table, .note, td, th")].filter((one) => {
  const slide = one.closest(".slide").getBoundingClientRect(), box = one.getBoundingClientRect();
  return one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 2
    || box.bottom > slide.bottom + 1 || box.right > slide.right + 1;
}).map((one) => `${one.closest(".slide").id} ${one.className || one.tagName}: ${one.innerText.slice(0, 60)}`)"""
STUDIES: dict[str, Callable[[], Any]] = {
    "three arms": lambda: scripted_study.study(20, biases=scripted_study.BIASES[:4]),
    "one arm": lambda: scripted_study.study(12, labels=("base",)),
    "hostile": scripted_study.hostile_study,
}


@pytest.mark.parametrize("name", STUDIES)
def test_the_deck_fits_prints_and_asks_for_nothing(name: str, browser: Any, tmp_path: Path) -> None:
    study = STUDIES[name]()
    path = write_slides(study, tmp_path / "slides.pptx").web
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"file://{path}")
    assert page.evaluate(SPILLS) == []
    assert page.evaluate("window.pwned") is None and faults == []
    assert [url for url in asked if not url.startswith(("file://" + str(path), "data:image/svg+xml"))] == []
    assert page.locator("img.chart").evaluate("(image) => image.complete && image.naturalWidth > 100")
    printed = page.pdf(prefer_css_page_size=True)
    pages = [int(n) for n in re.findall(rb"/Type /Pages\s+/Count (\d+)", printed)]
    assert pages == [len(slides(study))]
    assert set(re.findall(rb"/MediaBox \[([^\]]*)\]", printed)) == {b"0 0 960 540"}
    page.close()
