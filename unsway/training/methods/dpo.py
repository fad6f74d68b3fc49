"""Direct preference optimisation as a baseline: under the biased prompt, the clean reply over the one that followed the cue.

Source: arXiv 2305.18290. Loss: -log sigmoid(beta × ((log p - log p0) of the clean reply - (log p - log p0) of the cued one)),
each log-probability summed over the reply's tokens, p0 the base model. Rows come from `unsway data preferences`, or are
others' preferences, whose prompts have no cue known to unsway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unsway.errors import BadInput
from unsway.training.methods import methods
from unsway.training.seams import Method, PreferenceLoss, Texts
from unsway.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Dpo(Method):
    """Direct preference optimisation of the clean reply over the cued one."""

    learning_rate: float = 5e-6
    """Peak rate; the alignment-handbook's for Zephyr with an adapter (zephyr-7b-dpo-qlora)."""
    beta: float = 0.1
    """Weight of staying near the base model (arXiv 2305.18290, §6)."""

    name: ClassVar[str] = "dpo"
    summary: ClassVar[str] = "biased prompt: the model's own clean reply over its cued one (arXiv 2305.18290)"
    reads: ClassVar[frozenset[str]] = frozenset({"biased", "completion", "rejected"})

    def __post_init__(self) -> None:
        Method.__post_init__(self)
        if not self.beta > 0:
            raise BadInput(f"Dpo.beta is {self.beta!r}; it must be above 0.")

    def texts(self, row: Example) -> Texts:
        """The biased prompt, the clean reply, and the one that followed the cue."""
        return Texts((row.biased or row.clean).messages(), (row.completion or "", row.rejected or ""))

    @property
    def objective(self) -> PreferenceLoss:
        """DPO's own loss."""
        return PreferenceLoss(self.beta)


methods.add("dpo", Dpo)
