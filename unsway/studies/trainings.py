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
    several = len({of for of, _ in groups}) > 1
    found = []
    for (of, training), arms in groups.items():
        base = results.base_of(arms[0])
        said = {arm.label: results.outcomes.only(arm=arm.key) for arm in arms}
        of_base = None if base is None else results.outcomes.only(arm=base.key)
        name = f"{training} of {of}" if several and of else training
        found.append(RepeatedTraining(name, tuple(said), over_seeds(said, of_base, level=results.level)))
    return tuple(found)
