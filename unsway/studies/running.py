"""A study to numbers: plan it, run it, estimate it; killed anywhere, the same call goes on where it stopped.

In: a `Study` and a folder. Out: replies in the folder's store, `Results`.
What the folder holds is not asked again, so a study that grew (a bias, a model, more questions) asks only what is new.

    plan(study)                        # before anything is asked
    found = run(study, "runs/mine")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from unsway import layout, sources
from unsway.backends import backend
from unsway.data import Mixture, mixture
from unsway.disk import alone, shared
from unsway.models.session import Session, session
from unsway.pairing import PairSet
from unsway.planning.budget import Budget
from unsway.planning.prices import Price, prices
from unsway.seeds import content_id
from unsway.store import dumps, loads, write_text
from unsway.studies.folder import arms_of, counted, results, write_arms, write_pairs
from unsway.studies.kept_outcomes import keep_outcomes
from unsway.studies.measuring import Asking, measure, measure_prompted
from unsway.studies.results import ArmRole, Results
from unsway.studies.study import NONE, ArmKey, Study, Trained, check
from unsway.training import Backend, fit
from unsway.types import Checkpoint, Question

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.planning.plan import Goal, Plan


@dataclass(frozen=True, slots=True)
class _Running:
    """What the steps of one run share."""

    folder: Path
    tested: tuple[Question, ...]
    """The questions of all parts, which are not trained on."""
    budget: Budget | None
    batch: bool | int


def plan(
    study: Study,
    folder: str | Path | None = None,
    *,
    price_table: Mapping[str, Price] | None = None,
    goal: Goal | None = None,
) -> tuple[Plan, ...]:
    """What each part of a study will cost, and what it could show; nothing is asked.

    Replies to sample for training rows are not counted, nor are trainings themselves.

    Args:
        study: The study.
        folder: Where it will run: what is kept there is not asked again, and tells lengths and rates.
        price_table: Prices (`unsway.planning.prices`); an arm has the price of its model.
        goal: What the study should be able to show.
    """
    from unsway.planning.plan import Evidence
    from unsway.planning.plan import plan as plan_pairs
    from unsway.planning.prices import price_of

    check(study)
    evidence = Evidence.of(folder, price_table)
    found = []
    for part in study.parts():
        priced = dict(evidence.prices)
        for key in part.arms():
            price = price_of(key.model, evidence.prices)
            if price is not None:
                priced[key.name] = price
        names, known = [key.name for key in part.arms()], replace(evidence, prices=priced)
        found.append(
            plan_pairs(part.pairs(), names, samples=part.samples, settings=part.settings, evidence=known, goal=goal)
        )
    return tuple(found)


def run(
    study: Study,
    folder: str | Path,
    *,
    using: Mapping[str, ModelLike] | None = None,
    max_cost: float | None = None,
    price_table: Mapping[str, Price] | None = None,
    batch: bool | int = False,
) -> Results:
    """Ask and train what is missing, and give every number.

    Args:
        study: The study.
        folder: Where everything is kept. The folder describes the study that ran there last; replies of others stay.
        using: Models to ask in place of names of the study: an Inspect model, a session, a checkpoint.
        max_cost: US dollars that the folder's replies, and trainings at a provider, may cost together; asking stops before
            that is passed, and a training that by its estimate would pass it is not started.
        price_table: Prices for it (`unsway.planning.prices`).
        batch: Use providers' batch modes (see `unsway.sampling.ask`).

    Raises:
        UnknownName, BadInput: Something is wrong with the study; nothing was asked.
        BudgetReached, ModelError, TrainingError: It stopped; everything so far is kept.
        StoreError: The disk takes no more, or another study runs in the folder.
    """
    check(study)
    place = Path(folder)
    budget = None if max_cost is None else Budget(max_cost, prices() if price_table is None else price_table)
    parts = [(part, part.pairs()) for part in study.parts()]
    with shared(place, f"a run of the study {study.id[:8]}"):
        _describe(place, study, [asked for _, asked in parts])
        _ask(study, parts, using or {}, place, budget, batch)
        parts.clear()  # the numbers come from what the folder holds: its pairs are not in memory twice
        found = estimate(study, place)
        keep_outcomes(place, found.outcomes)
        return found


def estimate(study: Study, folder: str | Path) -> Results:
    """Every number of a study from what its folder holds; nothing is asked."""
    return results(folder, title=f"study {study.id[:8]}", about=described(study))


def described(study: Study) -> dict[str, str]:
    """What a report says of a study, so that one can run it again."""
    return {"study": repr(study), "study id": study.id}


def load(folder: str | Path) -> Study | None:
    """The study that was last run in a folder; None where there was none."""
    path = Path(folder) / layout.STUDY
    return loads(Study, path.read_text(encoding="utf-8")) if path.is_file() else None


# ---------------------------------------------------------------- asking, arm by arm


def _ask(
    study: Study,
    parts: Sequence[tuple[Study, PairSet]],
    using: Mapping[str, ModelLike],
    place: Path,
    budget: Budget | None,
    batch: bool | int,
) -> None:
    """Ask and train what is missing, one model after the other."""
    tested = tuple({pair.question.id: pair.question for _, asked in parts for pair in asked}.values())
    running = _Running(place, tested, budget, batch)
    for model in dict.fromkeys(key.model for key in study.arms()):
        with session(using.get(model, model)) as base:
            for part, asked in parts:
                for key in part.arms():
                    if key.model == model:
                        _measure(key, part, asked, base, running)


def _describe(place: Path, study: Study, asked: Sequence[PairSet]) -> None:
    """Write down what will be asked, before it is; arms are added as their turn comes, and stay where it ran before."""
    text, path = dumps(study) + "\n", place / layout.STUDY
    with alone(place):
        again = path.is_file() and path.read_text(encoding="utf-8") == text
        write_pairs(place, {pair.id: pair for one in asked for pair in one}.values())
        write_arms(place, arms_of(place) if again else (), counted(sum(asked, PairSet())))
        write_text(path, text)


def _measure(key: ArmKey, part: Study, asked: PairSet, base: Session, running: _Running) -> None:
    """Ask one arm what it was not asked yet; train it first, if it is to be trained."""
    how = Asking(running.folder, part.settings, part.samples, part.seed, running.budget, running.batch)
    if key.intervention == NONE:
        measure(asked, base, how, label=key.label, of=key.model, title=key.name)
    elif isinstance(key.intervention, Trained):
        checkpoint, role = _train(key, key.intervention, base, running)
        with session(checkpoint) as trained:
            measure(
                asked,
                trained,
                how,
                label=key.label,
                role=role,
                checkpoint=checkpoint,
                of=key.model,
                trained=key.intervention.biases,
                title=key.name,
            )
    else:
        measure_prompted(asked, base, how, key.intervention, label=key.label, of=key.model, title=key.name)


def _train(key: ArmKey, how: Trained, base: Session, running: _Running) -> tuple[Checkpoint, ArmRole]:
    """The checkpoint of an arm; a training that is done is not done again."""
    made, fitted = _rows(key, how, base, running), how.how(key.seed)
    is_control = fitted.trains_on == "control"
    place = (
        running.folder
        / layout.TRAINED
        / f"{_short(key.model)}-{_short(str(how))}-{key.seed}-{content_id(repr(how))[:8]}"
    )
    rows = made.control if is_control else made.bct
    checkpoint = fit(rows, fitted, key.model, _where(how, running.budget), place)
    if running.budget is not None:
        running.budget.trained += checkpoint.cost or 0.0
    return checkpoint, "control" if is_control else "trained"


def _where(how: Trained, budget: Budget | None) -> Backend:
    """The backend; a provider's refuses a job that would cost more than what is left."""
    return (
        backend(how.backend) if budget is None or how.backend == "local" else backend(how.backend, max_cost=budget.left)
    )


def _rows(key: ArmKey, how: Trained, base: Session, running: _Running) -> Mixture:
    """Rows from train questions that no test question shares; each seed has data of its own (SPEC §5.7)."""
    loaded = [question for task in how.tasks if not isinstance(task, str) for question in task.load(None, key.seed)]
    apart = sources.without_overlap(loaded, running.tested)
    recipe = replace(how.recipe, seed=how.recipe.seed + key.seed)
    made = mixture(recipe, apart, base, folder=running.folder, budget=running.budget)
    made.write(running.folder / layout.DATA / f"{_short(key.model)}-{content_id(repr(recipe))[:8]}")
    return made


def _short(model: str) -> str:
    """A model's name as the name of a folder."""
    return "".join(char if char.isalnum() or char in "-._" else "_" for char in model.rpartition("/")[2])
