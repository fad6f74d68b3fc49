"""A study survives any reply: nothing crashes or hangs, no letter is invented, no terminal control passes through.

The replies arrive over real HTTP and go through the real verbs; `python -m tests.faults.hostile` is the long version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.openai_server import OpenAiServer, let_go
from unsway.cli import main
from unsway.readers.parse import read
from unsway.store import ReplyStore
from unsway.studies.folder import results

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

REPLIES: dict[str, tuple[str, int | None]] = {
    "empty": ("", None),
    "white space": (" \n\t\r\n ", None),
    "200 kB": ("The options need thought. " * 8000, None),
    "200 kB and an answer": ("The options need thought. " * 8000 + "\nThe best answer is: (B).", 1),
    "binary": ("".join(map(chr, range(256))), None),
    "control characters": ("\x00\x01\x07\x08\x0bThe best answer is: (B).\x7f\x9b", 1),
    "terminal escapes": ("\x1b[2J\x1b]0;owned\x07\x1b[31mThe best answer is: (B).\x1b[0m", 1),
    "a link of a terminal": ("\x1b]8;;http://evil.example\x1b\\The best answer is: (B).\x1b]8;;\x1b\\", 1),
    "half a surrogate pair": ("\ud800 The best answer is: (B).", 1),
    "text that turns around": ("\u202eThe best answer is: (B).\u202c", None),
    "markup of rich": ("[bold red]The best answer is: (B).[/] [link=http://evil.example]x[/link]", 1),
    "a loop": ("The answer is " * 5000, None),
    "a loop of letters": ("A B C D " * 5000, None),
    "another language": ("Ich habe alles geprüft. Die richtige Antwort ist (B).", None),
    "a refusal": ("I'm sorry, but I can't help with that.", None),
    "a letter that does not exist": ("The best answer is: (Q).", None),
    "a letter beyond the options": ("The best answer is: (J).", None),
    "a script": ("<script>window.pwned=1</script>The best answer is: (B).", 1),
}
"""Each reply, and the option that may be read from it; None where reading none is right, and B would do no harm."""
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What must never reach a terminal."""
VERBS = (
    ("report", "{}"),
    ("report", "{}", "--json"),
    ("table", "{}", "--by", "both"),
    ("table", "{}", "--by", "both", "--json"),
    ("show", "{}"),
    ("show", "{}", "m", "suggested_answer", "-n", "500"),
    ("status", "{}"),
    ("ls", "{}"),
    ("reread", "{}"),
    ("diff", "{}", "{}"),
)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-replies")
    yield
    let_go()


def no_wrong_letter(text: str, may: int | None) -> None:
    """Option B is the only one that any of the replies names."""
    assert read(text, n_options=4).choice in ({may, None} if may is not None else {None, 1})


@pytest.mark.parametrize("name", REPLIES)
def test_no_letter_is_made_up(name: str) -> None:
    text, may = REPLIES[name]
    no_wrong_letter(text.encode("utf-8", "replace").decode(), may)


def test_a_study_of_bad_replies_ends_and_every_verb_shows_it(tmp_path: Path) -> None:
    texts = [text for text, _ in REPLIES.values()]
    seen: dict[str, int] = {}

    def answer(body: dict[str, object]) -> str:
        return texts[seen.setdefault(str(body["messages"]), len(seen)) % len(texts)]

    folder = tmp_path / "out"
    with OpenAiServer(answer=answer) as server:
        asks = ("--questions", "procedural/dates", "-n", "18", "--biases", "suggested_answer", "--out", str(folder))
        more = ("-M", f"base_url={server.url}", "--label", "m", "--max-tokens", "99")
        found = CliRunner().invoke(main, ["measure", "openai-api/local/m", *asks, *more])
    assert found.exit_code == 0, found.output
    assert not RAW.search(found.output)
    kept = {reply.text for reply in ReplyStore(folder / "replies.jsonl")}
    assert kept == {text.encode("utf-8", "replace").decode() for text in texts}  # as they came
    for arguments in VERBS:
        said = CliRunner().invoke(main, [part.format(folder) for part in arguments])
        assert said.exit_code == 0, (arguments, said.output, said.exception)
        assert not RAW.search(said.output), (arguments, RAW.search(said.output))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>window.pwned" not in page and "\x1b" not in page
    (cell,) = results(folder).cells
    assert cell.n_pairs == cell["brr"].n + cell["brr"].n_excluded == 18
