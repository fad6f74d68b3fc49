"""The cost of each arm: tokens of its prompts and replies, their price, and its training.

In: `Results` and prices. Out: `Cost` rows for a program, rows of text for the page, or a Markdown table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unsway.reporting import words
from unsway.reporting.formats import markdown_table
from unsway.studies.results import Results

if TYPE_CHECKING:
    from unsway.planning.prices import Price

HEADS = (
    "arm",
    "replies",
    "tokens in, a reply",
    "tokens out, a reply",
    "US$ for replies",
    "steps trained",
    "tokens trained",
    "US$ for training",
)
NOT_REPORTED = "not reported"
"""Shown for values that cannot be computed without the tokens of replies."""
ESTIMATED = "est. "
"""Prefix of values estimated from characters, because the provider reports no tokens."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one arm."""

    arm: str
    """Label of the arm."""
    n_replies: int
    """Replies to prompts of this study."""
    tokens_in: float | None
    """Mean tokens of a prompt over all its turns; None without replies, or if some token counts are unknown."""
    tokens_out: float | None
    """Mean tokens of a reply; None as for `tokens_in`."""
    spent: float | None
    """US dollars for its replies; None if the price of the model or the tokens of a reply are unknown."""
    steps: int
    """Training steps; 0 for an arm that was not trained."""
    tokens_trained: int
    """Tokens it was trained on; 0 for an arm that was not trained."""
    dollars: float | None
    """US dollars that a provider charged for its training; None if there was no charge, or it is unknown."""
    n_estimated: int = 0
    """Replies whose tokens are estimated from characters, because the provider reported none."""
    n_unknown: int = 0
    """Replies with unknown token counts, such as imported ones."""


def costs(results: Results, prices: Mapping[str, Price] | None = None) -> tuple[Cost, ...]:
    """One row for each arm, over its replies to the prompts of this study.

    Args:
        results: The study.
        prices: Prices by model; None takes the dated table of this package.
    """
    from unsway.planning.prices import cost_of
    from unsway.planning.prices import prices as package_prices

    price_table = package_prices() if prices is None else prices
    arm_costs = []
    for arm in results.arms:
        replies = results.said_by(arm)
        tokens_in, tokens_out = replies.total("tokens_in"), replies.total("tokens_out")
        n = len(replies)
        checkpoint = arm.checkpoint
        n_unknown = replies.n_unknown_tokens()
        cost = Cost(
            arm=arm.label,
            n_replies=n,
            tokens_in=tokens_in / n if n and not n_unknown else None,
            tokens_out=tokens_out / n if n and not n_unknown else None,
            spent=cost_of(arm.model, tokens_in, tokens_out, n_unknown, price_table),
            steps=checkpoint.steps if checkpoint else 0,
            tokens_trained=checkpoint.tokens if checkpoint else 0,
            dollars=checkpoint.cost if checkpoint else None,
            n_estimated=replies.total("estimated"),
            n_unknown=n_unknown,
        )
        arm_costs.append(cost)
    return tuple(arm_costs)


def as_text(results: Results) -> tuple[tuple[str, ...], ...]:
    """The rows as text for people, in the order of `HEADS`."""

    def of_replies(cost: Cost, value: str) -> str:
        is_estimated = cost.n_estimated and value != words.NONE
        return NOT_REPORTED if cost.n_unknown else f"{ESTIMATED}{value}" if is_estimated else value

    def mean(tokens: float | None) -> str:
        return words.NONE if tokens is None else f"{tokens:.0f}"

    return tuple(
        (
            words.visible(cost.arm),
            f"{cost.n_replies:,}",
            of_replies(cost, mean(cost.tokens_in)),
            of_replies(cost, mean(cost.tokens_out)),
            of_replies(cost, words.dollars(cost.spent, "")),
            f"{cost.steps:,}" if cost.steps else words.NONE,
            f"{cost.tokens_trained:,}" if cost.tokens_trained else words.NONE,
            words.dollars(cost.dollars, ""),
        )
        for cost in costs(results)
    )


def to_markdown(results: Results) -> str:
    """The rows as a Markdown table."""
    return "\n".join(markdown_table(HEADS, as_text(results))) + "\n"
