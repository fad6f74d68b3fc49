"""Activation consistency and BCT at once: the clean reply is learnt, and the residual stream stays that of the base.

Source: ours; arXiv 2510.27062 finds that neither of the two improves the measure of the other. Loss:
cross-entropy, mean over the step's reply tokens, as `Bct`'s; plus `weight` times ACT's relative loss, mean over the step's
rows that have a cue. Both are counted separately, then added. Instruct rows have only the first part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from unsway.errors import BadInput
from unsway.training.inside import Inside
from unsway.training.methods import methods
from unsway.training.methods.act import activation_gap
from unsway.training.seams import Tensor, WhiteBox
from unsway.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class ActBct(Inside):
    """Both losses, one adapter."""

    learning_rate: float = 2e-4
    """Peak rate; `Bct`'s."""
    weight: float = 1.0
    """Weight of the activations; 0 is `Bct`. Ours: both parts are between 0.1 and 1 before training."""

    name: ClassVar[str] = "act_bct"
    summary: ClassVar[str] = "the clean reply is learnt and the residual stream stays the base's (bct + act)"
    reads: ClassVar[frozenset[str]] = frozenset({"biased", "completion"})
    takes_instruct: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Inside.__post_init__(self)
        if self.weight < 0:
            raise BadInput(f"ActBct.weight is {self.weight!r}; it is 0 or more.")

    def update(self, batch: Sequence[Example], model: WhiteBox) -> None:
        """One step, counted in reply tokens and in rows with a cue."""
        n_tokens = sum(len(model.encode(row.clean.messages(), row.completion).completion) for row in batch)
        n_cued = sum(row.biased is not None for row in batch)
        parts = {"cross_entropy": 0.0, "activations": 0.0}

        def loss(rows: Sequence[Example], model: WhiteBox) -> Tensor:
            replies = [model.encode((row.biased or row.clean).messages(), row.completion) for row in rows]
            value = -sum(logprobs.sum() for logprobs in model.logprobs(replies)) / n_tokens
            parts["cross_entropy"] += float(value.detach())
            cued = [row for row in rows if row.biased is not None]
            if self.weight and cued:
                gap: Tensor = sum(self.gaps(cued, model)) / n_cued
                parts["activations"] += float(gap.detach())
                value = value + self.weight * gap
            model.note(parts)
            return value * (len(batch) / len(rows))  # a step averages over rows

        model.step(batch, loss)

    def distance(self, ours: Tensor, base: Tensor) -> Tensor:
        """ACT's, relative."""
        return activation_gap(ours, base, "relative")


methods.add("act_bct", ActBct)
