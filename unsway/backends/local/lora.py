"""The adapter that a method trains: its rank, and the layers that it is put on (`Method.lora_on`).

In: a method, and the model that gets the adapter. Out: peft's configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unsway.errors import BadInput
from unsway.extras import requires
from unsway.training.seams import Method

if TYPE_CHECKING:
    from peft import LoraConfig

ADAPTED: dict[str, str | list[str]] = {
    "all-linear": "all-linear",
    "attention": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "qv": ["q_proj", "v_proj"],
}
"""Modules that get an adapter, by `Method.lora_on`."""


def adapter_of(method: Method, model: Any, name: str) -> LoraConfig | None:
    """The configuration for peft; None if all weights are trained. Raises `BadInput` if the model has no such modules."""
    with requires("local", "Training here"):
        from peft import LoraConfig

    if not method.lora_rank:
        return None
    modules = ADAPTED[method.lora_on]
    names = {path.rpartition(".")[2] for path, _ in model.named_modules()}
    if modules != "all-linear" and (missing := [module for module in modules if module not in names]):
        raise BadInput(
            f"{name!r} has no modules {missing}, which lora_on={method.lora_on!r} adapts. Set lora_on=all-linear."
        )
    return LoraConfig(
        r=method.lora_rank,
        lora_alpha=method.lora_alpha,
        lora_dropout=0.0,
        target_modules=modules,
        task_type="CAUSAL_LM",
    )
