"""Kill every long-running verb with SIGKILL at random moments, and run it again.

    python -m tests.faults.killed [KILLS [VERB …]]

Half of the kills come from outside at a random moment of the work, half at a random step on the disk (`dying`). Each rerun
must end complete and equal to an unbroken run: the same replies, rows, numbers, weights and loss. The server counts what it
was asked. Prints a line for each verb: tried, survived, lost; ends with 1 if anything was lost.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.faults.killing import Unbroken, Verb, connection, killed, unbroken
from tests.faults.tally import Tally
from tests.tiny import example, losses, metrics, tiny_model
from unsway.backends.local.steps import last_saved, number
from unsway.seeds import rng
from unsway.store import write_jsonl

KILLS = 40
"""Number of kills over all verbs; at least 30."""
SHARES = {"measure": 10, "data build": 8, "train": 8, "report": 4, "study": 10}
"""Kills of each verb, of 40."""
MODEL = "openai-api/local/m"
STEPS = 24


# ---------------------------------------------------------------- what must come out


def equal(*names: str) -> Callable[[Path, Path], list[str]]:
    """Compare files, ignoring the order of rows and the model's address, which is used as its weights."""

    def content(path: Path) -> list[bytes]:
        lines = re.sub(rb'"weights": ?"[^"]*"', b"", path.read_bytes()).splitlines()
        return sorted(lines) if path.suffix == ".jsonl" else lines

    def same(folder: Path, whole: Path) -> list[str]:
        there = [(name, folder / name, whole / name) for name in names]
        return [f"{name} differs" for name, ours, theirs in there if content(ours) != content(theirs)]

    return same


def equal_weights(folder: Path, whole: Path) -> list[str]:
    """The weights are identical to the bit, the losses equal, and no intermediate files are left."""
    found = equal("adapter_model.safetensors")(folder, whole)
    found += [] if losses(folder) == losses(whole) and len(losses(folder)) == STEPS else ["the losses differ"]
    return found + (["steps are left over"] if (folder / "steps").exists() else [])


def equal_trained(folder: Path, whole: Path) -> list[str]:
    """The weights of all trainings of a study are equal."""
    made = [path.relative_to(whole) for path in whole.rglob("adapter_model.safetensors")]
    return (
        [problem for path in made for problem in equal(str(path))(folder, whole)] if made else ["nothing was trained"]
    )


def trained_on(folder: Path, kept: int | None) -> list[str]:
    """Check that a fit resumed from the last saved step."""
    began = [row["step"] for row in metrics(folder) if "about" in row]
    return [] if kept is None or began[-1] == kept else [f"went on from step {began[-1]}, {kept} was saved"]


def saved(folder: Path) -> int | None:
    """The last step that a killed fit has saved; None if it had finished."""
    return None if (folder / "checkpoint.json").exists() else number(last_saved(folder))


def both(*checks: Callable[[Path, Path], list[str]]) -> Callable[[Path, Path], list[str]]:
    """All of these."""
    return lambda folder, whole: [problem for check in checks for problem in check(folder, whole)]


# ---------------------------------------------------------------- the verbs


def measure(folder: Path, url: str) -> list[str]:
    """60 prompts of two cues."""
    asked = ["--questions", "basic_skills/arithmetic", "-n", "20", "--biases", "suggested_answer,are_you_sure"]
    return ["unsway", "measure", MODEL, *asked, *connection(url), "--out", str(folder)]


def build(folder: Path, url: str) -> list[str]:
    """24 rows and 8 of instructions."""
    asked = ["--questions", "arc_easy", "--split", "validation", "-n", "24", "--instruct", "8"]
    return ["unsway", "data", "build", MODEL, *asked, *connection(url), "--out", str(folder)]


def verbs(place: Path, wanted: Collection[str]) -> dict[str, Verb]:
    """The verbs by name; prepares what the wanted ones need."""
    base, data = place / "base", place / "train.jsonl"
    if not {"train", "study"}.isdisjoint(wanted):
        tiny_model(base)
    write_jsonl(data, [example(i) for i in range(4 * STEPS)])
    fit = ["--set", "batch_size=4", "--set", "learning_rate=0.01"]
    measured = place / "measure" / "unbroken"
    measured_same = equal("replies.jsonl", "outcomes.jsonl", "pairs.jsonl", "arms.json")
    return {
        "measure": Verb("measure", measure, measured_same),
        "data build": Verb(
            "data build", build, equal("examples.jsonl", "examples.pairs.jsonl", "examples.provenance.jsonl")
        ),
        "train": Verb(
            "train",
            lambda folder, url: ["unsway", "train", str(data), "--base", str(base), *fit, "--out", str(folder)],
            equal_weights,
            saved,
            trained_on,
        ),
        "report": Verb(
            "report",
            lambda folder, url: ["unsway", "report", str(folder), "--title", "killed"],
            both(equal("report.html"), measured_same),
            prepare=lambda folder: shutil.copytree(measured, folder) and None,
        ),
        "study": Verb(
            "study",
            lambda folder, url: ["tests.faults.small_study", str(folder), url, str(base)],
            both(equal("replies.jsonl", "outcomes.jsonl", "pairs.jsonl", "asked.jsonl", "study.json"), equal_trained),
        ),
    }


# ---------------------------------------------------------------- the kills


def trial(verb: Verb, whole: Unbroken, i: int) -> tuple[str, bool, list[str]]:
    """One kill at a moment that its number draws: how, whether the process was alive, what was lost."""
    draw = rng(0, "killed", verb.name, i)
    step, after = draw.randrange(1, whole.steps + 1) if i % 2 else 0, draw.random() * whole.seconds
    alive, lost = killed(verb, whole, i, step=step, after=after)
    how = f"step {step} of {whole.steps}" if step else f"{after:.2f} of {whole.seconds:.2f} s"
    return how, alive, [f"kill {i}, {how}: {problem}" for problem in lost]


def kill_all(place: Path, shares: dict[str, int], at_once: int = 2) -> int:
    """Kill each verb so many times, some at a time; returns what was lost."""
    lost = 0
    known = verbs(place, shares)
    for name, n in shares.items():
        whole = unbroken(known[name], place)
        with ThreadPoolExecutor(at_once) as pool:
            tries = list(pool.map(partial(trial, known[name], whole), range(n)))
        line, late = Tally(f"killed, {name}"), sum(not alive for _, alive, _ in tries)
        for _, _, problems in tries:
            line.count(*problems)
        lost += line.say(f"{late} had ended before the kill came; {whole.asked} calls, {whole.steps} steps on the disk")
    return lost


def main() -> int:
    """All verbs; returns 1 if anything was lost."""
    share = int(sys.argv[1]) / KILLS if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as place:
        wanted = {name: n for name, n in SHARES.items() if name in sys.argv[2:] or not sys.argv[2:]}
        lost = kill_all(Path(place), {name: max(1, round(n * share)) for name, n in wanted.items()})
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
