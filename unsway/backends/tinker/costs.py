"""What a fit at Tinker will cost at most, and what it did cost.

In: a method, its rows as tokens, a base model. Out: tokens of each kind that is charged, and US dollars where the prices are
known. Tinker charges tokens of prompts that are read, tokens that are sampled and tokens that are trained on, each at a price
of its own. Tokens are counted here; Tinker's own bill decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unsway.backends.local.rows import TokenRow
from unsway.banks import bank
from unsway.errors import in_dollars
from unsway.training.seams import CrossEntropy, Method, Tuner

CACHED = 0.2
"""Share of the price for a prompt that was read just before: of several replies to one prompt, all but the first."""
CUSTOM = 1.5
"""Times the tokens of a step whose loss is computed here: one more pass forward (Tinker's documentation of
`forward_backward_custom`)."""


@dataclass(frozen=True, slots=True)
class TinkerPrice:
    """US dollars for a million tokens."""

    read: float
    """Of prompts."""
    sampled: float
    """Of sampled replies."""
    trained: float
    """Trained on."""
    seen: str
    """Where it is from: the month in which it was seen, or the option."""


@dataclass(frozen=True, slots=True)
class TinkerTokens:
    """Tokens that are charged, by kind."""

    read: float = 0.0
    """Of prompts, a cached one at its share."""
    sampled: float = 0.0
    """Of sampled replies."""
    trained: float = 0.0
    """Trained on, prompts included, every epoch; more where the loss is computed here."""

    def __add__(self, other: TinkerTokens) -> TinkerTokens:
        return TinkerTokens(self.read + other.read, self.sampled + other.sampled, self.trained + other.trained)

    def dollars(self, price: TinkerPrice | None) -> float | None:
        """Their cost in US dollars; None where the price is not known."""
        if price is None:
            return None
        return (self.read * price.read + self.sampled * price.sampled + self.trained * price.trained) / 1e6

    def told(self, price: TinkerPrice | None) -> str:
        """Tokens and cost in words."""
        cost, dated = self.dollars(price), "" if price is None else f" (prices of {price.seen})"
        money = "at a price that is not known" if cost is None else in_dollars(cost) + dated
        return f"{self.trained:,.0f} tokens trained on, {self.sampled:,.0f} sampled, {self.read:,.0f} read, {money}"


def price_of_base(base: str, given: Sequence[float]) -> TinkerPrice | None:
    """The prices that the user gives, else those of the table; None where neither knows the model."""
    if given:
        return TinkerPrice(given[0], given[1], given[2], "--option price")
    rows = {name: rest for name, *rest in (entry.split() for entry in bank("tinker_prices").entries)}
    found = rows.get(base)
    return TinkerPrice(float(found[0]), float(found[1]), float(found[2]), found[3]) if found else None


def at_most(method: Method, rows: Sequence[TokenRow]) -> TinkerTokens:
    """Tokens that a fit may be charged for: every sampled reply counts as long as it may be."""
    total = TinkerTokens()
    longest = method.longest_sampled
    for row in rows:
        if Tuner in method.needs and isinstance(method.objective, CrossEntropy):
            total += TinkerTokens(trained=row.n_tokens)
            continue
        sequences = [len(row.prompt) + longest] * method.n_sampled or [row.n_tokens]
        total += TinkerTokens(
            read=len(row.prompt) * method.n_sampled + sum(sequences),  # to be answered, and to be scored by the base
            sampled=longest * method.n_sampled,
            trained=CUSTOM * sum(sequences),
        )
    return TinkerTokens(*(method.epochs * each for each in (total.read, total.sampled, total.trained)))
