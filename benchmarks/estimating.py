"""Numbers, status and the page from replies that are kept: CPU and wall seconds and peak memory, each in its own process.

    python benchmarks/estimating.py [--questions 600] [--samples 3]    # 54,000 replies of about 1,000 characters
    python benchmarks/estimating.py --million FOLDER                   # a million replies of 40 words; 1 GB, kept in FOLDER
    python benchmarks/estimating.py --quick                            # 100 questions

In: scripted replies of tests/scripted_study.py, three models under nine biases. Once the samples of a prompt are alike and
are read once; once every reply differs from every other. A million are always all different, and are made only where FOLDER
holds none. The numbers come once from the replies and once from the columns that the first time kept (`outcomes.npz`).
Goals for 54,000 replies: the numbers in 3 s, the page in 10 s; for a million: the numbers in 20 s and 1 GB, the page in 30 s.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import scripted_study

from unsway import layout
from unsway.reporting.page import write_page
from unsway.store import write_jsonl
from unsway.studies.folder import results, write_arms, write_pairs
from unsway.studies.inspect_folder import status
from unsway.types import Pair, Reply

SHAPES = {"questions": 600, "samples": 3, "long": 5}
"""Questions, samples of each prompt, and how often a reply goes through its options: 1,000 characters in the mean."""
MILLION = {"questions": 5000, "samples": 7, "long": 1}
"""The same for a million replies of 40 words."""
QUICK = {"questions": 100, "samples": 3, "long": 5}


def make(folder: Path, shape: dict[str, int], differ: bool) -> None:
    """Write a study's folder and say what it holds."""
    arms, all_pairs = scripted_study.arms(), scripted_study.pairs(shape["questions"])
    n = letters = 0

    def counted_replies() -> Iterator[Reply]:
        nonlocal n, letters
        for reply in said(all_pairs, shape, differ):
            n, letters = n + 1, letters + len(reply.text)
            yield reply

    write_pairs(folder, all_pairs)
    write_arms(folder, arms, ())
    write_jsonl(folder / layout.REPLIES, counted_replies())
    size = (folder / layout.REPLIES).stat().st_size / 1e6
    alike = "all different" if differ else f"the {shape['samples']} samples of a prompt alike"
    print(f"{n:,} replies of {letters / n:,.0f} characters, {alike}; {len(all_pairs):,} pairs; {size:,.0f} MB")


def said(all_pairs: tuple[Pair, ...], shape: dict[str, int], differ: bool) -> Iterator[Reply]:
    """The replies of every arm, sample by sample; where they differ, each sample draws its own answer and words."""
    for sample in range(shape["samples"]):
        replies = scripted_study.replies(
            all_pairs, scripted_study.arms(), seed=sample if differ else 0, long=shape["long"]
        )
        for number, reply in enumerate(replies):
            text = f"Note {sample}.{number}. {reply.text}" if differ else reply.text
            yield replace(reply, sample=sample, text=text)


def numbers(folder: Path) -> None:
    results(folder)


def page(folder: Path) -> None:
    write_page(results(folder), folder / layout.PAGE)


def from_replies(folder: Path) -> None:
    (folder / layout.COLUMNS).unlink(missing_ok=True)
    numbers(folder)


def glance(folder: Path) -> None:
    status(folder)


STEPS = {"numbers, every reply read": from_replies, "numbers": numbers, "status": glance, "numbers and page": page}


def child(*args: str) -> str:
    """What a process of its own prints: the peak of a process also counts what it was forked from."""
    return subprocess.run([sys.executable, __file__, *args], stdout=subprocess.PIPE, text=True, check=True).stdout


def measured(step: str, folder: Path) -> str:
    cost = json.loads(child("--child", step, "--folder", str(folder)))
    return f"{cost['wall']:.1f} s, {cost['cpu']:.1f} s CPU ({cost['start']:.1f} s of it to start), {cost['MB']:.0f} MB"


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def do(step: str, folder: Path) -> None:
    """Do one step in this process and print what it took as JSON."""
    start, since = cpu(), time.perf_counter()
    STEPS[step](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"cpu": cpu(), "start": start, "wall": time.perf_counter() - since, "MB": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--million", type=Path, metavar="FOLDER")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", choices=(*STEPS, "make"))
    parser.add_argument("--differ", action="store_true")
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    shape = MILLION if args.million else QUICK if args.quick else SHAPES
    shape = shape | {name: value for name in ("questions", "samples") if (value := getattr(args, name)) is not None}
    if args.child == "make":
        make(args.folder, shape, args.differ)
        return
    if args.child:
        do(args.child, args.folder)
        return
    sizes = [text for name in ("questions", "samples") for text in (f"--{name}", str(shape[name]))]
    for differ in (True,) if args.million else (False, True):
        with tempfile.TemporaryDirectory() as temporary:
            folder = args.million or Path(temporary)
            if not (folder / layout.REPLIES).exists():
                size_flags = ["--million", str(folder)] if args.million else ["--quick"] if args.quick else []
                differ_flag = ["--differ"] if differ else []
                print(
                    child("--child", "make", "--folder", str(folder), *sizes, *size_flags, *differ_flag),
                    end="",
                    flush=True,
                )
            for step in STEPS:
                print(f"  {step}: {measured(step, folder)}", flush=True)


if __name__ == "__main__":
    main()
