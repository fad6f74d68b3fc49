"""How far the numbers of a training move from run to run: its seeds as one result.

In: `Results`. Out: one `RepeatedTraining` for each training. The statistics are those of `unsway.stats.training_seeds`.
"""

from __future__ import annotations

from typing import NamedTuple

from unsway.stats.training_seeds import SeedSummary, over_seeds
from unsway.studies.results import Results


class RepeatedTraining(NamedTuple):
    """One training with one seed or several."""

    name: str
    """What it is called in tables, without its seeds; with the model where there are several."""
    labels: tuple[str, ...]
    """The arms, one for each seed."""
    summary: SeedSummary
    """The mean over the seeds, all measured biases together, and the spread from seed to seed."""


def repeated_trainings(results: Results) -> tuple[RepeatedTraining, ...]:
    """Every training of a study with the arms of its seeds, in the order of the arms; the base's questions that all share."""
    groups: dict[tuple[str, str], list[str]] = {}
    for arm in results.arms:
        if arm.training:
            groups.setdefault((arm.of, arm.training), []).append(arm.label)
    several = len({of for of, _ in groups}) > 1
    found = []
    for (of, training), labels in groups.items():
        base = results.base_of(results.arm(labels[0]))
        keys = {label: results.arm(label).key for label in labels}
        said = {label: results.outcomes.only(arm=key) for label, key in keys.items()}
        of_base = None if base is None else results.outcomes.only(arm=base.key)
        name = f"{training} of {of}" if several else training
        found.append(RepeatedTraining(name, tuple(labels), over_seeds(said, of_base)))
    return tuple(found)
