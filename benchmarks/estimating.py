"""Numbers and the page from replies that are kept: CPU seconds and peak memory, each in a process of its own.

    python benchmarks/estimating.py [--questions 600] [--samples 3]
    python benchmarks/estimating.py --samples 56 --differ              # a million replies, all different; 3 GB of disk
    python benchmarks/estimating.py --quick                            # 100 questions

In: scripted replies of tests/scripted_study.py, three models under nine biases, of about 1,000 characters each. Once
the samples of a prompt are alike, and are read once; once all differ. The numbers come once from the replies and once from
the columns that the first time kept (`outcomes.npz`). Goals for 54,000 replies: the numbers in 3 s, the page in 10 s; for a
million: the numbers in 20 s and 1 GB, the page in 30 s.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
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
from unsway.types import Reply

LONG = 5
"""How often a reply goes through its options: 1,000 characters in the mean."""


def kept(folder: Path, n_questions: int, samples: int, differ: bool) -> tuple[int, float]:
    """Write a study's folder; how many replies it holds, and their mean length in characters."""
    who, asked = scripted_study.arms(), scripted_study.pairs(n_questions)
    said = tuple(scripted_study.replies(asked, who, long=LONG))

    def sampled() -> Iterator[Reply]:
        for reply in said:
            for i in range(samples):
                text = f"Attempt {i}. {reply.text}" if differ else reply.text
                yield replace(reply, sample=i, text=text)

    write_pairs(folder, asked)
    write_arms(folder, who, ())
    write_jsonl(folder / layout.REPLIES, sampled())
    return samples * len(said), sum(len(reply.text) for reply in said) / len(said)


def numbers(folder: Path) -> None:
    results(folder)


def page(folder: Path) -> None:
    write_page(results(folder), folder / "report.html")


def from_replies(folder: Path) -> None:
    (folder / layout.COLUMNS).unlink(missing_ok=True)
    numbers(folder)


def glance(folder: Path) -> None:
    status(folder)


STEPS = {"numbers, every reply read": from_replies, "numbers": numbers, "status": glance, "numbers and page": page}


def measured(step: str, folder: Path) -> str:
    command = [sys.executable, __file__, "--child", step, "--folder", str(folder)]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    used = json.loads(out)
    return f"{used['cpu']:.1f} s CPU ({used['start']:.1f} s of it to start), {used['MB']:.0f} MB"


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--differ", action="store_true", help="only all different")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    if args.child:
        start = cpu()
        STEPS[args.child](args.folder)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps({"cpu": cpu(), "start": start, "MB": most}))
        return
    for differ in (True,) if args.differ else (False, True):
        with tempfile.TemporaryDirectory() as folder:
            n, mean = kept(Path(folder), 100 if args.quick else args.questions, args.samples, differ)
            alike = "all different" if differ else f"the {args.samples} samples of a prompt alike"
            print(f"{n:,} replies of {mean:,.0f} characters, {alike}")
            for step in STEPS:
                print(f"  {step}: {measured(step, Path(folder))}", flush=True)


if __name__ == "__main__":
    main()
