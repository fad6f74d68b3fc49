"""Fork processes from one that has already imported the common modules, which saves four seconds each.

`Forked` runs a program, like `subprocess.Popen`. `elsewhere` calls a function. `run` runs programs one after another:

In: a file of steps: `{"words": ["-m", "pytest", …], "cwd": …}` for `python -m pytest …`, and `{"file": …, "text": …}` for a
file to write. Out: what they print. Exits with the code of the first that fails (with `--all`, after running all). With
`--train`, the modules for training are also imported first.

    python -m tests.forking steps.json
"""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import os
import runpy
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from unittest import mock

Said = TypeVar("Said")

PRELOADED = (
    "inspect_ai.model",
    "inspect_ai._eval.eval",
    "inspect_ai._eval.task.run",
    "pytest",
    "unsway.cli",
    "unsway.backends",
    "unsway.judging",
    "unsway.studies",
)
"""Modules imported before forking; they take seconds. None of them starts a thread, which would not survive a fork."""
MEASURING = (
    "tests.warm",
    "inspect_ai.agent._acp.server",
    "inspect_ai.agent._acp.transport_live",
    "inspect_ai.hooks._startup",
    "inspect_ai.model._providers.openai_compatible",
    "inspect_ai.solver._transcript",
    "fastapi",
    "rich.markdown",
    "scipy.optimize",
    "uvicorn",
    "unsway.evals._registry",
    "unsway.importing.released",
    "unsway.reporting.judged",
    "unsway.reporting.page",
    "unsway.reporting.second_reader",
    "unsway.reporting.terminal",
    "unsway.stats.estimates",
    "unsway.studies.kept_replies",
    "unsway.studies.scoring",
    "unsway.studies.settling",
    "unsway.studies.trainings",
    "unsway.testing",
)
"""Further modules for steps that measure: two seconds more."""
TRAINING = ("torch", "transformers", "peft")
"""Further modules for steps that train: five seconds more; they start no thread either."""

SERVER = multiprocessing.get_context("forkserver")
"""Context whose processes are forked by a server; each test process starts one server, when first needed."""
SERVER.set_forkserver_preload([*PRELOADED, *MEASURING])


class Forked:
    """A program in its own process, with `sys.argv[1:]` and an environment; killed at the end of its context."""

    def __init__(self, code: str, *words: str, out: Path, **env: str) -> None:
        self.out = out
        """File of its stdout; its stderr goes next to it."""
        self.process = SERVER.Process(target=_program, args=(code, words, out, dict(os.environ) | env))
        self.process.start()
        self.pid = self.process.pid or 0

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.join()

    @property
    def returncode(self) -> int | None:
        """Negative for the signal that ended it; None while it runs."""
        return self.process.exitcode

    def wait(self, timeout: float) -> int:
        """The exit code, once it has ended."""
        self.process.join(timeout)
        assert self.returncode is not None, f"no end within {timeout} s"
        return self.returncode

    def says(self, text: str, timeout: float = 60) -> None:
        """Wait until it has printed this text on stdout."""
        until = time.monotonic() + timeout
        while not self.out.exists() or text not in self.out.read_text(encoding="utf-8"):
            assert self.returncode is None and time.monotonic() < until, f"it never said {text!r}"
            time.sleep(0.02)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Its stdout and stderr, once it has ended."""
        self.wait(timeout)
        return self.out.read_text(encoding="utf-8"), _errors(self.out).read_text(encoding="utf-8")


def elsewhere(function: Callable[..., Said], *given: object) -> Said:
    """Call a function in a process with another hash seed, whose sets have other orders; returns its result."""
    with mock.patch.dict(os.environ, PYTHONHASHSEED="4242"), ProcessPoolExecutor(1, SERVER) as pool:  # random here
        seed, said = pool.submit(_hashed, function, given).result()
    assert seed != hash("seed"), "both hash alike: unset PYTHONHASHSEED"
    return said


def _hashed(function: Callable[..., Said], given: tuple[object, ...]) -> tuple[int, Said]:
    return hash("seed"), function(*given)


def _errors(out: Path) -> Path:
    return out.with_suffix(".err")


def _program(code: str, words: tuple[str, ...], out: Path, env: dict[str, str]) -> None:
    """Run the program in the child process."""
    gc.freeze()  # collections skip what the server imported
    os.environ.clear()
    os.environ.update(env)
    for number, path in ((1, out), (2, _errors(out))):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = ["-c", *words]
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # a test's own program


def run(steps: Sequence[Mapping[str, object]], cwd: Path, *words: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Run the steps with the package in `cwd`, a copy of the repository; the steps are written to `file`."""
    file.write_text(json.dumps(list(steps)), encoding="utf-8")
    command = [sys.executable, "-m", "tests.forking", str(file), *words]
    known = "-W 'ignore:Module already imported:pytest.PytestAssertRewriteWarning'"  # as pytest's plugins are here
    env = os.environ | {"PYTHONPATH": str(cwd), "PYTEST_ADDOPTS": known}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def _forked(words: list[str], cwd: str) -> int:
    """The exit code of `python *words` in a folder."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        os.chdir(cwd)
        os.dup2(1, 2)
        if words[0] == "-c":
            sys.argv = ["-c"]
            exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})  # our own documentation
        elif words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
            sys.path.insert(0, str(Path(words[0]).resolve().parent))  # as for a script that is named
            runpy.run_path(words[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)


def main() -> int:
    """Run the steps of a file."""
    for module in (*PRELOADED, *MEASURING, *(filter(find_spec, TRAINING) if "--train" in sys.argv else ())):
        importlib.import_module(module)
    gc.freeze()
    failed = 0
    for step in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        if "file" in step:
            Path(step["file"]).write_text(step["text"], encoding="utf-8")
            continue
        code = _forked(step["words"], step["cwd"])
        if code:
            print(f"exit code {code}: {step.get('name', step['words'])}", flush=True)
            failed = failed or code
            if "--all" not in sys.argv:
                break
    return failed


if __name__ == "__main__":
    sys.exit(main())
