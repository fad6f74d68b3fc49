"""Run a study and compute its numbers; after a kill, the same call resumes it.

In: a `Study` and a folder. Out: replies in the folder's store, `Results`.
Replies in the folder are not asked again, so a study that grew (a bias, a model, more questions) asks only what is new.

    results = run(study, "runs/mine")
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway import layout, sources
from unsway.data import mixture
from unsway.data.mixture import EXAMPLES
from unsway.disk import exclusive, write_text
from unsway.errors import BadInput, UnknownName, expect, kind_of
from unsway.models.session import Session, session
from unsway.models.weights import read_checkpoint, training_costs
from unsway.pairing import PairSet
from unsway.planning.budget import Budget
from unsway.planning.prices import Price, prices
from unsway.sampling import Sampling
from unsway.sampling.remote import RemoteBudget, link_of
from unsway.sharing import shared
from unsway.spelling import KIND
from unsway.store import dumps, loads, replies_in, why
from unsway.studies.executors import Cluster, Executor, InProcess, Pending
from unsway.studies.folder import arms_of, count_skipped, results, write_arms, write_pairs
from unsway.studies.jobs import Job, checkpoint_folder, rows_folder, units
from unsway.studies.kept_outcomes import keep_outcomes
from unsway.studies.launching import launch
from unsway.studies.measurement import Measurement
from unsway.studies.measuring import ask_arm
from unsway.studies.results import Results
from unsway.studies.study import EXPECTED, Study, check
from unsway.studies.values import PlannedArm, Trained
from unsway.training import Tuner, fit
from unsway.types import Checkpoint
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

_log = logging.getLogger(__name__)
LOOK_AGAIN = 0.1
"""Seconds between checks whether something that other jobs need is ready."""
_evaluation_lock = threading.Lock()
"""Inspect runs one evaluation at a time in a process."""


@dataclass
class StudyRun:
    """The state that the jobs of one run share. A copy in another process has no loaded model and no built pairs."""

    study: Study
    """The study that is run."""
    folder: Path
    """Where everything is kept."""
    using: Mapping[str, ModelLike] = field(default_factory=dict)
    """Models to ask instead of those of the study, by name."""
    max_cost: float | None = None
    """Limit on the folder's cost in US dollars; None sets no limit."""
    price_table: Mapping[str, Price] | None = None
    """Prices for the limit; None takes the table that comes with unsway."""
    batch: bool | int = False
    """Whether providers' batch modes are used."""
    model_args: Mapping[str, Any] = field(default_factory=dict)
    """Arguments for the provider of every model that is asked."""
    processes: int = 1
    """Processes that share a fit, one for each GPU; with several, torchrun starts them."""
    is_copy: bool = False
    """Whether this is a copy in another process; a copy keeps nothing loaded after a job."""
    jobs: tuple[Job, ...] = field(init=False, repr=False)
    """The jobs of the study, in order."""
    _open: tuple[str | Checkpoint, Session] | None = field(default=None, init=False, repr=False)
    _pairs: dict[int, PairSet] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.jobs = self.study.jobs()

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self.study, self.folder, self.using, self.max_cost, self.price_table, self.batch, self.model_args)
        return StudyRun, (*arguments, self.processes, True)

    def pairs(self, part: int) -> PairSet:
        """The pairs of a part of the study, built once."""
        if part not in self._pairs:
            self._pairs[part] = self.study.parts()[part].pairs()
        return self._pairs[part]

    def session(self, model: str | Checkpoint) -> Session:
        """A session with a model of the study or a checkpoint; it stays open until another model is needed."""
        if self._open is None or self._open[0] != model:
            self.close()
            target = model if isinstance(model, Checkpoint) else self.using.get(model) or self.study.model(model)
            self._open = model, session(target, **self.model_args)
        return self._open[1]

    def budget(self) -> Budget | None:
        """The limit and what the folder's trainings and replies have cost so far; None without a limit."""
        if self.max_cost is None:
            return None
        table = prices() if self.price_table is None else self.price_table
        if (link := link_of(self.folder)) is not None:
            return RemoteBudget.of(link, table)
        budget = Budget(self.max_cost, table)
        path = self.folder / layout.REPLIES
        budget.count_trainings(training_costs(self.folder))
        budget.count(replies_in(path), path)
        return budget

    def close(self) -> None:
        """Release the model that is loaded."""
        if self._open is not None:
            self._open[1].__exit__()
            self._open = None

    # ------------------------------------------------------------ the kinds of job

    def load(self) -> None:
        """Store what will be asked before it is asked. Arms are added when their turn comes; those of earlier runs stay."""
        pair_sets = [self.pairs(part) for part in range(len(self.study.parts()))]
        folder = self.folder
        study_json = dumps(self.study) + "\n"
        with exclusive(folder):
            path = folder / layout.STUDY
            is_same = path.is_file() and path.read_bytes() == study_json.encode()
            planned_names = {arm.name for arm in self.study.arms()}
            labels = [] if is_same else [arm.label for arm in arms_of(folder) if arm.planned_name not in planned_names]
            if labels:
                _log.warning(
                    "%s: this study has no arm %s, so it is no longer shown; its replies stay in %s. Run it in another "
                    "folder to keep both in view.",
                    folder,
                    " or ".join(labels),
                    layout.REPLIES,
                )
            write_pairs(folder, {pair.id: pair for pair_set in pair_sets for pair in pair_set}.values())
            write_arms(folder, arms_of(folder) if is_same else (), count_skipped(sum(pair_sets, PairSet())))
            write_text(path, study_json)

    def rows(self, arm: PlannedArm, how: Trained) -> None:
        """Sample rows from train questions, without those that are also test questions."""
        training = how.seeded(arm.seed)
        parts = range(len(self.study.parts()))
        test_questions = {pair.question.id: pair.question for part in parts for pair in self.pairs(part)}
        train_questions = [question for task in training.tasks for question in task.load(None, arm.seed)]
        questions = sources.without_overlap(train_questions, tuple(test_questions.values()))
        base = self.session(arm.model)
        examples = mixture(training.recipe, questions, base, folder=self.folder, budget=self.budget())
        examples.write(self.folder / rows_folder(arm, how))

    def train(self, arm: PlannedArm, how: Trained) -> None:
        """Train on the rows; a finished training is not repeated."""
        budget = self.budget()
        backend = how.backend
        # a training that charges nothing reserves no money
        if budget is not None and backend.training_cost(arm.model, 1.0) != 0:
            backend = backend.limited(budget.take_all())
        examples_path = self.folder / rows_folder(arm, how) / EXAMPLES
        checkpoint_path = self.folder / checkpoint_folder(arm, how)
        method = how.seeded(arm.seed).method
        if self.processes > 1 and backend.launches and Tuner in method.needs:
            launch(examples_path, method, arm.model, backend, checkpoint_path, self.processes)
        fit(examples_path, method, arm.model, backend, checkpoint_path)

    def ask(self, arm: PlannedArm, number: int) -> None:
        """Ask an arm the prompts of a part of the study that it was not asked yet."""
        part, pairs = self.study.parts()[number], self.pairs(number)
        intervention = arm.intervention
        sampling = Sampling(part.settings, part.samples, self.folder, self.budget(), self.batch, arm.label)
        measurement = Measurement(sampling, of=arm.model, seed=part.seed)
        if not isinstance(intervention, Trained):
            ask_arm(pairs, self.session(arm.model), replace(measurement, intervention=intervention), arm.name)
            return
        checkpoint = read_checkpoint(self.folder / checkpoint_folder(arm, intervention))
        measurement = replace(
            measurement,
            role=intervention.method.role,
            checkpoint=checkpoint,
            trained=intervention.biases,
            training=str(intervention),
        )
        ask_arm(pairs, self.session(checkpoint), measurement, arm.name)


