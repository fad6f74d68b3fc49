"""Runs programs one after the other, each in a process forked from this one, which has imported what they all import.

In: a file of steps: `{"words": ["-m", "pytest", …], "cwd": …}` for `python -m pytest …`, and `{"file": …, "text": …}` for a
file to write. Out: what they print. Ends with the exit code of the first that fails, after all of them with `--all`.

    python -m tests.forking steps.json
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

PRELOADED = (
    "inspect_ai.model",
    "pytest",
    "altair",
    "unsway.cli",
    "unsway.backends",
    "unsway.judging",
    "unsway.studies",
)
"""Seconds of imports. None of them starts a thread, which would not survive a fork."""


def run(steps: Sequence[Mapping[str, object]], cwd: Path, *words: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Run the steps with the package of a copy of the repository; `file` is where they are written."""
    file.write_text(json.dumps(list(steps)), encoding="utf-8")
    command = [sys.executable, "-m", "tests.forking", str(file), *words]
    env = os.environ | {"PYTHONPATH": str(cwd)}
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
    for module in PRELOADED:
        importlib.import_module(module)
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
