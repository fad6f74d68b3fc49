"""Activation consistency training: the residual stream after the cue becomes that of the base without it.

Source: arXiv 2510.27062, §3. Loss: squared Euclidean distance between outputs of each decoder layer (before the final norm),
mean over aligned tokens, layers and rows. Public implementations train on transformers' last `hidden_states`, which is a
different quantity: it is after the final norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from unsway.training.inside import Inside
from unsway.training.methods import methods
from unsway.training.seams import Tensor


def activation_gap(ours_LnD: Tensor, base_LnD: Tensor, scale: Literal["relative", "plain"]) -> Tensor:
    """Squared distance, mean over tokens and layers; relative: of each layer as a fraction of the base's squared norm."""
    gap_L = (ours_LnD - base_LnD).pow(2).sum(-1).mean(-1)
    return (gap_L / base_LnD.pow(2).sum(-1).mean(-1) if scale == "relative" else gap_L).mean()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Inside):
    """Activation consistency training."""

    scale: Literal["relative", "plain"] = "relative"
    """relative: each layer's distance over the base's squared norm in that row, comparable between models and layers (ours);
    plain: the paper's, which the last layers and single huge activations dominate."""

    name: ClassVar[str] = "act"
    summary: ClassVar[str] = (
        "residual stream under the biased prompt → the base's under the clean one (arXiv 2510.27062)"
    )

    def distance(self, ours: Tensor, base: Tensor) -> Tensor:
        """See `activation_gap`."""
        return activation_gap(ours, base, self.scale)


methods.add("act", Act)