@checked
def run(
    study: Study,
    folder: str | Path,
    *,
    on: Executor | Cluster | None = None,
    using: Mapping[str, ModelLike] | None = None,
    max_cost: float | None = None,
    price_table: Mapping[str, Price] | None = None,
    batch: bool | int = False,
    model_args: Mapping[str, Any] | None = None,
) -> Results:
    """Ask and train what is missing, and return every number.

    Args:
        study: The study.
        folder: Where everything is stored. It describes the study that ran there last; replies of earlier studies stay.
        on: Where its jobs run (`unsway.studies.executors`): in this process by default. An executor with several workers
            gets each arm as soon as everything it needs is ready; `executor("ray")` also uses other machines.
        using: Models to ask instead of those of the study, by name: an Inspect model, a session, a checkpoint.
        max_cost: Limit in US dollars on the folder's replies plus trainings at a provider. Asking stops before the limit; a
            training whose estimated cost would exceed it is not started.
        price_table: Prices for the limit (`unsway.planning.prices`).
        batch: Use providers' batch modes (see `unsway.sampling.ask`).
        model_args: Arguments for the provider of every model that is asked, including trained ones, such as
            `{"dtype": "bfloat16"}`; models given as values keep their own.

    Raises:
        UnknownName, BadInput: Something is wrong with the study; nothing was asked.
        BudgetReached, ModelError, TrainingError: The run stopped; everything so far is stored.
        StoreError: The disk is full, or another study runs in the folder.
    """
    from unsway.studies.settling import settle  # which imports numpy

    check(study)
    if on is not None and not isinstance(on, Cluster) and not hasattr(on, "submit"):
        raise BadInput(
            f"{kind_of(on)} stands where an executor is expected (on=), as studies.executors.executor(…) gives one."
        )
    study_run = StudyRun(study, Path(folder), using or {}, max_cost, price_table, batch, model_args or {})
    description = f"a run of the study {study.id[:8]}" + (" on several machines" if isinstance(on, Cluster) else "")
    with shared(study_run.folder, description):
        try:
            with on.opened(study_run) if isinstance(on, Cluster) else nullcontext(on or InProcess()) as executor:
                _submit_all(study_run, executor)
        finally:
            study_run.close()
        del study_run  # the numbers are read from the folder, so the pairs are not in memory twice
        study_results = estimate(study, folder)
        keep_outcomes(folder, study_results.outcomes)
        return settle(folder, study_results)


