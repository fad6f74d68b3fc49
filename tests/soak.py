"""Long and big: a study of 200,000 scripted replies on one folder, as `unsway measure` does it; nothing may grow.

    python -m tests.soak [REPLIES]

Prints each tenth: replies, CPU seconds, wall seconds, memory. Ends with 1 if memory passes 1.5 GB, if a reply of the last
tenth costs over a tenth more CPU than one of the first, if memory grows by more than what is held of each reply, or if
the numbers do not come out as scripted.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

from unsway.models.session import session
from unsway.pairing import PairSet, pairs
from unsway.sampling import Sampling
from unsway.studies.folder import add_pairs, results
from unsway.studies.kept_outcomes import keep_outcomes
from unsway.studies.measurement import Measurement
from unsway.studies.measuring import ask_arm
from unsway.testing import scripted, toy_questions

REPLIES = 200_000
FOLLOW = {"suggested_answer": 0.6, "post_hoc": 0.3, "authority_professor": 0.1, "metadata_hint": 0.0}
MOST_MEMORY = 1.5e9
"""Bytes of the process, at any time."""
MOST_MORE = 0.10
"""By how much a reply of the last tenth may cost more CPU than one of the first."""
MOST_HELD = 1000
"""Maximum bytes kept per reply: its address in the store stays, its prompt among Inspect's samples must be freed."""


class Mark(NamedTuple):
    """State of the process after a tenth of the replies."""

    replies: int
    cpu: float
    wall: float
    memory: int


@dataclass
class Watch:
    """Counts replies, and records the process's state at regular intervals."""

    every: int
    given: int = 0
    marks: list[Mark] = field(default_factory=list)

    def watched(self, generate: Any) -> Any:
        """The same, counted."""

        async def counted(*args: Any, **more: Any) -> Any:
            if self.given % self.every == 0:
                self.look()
            self.given += 1
            return await generate(*args, **more)

        return counted

    def look(self) -> None:
        """Record and print the process's state."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        mark = Mark(self.given, time.process_time(), time.monotonic(), pages * resource.getpagesize())
        if self.marks:
            cpu, wall = mark.cpu - self.marks[-1].cpu, mark.wall - self.marks[-1].wall
            said = f"{cpu:.1f} s CPU, {wall:.0f} s, {1000 * cpu / self.every:.2f} ms CPU a reply"
            print(f"{mark.replies:>9,} replies: {said}, {mark.memory / 1e6:.0f} MB", flush=True)
        self.marks.append(mark)


def soaked(asked: PairSet, folder: Path, n: int) -> Watch:
    """Ask all prompts, and compute every number."""
    model, watch = scripted(asked, FOLLOW, accuracy=0.7), Watch(n // 10)
    model.api.generate = watch.watched(model.api.generate)
    with session(model) as who:
        add_pairs(folder, asked)
        ask_arm(asked, who, Measurement(Sampling(folder=folder, label="scripted")))
    watch.look()
    return watch


def wrong_numbers(folder: Path) -> list[str]:
    """Biases whose rate of following does not come out as scripted."""
    found = results(folder)
    keep_outcomes(folder, found.outcomes)
    wrong = []
    for cell in found.cells:
        brr, follow = cell["brr"], FOLLOW[cell.bias.partition("@")[0]]
        clean = cell["clean_rate"].value or 0.0
        if brr.value is None or abs(brr.value - follow * (1 - clean)) > 2 / sqrt(brr.n):  # four standard errors
            wrong.append(f"{cell.bias}: BRR {brr.value}, scripted {follow * (1 - clean):.3f}")
    return wrong


def verdict(watch: Watch, n: int) -> list[str]:
    """The quantities that grew, in words."""
    first, last = ((b.cpu - a.cpu) / watch.every for a, b in (watch.marks[:2], watch.marks[-2:]))
    held = (watch.marks[-1].memory - watch.marks[1].memory) / (0.9 * n)
    print(
        f"CPU of a reply, last tenth against first: {1000 * last:.2f} ms / {1000 * first:.2f} ms = {last / first:.3f}"
    )
    print(f"memory, last tenth against first: {held:+.0f} bytes a reply")
    found = [f"a reply costs {last / first - 1:+.0%} CPU at the end"] if last > (1 + MOST_MORE) * first else []
    return found + ([f"{held:.0f} bytes are held of each reply"] if held > MOST_HELD else [])


def main() -> int:
    """All of it; returns 1 if something grew or came out wrong."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else REPLIES
    asked = pairs(toy_questions(n // (1 + len(FOLLOW))), list(FOLLOW))
    with tempfile.TemporaryDirectory() as place:
        watch = soaked(asked, Path(place), n)
        start = time.process_time()
        found = verdict(watch, n) + wrong_numbers(Path(place))
        logs = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss * 1024
    print(f"every number: {time.process_time() - start:.0f} s CPU; on disk {logs / 1e6:.0f} MB")
    print(
        f"{n:,} replies: {used.ru_utime + used.ru_stime:.0f} s CPU, at most {peak / 1e6:.0f} MB of {MOST_MEMORY / 1e6:.0f}"
    )
    found += [f"{peak / 1e6:.0f} MB"] if peak > MOST_MEMORY else []
    print("\n".join(f"Failed: {problem}." for problem in found) or "Nothing grew.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
