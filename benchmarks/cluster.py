"""A study on Ray with two workers, compared with one process; then a worker and the owner are killed.

    python benchmarks/cluster.py [--replies 100000]       # needs unsway[ray]; twenty minutes on two cores
    python benchmarks/cluster.py --quick                  # 3,000 replies
    python benchmarks/cluster.py --seconds 0.3            # each reply takes that long, 20 at once: a hosted model

Prints rows a second of the owner alone, wall and CPU seconds of both sides and their ratio, and after the kills: rows,
different addresses, rows lost although they were acknowledged before the owner died, and prompts asked twice.
The provider is tests/counting.py, which notes each call in a file.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psutil
from counting import install

from unsway import layout
from unsway.sampling.owner import Owner
from unsway.store import dumps, replies_in
from unsway.studies import Study, Task, run
from unsway.types import Reply, Settings
from unsway.types.address import Address

TESTS = Path(__file__).parent.parent / "tests"
BATCH = 64
"""Rows of one message to the owner."""
QUESTIONS = 1200
"""As many as the source has, or nearly."""
BIASES = ("suggested_answer", "post_hoc")


def study(n_replies: int) -> Study:
    """Two models, two biases: three prompts a question; many replies are several samples of each prompt."""
    a_question = 2 * (1 + len(BIASES))
    n = min(QUESTIONS, max(1, n_replies // a_question))
    return Study(
        models=("counting/a", "counting/b"),
        biases=BIASES,
        tasks=Task("procedural/arithmetic", n),
        samples=max(1, round(n_replies / (n * a_question))),
        settings=Settings(temperature=1.0, max_tokens=20),
    )


def rows_a_second(n: int) -> float:
    """Rows of 1,000 characters that an owner keeps in a second, in its own process."""
    text = "I went through the options one by one and weighed each of them. " * 16
    rows = [
        dumps(Reply(f"{i:016x}", "counting/a", "", 0, text, None, (), "end", Settings(), 100, 250)).encode()
        for i in range(n)
    ]
    with tempfile.TemporaryDirectory() as folder:
        owner, start = Owner(folder), time.perf_counter()
        for first in range(0, n, BATCH):
            owner.add("a worker", rows[first : first + BATCH])
        return n / (time.perf_counter() - start)


def child(side: str, n: int, folder: Path, seconds: float) -> None:
    """Run the study one way, in a process of its own."""
    start, args = time.perf_counter(), {"log": f"{folder}.log", "seconds": seconds}
    cpu_seconds: dict[str, float] = {}
    if side == "ray":
        import ray

        from unsway.studies.on_ray import Ray

        ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=200_000_000, log_to_driver=False)
        ready = time.perf_counter()
        with watched() as by_process:
            run(study(n), folder, on=Ray(lease=5.0), model_args=args)
        for name, seconds in by_process.values():
            cpu_seconds[name] = cpu_seconds.get(name, 0.0) + seconds
    else:
        ready = start
        run(study(n), folder, model_args=args)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_seconds["this process"] = usage.ru_utime + usage.ru_stime
    print(json.dumps({"wall": time.perf_counter() - ready, "cpu": cpu_seconds}))


@contextmanager
def watched() -> Iterator[dict[int, tuple[str, float]]]:
    """What each process of the cluster is and the CPU seconds that it has used, looked at every half second."""
    processes: dict[int, tuple[str, float]] = {}
    done = threading.Event()

    def poll() -> None:
        while not done.wait(0.5):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):  # it just ended
                    current_kind, known_kind = kind(process.name()), processes.get(process.pid, ("", 0.0))[0]
                    is_known = known_kind in ("owner", "workers")  # which both begin and end under other names
                    processes[process.pid] = known_kind if is_known else current_kind, sum(process.cpu_times()[:2])

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield processes
    finally:
        done.set()
        thread.join()


def kind(name: str) -> str:
    """What a process of the cluster is, by its name."""
    if not name.startswith("ray::"):
        return "Ray's own processes"
    return {"ray::StudyOwner": "owner", "ray::_work": "workers"}.get(name[:15].split(".")[0], "idle workers")


def started(side: str, n: int, folder: Path, env: dict[str, str], seconds: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--child", side, "--replies", str(n), "--folder", str(folder)]
    command += ["--seconds", str(seconds)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a side failed with {process.returncode}")
    line = next(line for line in reversed(out.splitlines()) if line.startswith("{"))  # Ray speaks to the same pipe
    body: dict[str, Any] = json.loads(line)
    return body


def wait_until(process: subprocess.Popen[str], there: Callable[[], object]) -> None:
    while not there():
        if process.poll() is not None:
            raise SystemExit(f"the run ended too early, with {process.returncode}")
        time.sleep(0.2)


def n_rows(folder: Path) -> int:
    path = folder / layout.REPLIES
    return path.read_bytes().count(b"\n") if path.exists() else 0


def killed(n: int, folder: Path, env: dict[str, str]) -> None:
    """Run on Ray, kill a worker at a third and the owner at two thirds, and say what came of it."""
    process = started("ray", n, folder, env)
    wait_until(process, lambda: n_rows(folder) > n / 3)
    os.kill(int((Path(f"{folder}.log")).read_text().split()[2]), signal.SIGKILL)
    wait_until(process, lambda: n_rows(folder) > 2 * n / 3)
    acknowledged = {Address.of(reply).key() for reply in replies_in(folder / layout.REPLIES)}
    owners = psutil.Process(process.pid).children(recursive=True)
    for owner in owners:
        if owner.name().startswith("ray::StudyOwner"):
            owner.kill()
    finished(process)
    kept_rows = Counter(Address.of(reply).key() for reply in replies_in(folder / layout.REPLIES))
    calls = Counter(" ".join(line.split()[:2]) for line in Path(f"{folder}.log").read_text().splitlines())
    n_twice = sum(count - study(n).samples for count in calls.values() if count > study(n).samples)
    print(
        f"worker and owner killed: {n_rows(folder):,} rows at {len(kept_rows):,} addresses; of {len(acknowledged):,} rows "
        f"before the owner died {len(acknowledged - kept_rows.keys())} are lost; {n_twice} prompts were asked twice"
    )


def compared(n: int, folder: Path, env: dict[str, str], seconds: float) -> None:
    """Run both sides one after the other, and say how many times as fast Ray was."""
    results = {}
    for side in ("here", "ray"):
        results[side] = finished(started(side, n, folder / side, env, seconds))
        cpu = results[side]["cpu"]
        by_process = ", ".join(f"{name} {amount:.0f}" for name, amount in sorted(cpu.items()))
        wall = results[side]["wall"]
        print(
            f"{side}: {n_rows(folder / side):,} rows in {wall:.0f} s, {sum(cpu.values()):.0f} s CPU ({by_process})",
            flush=True,
        )
    here, ray = (sum(body["cpu"].values()) for body in results.values())
    print(
        f"Ray with two workers is {results['here']['wall'] / results['ray']['wall']:.2f} × one process (goal: 1.6); by CPU "
        f"seconds it would be {here / max(ray / 2, results['ray']['cpu'].get('workers', 0.0) / 2):.2f} × on two free cores",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", choices=("ray", "here"))
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    n = 3000 if args.quick else args.replies
    if args.child:
        child(args.child, n, args.folder, args.seconds)
        return
    print(f"the owner alone: {rows_a_second(min(n, 20_000)):,.0f} rows a second in batches of {BATCH} (goal: 2,000)")
    if importlib.util.find_spec("ray") is None:
        print("Ray is not installed: pip install 'unsway[ray]'")
        return
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "plugin"
        install(plugin)
        paths = [plugin, TESTS, TESTS.parent, *filter(None, [os.environ.get("PYTHONPATH")])]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "RAY_USAGE_STATS_ENABLED": "0"}
        env |= {"RAY_memory_monitor_refresh_ms": "0", "RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
        compared(n, Path(folder), env, args.seconds)
        killed(n, Path(folder) / "killed", env)


if __name__ == "__main__":
    main()