def _submit_all(study_run: StudyRun, executor: Executor) -> None:
    """Submit every unit of work as soon as everything it needs is ready; wait for all."""
    pending_by_path: dict[str, Pending] = {}
    waiting = list(units(study_run.jobs))
    try:
        while waiting:
            ready = (unit for unit in waiting if unit.needs <= pending_by_path.keys())
            unit = next((unit for unit in ready if all(pending_by_path[path].done() for path in unit.needs)), None)
            if unit is None:
                time.sleep(LOOK_AGAIN)
                continue
            for path in sorted(unit.needs):
                pending_by_path[path].result()
            waiting.remove(unit)
            pending = executor.submit(do, study_run, *unit.numbers, kind=unit.kind, model=unit.model, arm=unit.name)
            pending_by_path |= dict.fromkeys(unit.makes, pending)
        for pending in pending_by_path.values():
            pending.result()
    except Exception:
        for pending in pending_by_path.values():  # wait for the other units, so none keeps writing after this returns
            with suppress(Exception):
                pending.result()
        raise


def do(running: StudyRun, *numbers: int, **resources: object) -> None:
    """Run some jobs of a study one after the other, in any process.

    Args:
        running: The run that they are part of.
        numbers: Their indices in `Study.jobs()`.
        resources: Hints for the executor; ignored here.
    """
    with _evaluation_lock:
        try:
            for job in (running.jobs[number] for number in numbers):
                arm = job.arm
                if arm is None:
                    running.load()
                elif job.kind == "ask":
                    running.ask(arm, job.part)
                elif isinstance(arm.intervention, Trained):
                    (running.rows if job.kind == "rows" else running.train)(arm, arm.intervention)
        finally:
            if running.is_copy:
                running.close()


@checked
def estimate(study: Study, folder: str | Path) -> Results:
    """Compute every number of a study from its folder; nothing is asked."""
    expect(study, Study, EXPECTED)
    return results(folder, title=f"study {study.id[:8]}", about=describe_study(study))


def describe_study(study: Study) -> dict[str, str]:
    """What a report says about a study so readers can run it again."""
    return {"study": repr(study), "study id": study.id}


def load(folder: str | Path) -> Study | None:
    """The study that was last run in a folder; None if there is none.

    Raises:
        UnknownName: It has a bias, a source or a method that is not installed here.
        BadInput: The file is no study.
    """
    path = Path(folder) / layout.STUDY
    return read_study(path) if path.is_file() else None


def read_study(path: str | Path) -> Study:
    """A study from its JSON, or from the folder where it ran.

    Raises:
        UnknownName: It has a bias, a source or a method that is not installed here.
        BadInput: The file is no study.
    """
    file = Path(path) / layout.STUDY if Path(path).is_dir() else Path(path)
    try:
        content = file.read_bytes()
        study = loads(Study, content)
    except KeyError as error:
        raise BadInput(f"{file} cannot be read as a study: a value in it lacks {error}.") from error
    except OSError as error:
        raise BadInput(
            f"{file} cannot be read as a study: {error.strerror}. Name a study's JSON, or a folder of `unsway run`, which "
            "has one."
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"{file} cannot be read as a study: {why(error)}") from error
    for unknown, allowed in _unknown_fields(json.loads(content), json.loads(dumps(study))):
        raise BadInput(
            f"{file} has a field {unknown!r}, which a study does not have; there it has {', '.join(allowed)}. Correct "
            "its name, or leave it out."
        )
    return study


def _unknown_fields(source: Any, parsed: Any, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the path of each JSON field that reading a study ignored, with the fields known there."""
    if isinstance(source, list) and isinstance(parsed, list):
        for number, (source_item, parsed_item) in enumerate(zip(source, parsed, strict=False)):
            yield from _unknown_fields(source_item, parsed_item, f"{prefix}{number}.")
    elif (
        isinstance(source, dict) and isinstance(parsed, dict) and (KIND in source or KIND not in parsed)
    ):  # else a first edition's
        for name, value in source.items():
            if name in parsed:
                yield from _unknown_fields(value, parsed[name], f"{prefix}{name}.")
            elif value is not None:  # a setting that is left out
                yield f"{prefix}{name}", list(parsed)


def load_if_installed(folder: str | Path) -> Study | None:
    """The study that was last run in a folder; None, with a warning, if a part of it is not installed here."""
    try:
        return load(folder)
    except UnknownName as error:
        _log.warning("The study of %s is not shown: %s", folder, error)
        return None
