"""The cost of a training: replies to sample for its rows, and tokens to train on.

In: counts of rows, the length of prompts, prices. Out: a `TrainingPlan`, whose dollars and minutes a `Plan` includes.
"""

from __future__ import annotations

from dataclasses import dataclass

from unsway.planning.prices import Price


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The remaining work of one training."""

    arm: str
    """The model and the training."""
    n_replies: int
    """Replies to sample for its rows; 0 if they are stored, or another training of the study has the same rows."""
    tokens_in: float
    """Prompt tokens of those replies."""
    tokens_out: float
    """Reply tokens."""
    trained_tokens: float
    """Tokens to train on, over all epochs; 0 if it is finished."""
    price: Price | None
    """Price of the model that writes the replies; None if unknown."""
    training_cost: float | None
    """US dollars that the provider charges for the training; 0 for a local one, None if unknown."""
    minutes: float
    """Minutes for the replies. The training itself takes longer and is not included."""

    @property
    def cost(self) -> float | None:
        """US dollars for replies and training; None if a price is unknown."""
        if self.training_cost is None or not self.n_replies:
            return self.training_cost
        return None if self.price is None else self.price.of(self.tokens_in, self.tokens_out) + self.training_cost
