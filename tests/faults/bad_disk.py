"""A bad disk: every verb that writes, on a disk that is full, read-only, not ours, oddly named, or shared with a second run.

    python -m tests.faults.bad_disk [VERB …] [--class TEXT …]

A verb must either do its work, or end with exit code 1, one line that says what to do, and no file half-written; when the
disk is mended the same again must end complete, and no reply that was paid for is asked again. A full disk is a tmpfs filled
up; where mounting is not allowed, a limit on the size of files. Prints one line per class; ends with 1 if anything was lost.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.disk_verbs import PREPARED, VERBS, Case, prepare_all
from tests.faults.killing import calls_of_rows, torn
from tests.faults.tally import Tally

DISK = 48_000_000
"""Bytes of the small disk."""
LEFT = (0, 40_000, 400_000)
"""Bytes left free on a "full" disk."""
LONG = 120.0
WORDS = ("make room", "name another", "name a shorter", "is in use")
"""Advice of a disk error; it must contain one of these."""


# ---------------------------------------------------------------- a process


def started(case: Case, out: Path, limit: int = 0) -> multiprocessing.Process:
    """Start the verb in its own process, forked so libraries are loaded only once."""

    def child() -> None:
        said = os.open(f"{PREPARED.said}-{case.name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        case.run(out)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    return process


def ended(case: Case, process: multiprocessing.Process) -> tuple[int, str]:
    """Its exit code and its output."""
    process.join(LONG)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode, Path(f"{PREPARED.said}-{case.name}").read_text(encoding="utf-8", errors="replace")


def outcome(case: Case, out: Path, limit: int = 0) -> tuple[int, str]:
    return ended(case, started(case, out, limit))


def refusal(code: int, said: str) -> list[str]:
    """The faults of a verb's refusal; empty if the verb did its work."""
    if code == 0:
        return []
    wrong = [f"exit code {code}"] if code != 1 else []
    wrong += ["a traceback"] if "Traceback" in said else []
    return [f"{', '.join(wrong)}: {said[-300:]}"] if wrong or not any(word in said.lower() for word in WORDS) else []


# ---------------------------------------------------------------- faults


@contextmanager
def disk(place: Path) -> Iterator[Path]:
    """A small separate disk; a folder if mounting is not allowed."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)], capture_output=True
    ).returncode
    try:
        yield place
    finally:
        if mounted == 0:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def full(place: Path, left: int) -> Iterator[int]:
    """Fill a disk except for `left` bytes; yields the limit on file sizes if it is not a separate disk."""
    if not place.is_mount():
        yield max(left, 1)
        return
    filler = place / "filler"
    with filler.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, os.statvfs(place).f_bavail * os.statvfs(place).f_frsize - left)
    yield 0
    filler.unlink()


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """A disk mounted read-only; a folder without write permission if it is not a separate disk."""
    if not place.is_mount():
        with forbidden(place):
            yield
        return
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)


@contextmanager
def forbidden(place: Path) -> Iterator[None]:
    """A folder and its content that may be read but not written."""
    modes = {path: path.stat().st_mode for path in [place, *place.rglob("*")]}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield
    for path, mode in modes.items():
        if path.exists():
            path.chmod(mode)


# ---------------------------------------------------------------- the classes


def mended(case: Case, out: Path, fault: Callable[[], object], limit: bool = False) -> list[str]:
    """Run under a fault, check, mend the disk, run again; returns what was lost."""
    case.prepare(out)
    asked = case.asked()
    with fault() as size:  # type: ignore[attr-defined]
        code, said = outcome(case, out, size if limit else 0)
        lost = refusal(code, said)
        in_vain = case.asked() - asked - calls_of_rows(out)
        lost += [f"{in_vain} replies that were paid for are not kept"] if case.asks and in_vain > 0 else []
    lost += torn(out, after_kill=True)
    code, said = outcome(case, out)
    lost += [f"exit code {code} when the disk was mended: {said[-300:]}"] if code else []
    lost += torn(out) + case.wrong(out)
    return [f"{case.name}: {problem}" for problem in lost]


def on_disk(case: Case, place: Path, fault: Callable[[Path], object], limit: bool = False) -> list[str]:
    with disk(place) as small:
        return mended(case, small / "out", lambda: fault(small), limit)


def midway(case: Case, place: Path) -> list[str]:
    """The disk fills up to the last byte while replies are on their way: each of them is kept, and no more is asked."""
    with disk(place) as small:
        if not case.asks or not small.is_mount():
            return []
        out, asked = small / "out", case.asked()
        process = started(case, out)
        while case.asked() - asked < 5 and process.is_alive():
            time.sleep(0.001)
        with full(small, 0):
            code, said = ended(case, process)
            in_vain = case.asked() - asked - calls_of_rows(out)
            lost = refusal(code, said) + ([f"{in_vain} replies that were paid for are not kept"] if in_vain > 0 else [])
        code, said = outcome(case, out)
        lost += [f"exit code {code} when the disk was mended: {said[-300:]}"] if code else []
        twice = case.asked() - asked - calls_of_rows(out)
        lost += [f"{twice} replies were asked twice"] if twice > 0 else []
        return [f"{case.name}: {problem}" for problem in lost + torn(out) + case.wrong(out)]


def works(case: Case, out: Path) -> list[str]:
    """The losses of a verb that must do its work."""
    case.prepare(out)
    code, said = outcome(case, out)
    return [
        f"{case.name}: {p}" for p in ([f"exit code {code}: {said[-300:]}"] if code else [*torn(out), *case.wrong(out)])
    ]


def refuses(case: Case, out: Path) -> list[str]:
    """The faults of a verb's refusal of an impossible path; a verb that reads it must say that it does not exist."""
    code, said = outcome(case, out)
    if case.reads and code == 2 and "does not exist" in said:
        return []
    return [f"{case.name}: {p}" for p in (refusal(code, said) if code else ["exit code 0"])]


