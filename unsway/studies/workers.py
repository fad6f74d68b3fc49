"""Run a study on several machines: the parts of the folder's owner and of the workers.

In: a `StudyRun`, and a way to call the owner. Out: the same folder as from one process. Nothing here depends on Ray:
`unsway.studies.on_ray` starts owner and workers on a cluster, and tests start them directly.

A worker has one scratch folder per unit of work and machine. The next worker that gets the same work uses what a killed one
left there: unsent replies, and steps of a training.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from unsway import layout
from unsway.backends.local.steps import METRICS
from unsway.disk import whole_rows
from unsway.errors import BadInput
from unsway.models.weights import CHECKPOINT_FILE, read_checkpoint, training_costs
from unsway.planning.budget import Budget
from unsway.sampling.heartbeat import heartbeat
from unsway.sampling.owner import LEASE, Owner
from unsway.sampling.remote import Call, Link, link
from unsway.seeds import content_id
from unsway.studies.arms import Arm
from unsway.studies.folder import forget_arm, note_arm
from unsway.studies.jobs import checkpoint_folder
from unsway.studies.running import StudyRun, do
from unsway.studies.values import Trained
from unsway.studies.whereabouts import note_state


class StudyOwner(Owner):
    """The owner of a study's folder, which also notes its arms and where they run."""

    def __init__(self, folder: str | Path, budget: Budget | None = None, lease: float = LEASE) -> None:
        super().__init__(folder, budget, lease)
        self.weights: dict[str, str] = {}
        """By model, the weights' fingerprint that the first worker reported."""

    def note_arm(self, arm: Arm, instead: Mapping[str, str]) -> None:
        """Note an arm in the folder; see `unsway.studies.folder.note_arm`.

        Raises:
            BadInput: Another worker has other weights under the same name.
        """
        first = self.weights.setdefault(arm.model, arm.weights)
        if first != arm.weights:
            raise BadInput(
                f"{arm.model} has the weights {first} on one machine of this run and {arm.weights} on another. Put the same "
                "files on both, or name one that has them."
            )
        trained = None if arm.checkpoint is None else self.folder / layout.TRAINED / Path(arm.checkpoint.uri).name
        if trained is not None and (trained / CHECKPOINT_FILE).is_file():  # the worker's own copy will not survive
            arm = replace(arm, checkpoint=read_checkpoint(trained))
        note_arm(self.folder, arm, instead)

    def forget_arm(self, arm: Arm) -> None:
        """Take back the note of an arm that gave no reply."""
        forget_arm(self.folder, arm)

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the folder; the cost of a training is added to the budget."""
        super().put(name, content)
        if self.budget is not None and name.endswith(CHECKPOINT_FILE):
            self.budget.count_trainings(training_costs(self.folder))


def do_elsewhere(call: Call, given: StudyRun, numbers: Sequence[int], name: str, lease: float = LEASE) -> None:
    """Do a unit of work on a machine that cannot see the study's folder; its replies and files go to the owner.

    Args:
        call: Calls the owner.
        given: The run, with the folder's path on the owner's machine.
        numbers: The indices of its jobs.
        name: Name of the unit of work.
        lease: Seconds of silence after which the owner considers a worker dead.
    """
    whole = content_id(str(given.folder), given.study.id, name)
    scratch = Path(tempfile.gettempdir()) / f"unsway-{os.getuid() if hasattr(os, 'getuid') else 0}" / whole
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    here = replace(given, folder=scratch, is_copy=True)
    bring = {layout.PLAN}  # earlier work that the jobs may need: rows to train on, a checkpoint
    for job in (here.jobs[number] for number in numbers):
        bring |= {path for path in job.needs if path.startswith((layout.DATA, layout.TRAINED))}
        if job.kind == "train":
            bring |= set(job.makes)
    with link(scratch, call, lease) as to:
        for path in bring:
            to.pull(path)
        try:
            for number in numbers:
                _do_noted(here, number, to, name)
        except BaseException as error:
            note_state(call, name, "failed" if isinstance(error, Exception) else "interrupted")
            raise
    note_state(call, name, "done")
    shutil.rmtree(scratch, ignore_errors=True)


def _do_noted(here: StudyRun, number: int, to: Link, name: str) -> None:
    """Do one job and report its progress: the steps of a training, or the replies of a call."""
    job = here.jobs[number]
    note_state(to.call, name, "training" if job.kind == "train" else "asking")
    if job.kind != "train" or job.arm is None or not isinstance(job.arm.intervention, Trained):
        do(here, number)
        return
    metrics = here.folder / checkpoint_folder(job.arm, job.arm.intervention) / METRICS
    with heartbeat(here.folder, name, 0, 0, lambda steps: None, "training"):
        to.about = lambda: {"done": len(whole_rows(metrics))}
        try:
            do(here, number)
        finally:
            to.about = dict
    to.send_files()  # send the checkpoint before its arm is noted, and its cost before more is spent
