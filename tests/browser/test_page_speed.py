"""Ten thousand pairs stay smooth, and a full study stays small."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest
import reporting

from unsway.report.page import write_page

FILTER = """([name, value]) => {
  const form = document.querySelector(".filters");
  const start = performance.now();
  form.elements[name].value = value;
  form.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("list").getBoundingClientRect();
  return performance.now() - start;
}"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, visit: Callable[..., Any]) -> Any:
    study = reporting.study(1112, labels=("base",), long=2)
    assert len(study.pairs) > 10_000
    return visit(write_page(study, tmp_path_factory.mktemp("large") / "report.html"))


def test_first_paint_is_under_two_seconds(opened: Any) -> None:
    paint = opened.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 2000


def test_a_filter_takes_less_than_a_tenth_of_a_second(opened: Any) -> None:
    page = opened.page
    page.wait_for_timeout(1500)  # replies are put into lower case while nobody is waiting
    steps = [
        ("bias", "post_hoc@1"),
        ("outcome", "switched"),
        ("bias", ""),
        ("q", "shelf 7"),
        ("q", "hardly fits"),
        ("q", ""),
        ("outcome", ""),
    ]
    times = [page.evaluate(FILTER, list(step)) for _ in range(3) for step in steps]
    assert statistics.median(times) < 100 and page.inner_text("#found") == "10,008 of 10,008 pairs"


def test_only_rows_in_sight_are_drawn(opened: Any) -> None:
    page = opened.page
    assert page.locator("#list [role=option]").count() < 60
    page.focus("#list")
    page.keyboard.press("End")
    assert page.locator("#list [aria-selected=true]").get_attribute("aria-posinset") == "10008"
    assert page.locator("#list [role=option]").count() < 60


def test_ten_thousand_pairs_stay_on_their_page(opened: Any) -> None:
    assert opened.quiet, (opened.faults, opened.requests)
