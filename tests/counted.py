"""A back-end for studies in several processes, which takes a second for each fit and notes it in a file."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from unsway.disk import write_text
from unsway.store import dumps
from unsway.training import Backend, Method, Tuner, examples_sha256
from unsway.training.seams import CrossEntropy
from unsway.types import Checkpoint, Example


@dataclass(frozen=True, slots=True)
class Counted(Backend):
    """Takes a second for each fit, and returns a model of the provider `counting`."""

    log: str = ""
    """File that gets a row for each fit: start, end, GPUs."""

    name: ClassVar[str] = "counted"
    summary: ClassVar[str] = "a fit of one second"
    offers: ClassVar[frozenset[Any]] = frozenset({Tuner})
    objectives: ClassVar[frozenset[Any]] = frozenset({CrossEntropy})
    launches: ClassVar[bool] = True

    def training_cost(self, base: str, tokens: float) -> float:
        return 0.0

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        start = time.time()
        time.sleep(1.0)
        with Path(self.log).open("a") as file:
            file.write(f"{start} {time.time()} {os.environ.get('CUDA_VISIBLE_DEVICES', '')}\n")
        found = Checkpoint(
            f"{base}-{method.seed}", base, self.name, base, repr(method), examples_sha256(rows), 1, len(rows), 0.0
        )
        write_text(folder / "checkpoint.json", dumps(found))
        return found
