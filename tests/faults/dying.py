"""A module that kills itself with SIGKILL at a given step on the disk: a file opened for writing, renamed, removed, cut.

    python -m tests.faults.dying STEP FOLDER MODULE [ARGUMENT …]

Steps count from 1, only below FOLDER; at step 0 nothing is killed, and `FOLDER.steps` gets their number. Steps are Python's
own audit events, so the module runs unmodified and really dies.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.link", "os.symlink"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Steps:
    """Counts steps below a folder, and dies at one of them."""

    def __init__(self, folder: Path, dies_at: int) -> None:
        self.folder, self.dies_at, self.done = str(folder.resolve()), dies_at, 0

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if not (event in CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & WRITES)):
            return
        if not isinstance(args[0], str | Path) or not str(Path.cwd() / args[0]).startswith(self.folder + os.sep):
            return
        self.done += 1
        if self.done == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def run() -> None:
    step, folder, module, *arguments = sys.argv[1:]
    steps = Steps(Path(folder), int(step))
    sys.addaudithook(steps)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        Path(f"{folder}.steps").write_text(str(steps.done))


if __name__ == "__main__":
    run()
