"""The page of 10,008 pairs in headless Chromium: first paint, a filter, a search; and how large a full study's page is.

    python benchmarks/page.py

In: scripted studies of tests/scripted_study.py. Out: medians over five openings, CPU seconds of writing the page, megabytes.
Without Chromium and playwright (`python tests/browser/chromium.py` gets them) it says so and measures the size alone.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import scripted_study
from browser.chromium import FLAGS, find

from unsway.reporting.page import html, write_page
from unsway.seeds import rng
from unsway.studies.results import Results

OPENINGS = 5
STEPS = (
    *(("bias", "post_hoc@1"), ("outcome", "switched"), ("bias", ""), ("q", "shelf 7"), ("q", "hardly fits")),
    *(("q", ""), ("outcome", "")),
)
FILTER = """([name, value]) => {
  const form = document.querySelector(".filters");
  const start = performance.now();
  form.elements[name].value = value;
  form.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("list").getBoundingClientRect();
  return performance.now() - start;
}"""
"""Choose a filter and lay the list out, in milliseconds."""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def full_size() -> None:
    """3 arms, 9 biases, 150 questions; random letters before each reply compress far worse than words do."""
    study, noise = scripted_study.study(150), rng(0, "noise")
    noisy_replies = tuple(replace(reply, text=f"{noise.randbytes(300).hex()} {reply.text}") for reply in study.replies)
    letters = sum(len(reply.text) for reply in noisy_replies) / len(noisy_replies)
    noisy = f"replies of {letters:.0f} letters, 600 of them random"
    for name, results in (
        ("as scripted", study),
        (noisy, Results.build(study.title, study.arms, study.pairs, noisy_replies)),
    ):
        print(f"page of 3 arms x 9 biases x 150 questions, {name}: {len(html(results)) / 1e6:.2f} MB (to be at most 5)")


def opened(browser: Any, path: Path) -> tuple[float, float, list[float]]:
    """First paint, until ready, and every step of filtering, in milliseconds."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.monotonic()
    page.goto(f"file://{path}")
    page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
    ready = 1000 * (time.monotonic() - start)
    page.wait_for_function("() => document.readyState === 'complete'")
    paint = page.evaluate(PAINT)
    page.wait_for_timeout(1500)  # replies are put into lower case while nobody waits
    steps = [page.evaluate(FILTER, list(step)) for step in STEPS]
    page.close()
    return paint, ready, steps


def large(browser: Any, folder: Path) -> None:
    """A base under nine biases, 1,112 questions each."""
    study = scripted_study.study(1112, labels=("base",), long=2)
    start = time.process_time()
    path = write_page(study, folder / "report.html")
    seconds = time.process_time() - start
    print(
        f"page of {len(study.pairs):,} pairs: {path.stat().st_size / 1e6:.1f} MB, written in {seconds:.1f} CPU seconds"
    )
    paints, readies, steps = zip(*(opened(browser, path) for _ in range(OPENINGS)), strict=True)
    all_times = sorted(time for step_times in steps for time in step_times)
    print(f"first paint: median {statistics.median(paints):.0f} ms, slowest {max(paints):.0f} (to be under 2000)")
    print(f"charts drawn and transcripts there: median {statistics.median(readies):.0f} ms")
    print(
        f"a filter or search: median {statistics.median(all_times):.0f} ms, slowest {all_times[-1]:.0f} (to be under 100)"
    )


def main() -> None:
    """Print the figures."""
    full_size()
    chromium = find() if find_spec("playwright") else None
    if chromium is None:
        print(
            "first paint and filters: not measured, no Chromium and playwright (python tests/browser/chromium.py gets them)"
        )
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        print(f"Chromium {browser.version}, {OPENINGS} openings")
        large(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
