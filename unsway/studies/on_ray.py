"""Run a study's arms on a Ray cluster: the GPUs of this machine, or of several.

In: a study and `Ray()`. Out: the same folder as from one process. One task per arm trains and asks it; one actor
on this machine owns the folder.

    run(study, "runs/mine", on=Ray())                            # starts a cluster here
    run(study, "runs/mine", on=Ray(address="auto", gpus=2))      # a running one, 2 GPUs per local model

Workers get names and values, never models. Providers' keys must be in the workers' environment; they are never sent. Your
own providers and biases must be installed there as plug-ins. If this process is already connected to a cluster (by your
own `ray.init(…)`), that cluster is used.
Ray's documentation: https://docs.ray.io/en/latest/ray-core/walkthrough.html
"""

from __future__ import annotations

import logging
import os
import platform
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from unsway.errors import BadInput, ModelError, StoreError
from unsway.extras import requires
from unsway.models.session import LOCAL
from unsway.sampling.owner import LEASE
from unsway.studies.executors import InProcess, Pending
from unsway.studies.running import StudyRun
from unsway.studies.values import Trained
from unsway.studies.whereabouts import note_state
from unsway.studies.workers import StudyOwner, do_elsewhere
from unsway.types import Checkpoint

with requires("ray", "Running a study on several machines"):
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

OBJECT_STORE = 200_000_000
"""Bytes of shared memory for a cluster started here: replies are small, and Ray would take 30 % of the memory."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
}
"""Ray's environment: no usage reports, no workers killed on estimated memory, and no visible GPUs for work without one."""
GRACE = 4.0
"""Seconds that interrupted workers have to send their results; unsent ones stay in their scratch folders."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ray:
    """A Ray cluster as an executor of `unsway.studies.run`."""

    address: str | None = None
    """Address of the cluster: `auto` finds the one this machine belongs to; None starts one on this machine."""
    gpus: int | None = None
    """GPUs for each unit of work with a local model; several share a fit. None means one, or 0 if the cluster has none."""
    cpus: float = 1.0
    """CPU cores for each unit of work."""
    lease: float = LEASE
    """Seconds after a worker's last sign of life until its prompts go to other workers."""

    @contextmanager
    def opened(self, running: StudyRun) -> Iterator[RayRun]:
        """Connect and start the owner of the folder; at the end, stop both.

        Raises:
            BadInput: A model is given as a value, or the cluster cannot be used.
        """
        if names := [name for name, model in running.using.items() if not isinstance(model, str | Checkpoint)]:
            raise BadInput(
                f"{', '.join(names)} is given as a loaded model, which cannot be sent to another machine. Name it, or give a "
                "checkpoint."
            )
        handler = signal.getsignal(signal.SIGTERM)
        is_mine = not ray.is_initialized()
        if is_mine:
            self._connect()
            with suppress(ValueError):  # raised outside the main thread, where no handler was replaced
                signal.signal(signal.SIGTERM, handler)
        run = RayRun(self, running)
        try:
            yield run
        except BaseException:
            run.cancel()
            raise
        finally:
            run.close()
            if is_mine:
                ray.shutdown()

    def _connect(self) -> None:
        os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
        common_options: dict[str, Any] = {"logging_level": logging.WARNING, "log_to_driver": False}
        if self.address is not None:
            host, _, port = self.address.rpartition("//")[2].rpartition(":")
            try:
                if port.isdigit():  # fail early: Ray would retry for minutes
                    socket.create_connection((host, int(port)), timeout=10).close()
                ray.init(address=self.address, **common_options)
            except (OSError, RuntimeError, ValueError) as error:  # no cluster there, or one with other versions
                raise BadInput(
                    f"The Ray cluster {self.address!r} cannot be used ({error}). All its machines need Python "
                    f"{platform.python_version()} and ray {ray.__version__}, as here; `ray start --head` starts one."
                ) from error
            return
        # "local", because without an address Ray would join a cluster that was started here before, even a dead one
        local_options: dict[str, Any] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        ray.init(address="local", object_store_memory=OBJECT_STORE, **local_options, **common_options)


