"""Lies: anything that would make a number silently wrong is detected and reported. Each test tells one real lie.

Elsewhere: a base that is not the one an adapter was trained from (test_models_weights.py), two servers under one name
(test_servers.py), one model under two settings or weights (test_stats_outcomes.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.openai_server import OpenAiServer, let_go
from tests.tiny import tiny_model
from unsway.cli import main
from unsway.errors import ModelError
from unsway.models.weights import Weights
from unsway.pairing import PairSet, pairs
from unsway.reporting.caveats import caveats
from unsway.stats.reply_table import MARKS
from unsway.store import ReplyStore
from unsway.studies.folder import add_pairs, results
from unsway.testing import toy_questions
from unsway.types import Message, Reply, Settings

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
LONG = "I went through the options one after the other and weighed each of them with care. The best answer is: ({})."


def verb(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def measured(server: OpenAiServer, folder: Path, *more: object) -> Result:
    where = ("--out", folder, "-M", f"base_url={server.url}")
    return verb("measure", "openai-api/local/m", "--biases", "suggested_answer", *where, *more)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-lies")
    yield
    let_go()


# ---------------------------------------------------------------- what was asked


def question(i: int, word: str) -> str:
    return json.dumps({"question": f"Which word is number {i}?", "options": [word, "beta", "gamma"], "answer": "A"})


def test_a_question_file_that_changed_under_its_name(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    with OpenAiServer() as server:
        mine.write_text("\n".join(question(i, "alpha") for i in range(4)))
        first = measured(server, tmp_path / "out", "--questions", mine, "-n", 4)
        mine.write_text("\n".join(question(i, "alpha" if i < 2 else "delta") for i in range(4)))
        second = measured(server, tmp_path / "out", "--questions", mine, "-n", 4)
    assert first.exit_code == second.exit_code == 0, second.output
    assert "versions" not in first.output
    assert "mine.jsonl was asked in 2 versions" in second.stderr  # before anything is asked
    assert "mine.jsonl was asked in 2 versions" in second.stdout  # and under the numbers
    assert "mine.jsonl was asked in 2 versions" in verb("table", tmp_path / "out", "--by", "both").output


def test_a_question_file_that_grew_is_no_lie(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    with OpenAiServer() as server:
        for n in (2, 4):
            mine.write_text("\n".join(question(i, "alpha") for i in range(n)))
            found = measured(server, tmp_path / "out", "--questions", mine, "-n", n)
        asked = len(server.said("POST", "/chat/completions"))
    assert found.exit_code == 0 and "versions" not in found.output
    assert asked == 8  # each prompt once


def test_an_estimate_over_an_incomplete_grid(tmp_path: Path) -> None:
    with OpenAiServer() as server:
        assert measured(server, tmp_path, "--questions", "procedural/dates", "-n", 6).exit_code == 0
    more = pairs(toy_questions(5), ["suggested_answer"])
    add_pairs(tmp_path, more)  # a run that was stopped before it asked these
    for said in (verb("table", tmp_path, "--by", "both"), verb("report", tmp_path)):
        assert "not asked of openai-api/local/m (yet)" in " ".join(said.output.split()), said.output
    status = verb("status", tmp_path)
    assert "12 of 22 replies" in status.output


# ---------------------------------------------------------------- how it was asked


def sampled(server: OpenAiServer, folder: Path, temperature: float) -> str:
    asks = ("--questions", "procedural/dates", "-n", 12, "--samples", 2, "--temperature", temperature)
    found = measured(server, folder, *asks)
    assert found.exit_code == 0, found.output
    return " ".join(found.output.split())


def test_a_provider_that_ignores_temperature_or_seed(tmp_path: Path) -> None:
    with OpenAiServer(answer=lambda body: LONG.format("A")) as same:
        assert "sampled several times got the same words each time" in sampled(same, tmp_path / "drawn", 1.0)
        assert "temperature 0" not in sampled(same, tmp_path / "greedy", 0.0)
    with OpenAiServer() as other:
        other.answer = lambda body: LONG.format("AB"[len(other.calls) % 2]) + f" ({len(other.calls)})"
        assert "asked several times at temperature 0 got different replies" in sampled(other, tmp_path / "lucky", 0.0)
        assert "same words" not in sampled(other, tmp_path / "free", 1.0)


def test_each_sample_is_asked_with_a_seed_of_its_own(tmp_path: Path) -> None:
    with OpenAiServer() as server:
        sampled(server, tmp_path, 1.0)
        bodies = [call.body for call in server.said("POST", "/chat/completions")]
    seeds = {(json.dumps(body["messages"]), body["seed"]) for body in bodies}
    assert len(seeds) == len(bodies) == 48
    assert {body["temperature"] for body in bodies} == {1.0}


def test_clean_and_biased_decoded_differently_do_not_make_a_pair(tmp_path: Path) -> None:
    with OpenAiServer(answer=lambda body: LONG.format("B")) as server:
        assert measured(server, tmp_path, "--questions", "procedural/dates", "-n", 8).exit_code == 0
    asked = results(tmp_path)
    clean = {pair.clean.id for pair in asked.pairs}
    hot = Settings(temperature=1.0)
    rows = [replace(r, settings=hot) if r.prompt_id in clean else r for r in ReplyStore(tmp_path / "replies.jsonl")]
    (tmp_path / "replies.jsonl").unlink()
    store = ReplyStore(tmp_path / "replies.jsonl")
    for row in rows:
        store.add(row)
    (cell,) = results(tmp_path).cells
    assert cell["brr"].n == 0 and {str(why): n for why, n in cell.excluded} == {"no_clean_reply": 8}


def test_a_template_that_was_applied_twice(tmp_path: Path) -> None:
    weights = Weights("tiny", tiny_model(tmp_path / "tiny"))
    once = weights.tokenizer.apply_chat_template([{"role": "user", "content": "Which?"}], tokenize=False)
    with pytest.raises(ModelError, match="the chat template was applied already, or the text forges a turn"):
        weights.encode((Message("user", once),))
    assert weights.encode((Message("user", "Which? <b> and [x] are plain text."),))


@pytest.mark.parametrize("mark", MARKS)
def test_marks_of_a_template_in_replies_are_said(mark: str, tmp_path: Path) -> None:
    found = _kept(tmp_path, f"{LONG.format('B')}{mark}\nuser\nanother question")
    assert any("hold marks of a chat template" in caveat for caveat in caveats(found))
    assert caveats(_kept(tmp_path / "plain", LONG.format("B"))) == ()


def _kept(folder: Path, text: str):
    from unsway.studies.arms import Arm
    from unsway.studies.folder import note_arm

    asked: PairSet = pairs(toy_questions(3), ["post_hoc"])
    store = ReplyStore(folder / "replies.jsonl")
    for prompt in {p.id: p for pair in asked for p in (pair.clean, pair.biased)}.values():
        store.add(Reply(prompt.id, "m", "", 0, text, None, (), "end", Settings(), 1, 1))
    add_pairs(folder, asked)
    note_arm(folder, Arm("m", "m", "", "base"))
    return results(folder)


# ---------------------------------------------------------------- how it was answered


def test_a_reply_that_was_cut_counts_as_cut_whatever_the_server_says(tmp_path: Path) -> None:
    """The server of the tests counts 8 tokens a reply and says that each ended by itself."""
    with OpenAiServer(answer=lambda body: LONG.format("B")) as server:
        cut = measured(server, tmp_path / "cut", "--questions", "procedural/dates", "-n", 5, "--max-tokens", 8)
        whole = measured(server, tmp_path / "whole", "--questions", "procedural/dates", "-n", 5, "--max-tokens", 9)
    assert cut.exit_code == whole.exit_code == 0
    assert {reply.stop for reply in ReplyStore(tmp_path / "cut" / "replies.jsonl")} == {"length"}
    assert {str(why): n for why, n in results(tmp_path / "cut").cells[0].excluded} == {"clean_truncated": 5}
    assert results(tmp_path / "whole").cells[0]["brr"].n == 5
