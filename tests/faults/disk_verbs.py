"""The verbs that write, as small cases, and what must exist when one has done its work.

In: a folder for what they need. Out: `VERBS`, by name; `prepare_all` makes what they need and starts the model they ask.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.killing import connection, environment, rows, server
from tests.forking import MEASURING, PRELOADED
from tests.openai_server import OpenAiServer
from tests.tiny import example, tiny_model
from unsway.store import write_jsonl

MODEL = "openai-api/local/m"
QUESTIONS = ["--questions", "basic_skills/arithmetic", "-n", "12"]
PROMPTS = 24


@dataclass
class Prepared:
    """What the verbs need."""

    place: Path = Path()
    model: OpenAiServer | None = None

    @property
    def said(self) -> Path:
        """File of a verb's output, on a healthy disk."""
        return self.place / "said"

    @property
    def url(self) -> str:
        """The address of the model."""
        assert self.model is not None
        return self.model.url


PREPARED = Prepared()


@dataclass(frozen=True)
class Case:
    """A verb with a folder that it writes."""

    name: str
    words: Callable[[Path], Sequence[str]]
    makes: str
    """A file that exists when it has done its work."""
    rows: int = 0
    """Number of rows of that file; 0 if it has no rows."""
    asks: bool = False
    reads: bool = False
    """Whether it works on a measured folder, of which it gets its own copy."""

    def prepare(self, out: Path) -> None:
        """Make the folder ready."""
        if self.reads:
            shutil.copytree(PREPARED.place / "measured", out)

    def run(self, out: Path) -> None:
        """Run the verb, and end the process."""
        from unsway.cli import main

        main([str(word) for word in self.words(out)], prog_name="unsway")

    def wrong(self, out: Path) -> list[str]:
        """What is missing after it has done its work."""
        made = out / self.makes
        if not made.is_file():
            return [f"{self.makes} is missing"]
        found = len(rows(made)) if self.rows else 0
        return [f"{self.makes} has {found} rows, not {self.rows}"] if found != self.rows else []

    def asked(self) -> int:
        """Calls that the model got so far."""
        return len(PREPARED.model.calls) if self.asks and PREPARED.model else 0


def measure(out: Path) -> list[str]:
    """Twelve questions with and without a cue."""
    return ["measure", MODEL, *QUESTIONS, *connection(PREPARED.url), "--max-tokens", "100", "--out", str(out)]


def build(out: Path) -> list[str]:
    """Six rows."""
    asked = ["--questions", "arc_easy", "--split", "validation", "-n", "6", "--max-tokens", "100"]
    return ["data", "build", MODEL, *asked, *connection(PREPARED.url), "--out", str(out)]


def train(out: Path) -> list[str]:
    """Four steps."""
    files = [str(PREPARED.place / "train.jsonl"), "--base", str(PREPARED.place / "base")]
    return ["train", *files, "--set", "batch_size=4", "--out", str(out)]


def figure(out: Path) -> list[str]:
    """One chart."""
    return ["figure", str(out), "brr", "--out", str(out / "brr.png")]


VERBS = {
    case.name: case
    for case in (
        Case("measure", measure, "replies.jsonl", PROMPTS, asks=True),
        Case("data-build", build, "examples.jsonl", 6, asks=True),
        Case("train", train, "checkpoint.json"),
        Case("report", lambda out: ["report", str(out)], "report.html", reads=True),
        Case("figure", figure, "brr.png", reads=True),
        Case("reread", lambda out: ["reread", str(out)], "outcomes.jsonl", PROMPTS // 2, reads=True),
        Case(
            "import",
            lambda out: ["import", str(PREPARED.place / "theirs.jsonl"), "--out", str(out)],
            "replies.jsonl",
            40,
        ),
        Case("plan", lambda out: ["plan", "openai/gpt-4o-mini", *QUESTIONS, "--out", str(out)], "plan.json"),
    )
}


@contextmanager
def prepare_all(place: Path, cases: Sequence[Case]) -> Iterator[None]:
    """Make what the verbs need; libraries are loaded here, once, and kept by the processes that are forked."""
    os.environ.update(environment())
    with server() as model:
        PREPARED.place, PREPARED.model = place, model
        _load(cases)
        write_jsonl(place / "train.jsonl", [example(i) for i in range(16)])
        (place / "theirs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in theirs()))
        if any(case.name == "train" for case in cases):
            tiny_model(place / "base")
        if any(case.reads for case in cases):
            from tests.faults.bad_disk import outcome

            code, said = outcome(VERBS["measure"], place / "measured")
            assert code == 0, said
        yield


def _load(cases: Sequence[Case]) -> None:
    for module in (*PRELOADED, *MEASURING):
        importlib.import_module(module)
    if any(case.name == "train" for case in cases):
        import datasets  # noqa: F401
        import peft  # noqa: F401
        import trl  # noqa: F401
    sys.stdout.flush()


def theirs() -> Iterator[dict[str, object]]:
    """Twenty pairs that somebody else asked."""
    for i in range(20):
        row = {"question_id": f"q{i}", "n_options": 4, "gold": "A", "target": "B", "bias": "hunch", "model": "m"}
        yield row | {"arm": "clean", "reply": "The best answer is: (A)."}
        yield row | {"arm": "biased", "reply": f"The best answer is: ({'AB'[i % 2]})."}
