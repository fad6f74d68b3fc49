"""The maximum cost of a fit at Tinker, and its actual cost.

In: a method, its rows as tokens, a base model. Out: tokens of each kind that is charged, and US dollars if the prices are
known. Tinker charges prompt tokens, sampled tokens and trained tokens, each at its own price. Tokens are counted here;
Tinker's own bill decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unsway.backends.local.rows import TokenRow
from unsway.banks import bank
from unsway.errors import in_dollars
from unsway.training.seams import CrossEntropy, Method, Tuner

CACHED = 0.2
"""Share of the price for a cached prompt: for several replies to one prompt, all but the first."""
CUSTOM = 1.5
"""Factor on the tokens of a step whose loss is computed here: one more forward pass (Tinker's documentation of
`forward_backward_custom`)."""


@dataclass(frozen=True, slots=True)
class TinkerPrice:
    """US dollars per million tokens."""

    read: float
    """Price of prompt tokens."""
    sampled: float
    """Price of sampled tokens."""
    trained: float
    """Price of trained tokens."""
    seen: str
    """Source of the price: the month in which it was seen, or the option."""


@dataclass(frozen=True, slots=True)
class TinkerTokens:
    """Tokens that are charged, by kind."""

    read: float = 0.0
    """Prompt tokens; cached ones count at their share."""
    sampled: float = 0.0
    """Sampled tokens."""
    trained: float = 0.0
    """Trained tokens, including prompts, over all epochs; more if the loss is computed here."""

    def __add__(self, other: TinkerTokens) -> TinkerTokens:
        return TinkerTokens(self.read + other.read, self.sampled + other.sampled, self.trained + other.trained)

    def dollars(self, price: TinkerPrice | None) -> float | None:
        """Their cost in US dollars; None if the price is unknown."""
        if price is None:
            return None
        return (self.read * price.read + self.sampled * price.sampled + self.trained * price.trained) / 1e6

    def told(self, price: TinkerPrice | None) -> str:
        """Tokens and cost in words."""
        cost = self.dollars(price)
        source = "" if price is None else f" (prices of {price.seen})"
        money = "at a price that is not known" if cost is None else in_dollars(cost) + source
        return f"{self.trained:,.0f} tokens trained on, {self.sampled:,.0f} sampled, {self.read:,.0f} read, {money}"


def price_of_base(base: str, given: Sequence[float]) -> TinkerPrice | None:
    """The user's prices, else those of the table; None if neither has the model."""
    if given:
        return TinkerPrice(given[0], given[1], given[2], "--option price")
    rows = {name: rest for name, *rest in (entry.split() for entry in bank("tinker_prices").entries)}
    row = rows.get(base)
    return TinkerPrice(float(row[0]), float(row[1]), float(row[2]), row[3]) if row else None


def at_most(method: Method, rows: Sequence[TokenRow]) -> TinkerTokens:
    """The maximum tokens that a fit may be charged for: every sampled reply counts at maximum length."""
    total = TinkerTokens()
    longest = method.longest_sampled
    for row in rows:
        if Tuner in method.needs and isinstance(method.objective, CrossEntropy):
            total += TinkerTokens(trained=row.n_tokens)
            continue
        sequences = [len(row.prompt) + longest] * method.n_sampled or [row.n_tokens]
        total += TinkerTokens(
            read=len(row.prompt) * method.n_sampled + sum(sequences),  # for sampling, and for scoring by the base
            sampled=longest * method.n_sampled,
            trained=CUSTOM * sum(sequences),
        )
    return TinkerTokens(*(method.epochs * amount for amount in (total.read, total.sampled, total.trained)))
