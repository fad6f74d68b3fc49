"""Record inner states of a transformers model while it runs.

In: a model and the wanted states. Out: a context in which forward passes record the states.
hidden: the output of each decoder layer. (The last entry of transformers' `hidden_states` is after the final norm, so it is a
different quantity.) mlp: the input of each MLP's last projection. attention: recomputed in float32, only for the wanted
queries, in a registered attention function that returns the same as SDPA. Storing full eager attention would cost L·H·T²
numbers per row, and change the model's own arithmetic.
Letters: B rows of a pass, T tokens, n wanted tokens, L layers, H heads, D width, F width of an MLP.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from unsway.errors import BadInput
from unsway.training.seams import States, Tensor

RECORDING = "unsway_recording"
"""Name of the attention function that records."""


@dataclass(eq=False)
class Caught:
    """The states recorded in one pass, by layer."""

    at: Sequence[Sequence[int]]
    """Wanted positions of each row, counted over all passes."""
    start: int
    """Tokens processed by an earlier pass; wanted positions come after them."""
    layers: dict[int, list[Tensor]] = field(default_factory=dict)
    """A tensor a row: (n, D), (n, F) or (H, n, T)."""

    def keep(self, layer: int, states_BTD: Tensor) -> None:
        """Store the wanted positions of a layer; skips the single-row pass over the common prefix."""
        if len(states_BTD) != len(self.at):
            return
        self.layers[layer] = [
            states_TD[[place - self.start for place in places]]
            for states_TD, places in zip(states_BTD, self.at, strict=True)
        ]


_CAUGHT: ContextVar[Caught | None] = ContextVar("unsway_caught", default=None)


@contextmanager
def catching(model: Any, want: States, caught: Caught) -> Iterator[None]:
    """Record the states of forward passes in the block; with several passes, of the last.

    Raises:
        BadInput: There are no such states, the model's layers are elsewhere (GPT-2's, Falcon's), or its MLPs have no
            `down_proj`, as in a mixture of experts.
    """
    layers = getattr(model.get_decoder(), "layers", None)
    if layers is None:
        raise BadInput(f"{model.config.name_or_path!r} has no `layers`, so its inner states cannot be read.")
    hooks: list[Any] = []
    implementation = model.config._attn_implementation
    token = _CAUGHT.set(caught)
    try:
        match want:
            case "hidden":
                for number, layer in enumerate(layers):
                    hooks.append(
                        layer.register_forward_hook(
                            lambda _m, _i, out, n=number: caught.keep(n, out[0] if isinstance(out, tuple) else out)
                        )
                    )
            case "mlp":
                if not all(hasattr(getattr(layer, "mlp", None), "down_proj") for layer in layers):
                    raise BadInput(
                        f"{model.config.name_or_path!r} has MLPs without a `down_proj`, so their states cannot be read."
                    )
                for number, layer in enumerate(layers):
                    hooks.append(
                        layer.mlp.down_proj.register_forward_pre_hook(
                            lambda _m, inputs, n=number: caught.keep(n, inputs[0])
                        )
                    )
            case "attention":
                _register()
                model.set_attn_implementation(RECORDING)
            case _:
                raise BadInput(f"There are no states {want!r}; known: hidden, attention, mlp, logits.")
        yield
    finally:
        _CAUGHT.reset(token)
        for hook in hooks:
            hook.remove()
        if want == "attention":
            model.set_attn_implementation(implementation)
    if len(caught.layers) != len(layers):
        raise BadInput(
            f"{len(caught.layers)} of {len(layers)} layers of {model.config.name_or_path!r} showed their {want} states. The "
            "others are built otherwise, and comparing some layers alone would be another method."
        )


@cache
def _register() -> None:
    """Register the recording attention function with transformers."""
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    def recording(module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, **kwargs: Any) -> Any:
        caught = _CAUGHT.get()
        if caught is not None and len(query) == len(caught.at):
            _record(caught, module, query, key, **kwargs)
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)

    AttentionInterface.register(RECORDING, recording)
    AttentionMaskInterface.register(RECORDING, sdpa_mask)


def _record(caught: Caught, module: Any, query_BHTd: Tensor, key_BKTd: Tensor, **kwargs: Any) -> None:
    """Store the attention probabilities of the wanted tokens over all tokens; rows are padded only on the right."""
    import torch

    unsupported = [name for name in ("softcap", "s_aux", "position_bias") if kwargs.get(name) is not None]
    if unsupported:
        raise BadInput(
            f"The attention of this model has {unsupported[0]!r}, which is not recorded. Choose a method without attention."
        )
    width = kwargs.get("sliding_window")
    if width and key_BKTd.shape[2] > width:
        raise BadInput(
            f"A prompt has {key_BKTd.shape[2]} tokens, and a layer of this model sees the last {width} alone, so a cue "
            "shifts what is seen. Leave longer rows out, or choose a method without attention."
        )
    scale = kwargs.get("scaling") or query_BHTd.shape[-1] ** -0.5
    groups = query_BHTd.shape[1] // key_BKTd.shape[1]
    probabilities = []
    for row, places in enumerate(caught.at):
        positions_n = torch.tensor(places, device=query_BHTd.device)
        query_HnD = query_BHTd[row][:, positions_n - caught.start].float()
        key_HTD = key_BKTd[row].float().repeat_interleave(groups, dim=0)
        scores_HnT = query_HnD @ key_HTD.transpose(-1, -2) * scale
        keys_T = torch.arange(scores_HnT.shape[-1], device=query_BHTd.device)
        future_nT = keys_T[None, :] > positions_n[:, None]
        probabilities.append(scores_HnT.masked_fill(future_nT, -torch.inf).softmax(dim=-1))
    caught.layers[module.layer_idx] = probabilities
