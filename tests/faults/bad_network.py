"""A bad network at full size: 2,000 prompts through a server that misbehaves at 30 % of its calls; then one that is gone.

    python -m tests.faults.bad_network [PROMPTS]

Prints a line for each fault class: tried, survived, lost; ends with 1 if anything was lost.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.openai_server import TROUBLES, OpenAiServer
from unsway.errors import ModelError
from unsway.pairs import pairs
from unsway.run import run
from unsway.run.calls import Patience
from unsway.store import ReplyStore
from unsway.testing import toy_questions

KINDS = {
    "429": "429",
    "429-after": "429",
    "500": "500",
    "503": "503",
    "hang": "time-out",
    "cut": "connection lost",
    "dropped": "connection lost",
    "malformed": "malformed",
    "no-choices": "no choices",
    "other-model": "another model",
    "filter": "content filter",
}
"""Trouble to the kind under which it is logged; a stall and a slow drip are slow answers, no failures."""
SHARE = 0.3
AT_ONCE = 20
PROMPTS = 2000


def troubles(share: float, answer_within: float) -> OpenAiServer:
    """A server whose chat calls go wrong at that share, evenly spread, each kind in its turn."""

    def trouble(method: str, path: str, number: int) -> str | None:
        before, after = int(number * share), int((number + 1) * share)
        return TROUBLES[before % len(TROUBLES)] if path == "/chat/completions" and before != after else None

    def answer(body: dict[str, Any]) -> str:
        time.sleep(0.05)
        return "The best answer is: (A)."

    return OpenAiServer(answer=answer, trouble=trouble, hang=answer_within + 3.0, stall=0.1)


def logged(folder: Path) -> Counter[str]:
    """The failures that a folder's log has, by kind."""
    rows = [json.loads(line) for line in (folder / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    return Counter(row["kind"] for row in rows)


def bad_study(prompts: int, folder: Path) -> int:
    """Ask through a bad network; prints what was met, returns what was lost."""
    patience = Patience(answer=5)
    with troubles(SHARE, patience.answer) as server:
        asked = pairs(toy_questions(prompts // 2), ["suggested_answer"])
        start = time.monotonic()
        with contextlib.redirect_stderr(io.StringIO()):
            replies = run(
                asked,
                "openai-api/local/m",
                base_url=server.url,
                folder=folder,
                max_connections=AT_ONCE,
                patience=patience,
            )
        took = time.monotonic() - start
        calls = server.said("POST", "/chat/completions")
    lost = prompts - len(ReplyStore(folder / "replies.jsonl")) + prompts - len(replies)
    met, found = Counter(KINDS[call.trouble] for call in calls if call.trouble in KINDS), logged(folder)
    for kind, count in sorted(met.items()):
        print(f"bad network, {kind}: {count} tried, {count} survived, {max(0, count - found[kind])} not in the log")
        lost += max(0, count - found[kind])
    print(
        f"bad network: {prompts} prompts, {len(calls)} calls, {len(replies)} replies, {lost} lost, at most "
        f"{server.most_at_once} at once (limit {AT_ONCE}), {took:.0f} s"
    )
    return lost + (server.most_at_once > AT_ONCE)


def gone(folder: Path) -> int:
    """An endpoint that breaks for good after 50 replies: an error, everything kept. Returns what was lost."""
    with OpenAiServer(trouble=lambda method, path, n: "503" if n >= 50 else None) as server:
        asked = pairs(toy_questions(100), ["suggested_answer"])
        patience = Patience(first=0.1, longest=0.5, gone=3)
        said = ""
        with contextlib.redirect_stderr(io.StringIO()):
            try:
                run(asked, "openai-api/local/m", base_url=server.url, folder=folder, patience=patience)
            except ModelError as error:
                said = str(error)
    kept = len(ReplyStore(folder / "replies.jsonl"))
    print(f"endpoint gone: 50 answered, {kept} kept, {50 - kept} lost; said: {said[:160]}")
    return 50 - kept + ("given up" not in said)


def main() -> int:
    os.environ["LOCAL_API_KEY"] = "sk-faults"
    prompts = int(sys.argv[1]) if len(sys.argv) > 1 else PROMPTS
    with tempfile.TemporaryDirectory() as place:
        lost = bad_study(prompts, Path(place) / "bad") + gone(Path(place) / "gone")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
