"""Start a verb as a process, kill it with SIGKILL, look at what is left, run the same again to the end, and compare.

In: a `Verb`. Out: what was lost, in words. A kill is either from outside, at a random moment after the first sign of work,
or at a random step on the disk (`dying`). An unbroken run in a separate folder gives the expected result.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forking import Forked
from tests.openai_server import OpenAiServer
from unsway.store import manifest_path, read_manifest

ROOT = Path(__file__).parents[2]
IN_FLIGHT = 8
"""Maximum connections in flight."""
LONGEST = 300.0
"""Timeout of one process in seconds."""


@dataclass(frozen=True)
class Verb:
    """A verb on a folder."""

    name: str
    words: Callable[[Path, str], Sequence[str]]
    """Maps a folder and the server's address to a module and its arguments."""
    same: Callable[[Path, Path], list[str]]
    """Compares a finished folder with that of the unbroken run; returns the differences."""
    kept: Callable[[Path], object] = lambda folder: None
    """Returns what a killed run left for resuming."""
    went_on: Callable[[Path, Any], list[str]] = lambda folder, kept: []
    """Takes the finished folder and the result of `kept`; returns what was repeated needlessly."""
    prepare: Callable[[Path], None] = lambda folder: None
    """Makes the folder ready."""


@dataclass(frozen=True)
class Unbroken:
    """A run that nobody killed."""

    folder: Path
    seconds: float
    """Seconds from the first sign of work to the end."""
    steps: int
    """Number of steps on the disk."""
    asked: int


def server() -> OpenAiServer:
    """A model that answers quickly, and always the same to the same prompt."""

    def answer(body: dict[str, Any]) -> str:
        time.sleep(0.03)
        return f"The best answer is: ({'ABCD'[len(str(body['messages'])) % 3]})."

    return OpenAiServer(answer=answer)


def connection(url: str) -> list[str]:
    """Options with the model's address."""
    return ["-M", f"base_url={url}", "-M", f"max_connections={IN_FLIGHT}"]


def start(verb: Verb, folder: Path, url: str, step: int = 0) -> Forked:
    """Start the verb as a process."""
    words = (str(step), str(folder), *verb.words(folder, url))
    code = "from tests.faults import dying; dying.run()"
    return Forked(code, *words, out=Path(f"{folder}.said"), **environment())


