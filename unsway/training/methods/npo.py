"""Negative preference optimisation as a baseline: the reply that followed the cue becomes less likely, and nothing more.

Source: arXiv 2404.05868, equation 3. Loss: -(2/beta) log sigmoid(-beta × (log p - log p0)) of the reply that followed the
cue, under the biased prompt, summed over its tokens; p0 is the base model. Before training it is (2/beta) ln 2. It trains
what not to answer, but not what to answer, so check how many replies are still readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from unsway.errors import BadInput
from unsway.training.methods import methods
from unsway.training.seams import Method, Policy, Tensor
from unsway.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Npo(Method):
    """Negative preference optimisation."""

    learning_rate: float = 5e-6
    """Peak rate; that of `Dpo`, because the gradients agree at the start."""
    beta: float = 0.1
    """How soon the loss ignores a reply that has become unlikely (arXiv 2404.05868, §5)."""

    name: ClassVar[str] = "npo"
    summary: ClassVar[str] = "biased prompt: away from the reply that followed the cue (arXiv 2404.05868)"
    needs: ClassVar[frozenset[Any]] = frozenset({Policy})
    reads: ClassVar[frozenset[str]] = frozenset({"biased", "rejected"})
    takes_instruct: ClassVar[bool] = False

    def __post_init__(self) -> None:
        Method.__post_init__(self)
        if not self.beta > 0:
            raise BadInput(f"Npo.beta is {self.beta!r}; it must be above 0.")

    def loss(self, rows: Sequence[Example], model: Policy) -> Tensor:
        """See the module."""
        replies = [model.encode((row.biased or row.clean).messages(), row.rejected) for row in rows]
        logprobs = zip(model.logprobs(replies), model.logprobs(replies, base=True), strict=True)
        return sum(negative_preference(ours.sum() - base.sum(), self.beta) for ours, base in logprobs) / len(rows)


def negative_preference(gap: Tensor, beta: float) -> Tensor:
    """(2/beta) log(1 + exp(beta × gap)), computed without overflow."""
    scaled = beta * gap
    return (2 / beta) * scaled.logaddexp(scaled.new_zeros(()))


methods.add("npo", Npo)
