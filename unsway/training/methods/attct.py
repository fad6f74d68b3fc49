"""Attention consistency training: after the cue, each head attends to the question as the base does without it.

Source: arXiv 2606.05817. Loss: Jensen-Shannon divergence of the attention that aligned tokens pay to aligned tokens, mean
over queries, heads, layers and rows; unnormalised, since mass on the cue is outside. The public code's default is another
loss, a squared distance of heads' averages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from unsway.training.alignment import Window
from unsway.training.inside import Inside
from unsway.training.methods import methods
from unsway.training.seams import States, Tensor, WhiteBox
from unsway.types import Example

LEAST = 1e-30
"""Probabilities below this are treated as equal: times any logarithm they are below float32's smallest normal number."""


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """½ Σ p log(2p/(p+q)) + ½ Σ q log(2q/(p+q)) over the last axis, in nats; 0 where equal, at most ln 2."""
    p_, q_ = p.clamp_min(LEAST), q.clamp_min(LEAST)
    middle = ((p_ + q_) / 2).log()
    return ((p * (p_.log() - middle)).sum(-1) + (q * (q_.log() - middle)).sum(-1)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AttCt(Inside):
    """Attention consistency training."""

    window: Window = "content"
    """Which aligned tokens attend: those of the question, as in the paper (arXiv 2606.05817)."""
    keys: Literal["content", "shared", "bucket"] = "content"
    """What they attend to: the tokens of the window (the paper's); all aligned tokens, the first one included, which often
    has most of the mass; or these and one more bucket, the mass on everything that is not aligned (both ours)."""

    name: ClassVar[str] = "attct"
    summary: ClassVar[str] = "attention under the biased prompt → the base's under the clean one (arXiv 2606.05817)"
    states: ClassVar[States] = "attention"

    def gaps(self, rows: Sequence[Example], model: WhiteBox) -> list[Tensor]:
        """The divergence of each row."""
        gaps = []
        prompts = [(row.clean, row.biased) for row in rows if row.biased]
        queries = [model.align(clean, biased, self.window) for clean, biased in prompts]
        keys = queries if self.keys == "content" else [model.align(*sides, "shared") for sides in prompts]
        ours = model.forward(
            [model.encode(biased.messages()) for _, biased in prompts],
            "attention",
            at=[[b for _, b in places] for places in queries],
        )
        base = model.forward(
            [model.encode(clean.messages()) for clean, _ in prompts],
            "attention",
            at=[[a for a, _ in places] for places in queries],
            base=True,
        )
        for ours_LHnT, base_LHnT, places in zip(ours, base, keys, strict=True):
            q, p = ours_LHnT[..., [b for _, b in places]], base_LHnT[..., [a for a, _ in places]]
            gap = jensen_shannon(p, q)
            if self.keys == "bucket":
                gap = gap + jensen_shannon(_rest(p), _rest(q))
            gaps.append(gap.mean())
        return gaps


def _rest(p: Tensor) -> Tensor:
    """1 minus the total mass, as an axis of length 1."""
    return (1 - p.sum(-1, keepdim=True)).clamp_min(0)


methods.add("attct", AttCt)
