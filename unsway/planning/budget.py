"""A limit on what a study may cost, that stops before it is passed, not after.

In: a limit and prices. Out: whether one more prompt may be asked. Room is set aside for the longest reply that a prompt
allows, and given back when the reply is there; so the limit holds whatever a model says.

    budget = Budget(5.0)
    run(pairs, "openai/gpt-4o-mini", settings=settings, budget=budget, folder="runs/x")
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from unsway.errors import BadInput
from unsway.planning.prices import Price, price_of, prices
from unsway.types import Prompt, Reply, Settings

LEAST_CHARACTERS_A_TOKEN = 2.0
"""Prompts are taken to have as many tokens as half their characters: more than any common tokenizer makes of text."""

LOOK_AGAIN = 0.02
"""Seconds between two looks at whether there is room again."""


@dataclass
class Budget:
    """What may be spent, and what was. Not frozen: it is the purse of a run. Used from one event loop."""

    limit: float
    """US dollars, for everything that the store of the study holds and will hold, and for its trainings."""
    table: Mapping[str, Price] = field(default_factory=prices)
    spent: float = 0.0
    """US dollars for the replies that are there."""
    trained: float = 0.0
    """US dollars for trainings at a provider."""
    set_aside: float = 0.0
    """US dollars that those on their way may cost at most."""
    on_their_way: int = 0
    """Prompts for which something is set aside."""
    refused: int = 0
    """Prompts that were not asked since they might have passed the limit."""

    def __post_init__(self) -> None:
        if not self.limit >= 0:
            raise BadInput(f"The budget is {self.limit} dollars; it must be 0 or more.")

    @property
    def left(self) -> float:
        """US dollars that may still be spent."""
        return self.limit - self.trained - self.spent - self.set_aside

    def price(self, model: str) -> Price:
        """The price of a model. Raises `BadInput` where it is not known, for then no limit could be kept."""
        found = price_of(model, self.table)
        if found is None:
            raise BadInput(
                f"The price of {model!r} is not known, so that no limit on the cost can be kept. Give a price file with a "
                "line for it (docs/statistics.md), or leave the limit out."
            )
        return found

    def count(self, replies: Iterable[Reply]) -> None:
        """Count what was spent before: every reply of a store whose model has a price."""
        self.spent = 0.0
        for reply in replies:
            price = price_of(reply.model, self.table)
            self.spent += price.of(reply.tokens_in, reply.tokens_out) if price else 0.0

    async def reserve(self, model: str, prompt: Prompt, settings: Settings) -> float | None:
        """Set aside what a prompt may cost at most, in dollars.

        Waits for replies on their way where they may leave room; None where that would still pass the limit.
        """
        most = _most(self.price(model), prompt, settings)
        while most > self.left:
            if not self.on_their_way:
                self.refused += 1
                return None
            await asyncio.sleep(LOOK_AGAIN)
        self.set_aside += most
        self.on_their_way += 1
        return most

    def settle(self, reserved: float, reply: Reply | None) -> None:
        """Give back what was set aside, and count what the reply did cost."""
        self.on_their_way -= 1
        self.set_aside = self.set_aside - reserved if self.on_their_way else 0.0
        if reply is not None:
            self.spent += self.price(reply.model).of(reply.tokens_in, reply.tokens_out)


def _most(price: Price, prompt: Prompt, settings: Settings) -> float:
    """US dollars that a prompt can cost: every call sends all turns before it, and every reply is as long as it may be."""
    calls = prompt.n_model_turns + 1
    text = sum(len(turn.text()) for turn in prompt.turns) / LEAST_CHARACTERS_A_TOKEN
    earlier = settings.max_tokens * calls * (calls - 1) / 2
    return price.of(text * calls + earlier, settings.max_tokens * calls)
