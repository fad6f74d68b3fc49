"""What a training will take: replies to sample for its rows, and tokens to train on.

In: counts of rows, the length of prompts, prices. Out: a `TrainingPlan`, which a `Plan` adds to its dollars and minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

from unsway.planning.prices import Price


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What one training is still to take."""

    arm: str
    """The model and the training."""
    n_replies: int
    """Replies to sample for its rows; 0 where they are kept, or another training of the study has the same rows."""
    tokens_in: float
    """Prompt tokens of those replies."""
    tokens_out: float
    """Reply tokens."""
    trained_tokens: float
    """Tokens to train on, all epochs; 0 where it is done."""
    price: Price | None
    """Price of the model that writes the replies; None where it is not known."""
    training_cost: float | None
    """US dollars that the provider charges for the training; 0 for a local one, None where it is not known."""
    minutes: float
    """Minutes for the replies. The training itself takes longer, and is not counted."""

    @property
    def cost(self) -> float | None:
        """US dollars for replies and training; None where a price is not known."""
        if self.training_cost is None or not self.n_replies:
            return self.training_cost
        return None if self.price is None else self.price.of(self.tokens_in, self.tokens_out) + self.training_cost
