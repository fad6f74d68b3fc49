"""How a model is trained, as values: a method's fields are its hyper-parameters; it says what a backend must do.

In: nothing. Out: frozen methods (`Bct`, `Control`, `Dpo`) by name.
Source: arXiv 2403.05518, §3 and appendix: one epoch, batch 16, control on the same targets with clean prompts; LoRA on
open models. The paper names no LoRA rank or rate; ours are QLoRA's for small models (arXiv 2305.14314, table 9).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Literal, TypeAlias

from unsway.errors import BadInput, UnknownName
from unsway.training.preferences import Preference
from unsway.types import Example, ExampleKind

Need: TypeAlias = Literal["fit", "prefer"]
"""What a backend can be asked: fit (examples in, checkpoint out), prefer (one reply over another)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sft:
    """Supervised fine-tuning on completions, the part that methods share."""

    epochs: float = 1.0
    """Passes over the examples; the paper's 1."""
    batch_size: int = 16
    """Examples a step; the paper's 16."""
    learning_rate: float = 2e-4
    """Peak rate, falling linearly to 0; QLoRA's for models up to 13B."""
    learning_rate_multiplier: float = 1.6
    """Factor on a provider's own rate, where it takes no rate; the paper's 1.6 on the OpenAI API."""
    warmup: float = 0.03
    """Fraction of the steps in which the rate rises; QLoRA's 3 %."""
    lora_rank: int = 16
    """Rank of the adapter on every linear layer; 0 trains all weights, without an adapter."""
    lora_alpha: int = 32
    """Scale of the adapter: updates are multiplied by alpha / rank."""
    weight_decay: float = 0.0
    seed: int = 0
    """Order of the examples and start of the adapter."""

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    trains_on: ClassVar[ExampleKind] = "consistency"
    """The kind of row it takes beside instruct rows."""
    row: ClassVar[type] = Example
    """The type of its rows."""
    needs: ClassVar[frozenset[Need]] = frozenset({"fit"})

    def __post_init__(self) -> None:
        positive = ("epochs", "batch_size", "learning_rate", "learning_rate_multiplier", "lora_alpha")
        for name in positive:
            if not getattr(self, name) > 0:
                raise BadInput(f"{type(self).__name__}.{name} is {getattr(self, name)!r}; it must be above 0.")
        if self.lora_rank < 0:
            raise BadInput(f"{type(self).__name__}.lora_rank is {self.lora_rank}; it is 0 (train all weights) or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bct(Sft):
    """Bias-augmented consistency training: the model's own clean reply under the biased prompt."""

    name: ClassVar[str] = "bct"
    summary: ClassVar[str] = "biased prompt → the model's own clean reply (arXiv 2403.05518, §3)"
    trains_on: ClassVar[ExampleKind] = "consistency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Sft):
    """The paper's control: the same questions and targets row by row, prompts left clean."""

    name: ClassVar[str] = "control"
    summary: ClassVar[str] = "clean prompt → the same replies, row by row (arXiv 2403.05518, §3)"
    trains_on: ClassVar[ExampleKind] = "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dpo(Sft):
    """Direct preference optimisation as a baseline: the clean reply over the one that followed the cue."""

    learning_rate: float = 5e-6
    """Peak rate; the alignment-handbook's for Zephyr with an adapter (zephyr-7b-dpo-qlora)."""
    beta: float = 0.1
    """Weight of staying near the base model (arXiv 2305.18290, §6)."""

    name: ClassVar[str] = "dpo"
    summary: ClassVar[str] = "biased prompt: the model's own clean reply over its cued one (arXiv 2305.18290)"
    row: ClassVar[type] = Preference
    needs: ClassVar[frozenset[Need]] = frozenset({"prefer"})

    def __post_init__(self) -> None:
        Sft.__post_init__(self)
        if not self.beta > 0:
            raise BadInput(f"Dpo.beta is {self.beta!r}; it must be above 0.")


METHODS: dict[str, type[Sft]] = {method.name: method for method in (Bct, Control, Dpo)}


def method(name: str, **hyper_parameters: float) -> Sft:
    """A method by name. Raises `UnknownName` for the method or a hyper-parameter that it does not have."""
    if name not in METHODS:
        raise UnknownName("method", name, METHODS)
    known = {field.name for field in fields(METHODS[name])}
    for given in hyper_parameters:
        if given not in known:
            raise UnknownName(f"hyper-parameter of {name}", given, known)
    return METHODS[name](**hyper_parameters)  # type: ignore[arg-type]  # the names were just checked
