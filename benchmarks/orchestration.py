"""What a study costs besides its model: the same samples through `unsway.studies.run` and through a bare Inspect eval.

    python benchmarks/orchestration.py [--samples 10000] [--large]

Both sides answer with the same scripted model, in one run, in processes of their own; CPU seconds and peak memory of each are
printed with their ratio. Then: numbers of stored replies, their page, start-up; with `--large` also at nine times the
replies.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from unsway.studies import Study, Task, run
from unsway.testing import scripted

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, Model

BIASES = ("suggested_answer", "post_hoc", "distractor_fact")
A_QUESTION = len(BIASES) + 1
"""Unique prompts of each question: the clean one and one for each bias."""


def study(n_samples: int) -> Study:
    """Questions of MMLU and HellaSwag, seven to five: together they have 24,000."""
    n = n_samples // A_QUESTION
    tasks = (Task("mmlu", n * 7 // 12), Task("hellaswag", n * 5 // 12))
    return Study(models="scripted/a", biases=BIASES, tasks=tasks)


def model(spec: Study) -> Model:
    return scripted(spec.pairs(), follow={"post_hoc": 0.5}, name="a")


# ---------------------------------------------------------------- the two sides, each in a process of its own


def ours(n_samples: int, folder: str) -> None:
    spec = study(n_samples)
    run(spec, folder, using={"scripted/a": model(spec)})


def bare(n_samples: int, folder: str) -> None:
    """The same prompts as samples of one task with Inspect's own `generate()` and a scorer that matches a letter."""
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.scorer import pattern
    from inspect_ai.solver import generate

    spec = study(n_samples)
    all_pairs = spec.pairs()
    prompts = {prompt.id: prompt for pair in all_pairs for prompt in (pair.clean, pair.biased)}
    samples = [
        Sample(
            input=[_message(message.role, message.content) for message in prompt.messages()],
            id=key,
            target="A",
        )
        for key, prompt in prompts.items()
    ]
    task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=pattern(r"\(([A-Z])\)"))
    (log,) = inspect_eval(task, model=model(spec), log_dir=folder, display="none", log_realtime=False)
    assert log.status == "success"


def _message(role: str, content: str) -> ChatMessage:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds: dict[str, Callable[..., ChatMessage]] = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    return kinds[role](content=content)


def again(n_samples: int, folder: str) -> None:
    """Every number from what the folder holds."""
    from unsway.studies.folder import results

    results(folder)


def page(n_samples: int, folder: str) -> None:
    from unsway.reporting.page import write_page
    from unsway.studies.folder import results

    write_page(results(folder), Path(folder) / "report.html")


SIDES: dict[str, Callable[[int, str], None]] = {"ours": ours, "bare": bare, "again": again, "page": page}


def child(side: str, n_samples: int, folder: str) -> None:
    """Do one side and print its CPU seconds, wall seconds and peak memory as JSON."""
    start = time.perf_counter()
    SIDES[side](n_samples, folder)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    body = {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.perf_counter() - start, "MB": usage.ru_maxrss / 1e3}
    print(json.dumps(body))


def measured(side: str, n_samples: int, folder: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", side, "--samples", str(n_samples), "--folder", folder]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    body: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return body


# ---------------------------------------------------------------- what is printed


NINE = (
    "suggested_answer,are_you_sure,post_hoc,wrong_few_shot,spurious_squares,spurious_hindsight,distractor_fact,"
    "distractor_argument,positional"
)
MODELS = "openai/gpt-4o-mini,openai/gpt-4o,anthropic/claude-sonnet-4-5"
VERBS = {
    "import unsway": "import unsway",
    "unsway --help": "from unsway.cli import main; main(['--help'])",
    "unsway plan, the paper's study": "from unsway.cli import main; "
    f"main(['plan', '{MODELS}', '--questions', 'procedural/arithmetic@2', '-n', '600', '--biases', '{NINE}'])",
}
"""What is started, as code."""


def start_up() -> None:
    """Seconds of a start, the middle of five, and how much more that is than Python itself."""
    baseline = seconds_of("pass")
    for label, code in VERBS.items():
        seconds = seconds_of(code)
        print(f"{label}: {seconds:.3f} s, {seconds - baseline:.3f} s more than Python itself")


def seconds_of(code: str) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--folder", default="")
    args = parser.parse_args()
    if args.child:
        child(args.child, args.samples, args.folder)
        return
    start_up()
    pairs: list[tuple[dict[str, float], dict[str, float]]] = []
    stored: dict[str, dict[str, float]] = {}
    for _ in range(args.repeats):
        with tempfile.TemporaryDirectory() as our_folder, tempfile.TemporaryDirectory() as bare_folder:
            pairs.append((measured("ours", args.samples, our_folder), measured("bare", args.samples, bare_folder)))
            stored = {side: measured(side, args.samples, our_folder) for side in ("again", "page")}
    for name in ("cpu", "wall", "MB"):
        ratios = [a[name] / b[name] for a, b in pairs]
        values = ", ".join(f"{a[name]:.1f} against {b[name]:.1f}" for a, b in pairs)
        print(
            f"{args.samples:,} samples, study against bare Inspect, {name}: {values}; ratio {statistics.median(ratios):.2f}"
        )
    print(f"estimated again: {stored['again']['cpu']:.1f} s CPU, {stored['again']['MB']:.0f} MB")
    print(f"page: {stored['page']['cpu']:.1f} s CPU, {stored['page']['MB']:.0f} MB")
    if args.large:
        with tempfile.TemporaryDirectory() as our_folder:
            large = measured("ours", 9 * args.samples, our_folder)
            stored = {side: measured(side, 9 * args.samples, our_folder) for side in ("again", "page")}
        print(
            f"{9 * args.samples:,} samples: {large['cpu']:.0f} s CPU, {large['MB']:.0f} MB; estimated again "
            f"{stored['again']['cpu']:.1f} s, {stored['again']['MB']:.0f} MB; page {stored['page']['cpu']:.1f} s, "
            f"{stored['page']['MB']:.0f} MB"
        )


if __name__ == "__main__":
    main()
