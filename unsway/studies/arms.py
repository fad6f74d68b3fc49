"""The arms of a study: models, each under at most one intervention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from unsway.errors import BadInput
from unsway.models.session import LOCAL
from unsway.stats.outcomes import AskedArm, ReplyIndex
from unsway.types import ArmKey, Checkpoint, Reply, Settings

ArmRole: TypeAlias = Literal["base", "prompted", "control", "trained"]
"""An arm's role in comparisons: the unmodified model, prompted with an intervention, trained as control, or trained."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One model of a study, under at most one intervention."""

    label: str
    """Short name for people: base, control, bct."""
    model: str
    """The model name in its replies (`Reply.model`)."""
    weights: str
    """Fingerprint of its weights; empty for a hosted model."""
    role: ArmRole
    """Its role in comparisons."""
    checkpoint: Checkpoint | None = None
    """The trained checkpoint that was asked; None for the base."""
    of: str = ""
    """The model it was made from, whose arm is its baseline; empty if there is only one base."""
    intervention: str = ""
    """Name of the intervention in its prompts; empty if its prompts are unchanged."""
    trained: tuple[str, ...] = ()
    """Names of the biases that it was trained on."""
    settings: Settings | None = None
    """How its replies were decoded; the model's replies under other settings are excluded. None accepts all."""
    training: str = ""
    """Name of the training in its study, shared by the arms of all training seeds; empty if nothing was trained."""

    @property
    def key(self) -> ArmKey:
        """The key that its outcomes carry."""
        return ArmKey(self.model, self.weights, self.intervention)

    @property
    def name(self) -> str:
        """The model and the intervention, for people."""
        return self.key.name

    @property
    def planned_name(self) -> str:
        """Its name in the form of `PlannedArm.name`: the model and its change; the label if it belongs to no study."""
        if not self.of:
            return self.label
        return self.of if self.role == "base" else f"{self.of} + {self.label}"

    def is_made_from(self, base: Arm) -> bool:
        """Whether it is known to be the base's model, with or without an intervention, or a checkpoint trained from it."""
        if self.checkpoint is None:
            return (self.model, self.weights) == (base.model, base.weights)
        name, _, weights = self.checkpoint.base.rpartition("@")
        is_local = base.model.startswith(LOCAL)  # `weights` is a fingerprint for local models, an address for others
        return (is_local and weights == base.weights) or f"/{base.model}".endswith(f"/{name or weights}")

    def is_called(self, name: str) -> bool:
        """Whether a name means this arm, in the form that studies, replies or reports use."""
        return name in (self.planned_name, self.name, self.label)


def first_of(arms: Sequence[Arm]) -> Arm:
    """Return the first arm. Raises `BadInput` if there is none, for example because the server never answered."""
    if not arms:
        raise BadInput("This study has no arm: no model gave a reply yet. Measure one first.")
    return arms[0]


def base_of(arms: Sequence[Arm], arm: Arm) -> Arm | None:
    """Return the base arm that an arm is compared with: its own model's. None if there is none, or it is not known."""
    bases = [other for other in arms if other.role == "base"]
    same = [base for base in bases if arm.of and base.of == arm.of] or [
        base for base in bases if arm.is_made_from(base)
    ]
    return next(iter(same or (bases if len(bases) == 1 else ())), None)


def control_of(arms: Sequence[Arm], arm: Arm) -> Arm | None:
    """Return the first control that is compared with the same base; None if there is none."""
    base = base_of(arms, arm)
    return next((other for other in arms if other.role == "control" and base_of(arms, other) == base), None)


def join_arms(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """The arms of several results, each once. Raises `BadInput` if an arm was decoded in two ways."""
    arms_by_key: dict[ArmKey, Arm] = {}
    for arm in arms:
        first = arms_by_key.setdefault(arm.key, arm).settings
        if first and arm.settings and first != arm.settings:
            raise BadInput(
                f"{arm.label!r} was asked with {first.apart(arm.settings)}, and with {arm.settings.apart(first)}. One arm "
                "has one way of decoding: results of two ways stand apart."
            )
        arms_by_key[arm.key] = arm if first else replace(arm, settings=None)  # None: any second way is noticed
    return tuple(arms_by_key.values())


def add_model_names(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms, each label preceded by its model's short name if there are several models."""
    if len({arm.of for arm in arms}) < 2:
        return tuple(arms)
    new_arms = []
    for arm in arms:
        model_name = arm.of.rpartition("/")[2]
        new_arms.append(
            replace(arm, label=model_name if arm.role == "base" and model_name else f"{model_name} {arm.label}".strip())
        )
    return tuple(new_arms)


def reply_index(
    arms: Iterable[Arm], replies: Iterable[Reply], instead: Mapping[ArmKey, Mapping[str, str]]
) -> ReplyIndex:
    """The replies of some arms, by arm, prompt and sample; those of other models or weights are left out."""
    arm_list = tuple(arms)
    models = {(arm.model, arm.weights) for arm in arm_list}
    arm_replies = (reply for reply in replies if (reply.model, reply.weights) in models)
    return ReplyIndex(arm_replies, asked_arms(arm_list, instead))


def asked_arms(arms: Iterable[Arm], instead: Mapping[ArmKey, Mapping[str, str]]) -> list[AskedArm]:
    """The arms as `AskedArm`s: what is needed to join them with replies."""
    return [AskedArm(arm.key, arm.settings, instead.get(arm.key, {} if arm.intervention else None)) for arm in arms]
