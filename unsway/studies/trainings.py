"""Summarise a training over its seeds: how much its numbers vary from run to run.

In: `Results`. Out: one `RepeatedTraining` for each training. The statistics are those of `unsway.stats.training_seeds`.
"""

from __future__ import annotations

from typing import NamedTuple

from unsway.stats.training_seeds import SeedSummary, over_seeds
from unsway.studies.arms import Arm
from unsway.studies.results import Results


class RepeatedTraining(NamedTuple):
    """One training with one seed or several."""

    name: str
    """Its name in tables, without seeds; with the model if there are several."""
    labels: tuple[str, ...]
    """The arms, one for each seed."""
    summary: SeedSummary
    """Mean over the seeds (all measured biases together), and the spread between seeds."""


def repeated_trainings(results: Results) -> tuple[RepeatedTraining, ...]:
    """Every training of a study with the arms of its seeds, in arm order, on the questions that all share with the base."""
    groups: dict[tuple[str, str], list[Arm]] = {}
    for arm in results.arms:
        if arm.training:
            base = results.base_of(arm)
            groups.setdefault((arm.of or (base.name if base else ""), arm.training), []).append(arm)
    many_models = len({model for model, _ in groups}) > 1
    trainings = []
    for (model, training), arms in groups.items():
        base = results.base_of(arms[0])
        outcomes_by_label = {arm.label: results.outcomes.only(arm=arm.key) for arm in arms}
        base_outcomes = None if base is None else results.outcomes.only(arm=base.key)
        name = f"{training} of {model}" if many_models and model else training
        trainings.append(
            RepeatedTraining(
                name, tuple(outcomes_by_label), over_seeds(outcomes_by_label, base_outcomes, level=results.level)
            )
        )
    return tuple(trainings)
