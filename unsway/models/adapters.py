"""Adapters on top of a model, as PEFT writes them: loaded only where their weights are those that their config names.

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
"""Without it PEFT would look for a pickle of that name."""
ADAPTER_FILE = "adapter_config.json"
"""What tells an adapter from whole weights, as PEFT writes it."""


def adapted(model: PreTrainedModel, adapter: Path, **loading: bool) -> PeftModel:
    """A model with an adapter.

    Args:
        model: The adapter's base.
        adapter: The adapter's folder.
        loading: How PEFT is to load it.

    Raises:
        ModelError: The adapter's weights are not those of its config, so some would stay as they were before training.
    """
    with requires("local", "A checkpoint with an adapter"):
        from peft import PeftModel

    found = PeftModel.from_pretrained(model, str(adapter), **loading)
    fit = found.load_adapter(str(adapter), "default", **loading)  # again, for PEFT warns only of what did not fit
    astray = [*fit.missing_keys, *fit.unexpected_keys]
    if astray:
        what = "does not hold" if fit.missing_keys else "holds, and its config does not name,"
        raise ModelError(
            f"The adapter {str(adapter)!r} {what} {astray[0]} and {len(astray) - 1} more weights, so it would answer as if "
            f"these were not trained. Both {ADAPTER_FILE} and {ADAPTER_WEIGHTS} must be of one training, of this base."
        )
    return found


def check_adapter(base: Path, adapter: Path | None) -> None:
    """Refuse an adapter that does not fit its base's config; no weights of the base are read. Raises as `adapted`.

    For engines that load adapters, or what was made with them, by themselves.
    """
    if adapter is None:
        return
    with requires("local", "A checkpoint with an adapter"):
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        config = AutoConfig.from_pretrained(base, trust_remote_code=False)  # nosec B615  # a folder of this machine
        bare = AutoModelForCausalLM.from_config(config)
    adapted(bare, adapter, low_cpu_mem_usage=True)
