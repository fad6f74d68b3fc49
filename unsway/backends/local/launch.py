"""One fit in several processes: the rank of this process, and whether it may write files.

In: the environment that torchrun and `accelerate launch` set. Out: rank and number of processes; only rank 0 writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from unsway.disk import exclusive
from unsway.errors import BadInput
from unsway.progress import Advance, track

RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""Environment variables that torchrun and the variants of mpirun set, as accelerate reads them."""


def rank() -> int:
    """The number of this process among all, from 0."""
    return next((int(os.environ[name]) for name in RANKS if name in os.environ), 0)


def processes() -> int:
    """How many processes share the fit."""
    return next((int(os.environ[name]) for name in SIZES if name in os.environ), 1)


def check_launch() -> None:
    """Refuse a launch that asked for several processes but got one: the others would be silently missing.

    `accelerate launch --cpu --num_processes N` (1.15) starts a single process unless mpirun is installed; it still sets
    the address at which the others would have met.

    Raises:
        BadInput: The others are missing; says which command starts them.
    """
    if os.environ.get("ACCELERATE_USE_CPU") == "True" and "MASTER_ADDR" in os.environ and processes() == 1:
        raise BadInput(
            "`accelerate launch --cpu` was asked for several processes, but it starts only one without mpirun. Take "
            "`accelerate launch --multi_gpu --num_processes N -m unsway train …` (it works on CPUs too, with gloo) or "
            "`torchrun --nproc-per-node N -m unsway train …`."
        )


def check_devices(n: int) -> None:
    """Refuse a single process with several GPUs: the trainer would split each batch among them by threads.

    That is slower than processes, makes batches of `n` times the size, and the loss on targets does not see it.

    Raises:
        BadInput: There are several GPUs and one process; says how to use all GPUs, or one.
    """
    if n > 1 and processes() == 1:
        raise BadInput(
            f"There are {n} GPUs and one process. Take all of them with `torchrun --nproc-per-node {n} -m unsway train …`, "
            "or one with CUDA_VISIBLE_DEVICES=0 before the command."
        )


def is_main() -> bool:
    """Whether this process writes files and prints to the terminal."""
    return rank() == 0


def share(batch_size: int, at_once: int) -> tuple[int, int]:
    """Number of rows in one forward pass of one process, and of passes that a step accumulates.

    Their product with the number of processes is the batch size: a fit is the same however many processes share it.

    Raises:
        BadInput: The batch cannot be shared evenly.
    """
    n = processes()
    if batch_size % n:
        raise BadInput(
            f"A batch of {batch_size} examples cannot be shared by {n} processes. Set batch_size to a multiple of {n}."
        )
    per_process = batch_size // n
    rows = max(rows for rows in range(1, min(at_once, per_process) + 1) if per_process % rows == 0)
    return rows, per_process // rows


@contextmanager
def track_once(what: str, total: int, *, done: int) -> Iterator[Advance]:
    """Progress, shown only by the main process."""
    if is_main():
        with track(what, total, done=done) as advance:
            yield advance
    else:
        yield lambda steps: None


def hold(folder: Path) -> AbstractContextManager[None]:
    """Lock a folder for one fit at a time; another fit waits. The first of several processes locks it for all.

    Raises:
        StoreError: Another fit has locked it, and this one has several processes, which would not wait for the first.
    """
    if not is_main():
        return nullcontext()
    return exclusive(folder, ".fit.lock", waiting="another process trains there", wait=processes() == 1)
