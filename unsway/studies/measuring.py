"""One arm of a study: note it in the folder, then ask it what it was not asked yet.

In: pairs, a model, a folder. Out: replies in the folder's store, an arm in its list. The arm is noted before it is asked,
so that a run that is stopped shows what it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from unsway.interventions import Intervention
from unsway.models.session import Session
from unsway.pairing import PairSet
from unsway.planning.budget import Budget
from unsway.sampling import ask, run
from unsway.sampling.until import StopRule, run_until
from unsway.studies.folder import note_arm
from unsway.studies.results import Arm, ArmRole
from unsway.types import Checkpoint, Settings


@dataclass(frozen=True, slots=True)
class Asking:
    """How the arms of a study are asked."""

    folder: Path
    settings: Settings
    samples: int = 1
    seed: int = 0
    """Seed of what an intervention draws."""
    budget: Budget | None = None
    batch: bool | int = False
    half_width: float | None = None
    """Half-width of each BRR at which a bias is not asked further (`unsway.sampling.until`); None asks everything."""


def measure(
    asked: PairSet,
    model: Session,
    how: Asking,
    *,
    label: str,
    role: ArmRole = "base",
    checkpoint: Checkpoint | None = None,
    of: str = "",
    trained: tuple[str, ...] = (),
    title: str = "",
) -> None:
    """Ask a model both sides of every pair.

    Args:
        asked: The pairs.
        model: The model.
        how: Where replies are kept, and how they are decoded.
        label: Short name of the arm.
        role: What it is compared as.
        checkpoint: Where it was trained, if it was.
        of: The model that it was made from, in a study of several.
        trained: Names of the biases that it was trained on.
        title: What the progress bar says; the label by default.
    """
    arm = Arm(label, model.subject.name, model.subject.weights, role, checkpoint, of, "", trained, how.settings)
    note_arm(how.folder, arm)
    ask_pairs: Callable[..., object] = partial(run, read=False)
    if how.half_width is not None:
        ask_pairs = partial(run_until, rule=StopRule(how.half_width, seed=how.seed))
    ask_pairs(
        asked,
        model,
        settings=how.settings,
        samples=how.samples,
        folder=how.folder,
        label=title or label,
        budget=how.budget,
        batch=how.batch,
    )


def measure_prompted(
    asked: PairSet, model: Session, how: Asking, changes: Intervention, *, label: str, of: str = "", title: str = ""
) -> None:
    """Ask a model both sides of every pair under an intervention in its prompts; arguments as in `measure`."""
    changed = changes.apply(
        asked.pairs, model, folder=how.folder, settings=how.settings, seed=how.seed, budget=how.budget
    )
    who = model.subject
    arm = Arm(label, who.name, who.weights, "prompted", None, of, changes.name, changes.biases, how.settings)
    note_arm(how.folder, arm, {prompt_id: prompt.id for prompt_id, prompt in changed.prompts.items()})
    ask(
        changed.prompts.values(),
        model,
        settings=how.settings,
        samples=how.samples,
        folder=how.folder,
        label=title or label,
        budget=how.budget,
        batch=how.batch,
        read=False,
    )
