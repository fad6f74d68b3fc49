"""All options of measuring an arm, as one value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from unsway.errors import BadInput
from unsway.prompts import elicitations
from unsway.prompts.elicitations import Elicitation
from unsway.registry import Ref
from unsway.sampling.options import Sampling
from unsway.studies.arms import ArmRole
from unsway.types import Checkpoint, Pair
from unsway.types.kinds import check_kinds

if TYPE_CHECKING:
    from unsway.biases import Bias
    from unsway.interventions import Intervention
    from unsway.models.session import ModelLike


@dataclass(frozen=True, slots=True)
class Measurement:
    """How an arm is measured, and what it is called."""

    sampling: Sampling = field(default_factory=Sampling)
    """How its prompts are asked and where replies are kept; its label is the short name of the arm."""
    intervention: Intervention | None = None
    """What is put in front of its prompts; None leaves them unchanged."""
    role: ArmRole | None = None
    """Its role in comparisons. None derives it: base, prompted under an intervention, or what a checkpoint's record says."""
    checkpoint: Checkpoint | None = None
    """The checkpoint that is measured, if it was trained."""
    of: str = ""
    """The model that it was made from, in a study of several."""
    trained: tuple[str, ...] = ()
    """Names of the biases that it was trained on."""
    training: str = ""
    """Name of the training, which the arms of several training seeds share."""
    seed: int = 0
    """Seed of the cued options, of the cues and of what an intervention draws."""
    half_width: float | None = None
    """Stop asking a bias when its BRR has this half-width (`unsway.sampling.until`); None asks everything.
    Not available with an intervention."""
    arguments: str | None = None
    """File of arguments, for biases that quote them."""

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.half_width is not None and self.intervention is not None:
            raise BadInput(
                f"Asking stops at a half-width ({self.half_width:g}) only where prompts are asked as they are, and "
                f"{self.intervention.name} makes others of all of them first. Leave one of the two out; as many questions as "
                "the base was asked give the same pairs."
            )


@dataclass(frozen=True, slots=True)
class MeasuredWith:
    """The arguments of a call of `unsway.measure`, so another call can measure the same way."""

    model: ModelLike
    """The model as it was given."""
    biases: tuple[Bias, ...]
    """The biases as values; empty if pairs were given."""
    elicit: Elicitation | None
    """How questions were put; None if there are several ways, or one that is not installed here."""
    how: Measurement
    """Everything else."""

    def of_model(self, model: ModelLike) -> Measurement:
        """Options to measure a model the same way, without a folder; for another model, without what describes this one."""
        measurement = self.how
        sampling = replace(self.how.sampling, folder=None)
        if model == self.model:
            return replace(measurement, sampling=sampling)
        return Measurement(
            replace(sampling, label=""),
            seed=measurement.seed,
            half_width=measurement.half_width,
            arguments=measurement.arguments,
        )

    def beside(self, other: MeasuredWith | None) -> MeasuredWith:
        """Arguments for the sum of two results: this model, the biases of both, and the options they share."""
        if other is None:
            return self
        biases = {bias.name: bias for bias in (*other.biases, *self.biases)}
        return replace(self, biases=tuple(biases.values()), elicit=self.elicit if self.elicit == other.elicit else None)


def elicitation_of(pairs: Iterable[Pair]) -> Elicitation | None:
    """The only elicitation of some pairs; None if there are several, or it is not installed."""
    names = {Ref.parse(pair.elicit).unversioned for pair in pairs}
    installed = [elicitations.get(name) for name in names if name in elicitations.names()]
    return installed[0] if len(names) == len(installed) == 1 else None
