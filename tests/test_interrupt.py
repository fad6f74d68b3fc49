"""Interrupted or killed while asking: replies that arrived are kept, and a second run asks only the rest."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.forking import Forked
from tests.openai_server import OpenAiServer
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.store import ReplyStore
from unsway.testing import scripted, toy_questions

ASKING = """
import sys
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.testing import scripted, toy_questions
asked = pairs(toy_questions(90), ["post_hoc"])
run(asked, scripted(asked, {"post_hoc": 0.5}, seconds=0.3), folder=sys.argv[1])
"""


def stop_in_the_middle(folder: Path, how: signal.Signals) -> int | None:
    """Start asking 180 prompts, send the signal once some replies are there, and return the exit code."""
    with Forked(ASKING, str(folder), out=folder / "said") as asking:
        path = folder / "replies.jsonl"
        deadline = time.monotonic() + 60
        while not path.exists() or path.stat().st_size < 4_000:
            assert asking.returncode is None and time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(asking.pid, how)
        _, errors = asking.communicate(timeout=60)
        assert how == signal.SIGKILL or errors.rstrip().endswith("KeyboardInterrupt"), errors
        return asking.returncode


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle_it_goes_on_where_it_was(how: signal.Signals, tmp_path: Path) -> None:
    code = stop_in_the_middle(tmp_path, how)
    assert code != 0
    before = {reply.prompt_id: reply for reply in ReplyStore(tmp_path / "replies.jsonl")}
    assert 0 < len(before) < 180

    asked = pairs(toy_questions(90), ["post_hoc"])
    replies = run(asked, scripted(asked, {"post_hoc": 0.5}), folder=tmp_path)
    assert len(replies) == 180
    rows = (tmp_path / "replies.jsonl").read_bytes().count(b"\n")
    assert rows == 180  # nothing was asked twice, nothing is half-written
    assert all(reply == before[reply.prompt_id] for reply in replies if reply.prompt_id in before)


STUDY = """{"models": ["openai-api/local/m"], "biases": ["suggested_answer"], "tasks": [{"source": "procedural/arithmetic"}],
"n": 60}"""
ASKED = ["--questions", "procedural/arithmetic", "-n", "60"]
VERBS: dict[str, list[str]] = {
    "measure": ["measure", "openai-api/local/m", *ASKED, "--biases", "suggested_answer"],
    "data build": ["data", "build", "openai-api/local/m", *ASKED],
    "run": ["run", "study.json"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_interrupted_with_calls_in_flight_says_so_and_exits_with_130(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(body: dict[str, Any]) -> str:
        time.sleep(0.2)
        return "The best answer is: (A)."

    out = tmp_path / "out"
    (tmp_path / "study.json").write_text(STUDY, encoding="utf-8")
    monkeypatch.setenv("LOCAL_API_KEY", "sk-interrupt")
    with OpenAiServer(answer=answer) as server:
        monkeypatch.setenv("LOCAL_BASE_URL", server.url)
        code = "import os, sys\nfrom unsway.cli import main\nos.chdir(sys.argv[1])\nmain(sys.argv[2:])"
        words = [*VERBS[verb], "--out", "out"]
        with Forked(code, str(tmp_path), *words, out=tmp_path / "said") as asking:
            deadline = time.monotonic() + 60
            while (
                not (out / "replies.jsonl").exists() or not (out / "replies.jsonl").stat().st_size or not server.at_once
            ):
                assert asking.returncode is None and time.monotonic() < deadline
                time.sleep(0.01)
            os.kill(asking.pid, signal.SIGINT)
            _, errors = asking.communicate(timeout=60)
        assert asking.returncode == 130, errors
        assert "Interrupted. Everything done so far is kept" in errors and "Traceback" not in errors
        n_kept = len(ReplyStore(out / "replies.jsonl"))
        assert 0 < n_kept <= len(server.calls) < 120
