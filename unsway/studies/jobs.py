"""The work of a study as a list of frozen jobs; each states what it needs and what it makes.

In: the arms of a study. Out: `Job`s. `Study.jobs()` lists them; `unsway.studies.running` runs them.
`needs` and `makes` are paths in the study's folder. All arms share one file of replies, so an arm's replies are written
`replies.jsonl#ARM`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from unsway import layout
from unsway.seeds import content_id
from unsway.store import dumps
from unsway.studies.values import PlannedArm, Trained

JobKind: TypeAlias = Literal["load", "rows", "train", "ask"]
"""load: writes questions and pairs before anything is asked. rows: samples replies to train on. train: makes a checkpoint.
ask: collects the replies of an arm."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work."""

    kind: JobKind
    """What is done."""
    arm: PlannedArm | None
    """The arm it is for; None if all arms share it."""
    part: int
    """Number of the part of the study, from 0."""
    needs: tuple[str, ...]
    """What must exist before."""
    makes: tuple[str, ...]
    """What exists afterwards."""

    @property
    def model(self) -> str:
        """Name of the model that is loaded or asked; empty if there is none."""
        return self.arm.model if self.arm else ""

    def __str__(self) -> str:
        """A short description: the kind and the arm."""
        return f"{self.kind} {self.arm.name}" if self.arm else self.kind


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Jobs that one worker does in a row, such as training an arm and asking it on the machine that has its weights."""

    numbers: tuple[int, ...]
    """Their indices in the study's jobs."""
    kind: JobKind
    """Kind of the first job."""
    model: str
    """Name of the model that is loaded or asked first; empty if there is none."""
    name: str
    """The arm's name; or, in words, `load` or the rows of an arm."""
    needs: frozenset[str]
    """What must exist before."""
    makes: tuple[str, ...]
    """What exists afterwards."""


def units(jobs: Sequence[Job]) -> tuple[WorkUnit, ...]:
    """Group jobs by arm; jobs that several arms share (questions, training rows) form their own units."""
    groups: dict[object, list[int]] = {}
    for number, job in enumerate(jobs):
        groups.setdefault(job.makes if job.kind in ("load", "rows") else job.arm, []).append(number)
    work_units = []
    for numbers in groups.values():
        unit_jobs = [jobs[number] for number in numbers]
        first = jobs[numbers[0]]
        makes = tuple(path for job in unit_jobs for path in job.makes)
        needs = frozenset(path for job in unit_jobs for path in job.needs) - set(makes)
        name = first.arm.name if first.arm and first.kind != "rows" else str(first)
        work_units.append(WorkUnit(tuple(numbers), first.kind, first.model, name, needs, makes))
    return tuple(work_units)


def load_job() -> Job:
    """The job that loads the questions and writes down what will be asked."""
    return Job("load", None, 0, (), (layout.STUDY, layout.PAIRS, layout.ARMS))


def jobs_of_arm(arm: PlannedArm, part: int) -> tuple[Job, ...]:
    """The jobs of one arm of a part of a study, in order."""
    replies = f"{layout.REPLIES}#{arm.name}" + (f" (part {part + 1})" if part else "")
    if not isinstance(arm.intervention, Trained):
        return (Job("ask", arm, part, (layout.PAIRS,), (replies,)),)
    rows, checkpoint = rows_folder(arm, arm.intervention), checkpoint_folder(arm, arm.intervention)
    return (
        Job("rows", arm, 0, (layout.PAIRS,), (rows,)),
        Job("train", arm, 0, (rows,), (checkpoint,)),
        Job("ask", arm, part, (layout.PAIRS, checkpoint), (replies,)),
    )


def rows_folder(arm: PlannedArm, training: Trained) -> str:
    """Folder of a training's rows, shared by trainings with the same recipe and seed."""
    seeded = training.seeded(arm.seed)
    recipe_hash = content_id(dumps(seeded.recipe), [dumps(task) for task in seeded.tasks], arm.seed)
    return f"{layout.DATA}/{_short(arm.model)}-{recipe_hash[:8]}"


def checkpoint_folder(arm: PlannedArm, training: Trained) -> str:
    """Folder of a training's checkpoint."""
    names = _short(arm.model), layout.file_name(str(training)), str(arm.seed), content_id(dumps(training))[:8]
    return f"{layout.TRAINED}/{'-'.join(names)}"


def _short(model: str) -> str:
    """A model's name without its provider, usable in a file name."""
    return layout.file_name(model.rpartition("/")[2])
