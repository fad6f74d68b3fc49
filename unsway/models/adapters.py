"""Loads adapters as PEFT writes them, and only if their weights match their config.

In: a model and the folder of an adapter. Out: the model with the adapter, or a `ModelError` that names what does not fit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unsway.errors import ModelError
from unsway.extras import requires

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER_WEIGHTS = "adapter_model.safetensors"
"""The safetensors file; without it PEFT would look for a pickle."""
ADAPTER_FILE = "adapter_config.json"
"""The file that distinguishes an adapter from full weights, as PEFT writes it."""


def adapted(model: PreTrainedModel, adapter: Path, **loading: bool) -> PeftModel:
    """Load an adapter on top of a model.

    Args:
        model: The adapter's base.
        adapter: The adapter's folder.
        loading: Arguments of PEFT for loading.

    Raises:
        ModelError: The adapter's weights do not match its config, so some would stay untrained.
    """
    with requires("local", "A checkpoint with an adapter"):
        from peft import PeftModel

    peft_model = PeftModel.from_pretrained(model, str(adapter), **loading)
    # again, because PEFT only warns about mismatches
    result = peft_model.load_adapter(str(adapter), "default", **loading)
    mismatches = [*result.missing_keys, *result.unexpected_keys]
    if mismatches:
        problem = "does not hold" if result.missing_keys else "holds, and its config does not name,"
        raise ModelError(
            f"The adapter {str(adapter)!r} {problem} {mismatches[0]} and {len(mismatches) - 1} more weights, so it would "
            f"answer as if these were not trained. Both {ADAPTER_FILE} and {ADAPTER_WEIGHTS} must be of one training, "
            "of this base."
        )
    return peft_model


def check_adapter(base: Path, adapter: Path | None) -> None:
    """Raise `ModelError`, as `adapted` does, if an adapter does not fit its base's config. Reads no weights of the base.

    For engines that load adapters, or files made from them, themselves.
    """
    if adapter is None:
        return
    with requires("local", "A checkpoint with an adapter"):
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        config = AutoConfig.from_pretrained(base, trust_remote_code=False)  # nosec B615  # a local folder
        base_model = AutoModelForCausalLM.from_config(config)
    adapted(base_model, adapter, low_cpu_mem_usage=True)
