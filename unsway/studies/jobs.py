"""The work of a study as a list of frozen jobs, each of which says what it needs and what it makes.

In: the arms of a study. Out: `Job`s. `Study.jobs()` gives all of them; `unsway.studies.running` does them.
Needs and makes are paths in the study's folder; the replies of an arm, which stand in one file with all others, are
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
"""load: questions and pairs, written down before anything is asked. rows: replies to train on. train: a checkpoint. ask: the
replies of an arm."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work."""

    kind: JobKind
    """What is done."""
    arm: PlannedArm | None
    """For which arm; None for what all arms share."""
    part: int
    """Number of the part of the study, from 0."""
    needs: tuple[str, ...]
    """What must be there before."""
    makes: tuple[str, ...]
    """What is there afterwards."""

    @property
    def model(self) -> str:
        """The name of the model that is loaded or asked; empty where there is none."""
        return self.arm.model if self.arm else ""

    def __str__(self) -> str:
        """In a few words."""
        return f"{self.kind} {self.arm.name}" if self.arm else self.kind


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Jobs that one worker does in a row: an arm's training and its replies, on the machine that has its weights."""

    numbers: tuple[int, ...]
    """Their places among the jobs of the study."""
    kind: JobKind
    """What the first of them does."""
    model: str
    """The name of the model that is loaded or asked first; empty where there is none."""
    name: str
    """The arm's name; `load`, or the rows of an arm, in words."""
    needs: frozenset[str]
    """What must be there before."""
    makes: tuple[str, ...]
    """What is there afterwards."""


def units(jobs: Sequence[Job]) -> tuple[WorkUnit, ...]:
    """Jobs by arm; what several arms share (questions, training rows) is a unit of its own."""
    groups: dict[object, list[int]] = {}
    for number, job in enumerate(jobs):
        groups.setdefault(job.makes if job.kind in ("load", "rows") else job.arm, []).append(number)
    found = []
    for numbers in groups.values():
        mine, first = [jobs[number] for number in numbers], jobs[numbers[0]]
        makes = tuple(path for job in mine for path in job.makes)
        needs = frozenset(path for job in mine for path in job.needs) - set(makes)
        name = first.arm.name if first.arm and first.kind != "rows" else str(first)
        found.append(WorkUnit(tuple(numbers), first.kind, first.model, name, needs, makes))
    return tuple(found)


def load_job() -> Job:
    """Load the questions, and write down what will be asked."""
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


def rows_folder(arm: PlannedArm, how: Trained) -> str:
    """Where the rows of a training are: trainings of one recipe and seed share them."""
    seeded = how.seeded(arm.seed)
    made_of = content_id(dumps(seeded.recipe), [dumps(task) for task in seeded.tasks], arm.seed)
    return f"{layout.DATA}/{_short(arm.model)}-{made_of[:8]}"


def checkpoint_folder(arm: PlannedArm, how: Trained) -> str:
    """Where the checkpoint of a training is."""
    names = _short(arm.model), layout.file_name(str(how)), str(arm.seed), content_id(dumps(how))[:8]
    return f"{layout.TRAINED}/{'-'.join(names)}"


def _short(model: str) -> str:
    """A model's name, without its provider, as a part of a file's name."""
    return layout.file_name(model.rpartition("/")[2])