def environment() -> dict[str, str]:
    """One thread, so that two trainings add their numbers in the same order."""
    own = {"LOCAL_API_KEY": "sk-faults", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return os.environ | own


def unbroken(verb: Verb, place: Path) -> Unbroken:
    """Run it to the end."""
    folder = place / verb.name / "unbroken"
    folder.parent.mkdir(parents=True)
    verb.prepare(folder)
    with server() as model:
        process = start(verb, folder, model.url)
        began = first_sign(process, folder)
        assert process.wait(LONGEST) == 0, told(folder)
        return Unbroken(folder, time.monotonic() - began, int(Path(f"{folder}.steps").read_text()), len(model.calls))


def first_sign(process: Forked, folder: Path) -> float:
    """Time when it began to write, or ended."""
    before = stamps(folder)
    until = time.monotonic() + LONGEST
    while process.returncode is None and stamps(folder) == before and time.monotonic() < until:
        time.sleep(0.005)
    return time.monotonic()


def stamps(folder: Path) -> list[tuple[str, int]]:
    """The files of a folder with their times."""
    if not folder.exists():
        return []
    return sorted((entry.name, entry.stat().st_mtime_ns) for entry in os.scandir(folder))


def killed(verb: Verb, whole: Unbroken, number: int, *, step: int = 0, after: float = 0.0) -> tuple[bool, list[str]]:
    """One kill and what follows; whether the process was alive to be killed, and what was lost."""
    folder = whole.folder.parent / f"killed-{number}"
    verb.prepare(folder)
    with server() as model:
        process = start(verb, folder, model.url, step)
        if not step:
            first_sign(process, folder)
            time.sleep(after)
            process.process.kill()
        code = process.wait(LONGEST)
        settle(model)
        lost = [f"the first run ended with {code}: {told(folder)}"] if code not in (0, -signal.SIGKILL) else []
        before, asked = calls_of_rows(folder), len(model.calls)
        lost += torn(folder, after_kill=True)
        kept = verb.kept(folder)
        process = start(verb, folder, model.url)
        if process.wait(LONGEST) != 0:
            return True, [*lost, f"the second run ended with {process.returncode}: {told(folder)}"]
        lost += asked_twice(folder, before, asked, len(model.calls))
    lost += torn(folder) + verb.same(folder, whole.folder) + verb.went_on(folder, kept)
    shutil.rmtree(folder)
    return code == -signal.SIGKILL, lost


def told(folder: Path) -> str:
    """The end of a process's output."""
    return "".join(Path(f"{folder}.{kind}").read_text()[-1000:] for kind in ("said", "err"))


def settle(model: OpenAiServer) -> None:
    """Wait until the server has had no call open for half a second, so that its count is whole.

    On a busy machine it may see a call that a killed process had sent only some time after the kill.
    """
    until, quiet_since = time.monotonic() + 10, time.monotonic()
    while quiet_since + 0.5 > (now := time.monotonic()) and now < until:
        quiet_since = now if model.at_once else quiet_since
        time.sleep(0.01)


# ---------------------------------------------------------------- what is left


def rows(path: Path) -> list[dict[str, Any]]:
    """The whole rows of a JSONL file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def calls_of_rows(folder: Path) -> int:
    """Calls needed for a folder's replies, one for each model turn; 0 for a local model."""
    hosted = [row for row in rows(folder / "replies.jsonl") if not row["model"].startswith("unsway/")]
    return sum(1 + len(row["turns"]) for row in hosted)


def asked_twice(folder: Path, before: int, asked: int, in_all: int) -> list[str]:
    """Check that no stored reply was asked again, and that at most the calls in flight were wasted."""
    found, wanted = in_all - asked, calls_of_rows(folder) - before
    lost = [f"{found} calls after the kill, {wanted} were missing"] if found != wanted else []
    in_vain, most = asked - before, IN_FLIGHT * turns(folder)
    return lost + (
        [f"{in_vain} calls before the kill left nothing, {most} could be in flight"] if in_vain > most else []
    )


def turns(folder: Path) -> int:
    """The most calls that one reply takes."""
    return max((1 + len(row["turns"]) for row in rows(folder / "replies.jsonl")), default=1)


def torn(folder: Path, after_kill: bool = False) -> list[str]:
    """Incomplete files. After the second run, left-overs and manifests of other contents count too."""
    found = [problem for path in sorted(folder.rglob("*")) if path.is_file() for problem in _torn(path, after_kill)]
    return [f"{problem} {'after the kill' if after_kill else 'at the end'}" for problem in found]


def _torn(path: Path, after_kill: bool) -> Iterator[str]:
    name = path.name
    step_begun = path.parent.name.startswith("checkpoint-") and not (path.parent / "trainer_state.json").exists()
    if step_begun or any(one.startswith(".part-") for one in path.parts):
        if not after_kill:
            yield f"{name} is left over"
        return
    try:
        if name.endswith((".json", ".manifest.json")):
            json.loads(path.read_text(encoding="utf-8"))
        elif name.endswith(".jsonl"):
            *whole, rest = path.read_bytes().split(b"\n")
            for line in whole:
                json.loads(line)
            if rest and not after_kill:
                yield f"{name} ends in half a row"
        elif name.endswith(".html") and not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
            yield f"{name} has no end"
        elif name.endswith(".eval") and not after_kill:
            _inspect_opens(path)
        elif name.endswith(".safetensors") and not after_kill:  # they count once their record exists
            _weights_open(path)
    except Exception as error:  # readers raise different errors
        yield f"{path.name} is half a file ({error})"
    if not after_kill and manifest_path(path).exists() and read_manifest(path) is None:
        yield f"{name} is not what its manifest says"


def _inspect_opens(path: Path) -> None:
    """Check that a killed run's log opens in Inspect, with the status "started"."""
    from inspect_ai.log import read_eval_log

    read_eval_log(str(path), header_only=True)


def _weights_open(path: Path) -> None:
    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        list(file.keys())
