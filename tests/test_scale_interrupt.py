"""Ctrl-C in a run on a Ray cluster of its own, as a terminal does it; part of `make scale`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from test_scale import MODELS, calls, n_rows, study, wait_until, working
from test_scale import environment as environment  # a fixture
from test_scale import pytestmark as pytestmark

from unsway.store import dumps
from unsway.studies import run


def test_an_interrupt_ends_with_130_and_the_rest_is_asked_later(environment: dict[str, str], tmp_path: Path) -> None:
    folder, file, asked = tmp_path / "ray", tmp_path / "study.json", study(60, MODELS[:1])
    file.write_text(dumps(asked))
    command = [sys.executable, "-m", "unsway", "run", str(file), "--out", str(folder), "--on", "ray"]
    command += [
        "-M",
        f"log={folder.with_suffix('.log')}",
        "-M",
        "seconds=2",
        "-M",
        "max_connections=10",
        "-M",
        "weights=one",
    ]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True) as process:
        wait_until(lambda: working(folder) and n_rows(folder))
        start = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130 and b"Interrupted" in said
    assert time.monotonic() - start < 15, "five seconds where nothing else runs"
    n_before = n_rows(folder)
    assert 0 < n_before < 180
    args = {"log": str(folder.with_suffix(".log")), "weights": "one"}
    run(asked, folder, model_args=args)  # here: the folder is as any other
    assert n_rows(folder) == 180
    assert sum(calls(folder).values()) <= 180 + 20
