"""Interrupted or killed while it asks: what came is kept, and a second run asks only the rest."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.forking import Forked
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
        asking.communicate(timeout=60)
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
