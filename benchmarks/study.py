"""A study of the size that people run: 3 scripted models × 9 biases × 4 tasks × 150 questions × 3 samples, 55,440 replies.

    python benchmarks/study.py [--questions 150] [--samples 3]      # half an hour of CPU
    python benchmarks/study.py --quick                              # 15 questions and a sample

Each step is a new process, whose CPU seconds, wall seconds and peak memory are printed: run it; run it again with
models that know no reply, so asking anything is an error; add one bias, with models that know that bias alone; compute its
numbers; and, in a new folder, run it by two processes at once. After each step the rows of `replies.jsonl` are
counted, all and those with different addresses.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from unsway import layout
from unsway.biases import get
from unsway.biases.arguments import Argument, Arguments, write
from unsway.prompts.render import letter
from unsway.store import ReplyStore, loads
from unsway.studies import Study, Task, estimate, run
from unsway.testing import scripted
from unsway.types import Pair, Reply, Settings
from unsway.types.address import Address

NINE = (
    "suggested_answer",
    "are_you_sure",
    "post_hoc",
    "wrong_few_shot",
    "spurious_squares",
    "spurious_hindsight",
    "distractor_fact",
    "distractor_argument",
    "positional",
)
NEW = "suggested_against"
"""The bias by which the study grows."""
TASKS = ("mmlu", "hellaswag", "arc_challenge", "openbookqa")
"""Those that `make assets` fetches."""
MODELS = ("scripted/a", "scripted/b", "scripted/c")


def study(n: int, samples: int, arguments: Path) -> Study:
    """The paper's nine biases and four tasks."""
    return Study(
        models=MODELS,
        biases=NINE,
        tasks=TASKS,
        n=n,
        samples=samples,
        settings=Settings(temperature=1.0),
        arguments=str(arguments),
    )


def models(pairs: Iterable[Pair]) -> dict[str, Any]:
    """Models that know what to say to these pairs, and nothing else."""
    all_pairs = tuple(pairs)
    return {
        name: scripted(
            all_pairs, follow={"post_hoc": 0.5, "suggested_answer": 0.3}, seed=i, name=name.rpartition("/")[2]
        )
        for i, name in enumerate(MODELS)
    }


def write_arguments(n: int, path: Path) -> None:
    """An argument for every option of every question: by rule, since no model is at hand."""
    questions = [question for task in TASKS for question in Task(task).load(n, 0)]
    rows = [
        Argument(q.id, i, f"Of all that is offered, this fits the question best. The answer is ({letter(i)}).")
        for q in questions
        for i in range(len(q.options))
    ]
    write(Arguments(tuple(rows)), path)


# ---------------------------------------------------------------- the steps, each in a process of its own


def first(spec: Study, folder: Path) -> None:
    run(spec, folder, using=models(spec.pairs()))


def again(spec: Study, folder: Path) -> None:
    run(spec, folder, using=models(()))


def grown(spec: Study, folder: Path) -> None:
    larger = spec.but(biases=(*NINE, NEW))
    run(larger, folder, using=models(larger.only(biases=NEW).pairs()))


def numbers(spec: Study, folder: Path) -> None:
    estimate(spec, folder)


STEPS: dict[str, Callable[[Study, Path], None]] = {
    "first": first,
    "again": again,
    "grown": grown,
    "numbers": numbers,
}


def child(step: str, spec: Study, folder: Path) -> None:
    """Do one step and print what it took as JSON."""
    start = time.perf_counter()
    STEPS[step](spec, folder)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    body = {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.perf_counter() - start, "MB": usage.ru_maxrss / 1e3}
    print(json.dumps(body))


def started(step: str, args: argparse.Namespace, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--child", step, "--folder", str(folder), "--arguments", str(args.arguments)]
    command += ["--questions", str(args.questions), "--samples", str(args.samples)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def finished(process: subprocess.Popen[str]) -> str:
    """What a step took, as a phrase."""
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, process.args))} failed with {process.returncode}")  # type: ignore[arg-type]
    body = json.loads(out.splitlines()[-1])
    return f"{body['wall']:.1f} s ({body['cpu']:.1f} s CPU), peak {body['MB']:.0f} MB"


# ---------------------------------------------------------------- what is printed


def rows(folder: Path) -> tuple[int, int]:
    """Rows of the file of replies, and different addresses among them."""
    with (folder / layout.REPLIES).open("rb") as file:
        keys = [Address.of(loads(Reply, line)).key() for line in file]
    return len(keys), len(set(keys))


def new_prompts(spec: Study, folder: Path) -> str:
    """Of which biases the prompts of the newest rows are."""
    pairs = {pair.biased.id: pair.bias for pair in spec.but(biases=(NEW,)).pairs()}
    replies = [reply for reply in ReplyStore(folder / layout.REPLIES) if reply.prompt_id in pairs]
    return f"{len(replies):,} of {get(NEW).versioned}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=150, help="of each task")
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--child", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--arguments", type=Path)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    if args.quick:
        args.questions, args.samples = 15, 1
    if args.child:
        child(args.child, study(args.questions, args.samples, args.arguments), args.folder)
        return
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as shared_folder:
        args.arguments = Path(folder) / "arguments.jsonl"
        write_arguments(args.questions, args.arguments)
        spec = study(args.questions, args.samples, args.arguments)
        for step in STEPS:
            cost = finished(started(step, args, Path(folder) / "run"))
            print("{}: {}; {:,} rows, {:,} addresses".format(step, cost, *rows(Path(folder) / "run")), flush=True)
            if step == "grown":
                print(f"new rows: {new_prompts(spec, Path(folder) / 'run')}", flush=True)
        processes = [started("first", args, Path(shared_folder)) for _ in range(2)]
        for process in processes:
            print(f"one of two at once: {finished(process)}", flush=True)
        print("two at once: {:,} rows, {:,} addresses".format(*rows(Path(shared_folder))))


if __name__ == "__main__":
    main()
