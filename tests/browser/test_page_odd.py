"""Studies of unusual shape: nothing leaves the screen, no two texts of a chart lie on each other, nothing goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import odd_studies
import pytest
import scripted_study

from browser.faults import faults, layout
from unsway.reporting.page import write_page

WIDTHS = (1280, 390)


@pytest.mark.parametrize("name", odd_studies.ODD)
def test_nothing_is_cut_and_nothing_overlaps(name: str, visit: Callable[..., Any], tmp_path_factory: Any) -> None:
    path = write_page(odd_studies.ODD[name](), tmp_path_factory.mktemp(name) / "report.html")
    for width in WIDTHS:
        watched = visit(path, viewport={"width": width, "height": 900})
        assert list(layout(watched.page)) == [], width
        assert watched.page.locator("#pair h3").is_visible() and watched.quiet, (watched.faults, watched.requests)
        watched.page.close()


def test_no_fault_of_any_kind(visit: Callable[..., Any], tmp_path_factory: Any) -> None:
    """Every kind of element, few of each: axe looks at all."""
    pytest.importorskip("axe_playwright_python", reason="axe is missing: python tests/browser/chromium.py")
    study = scripted_study.study(6, biases=scripted_study.BIASES[:3])
    assert list(faults(visit, write_page(study, tmp_path_factory.mktemp("small") / "report.html"))) == []


def test_faults_are_found(visit: Callable[..., Any], tmp_path_factory: Any) -> None:
    page = visit(write_page(odd_studies.refused(), tmp_path_factory.mktemp("bad") / "report.html")).page
    page.evaluate("""() => {
      const [one, other] = document.querySelectorAll("#figure-brr svg text");
      other.replaceWith(one.cloneNode(true));
      one.setAttribute("transform", "translate(-400, 0)");
      document.querySelector("h1").style.minWidth = "3000px";
    }""")
    found = list(layout(page))
    assert any(one.startswith("cut: ") for one in found) and any("wider than" in one for one in found)
    page.evaluate("""() => {
      const [one] = document.querySelectorAll("#figure-rates svg text");
      one.parentElement.append(one.cloneNode(true));
    }""")
    assert any(one.startswith("overlap: ") for one in layout(page))