def two(case: Case, out: Path) -> list[str]:
    """Two runs of one folder at once: both end complete, or the second refuses by name."""
    case.prepare(out)
    asked = case.asked()
    first = started(case, out)
    time.sleep(0.3)
    code, said = outcome(case, out)
    first.join(LONG)
    lost = [f"the first ended with {first.exitcode}"] if first.exitcode else []
    lost += refusal(code, said) + torn(out) + case.wrong(out)
    twice = case.asked() - asked - calls_of_rows(out) if case.asks else 0
    return [f"{case.name}: {p}" for p in lost + ([f"{twice} replies were asked twice"] if twice > 0 else [])]


def classes() -> dict[str, Callable[[Case, Path], list[str]]]:
    """Maps each class of fault to the function that tries a verb under it, in a new folder each time."""
    deep = Path(*["d" * 200] * 14)
    return {
        **{
            f"full disk, {left // 1000} kB left": lambda c, p, n=left: on_disk(c, p, lambda small: full(small, n), True)
            for left in LEFT
        },
        "a disk that fills up midway": midway,
        "read-only disk": lambda c, p: on_disk(c, p, read_only),
        "no permission": lambda c, p: (p.mkdir(), mended(c, p / "out", lambda: forbidden(p)))[1],
        "a path with spaces and other letters": lambda c, p: works(c, p / "mes données % #1; 研究 Ωß"),
        "a very long path": lambda c, p: works(c, p / deep / "out"),
        "a path that is too long": lambda c, p: refuses(c, p / ("x" * 300)),
        "two runs of one folder": lambda c, p: two(c, p / "out"),
    }


def obeying_modes() -> None:
    """Restart without root's right to write where modes forbid it."""
    if os.geteuid() == 0 and "FAULTS_MODES" not in os.environ:
        less = "-dac_override,-dac_read_search"
        command = [
            "setpriv",
            f"--inh-caps={less}",
            f"--bounding-set={less}",
            sys.executable,
            "-m",
            "tests.faults.bad_disk",
        ]
        os.environ["FAULTS_MODES"] = "obeyed"
        os.execvp(command[0], [*command, *sys.argv[1:]])


def main() -> int:
    """All classes with all verbs, or those that are named; returns 1 if anything was lost."""
    obeying_modes()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verbs", nargs="*", choices=[*VERBS, []])
    parser.add_argument("--class", dest="only", action="append", help="only the classes with this in their name")
    args = parser.parse_args()
    cases = [VERBS[name] for name in args.verbs or VERBS]
    lost = 0
    with tempfile.TemporaryDirectory() as top, prepare_all(Path(top), cases):
        for number, (name, tried) in enumerate(classes().items()):
            if args.only and not any(part in name for part in args.only):
                continue
            line = Tally(f"bad disk, {name}")
            for case in cases:
                where = Path(top) / f"{number}-{case.name}"
                line.count(*tried(case, where))
                shutil.rmtree(where, ignore_errors=True)
            lost += line.say(", ".join(case.name for case in cases))
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
