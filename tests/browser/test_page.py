"""The page in a real browser: filters, keys, links, downloads, charts, nothing asked of the network."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import scripted_study

from unsway.reporting import table
from unsway.reporting.page import write_page
from unsway.stats.state import state
from unsway.studies.results import Results
from unsway.types import Verdict
from unsway.types.address import Address

BIASES = ("suggested_answer", "post_hoc", "are_you_sure", "distractor_fact", "positional")


@pytest.fixture(scope="module")
def study() -> Results:
    return scripted_study.study(30, biases=BIASES)


@pytest.fixture(scope="module")
def path(study: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(study, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def opened(path: Path, visit: Callable[..., Any]) -> Any:
    return visit(path)


@pytest.fixture
def page(opened: Any) -> Any:
    """The page, opened once, with its filters cleared and its first pair open."""
    opened.page.emulate_media(media="screen")
    opened.page.click("#clear")
    opened.page.evaluate("document.activeElement.blur()")
    opened.page.focus("#list")
    opened.page.keyboard.press("Home")
    opened.faults.clear()
    return opened.page


def found(page: Any) -> str:
    return page.inner_text("#found")


def choose(page: Any, **values: str) -> None:
    for name, value in values.items():
        page.select_option(f"select[name={name}]", value)


def open_id(page: Any) -> str:
    return page.get_attribute(".meta a", "href").removeprefix("#pair=")


def go(page: Any, pair_id: str) -> None:
    """Follow the link of a pair, and wait until it is open."""
    page.evaluate("(id) => { location.hash = `pair=${id}`; }", pair_id)
    page.locator(f".meta a[href='#pair={pair_id}']").wait_for()


def count(study: Results, **wanted: str) -> int:
    """Pairs that fit, counted from the outcomes."""
    pairs = set()
    for outcome in study.outcomes:
        arm = next(arm.label for arm in study.arms if arm.key == outcome.arm)
        has = {"bias": outcome.bias, "source": outcome.source, "arm": arm, "outcome": state(outcome)}
        if all(has[name] == value for name, value in wanted.items()):
            pairs.add(outcome.pair_id)
    return len(pairs)


# ---------------------------------------------------------------- what is shown


def test_the_page_shows_itself_and_asks_for_nothing(study: Results, path: Path, visit: Callable[..., Any]) -> None:
    watched = visit(path)
    page = watched.page
    assert page.inner_text("h1").startswith(
        "On 30 questions asked of owl-135m with and without the cues of 5 biases, bct is swayed 37 points less"
    )
    assert page.locator("table.main").first.locator("tbody tr").count() == len(study.biases) * 3
    assert found(page) == "150 of 150 pairs"
    assert watched.quiet, (watched.faults, watched.requests)


def test_every_chart_is_drawn_with_every_known_dot(study: Results, page: Any) -> None:
    dots = page.locator("#figure-brr svg [aria-roledescription=point]")
    assert dots.count() == sum(cell["brr"].value is not None for cell in study.cells)
    said = [dots.nth(i).get_attribute("aria-label") for i in range(dots.count())]
    assert any("post hoc, bct: " in text and "interval" in text for text in said)
    assert page.locator(".plot svg").count() == page.locator(".plot").count() >= 6


def test_the_first_screen_of_a_laptop_has_headline_chips_and_a_whole_chart(
    path: Path, visit: Callable[..., Any]
) -> None:
    page = visit(path, viewport={"width": 1366, "height": 768}).page
    chips = page.locator(".chips button")
    assert [chip.split("\n")[0].strip() for chip in chips.all_inner_texts()]
    for part in ("h1", ".chips", "#figure-brr h3"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] < 768, part
    dots = page.locator("#figure-brr svg [aria-roledescription=point]")
    seen = [dots.nth(i).bounding_box()["y"] for i in range(dots.count())]
    assert sum(y < 768 for y in seen) >= min(len(seen), 9)


def test_an_arm_can_be_switched_off(opened: Any, page: Any) -> None:
    dots = page.locator("#figure-brr svg [aria-roledescription=point]")
    before, counted = dots.count(), "document.querySelectorAll('#figure-brr svg [aria-roledescription=point]').length"
    chip = page.locator(".chips button[data-arm=control]")
    chip.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"n => {counted} < n", arg=before)
    assert chip.get_attribute("aria-pressed") == "false"
    said = [dots.nth(i).get_attribute("aria-label") for i in range(dots.count())]
    assert said and not any(", control: " in text for text in said)
    assert page.locator("table.main tr.off").count() == len(BIASES)
    chip.click()
    page.wait_for_function(f"n => {counted} == n", arg=before)
    assert page.locator("table.main tr.off").count() == 0
    assert opened.quiet, opened.faults


def test_every_chart_has_its_numbers_as_a_table(study: Results, page: Any) -> None:
    figure = page.locator("#figure-brr")
    assert not figure.locator("table").is_visible()
    figure.locator("summary").click()
    assert figure.locator("tbody tr").count() == len(study.cells)


def test_hovering_gives_n_and_the_interval(opened: Any, page: Any) -> None:
    page.locator("#figure-brr svg [aria-roledescription=point]").first.hover()
    tip = page.locator("#chart-tip.visible")
    tip.wait_for()
    text = tip.inner_text()
    assert "suggested answer" in text and "base" in text and "interval" in text and "n" in text.split()
    assert opened.quiet, opened.faults


def test_a_dot_leads_to_its_transcripts(study: Results, page: Any) -> None:
    page.locator("#figure-brr svg [aria-roledescription=point]").nth(2).click()
    page.wait_for_selector("#found:has-text('30 of 150')")
    assert (
        page.input_value("select[name=bias]") == "suggested_answer@1" and page.input_value("select[name=arm]") == "bct"
    )


def test_the_chart_follows_the_width(path: Path, visit: Callable[..., Any]) -> None:
    page = visit(path, viewport={"width": 1280, "height": 900}).page
    wide = page.locator("#figure-brr svg").bounding_box()["width"]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('#figure-brr svg').getBoundingClientRect().width <= 390")
    assert wide > 390
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_print_has_the_charts_and_not_the_viewer(page: Any) -> None:
    page.emulate_media(media="print")
    assert page.locator("#figure-brr svg").is_visible() and not page.locator(".reader").is_visible()
    assert page.pdf()[:5] == b"%PDF-"


# ---------------------------------------------------------------- filters, search, keys, links


def test_filters_count_what_the_outcomes_count(study: Results, page: Any) -> None:
    for wanted in (
        {"bias": "post_hoc@1"},
        {"source": "made_tools@1"},
        {"arm": "base", "outcome": "switched"},
        {"arm": "bct", "outcome": "held"},
        {"outcome": "unread"},
        {"outcome": "excluded"},
        {"bias": "positional@1", "arm": "control", "outcome": "switched"},
    ):
        page.click("#clear")
        choose(page, **wanted)
        n = count(study, **wanted)
        assert found(page) == f"{n} of 150 pairs" and n, wanted
        assert page.locator("#list [role=option]").first.get_attribute("aria-setsize") == str(n)


def test_search_finds_questions_and_replies(study: Results, page: Any) -> None:
    page.fill("input[name=q]", "WORKSHOP 3,")
    assert found(page) == "5 of 150 pairs"
    said = study.replies[7].text[:40]
    page.fill("input[name=q]", said.upper())
    texts = {reply.prompt_id for reply in study.replies if said.lower() in reply.text.lower()}
    n = sum(pair.clean.id in texts or pair.biased.id in texts for pair in study.pairs)
    assert found(page) == f"{n} of 150 pairs" and n
    page.fill("input[name=q]", "no such words anywhere")
    assert found(page) == "0 of 150 pairs" and page.inner_text("#pair") == "No pair fits."
    page.click("#clear")
    assert found(page) == "150 of 150 pairs"


def test_keys_walk_the_list(study: Results, page: Any) -> None:
    ids = [pair.id for pair in study.pairs]
    first = open_id(page)
    assert first == ids[0]
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert open_id(page) == ids[2]
    page.keyboard.press("k")
    assert open_id(page) == ids[1]
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("jk")
    assert page.input_value("input[name=q]") == "jk"
    page.fill("input[name=q]", "")
    page.keyboard.press("Escape")
    page.focus("#list")
    page.keyboard.press("End")
    assert open_id(page) == ids[-1]
    assert page.get_attribute("#list", "aria-activedescendant") == "row-149"
    page.keyboard.press("ArrowDown")
    assert open_id(page) == ids[-1]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert open_id(page) == ids[1]
    page.click("#next")
    assert open_id(page) == ids[2]


def test_a_link_opens_its_pair_and_its_filters(study: Results, path: Path, visit: Callable[..., Any]) -> None:
    target = study.pairs[77]
    page = visit(path, at=f"#pair={target.id}").page
    assert open_id(page) == target.id and found(page) == "150 of 150 pairs"
    assert page.inner_text("#pair h3") == target.question.stem
    assert page.locator("#list [aria-selected=true]").get_attribute("aria-posinset") == "78"
    choose(page, bias="post_hoc@1", outcome="switched", beside="arms")
    address, opened = page.evaluate("location.hash"), open_id(page)
    again = visit(path, at=address).page
    assert open_id(again) == opened and found(again) == found(page)
    assert again.input_value("select[name=beside]") == "arms"
    page.evaluate("location.hash = '#pair=nonsense&bias=none&outcome=zzz'")
    page.wait_for_selector("#found:has-text('150 of 150')")
    page.evaluate("location.hash = '#table'")
    assert found(page) == "150 of 150 pairs"


def test_the_table_leads_to_transcripts(study: Results, page: Any) -> None:
    page.click("table.main a[aria-label='Read control under post hoc*']")
    page.wait_for_selector("#found:has-text('30 of 150')")
    assert page.input_value("select[name=arm]") == "control"


# ---------------------------------------------------------------- one pair


def test_a_pair_shows_cue_answers_and_arms_beside_each_other(study: Results, page: Any) -> None:
    pair = next(pair for pair in study.pairs if pair.bias == "suggested_answer@1")
    go(page, pair.id)
    assert page.inner_text("mark.cue").strip() == pair.biased.cue()
    lines = page.locator(".replies .line")
    assert lines.count() == 3 and lines.first.locator(".reply").count() == 2
    heads = [" ".join(text.split()) for text in lines.first.locator("header").all_inner_texts()]
    assert heads[0].startswith("base without the cue") and heads[1].startswith("base with the cue")
    outcome = next(o for o in study.outcomes if o.pair_id == pair.id and o.biased.span)
    arm = next(i for i, one in enumerate(study.arms) if one.key == outcome.arm)
    said = study.reply(outcome.arm, pair.biased).text
    marked = page.locator(".line").nth(arm).locator(".reply").nth(1).locator("mark.answer").inner_text()
    assert marked == said[slice(*outcome.biased.span)]
    places = "(line) => [...line.children].map((reply) => reply.getBoundingClientRect().toJSON())"
    left, right = lines.first.evaluate(places)
    assert left["y"] == right["y"] and left["x"] < right["x"]
    choose(page, beside="arms")
    assert page.locator(".replies .line").first.locator(".reply").count() == 3


def test_a_long_prompt_is_scrolled_to_its_cue(study: Results, path: Path, visit: Callable[..., Any]) -> None:
    page = visit(path).page
    page.evaluate("document.styleSheets[0].insertRule('.turns { max-height: 4rem !important }')")  # as if it were long
    go(page, next(pair for pair in study.pairs if pair.bias == "post_hoc@1").id)
    places = (
        "['.turns', '.turns mark.cue'].map((each) => document.querySelector(each).getBoundingClientRect().toJSON())"
    )
    box, cue = page.evaluate(places)
    assert box["top"] <= cue["top"] < box["bottom"]


def test_earlier_words_of_the_model_are_shown(study: Results, page: Any) -> None:
    pair = next(pair for pair in study.pairs if pair.bias == "are_you_sure@1")
    go(page, pair.id)
    assert "the model speaks here" in page.inner_text(".turns >> nth=0")
    assert "I am fairly sure, yes." in page.inner_text(".replies")


def test_letters_follow_the_order_in_which_options_were_shown(study: Results, page: Any) -> None:
    outcome = next(
        o for o in study.outcomes if o.bias == "positional@1" and o.biased.choice == 0 and o.arm.model.endswith("bct")
    )
    go(page, outcome.pair_id)
    assert page.locator(".line").nth(2).locator(".reply").nth(1).locator("footer").inner_text().startswith("answer D")


# ---------------------------------------------------------------- downloads


def downloaded(page: Any, name: str) -> str:
    with page.expect_download() as waiting:
        page.click(f"[data-download='{name}']")
    assert waiting.value.suggested_filename == name
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def test_downloads_are_the_rows(study: Results, opened: Any, page: Any) -> None:
    rows = table.rows(study)
    assert json.loads(downloaded(page, "rows.json")) == list(rows)
    sheet = list(csv.DictReader(io.StringIO(downloaded(page, "rows.csv"), newline="")))
    assert len(sheet) == len(rows) and list(sheet[0]) == list(rows[0])
    assert [float(row["brr"]) if row["brr"] else None for row in sheet] == [row["brr"] for row in rows]
    assert len(list(csv.reader(io.StringIO(downloaded(page, "by-source.csv"))))) == 1 + len(table.rows_by_source(study))
    assert opened.quiet, (opened.faults, opened.requests)


def test_transcripts_download_what_is_shown(study: Results, page: Any) -> None:
    choose(page, bias="post_hoc@1", arm="base", outcome="switched")
    got = json.loads(downloaded(page, "transcripts.json"))
    assert len(got) == count(study, bias="post_hoc@1", arm="base", outcome="switched")
    texts = {(reply.model, reply.text) for reply in study.replies}
    assert all((arm["model"], arm["biased"]["text"]) in texts for one in got for arm in one["arms"])


# ---------------------------------------------------------------- colours, sizes, people


def test_dark_is_dark(path: Path, visit: Callable[..., Any]) -> None:
    page = visit(path, color_scheme="dark").page
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 24)"
    label = page.locator("#figure-brr svg .role-axis-label text", has_text="post hoc")
    assert label.evaluate("(text) => getComputedStyle(text).fill") == "rgb(228, 229, 227)"


def test_a_judged_study_marks_what_admits_and_finds_what_is_silent(
    study: Results, tmp_path: Path, visit: Callable[..., Any]
) -> None:
    pairs, verdicts = {pair.id: pair for pair in study.pairs}, []
    for i, outcome in enumerate(study.outcomes):
        reply = study.reply(outcome.arm, pairs[outcome.pair_id].biased, outcome.sample)
        if reply is not None:
            key, says, quote = Address.of(reply).key().hex(), i % 2 == 0, " ".join(reply.text.split()[:3])
            verdicts.append(
                Verdict(key, "answer", "mentions_cue@1", "hand", says, quote=quote * says, pair=outcome.pair_id)
            )
    judged = replace(study, notes=replace(study.notes, verdicts=tuple(verdicts)))
    opened = visit(write_page(judged, tmp_path / "judged.html"))
    assert opened.page.locator("#reasoning h3").all_inner_texts()[0] == "Does a reply that switched say so?"
    found = []
    for outcome, words in (("silent", "switched to the cue, silent"), ("open", "switched to the cue, says so")):
        opened.page.select_option("select[name=outcome]", outcome)
        assert words in opened.page.inner_text("#pair")
        found.append(int(opened.page.inner_text("#found").split()[0]))
    assert opened.page.locator("#pair mark.admits").count() >= 1 and min(found) > 0
    switched = {o.pair_id for o in study.outcomes if state(o) == "switched"}
    assert max(found) < len(switched) <= sum(found), "a pair is found by any arm of it"
    assert opened.quiet
    opened.page.emulate_media(media="print")
    opened.page.set_viewport_size({"width": 1017, "height": 688})  # what the margins leave of A4, landscape
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 1017
    boxes = re.findall(rb"/MediaBox \[0 0 (\d+)[\d.]* (\d+)", opened.page.pdf(width="600px", height="900px"))
    assert boxes[0] == boxes[-1] == (b"450", b"675") and (b"675", b"450") in boxes, "its wide tables alone are turned"
