"""The labelling page in a real browser, served by the real verb: clicks, keys, a kill in the middle, hostile replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import scripted_study
from keeping import kept

from tests.forking import Forked
from unsway.judging.items import LabelItem, in_order
from unsway.judging.label_store import LabelStore
from unsway.types import Part, Prompt, Turn

TRY = """async ([home, token]) => {
  const ways = [{}, { method: "POST", mode: "no-cors", body: "{}" }, { headers: { Authorization: `Bearer ${token}` } }];
  const ask = (how) => fetch(home + "api/state", how).then((a) => `${a.status}`, (fault) => `refused: ${fault}`);
  return Promise.all(ways.map(ask));
}"""
STRANGERS = (
    "#prompt *:not(mark, span), #reply *:not(span), img, iframe, object, embed, base, svg, math, style, "
    "link:not([href='/label.css'])"
)


class Served:
    """`unsway label` in a process of its own."""

    def __init__(self, folder: Path, *args: str) -> None:
        words = ["label", str(folder), "--no-browse", "--as", "ana", *args]
        out = folder.parent / f"said {len(list(folder.parent.glob('said *.txt')))}.txt"
        self.process = Forked("from unsway.cli import main\nmain()", *words, out=out)
        self.process.says("http://127.0.0.1:")
        said = out.read_text(encoding="utf-8").split()
        self.address = next(word for word in said if word.startswith("http://127.0.0.1:"))
        self.home = self.address.partition("#")[0]

    def kill(self) -> None:
        self.process.__exit__()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def start(folder: Path, *args: str) -> Served:
        made.append(Served(folder, *args))
        return made[-1]

    yield start
    for one in made:
        one.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return kept(scripted_study.study(8, biases=("suggested_answer", "are_you_sure")), tmp_path / "x")


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[[str], Any]]:
    """Open a page; it notes its faults and where it asked."""
    contexts = []

    def go(address: str) -> Any:
        contexts.append(browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 800}))
        page = contexts[-1].new_page()
        page.faults, page.asked = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("dialog", lambda dialog: (page.faults.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()


def ready(page: Any) -> Any:
    page.wait_for_selector("html[data-ready=yes]")
    return page


def saved(page: Any) -> None:
    page.locator("#saved", has_text="Saved.").wait_for()


def press(page: Any, key: str, shelf: LabelStore) -> None:
    """Press a key and wait until the server has said that it is kept."""
    before = len(list(shelf.rows()))
    page.keyboard.press(key)
    for _ in range(200):
        if len(list(shelf.rows())) > before:
            return saved(page)
        page.wait_for_timeout(20)
    raise AssertionError(f"nothing was kept after {key!r}")


def test_clicks_and_keys_are_kept_a_kill_loses_none_and_the_page_resumes(
    folder: Path, serve: Callable[..., Served], visit: Callable[[str], Any]
) -> None:
    server, shelf = serve(folder, "-n", "5"), LabelStore(folder)
    page = ready(visit(server.address))
    order = [item.id for item in shelf.items()]
    assert len(order) == 5 and page.inner_text("#where") == "ana: reply 1 of 5, 0 labelled"
    page.locator("#coherent label").nth(3).click()
    saved(page)
    page.locator("#mentions_cue label", has_text="yes").click()
    page.locator("#saved", has_text="Press Enter to continue").wait_for()
    assert shelf.of("ana")[order[0]] == {"coherent": 4, "mentions_cue": True}

    page.keyboard.press("Enter")
    page.wait_for_selector(f"html[data-item='{order[1]}']")
    press(page, "2", shelf)
    press(page, "n", shelf)
    press(page, "1", shelf)  # changed one's mind
    assert shelf.of("ana")[order[1]] == {"coherent": 1, "mentions_cue": False}
    page.keyboard.press("j")
    page.wait_for_selector(f"html[data-item='{order[2]}']")
    press(page, "5", shelf)

    server.kill()
    page.keyboard.press("y")
    page.locator("#saved.bad", has_text="Not saved").wait_for()
    assert page.locator("[name=mentions_cue]:checked").count() == 0
    assert len(list(shelf.rows())) == 6

    again = serve(folder, "-n", "5")
    page = ready(visit(again.address))
    assert page.inner_text("#where") == "ana: reply 3 of 5, 2 labelled"
    assert page.locator("[name=coherent]:checked").get_attribute("value") == "5"
    press(page, "y", shelf)
    with page.expect_download() as waiting:
        page.click("#export")
    rows = [json.loads(line) for line in Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()]
    assert [(row["coherence"], row["mentions_cue"]) for row in rows] == [(4, True), (1, False), (5, True)]
    assert page.faults == [] and all(url.startswith((again.home, "blob:")) for url in page.asked)


def test_the_page_shows_the_cue_and_the_models_own_turns_and_not_its_name(
    folder: Path, serve: Callable[..., Served], visit: Callable[[str], Any]
) -> None:
    page = ready(visit(serve(folder, "--which", "all").address))
    items = LabelStore(folder).items()
    for i, item in enumerate(items[:8]):
        page.wait_for_selector(f"html[data-item='{item.id}']")
        marked = "\n".join(text.strip() for text in page.locator("#prompt mark").all_inner_texts())
        assert marked == item.prompt.cue() and item.reply in page.inner_text("#reply").replace("\n\n\n", "\n\n")
        assert all(turn in page.inner_text("#prompt") for turn in item.turns)
        body = page.content()
        assert item.model not in body and item.bias not in body
        if i < 7:
            page.keyboard.press("j")
    assert any(item.turns for item in items[:8])


def test_other_pages_cannot_read_or_label(
    folder: Path, serve: Callable[..., Served], visit: Callable[[str], Any]
) -> None:
    server = serve(folder)
    stranger = serve(folder)  # the same address but for its port: another origin
    page = visit(stranger.home)
    tried = page.evaluate(TRY, [server.home, server.address.partition("#")[2]])
    assert all(one.startswith("refused") for one in tried)
    assert list(LabelStore(folder).rows()) == []


def test_an_address_without_its_token_shows_nothing(
    folder: Path, serve: Callable[..., Served], visit: Callable[[str], Any]
) -> None:
    page = visit(serve(folder).home)
    page.locator("#where", has_text="token").wait_for()
    assert page.locator("#main").is_hidden() and page.inner_text("#prompt") == ""


def hostile(text: str, i: int) -> LabelItem:
    """A reply of which every text is an injection; what cannot be in a file, a lone surrogate, goes."""
    said = text.encode("utf-8", "ignore").decode()
    parts = (Part("stem", said), Part("cue", f" {said} "), Part("instruction", said))
    prompt = Prompt((Turn("system", (Part("stem", said),)), Turn("assistant", None), Turn("user", parts)))
    return LabelItem(prompt, (said,), said * 40, said, said[:20], f"q{i}", said, said, said)


def test_hostile_replies_run_nothing(tmp_path: Path, serve: Callable[..., Served], visit: Callable[[str], Any]) -> None:
    folder = tmp_path / "x"
    LabelStore(folder).add_items(hostile(text, i) for i, text in enumerate(scripted_study.INJECTIONS))
    server = serve(folder)
    page = ready(visit(server.address))
    for item in in_order(LabelStore(folder).items(), 0):
        page.wait_for_selector(f"html[data-item='{item.id}']")
        assert page.evaluate("window.pwned") is None
        page.keyboard.press("j")
    assert page.locator(STRANGERS).count() == 0 and page.locator("script").count() == 1
    assert page.faults == [] and all(url.startswith(server.home) for url in page.asked)


@pytest.mark.parametrize("how", [{}, {"color_scheme": "dark"}], ids=["light", "dark"])
def test_axe_finds_no_fault(folder: Path, serve: Callable[..., Served], browser: Any, how: dict[str, Any]) -> None:
    package = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    context = browser.new_context(bypass_csp=True, **how)
    page = context.new_page()
    page.goto(serve(folder).address)
    ready(page)
    page.locator("#coherent label").nth(2).click()
    saved(page)
    page.evaluate((Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert [
        (one["id"], one["impact"], [node["html"] for node in one["nodes"]][:3]) for one in found["violations"]
    ] == []
    context.close()
