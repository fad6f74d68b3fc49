"""How an arm is measured, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unsway.sampling.options import Sampling
from unsway.types import Checkpoint

if TYPE_CHECKING:
    from unsway.biases import Bias
    from unsway.interventions import Intervention
    from unsway.models.session import ModelLike
    from unsway.prompts.elicitations import Elicitation
    from unsway.studies.arms import ArmRole


@dataclass(frozen=True, slots=True)
class Measurement:
    """How an arm is measured, and what it is called."""

    sampling: Sampling = field(default_factory=Sampling)
    """How its prompts are asked and where replies are kept; its label is the short name of the arm."""
    intervention: Intervention | None = None
    """What goes in front of its prompts."""
    role: ArmRole | None = None
    """What it is compared as; None takes base, prompted under an intervention, trained for a checkpoint."""
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
    """Half-width of each BRR at which a bias is not asked further (`unsway.sampling.until`); None asks everything."""
    arguments: str | None = None
    """File of arguments, for biases that quote them."""


@dataclass(frozen=True, slots=True)
class MeasuredWith:
    """What a call of `unsway.measure` was given, so that another can measure alike."""

    model: ModelLike
    """The model as it was given."""
    biases: tuple[Bias, ...]
    """The biases as values."""
    elicit: Elicitation
    """How questions were put."""
    how: Measurement
    """Everything else."""
