"""Ten thousand pairs: the list draws what is in sight, and filters, search and keys reach all of them.

How long that takes is measured by `python benchmarks/page.py`, not here: a busy machine is no fault of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import scripted_study

from unsway.reporting.page import write_page
from unsway.stats.state import state


@pytest.fixture(scope="module")
def study() -> Any:
    return scripted_study.study(1112, labels=("base",), long=2)


@pytest.fixture(scope="module")
def opened(study: Any, tmp_path_factory: pytest.TempPathFactory, visit: Callable[..., Any]) -> Any:
    assert len(study.pairs) == 10_008
    return visit(write_page(study, tmp_path_factory.mktemp("large") / "report.html"))


def test_filters_and_search_reach_every_pair(study: Any, opened: Any) -> None:
    page = opened.page
    assert page.inner_text("#found") == "10,008 of 10,008 pairs"
    page.select_option("select[name=bias]", "post_hoc@1")
    page.select_option("select[name=outcome]", "switched")
    n = sum(o.bias == "post_hoc@1" and state(o) == "switched" for o in study.outcomes)
    assert page.inner_text("#found") == f"{n:,} of 10,008 pairs" and n > 100
    page.click("#clear")
    page.fill("input[name=q]", "(shelf 1110)")
    assert page.inner_text("#found") == "9 of 10,008 pairs"
    page.click("#clear")


def test_only_rows_in_sight_are_drawn(opened: Any) -> None:
    page = opened.page
    assert page.locator("#list [role=option]").count() < 60
    page.focus("#list")
    page.keyboard.press("End")
    assert page.locator("#list [aria-selected=true]").get_attribute("aria-posinset") == "10008"
    assert page.locator("#list [role=option]").count() < 60


def test_ten_thousand_pairs_stay_on_their_page(opened: Any) -> None:
    assert opened.quiet, (opened.faults, opened.requests)
