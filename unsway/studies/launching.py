"""One fit in several processes of this machine, one for each GPU, started by torchrun.

In: rows, a method, a base, a back-end. Out: a checkpoint in a folder. `unsway train` runs in separate processes, which own
the GPUs and release them when they end.
"""

from __future__ import annotations

import os
import subprocess  # nosec B404  # of this very Python
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from unsway.errors import TrainingError
from unsway.models.weights import CHECKPOINT_FILE
from unsway.training import Backend, Method


def launch(rows: Path, method: Method, base: str, backend: Backend, folder: Path, processes: int) -> None:
    """Train in several processes; a finished fit is not repeated, a killed one is resumed.

    Raises:
        TrainingError: It failed; the message has its last output, `launch.log` in the folder has all of it.
    """
    if (folder / CHECKPOINT_FILE).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "launch.log"
    words = command(rows, method, base, backend, folder, processes)
    # torchrun leaves empty log folders among the temporary files, because all output goes to our own log
    with log.open("wb") as file, TemporaryDirectory() as empty:
        process = subprocess.run(  # nosec B603  # noqa: S603  # no shell, and we wrote every word
            words, stdout=file, stderr=subprocess.STDOUT, check=False, env=os.environ | {"PET_LOG_DIR": empty}
        )
    if process.returncode:
        last_output = log.read_text(encoding="utf-8", errors="replace").strip()[-1500:]
        raise TrainingError(
            f"The fit in {processes} processes ended with {process.returncode}. Its output is in {log} and ends: "
            f"{last_output}"
        )


def command(rows: Path, method: Method, base: str, backend: Backend, folder: Path, processes: int) -> list[str]:
    """The command that starts the processes, on a free port."""
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    words += ["-m", "unsway", "train", str(rows), "--base", base, "--out", str(folder)]
    words += ["--method", method.name, "--backend", backend.name]
    words += [word for text in changed_settings(method) for word in ("--set", text)]
    return words + [word for text in changed_settings(backend) for word in ("--option", text)]


def changed_settings(value: Any) -> Iterator[str]:
    """The fields of a method or a back-end that differ from their defaults, as `NAME=VALUE` of the command line."""
    for field in fields(value):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        setting = getattr(value, field.name)
        if setting != default:
            yield f"{field.name}={','.join(map(str, setting)) if isinstance(setting, tuple) else setting}"
