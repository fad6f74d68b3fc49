"""MLP consistency training: what enters each MLP's last projection points where the base's does without the cue.

Source: arXiv 2606.05817. Loss: 1 - cosine, mean over aligned tokens, layers and rows. The adapter is on attention alone, so
equal MLP states mean, up to scale, equal inputs; an adapter on the MLP could learn to hide the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unsway.training.alignment import Window
from unsway.training.inside import Inside
from unsway.training.methods import methods
from unsway.training.seams import LoraOn, States, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class MlpCt(Inside):
    """MLP consistency training."""

    window: Window = "content"
    """Which aligned tokens are compared: those of the question, as in the paper (arXiv 2606.05817)."""
    lora_on: LoraOn = "attention"
    """Layers that get an adapter: the paper's idea is to route by attention what MLPs then see."""

    name: ClassVar[str] = "mlpct"
    summary: ClassVar[str] = "MLP states under the biased prompt → the base's under the clean one (arXiv 2606.05817)"
    states: ClassVar[States] = "mlp"

    def distance(self, ours: Tensor, base: Tensor) -> Tensor:
        """1 - cosine, from (L, n, F); in [0, 2], the same for any scale of either side."""
        cosine_Ln = (ours * base).sum(-1) / (ours.norm(dim=-1) * base.norm(dim=-1)).clamp_min(1e-12)
        return (1 - cosine_Ln).mean()


methods.add("mlpct", MlpCt)
