"""How an arm is measured, as one value."""

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
    """What goes in front of its prompts."""
    role: ArmRole | None = None
    """What it is compared as; None takes base, prompted under an intervention, what its record says for a checkpoint."""
    checkpoint: Checkpoint | None = None
    """Where it was trained, if it was."""
    of: str = ""
    """The model that it was made from, in a study of several."""
    trained: tuple[str, ...] = ()
    """Names of the biases that it was trained on."""
    training: str = ""
    """Name of the training, which the arms of several training seeds share."""
    seed: int = 0
    """Seed of the cued options, of the cues and of what an intervention draws."""
    half_width: float | None = None
    """Half-width of each BRR at which a bias is not asked further (`unsway.sampling.until`); None asks everything.
    Not with an intervention."""
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
    """What a call of `unsway.measure` was given, so that another can measure alike."""

    model: ModelLike
    """The model as it was given."""
    biases: tuple[Bias, ...]
    """The biases as values; empty where pairs were given."""
    elicit: Elicitation | None
    """How questions were put; None where that is several ways, or a name that nothing here has."""
    how: Measurement
    """Everything else."""

    def of_model(self, model: ModelLike) -> Measurement:
        """How a model is measured alike: into another folder, and for another model without what is said of this one."""
        how, sampling = self.how, replace(self.how.sampling, folder=None)
        if model == self.model:
            return replace(how, sampling=sampling)
        return Measurement(
            replace(sampling, label=""), seed=how.seed, half_width=how.half_width, arguments=how.arguments
        )

    def beside(self, other: MeasuredWith | None) -> MeasuredWith:
        """What the sum of two results was measured with: this model, the biases of both, and what they have in common."""
        if other is None:
            return self
        biases = {bias.name: bias for bias in (*other.biases, *self.biases)}
        return replace(self, biases=tuple(biases.values()), elicit=self.elicit if self.elicit == other.elicit else None)


def elicitation_of(pairs: Iterable[Pair]) -> Elicitation | None:
    """The one elicitation of some pairs; None where there are several, or none of that name."""
    names = {Ref.parse(pair.elicit).unversioned for pair in pairs}
    known = [elicitations.get(name) for name in names if name in elicitations.names()]
    return known[0] if len(names) == len(known) == 1 else None
