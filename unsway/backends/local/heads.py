"""Compute logits from last hidden states as a model's own forward pass does.

In: a transformers model. Out: a `Head`: its output layer, and what some families do to logits after it. Granite divides
them, Cohere and Falcon-H1 multiply them, Gemma 2 soft-caps them; a loss on bare logits would use another distribution than
the one the model answers from. One short pass compares with the model's own logits, so a family with other transformations
is detected.
"""

from __future__ import annotations

from typing import Any

from unsway.errors import BadInput
from unsway.training.seams import Tensor

CLOSE = 0.02
"""Largest difference from the model's own logits, as a share of the largest of them; bfloat16 rounds by 0.4 %."""


class Head:
    """The output layer of a model, with what its forward pass does to logits."""

    def __init__(self, model: Any) -> None:
        config = model.config.get_text_config()
        self.layer = model.get_output_embeddings()
        self.weight = self.layer.weight
        self.cap = getattr(config, "final_logit_softcapping", None)
        self.factor = 1 / (getattr(config, "logits_scaling", None) or 1.0)
        for name in ("logit_scale", "lm_head_multiplier"):
            scale = getattr(config, name, None)
            self.factor *= scale if isinstance(scale, int | float) else 1.0

    def __call__(self, states_nD: Tensor) -> Tensor:
        """The logits in float32, (n, V)."""
        logits_nV = self.layer(states_nD.to(self.weight.dtype)).float()
        if self.factor != 1:
            logits_nV = logits_nV * self.factor
        return logits_nV if not self.cap else (logits_nV / self.cap).tanh() * self.cap


def head_of(model: Any) -> Head | None:
    """The head of a model; None if its logits differ from those of the model's forward pass."""
    import torch

    states: list[Tensor] = []
    hook = model.get_decoder().register_forward_hook(lambda _m, _i, out: states.append(out.last_hidden_state))
    try:
        with torch.no_grad():
            ids_1T = torch.arange(4, device=model.device)[None]
            own_TV = model(input_ids=ids_1T, use_cache=False).logits[0].float()
            head = Head(model)
            difference = (head(states[-1][0]) - own_TV).abs().max()
    finally:
        hook.remove()
    return head if not difference > CLOSE * own_TV.abs().max() else None


def check_head(model: Any, name: str) -> None:
    """Raise `BadInput` for a model whose logits `head_of` cannot reproduce."""
    if head_of(model) is None:
        raise BadInput(
            f"The forward pass of {name!r} does something to its logits that unsway does not know, so its losses would be "
            "another model's. Choose bct or control, which take transformers' own loss, or another model."
        )