class RayRun:
    """The executor of one run on a cluster; `Ray.opened` makes it."""

    def __init__(self, cluster: Ray, running: StudyRun) -> None:
        self.cluster, self.running = cluster, running
        this_node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        actor = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=this_node)(StudyOwner)
        self.owner = actor.remote(running.folder.resolve(), running.budget(), cluster.lease)
        self.pending: list[RayPending] = []
        has_gpus = ray.cluster_resources().get("GPU", 0) > 0
        self.gpus = cluster.gpus if cluster.gpus is not None else int(has_gpus)

    def submit(self, fn: Any, /, running: StudyRun, *numbers: int, **about: Any) -> Pending:
        """Start a unit of work on a worker; the unit that every other needs first (`load`) runs here."""
        if about["kind"] == "load":
            return InProcess().submit(fn, running, *numbers)
        arm = running.jobs[numbers[0]].arm
        intervention = arm.intervention if arm and about["kind"] == "train" else None
        is_paid = (
            isinstance(intervention, Trained)
            and arm is not None
            and intervention.backend.training_cost(arm.model, 1.0) != 0
        )
        is_here = about["model"].startswith((LOCAL, "hf/")) or (
            isinstance(intervention, Trained) and intervention.backend.launches
        )
        gpus = self.gpus if is_here else 0
        note_state(caller(self.owner), about["arm"], "waiting")
        # on another machine, a second worker would not know about the job that the first one pays for
        task = ray.remote(num_cpus=self.cluster.cpus, num_gpus=gpus, max_retries=0 if is_paid else 2)(_work)
        run_copy = replace(running, processes=max(1, gpus))
        pending = RayPending(task.remote(self.owner, run_copy, numbers, about["arm"], self.cluster, version("unsway")))
        self.pending.append(pending)
        return pending

    def cancel(self) -> None:
        """Interrupt running work, wait for it to send its results, then kill what is still running.

        The owner tells the workers: `ray.cancel` did not reach a task whose main thread waits in an event loop.
        """
        refs = [pending.ref for pending in self.pending if not pending.done()]
        if refs:
            with suppress(ray.exceptions.RayError):  # the owner is restarting
                ray.get(self.owner.stop.remote(), timeout=GRACE)
            _, unfinished = ray.wait(refs, num_returns=len(refs), timeout=GRACE)
            for ref in unfinished:
                ray.cancel(ref, force=True)

    def close(self) -> None:
        """Report what was lost, and stop the owner."""
        with suppress(Exception):  # the error that ended the run is the one to report
            duplicates = ray.get(self.owner.duplicates.remote(), timeout=GRACE)
            if duplicates:
                _log.warning(
                    "%d prompts were asked twice, because a worker was lost; the first reply counts.", duplicates
                )
        ray.kill(self.owner)


class RayPending:
    """The future result of a task."""

    def __init__(self, ref: Any) -> None:
        self.ref = ref

    def result(self) -> Any:
        """Wait for the task; raise its original error."""
        try:
            return ray.get(self.ref)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:  # its machine or process died repeatedly
            raise ModelError(f"A worker was lost ({error}). Everything it sent is kept: run the same again.") from error

    def done(self) -> bool:
        """Whether it is over."""
        return bool(ray.wait([self.ref], timeout=0)[0])


def caller(owner: Any) -> Any:
    """Return a function that calls an owner running as an actor; errors are raised as the owner raised them.

    It avoids `ray.get`, which hands a task's CPU cores back while it waits: Ray would start the next arm on them, and
    soon every arm of the study would run at once.
    """

    def call(method: str, *args: Any) -> Any:
        try:
            return getattr(owner, method).remote(*args).future().result()
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            raise StoreError(f"The owner of the study's folder is gone: {error}") from error

    return call


def _work(
    owner: Any, study_run: StudyRun, numbers: tuple[int, ...], name: str, cluster: Ray, sender_version: str
) -> None:
    """A Ray task: one unit of work, on the machine that Ray chose."""
    if sender_version != version("unsway"):
        raise BadInput(
            f"This machine has unsway {version('unsway')}, the study's {sender_version}. Install the same on both."
        )
    if not ray.get_runtime_context().get_accelerator_ids().get("GPU"):
        # a cluster started by others shows all its GPUs to work that requested none
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    call = caller(owner)
    if not call("stopping"):
        with suppress(KeyboardInterrupt):  # the owner asked for the interrupt; the waiting run knows this
            do_elsewhere(call, study_run, numbers, name, cluster.lease)
