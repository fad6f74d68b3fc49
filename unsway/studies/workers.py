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
        path = None if arm.checkpoint is None else self.folder / layout.TRAINED / Path(arm.checkpoint.uri).name
        if path is not None and (path / CHECKPOINT_FILE).is_file():  # the worker's own copy will not survive
            arm = replace(arm, checkpoint=read_checkpoint(path))
        note_arm(self.folder, arm, instead)

    def forget_arm(self, arm: Arm) -> None:
        """Take back the note of an arm that gave no reply."""
        forget_arm(self.folder, arm)

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the folder; the cost of a training is added to the budget."""
        super().put(name, content)
        if self.budget is not None and name.endswith(CHECKPOINT_FILE):
            self.budget.count_trainings(training_costs(self.folder))


def do_elsewhere(call: Call, study_run: StudyRun, numbers: Sequence[int], name: str, lease: float = LEASE) -> None:
    """Do a unit of work on a machine that cannot see the study's folder; its replies and files go to the owner.

    Args:
        call: Calls the owner.
        study_run: The run, with the folder's path on the owner's machine.
        numbers: The indices of its jobs.
        name: Name of the unit of work.
        lease: Seconds of silence after which the owner considers a worker dead.
    """
    work_id = content_id(str(study_run.folder), study_run.study.id, name)
    scratch = Path(tempfile.gettempdir()) / f"unsway-{os.getuid() if hasattr(os, 'getuid') else 0}" / work_id
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    local_run = replace(study_run, folder=scratch, is_copy=True)
    paths = {layout.PLAN}  # earlier work that the jobs may need: rows to train on, a checkpoint
    for job in (local_run.jobs[number] for number in numbers):
        paths |= {path for path in job.needs if path.startswith((layout.DATA, layout.TRAINED))}
        if job.kind == "train":
            paths |= set(job.makes)
    with link(scratch, call, lease) as owner_link:
        for path in paths:
            owner_link.pull(path)
        try:
            for number in numbers:
                _do_and_report(local_run, number, owner_link, name)
        except BaseException as error:
            note_state(call, name, "failed" if isinstance(error, Exception) else "interrupted")
            raise
    note_state(call, name, "done")
    shutil.rmtree(scratch, ignore_errors=True)


def _do_and_report(study_run: StudyRun, number: int, owner_link: Link, name: str) -> None:
    """Do one job and report its progress: the steps of a training, or the replies of a call."""
    job = study_run.jobs[number]
    note_state(owner_link.call, name, "training" if job.kind == "train" else "asking")
    if job.kind != "train" or job.arm is None or not isinstance(job.arm.intervention, Trained):
        do(study_run, number)
        return
    metrics = study_run.folder / checkpoint_folder(job.arm, job.arm.intervention) / METRICS
    with heartbeat(study_run.folder, name, 0, 0, lambda steps: None, "training"):
        owner_link.about = lambda: {"done": len(whole_rows(metrics))}
        try:
            do(study_run, number)
        finally:
            owner_link.about = dict
    owner_link.send_files()  # send the checkpoint before its arm is noted, and its cost before more is spent
