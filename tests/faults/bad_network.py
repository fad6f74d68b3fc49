"""A bad network at full size: 2,000 prompts through a server that misbehaves at 30 % of its calls; then one that is gone.

    python -m tests.faults.bad_network [PROMPTS]

Prints a line for each fault class: tried, survived, lost; ends with 1 if anything was lost.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.tally import Tally
from tests.openai_server import TROUBLES, Call, OpenAiServer
from unsway.models.patience import Patience
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.store import ReplyStore
from unsway.testing import toy_questions

KINDS: dict[str | None, str] = {
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
"""Maps each trouble to the kind under which it is logged; a stall and a slow drip are slow answers, not failures."""
SHARE = 0.3
AT_ONCE = 20
PROMPTS = 2000
STALL = 10.0
"""Seconds of a stall, and of a slow drip."""
ANSWER = 15
"""Timeout of one answer in seconds."""


def troubles(share: float, answer_within: float, stall: float = 0.1) -> OpenAiServer:
    """A server whose chat calls go wrong at that share, evenly spread, each kind in its turn."""

    def trouble(method: str, path: str, number: int) -> str | None:
        before, after = int(number * share), int((number + 1) * share)
        return TROUBLES[before % len(TROUBLES)] if path == "/chat/completions" and before != after else None

    def answer(body: dict[str, Any]) -> str:
        time.sleep(0.05)
        return "The best answer is: (A)."

    return OpenAiServer(answer=answer, trouble=trouble, hang=answer_within + 3.0, stall=stall)


def logged(folder: Path) -> Counter[str]:
    """The failures that a folder's log has, by kind."""
    rows = [json.loads(line) for line in (folder / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    return Counter(row["kind"] for row in rows)


def too_soon(calls: Sequence[Call], first: float) -> list[str]:
    """Calls repeated sooner than the server asked, or before our own first wait was over."""
    found: list[str] = []
    last: dict[str, Call] = {}
    for call in calls:
        prompt = str(call.body["messages"])
        before = last.get(prompt)
        wait = 1.0 if before and before.trouble == "429-after" else first
        if before and before.trouble in KINDS and call.when - before.when < wait:
            found.append(f"asked again {call.when - before.when:.2f} s after {before.trouble}")
        last[prompt] = call
    return found


def bad_study(prompts: int, folder: Path) -> int:
    """Ask through a bad network; prints what was met, returns what was lost."""
    patience = Patience(answer=ANSWER)
    with troubles(SHARE, patience.answer, STALL) as server:
        asked = pairs(toy_questions(prompts // 2), ["suggested_answer"])
        start = time.monotonic()
        with contextlib.redirect_stderr(io.StringIO()):
            replies = run(
                asked,
                "openai-api/local/m",
                folder=folder,
                model_args={"base_url": server.url, "max_connections": AT_ONCE, "patience": patience},
            )
        took = time.monotonic() - start
        calls = server.said("POST", "/chat/completions")
    study = Tally(f"bad network, a study at {SHARE:.0%} of calls")
    kept = min(len(ReplyStore(folder / "replies.jsonl")), len(replies))
    study.add(prompts, prompts - kept, f"{prompts - kept} prompts without a reply")
    most = server.most_at_once
    lost = study.say(f"{len(calls)} calls, at most {most} at once of {AT_ONCE} allowed, {took:.0f} s")
    return lost + _by_kind(calls, folder) + _manners(calls, most, patience)


def _by_kind(calls: Sequence[Call], folder: Path) -> int:
    """A line for each kind of trouble: each failure is in the log; each slow answer was taken."""
    met, found, lost = Counter(call.trouble for call in calls if call.trouble), logged(folder), 0
    wanted = Counter({kind: sum(n for name, n in met.items() if KINDS.get(name) == kind) for kind in KINDS.values()})
    for trouble in TROUBLES:
        line, kind = Tally(f"bad network, {trouble}"), KINDS.get(trouble)
        missing = max(0, wanted[kind] - found[kind]) if kind else 0
        line.add(met[trouble], min(missing, met[trouble]), f"{missing} × {kind} not in the log")
        lost += line.say(f"logged as {kind}" if kind else f"a slow answer of {STALL:.0f} s, taken")
    return lost


def _manners(calls: Sequence[Call], most: int, patience: Patience) -> int:
    """Back-off and concurrency."""
    line, soon = Tally("bad network, waits before a call is repeated"), too_soon(calls, patience.first)
    line.add(sum(call.trouble in KINDS for call in calls), len(soon), "; ".join(soon[:3]))
    at_once = Tally("bad network, calls at once")
    at_once.count(*([f"{most} at once, {AT_ONCE} allowed"] if most > AT_ONCE else []))
    return line.say() + at_once.say()


def gone(folder: Path) -> int:
    """An endpoint that breaks for good after 50 replies: an error, exit code 1, everything kept. Returns what was lost."""
    command = [
        sys.executable,
        "-m",
        "unsway",
        "measure",
        "openai-api/local/m",
        "--questions",
        "basic_skills/arithmetic",
    ]
    patience = 'patience={"first": 0.1, "longest": 0.5, "gone": 3}'
    with OpenAiServer(trouble=lambda method, path, n: "503" if n >= 50 else None) as server:
        options = ["-n", "100", "-M", f"base_url={server.url}", "-M", patience, "--out", str(folder)]
        done = subprocess.run([*command, *options], capture_output=True, text=True)
    kept = len(ReplyStore(folder / "replies.jsonl"))
    line = Tally("endpoint gone for good, replies before it")
    problems = [] if done.returncode == 1 else [f"exit code {done.returncode}"]
    problems += [] if "given up" in done.stderr and "Traceback" not in done.stderr else [done.stderr[-300:]]
    line.add(50, 50 - kept + len(problems), f"{50 - kept} replies; {'; '.join(problems)}")
    return line.say(f"exit code {done.returncode}; said: {done.stderr.splitlines()[-1][:150]}")


def main() -> int:
    """Both; returns 1 if anything was lost."""
    os.environ["LOCAL_API_KEY"] = "sk-faults"
    prompts = int(sys.argv[1]) if len(sys.argv) > 1 else PROMPTS
    with tempfile.TemporaryDirectory() as place:
        lost = bad_study(prompts, Path(place) / "bad") + gone(Path(place) / "gone")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
