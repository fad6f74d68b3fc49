"""Whatever a model or a file says, in whatever field, the page runs nothing and asks for nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scripted_study

from unsway.reporting.page import fragment, write_page
from unsway.studies.results import Results

WALK = """async () => {
  for (let i = 0; i < 300; i++) {
    document.getElementById("next").click();
    document.querySelectorAll("#pair details").forEach((one) => { one.open = true; });
    if (i % 50 === 0) await new Promise((go) => setTimeout(go, 30));
  }
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  await new Promise((go) => setTimeout(go, 200));
}"""
STRANGERS = """() => [...document.querySelectorAll(
  "form:not(.filters, .vega-bindings), input:not([name=q]), " +
  "img, iframe, object, embed, video, audio, base, link, math, template, svg script, textarea, animate")]
  .map((one) => one.outerHTML.slice(0, 200))"""
HANDLERS = """() => [...document.querySelectorAll("*")].flatMap((one) => [...one.attributes]
  .filter((at) => at.name.startsWith("on")
    || (/^\\s*javascript:/i.test(at.value) && ["href", "src", "action", "data"].includes(at.name)))
  .map((at) => `${one.tagName} ${at.name}=${at.value}`))"""


@pytest.fixture(scope="module")
def hostile() -> Results:
    return scripted_study.hostile_study()


@pytest.fixture(scope="module")
def opened(hostile: Results, tmp_path_factory: pytest.TempPathFactory, visit: Callable[..., Any]) -> Any:
    return visit(write_page(hostile, tmp_path_factory.mktemp("hostile") / "report.html"))


def test_the_corpus_is_large_and_is_on_the_page(opened: Any) -> None:
    assert len(set(scripted_study.INJECTIONS)) >= 40
    text = opened.page.inner_text("body")
    assert (
        "<script>window.pwned=1</script>" in text and "{{ 7*7 }}" in text and "49" not in text.split("{{ 7*7")[0][-3:]
    )


def test_every_injection_stands_in_every_field_of_the_page(hostile: Results) -> None:
    """Each one in what each type holds of text; names of arms and biases share the corpus between them."""
    pair, arms = hostile.pairs, hostile.arms
    shared = {
        "labels": "".join(arm.label for arm in arms),
        "models": "".join(arm.model for arm in arms),
        "weights": "".join(arm.weights for arm in arms),
        "checkpoints": "".join(arm.checkpoint.method + arm.checkpoint.data_sha256 for arm in arms if arm.checkpoint)
        + arms[0].label
        + arms[1].intervention,
        "biases": "".join(hostile.biases),
        "of": arms[0].of,
        "title": hostile.title,
        "about": "".join(key + value for key, value in hostile.about.items()),
        "skipped": "".join(one.reason for one in hostile.skipped),
        "stems": "".join(one.question.stem for one in pair),
        "options": "".join(option for one in pair for option in one.question.options),
        "sources": "".join(one.question.source for one in pair),
        "elicitations": "".join(one.elicit for one in pair),
        "cues": "".join(one.biased.cue() for one in pair),
        "replies": "".join(reply.text for reply in hostile.replies),
        "reasoning": "".join(reply.reasoning or "" for reply in hostile.replies),
        "turns": "".join(turn for reply in hostile.replies for turn in reply.turns),
    }
    missing = {field: [one for one in scripted_study.INJECTIONS if one not in text] for field, text in shared.items()}
    assert missing == {field: [] for field in shared}


def test_nothing_runs_and_nothing_is_asked_for(opened: Any) -> None:
    page = opened.page
    page.evaluate(WALK)
    for at in range(0, 12, 3):
        page.locator("#figure-brr svg [aria-roledescription=point]").nth(at).hover()
        page.locator("#chart-tip.visible").wait_for()
    page.locator("#figure-brr svg [aria-roledescription=point]").nth(4).click()
    for beside in ("arms", "sides"):
        page.select_option("select[name=beside]", beside)
    for text in scripted_study.INJECTIONS[::7]:
        page.fill("input[name=q]", text)
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    assert page.evaluate("window.pwned") is None
    assert opened.quiet, (opened.faults, opened.requests)


def test_no_element_and_no_handler_comes_from_text(opened: Any) -> None:
    page = opened.page
    page.click("#clear")
    page.evaluate(WALK)
    assert page.evaluate(STRANGERS) == []
    assert page.evaluate(HANDLERS) == []
    assert page.evaluate("document.scripts.length") == page.locator(".plot").count() + 3


def test_the_policy_alone_would_stop_a_script(opened: Any) -> None:
    """Even markup that got in would not run: the policy has no room for it."""
    page = opened.page
    page.evaluate("""() => {
      const bad = document.createElement("div");
      bad.innerHTML = "<img src='https://evil.example/x.png' onerror='window.pwned=1'>";
      const script = document.createElement("script");
      script.textContent = "window.pwned = 1";
      document.body.append(bad, script);
      setTimeout("window.pwned = 1");
    }""")
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert any("Content Security Policy" in fault for fault in opened.faults)
    assert not [url for url in opened.requests if "evil" in url and not _blocked(opened, url)]


def _blocked(opened: Any, url: str) -> bool:
    return any(url.rstrip("/") in fault for fault in opened.faults)


def test_a_notebook_gets_text_only(hostile: Results, browser: Any) -> None:
    page = browser.new_page()
    page.set_content(fragment(hostile))
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, svg, iframe, script, style, link, base, form, input").count() == 0
    page.close()


def test_csv_holds_no_formula(opened: Any) -> None:
    with opened.page.expect_download() as waiting:
        opened.page.click("[data-download='rows.csv']")
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if line.startswith(("=", "@", "+"))]
