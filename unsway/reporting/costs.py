"""What each arm costs: tokens of its prompts and replies, their price, and what its training took.

In: `Results`, prices. Out: rows for a program, rows of text for the page, or Markdown. Beside the table of what an arm buys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unsway.reporting import words
from unsway.reporting.table import escape, markdown_row
from unsway.studies.results import Arm, Results

if TYPE_CHECKING:
    from unsway.planning.prices import Price

HEADS = (
    *("arm", "replies", "tokens in, a reply", "tokens out, a reply", "US$ for replies"),
    *("steps trained", "tokens trained", "US$ for training"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one arm took."""

    arm: str
    n_replies: int
    tokens_in: float | None
    """Mean tokens of a prompt, all its turns; None without replies."""
    tokens_out: float | None
    """Mean tokens of a reply."""
    spent: float | None
    """US dollars of its replies by the table of prices; None where the table has no price of the model."""
    steps: int
    """Steps of its training; 0 where there was none."""
    tokens_trained: int
    dollars: float | None
    """US dollars of its training, where a provider charged."""


def costs(results: Results, prices: Mapping[str, Price] | None = None) -> tuple[Cost, ...]:
    """One row for each arm; its replies are those that the study asked. No prices: the package's dated table."""
    from unsway.planning.prices import prices as table

    asked = {prompt.id for pair in results.pairs for prompt in (pair.clean, pair.biased)}
    return tuple(_cost(results, arm, asked, table() if prices is None else prices) for arm in results.arms)


def _cost(results: Results, arm: Arm, asked: set[str], prices: Mapping[str, Price]) -> Cost:
    from unsway.planning.prices import price_of

    replies = [reply for reply in results.replies if reply.model == arm.model and reply.prompt_id in asked]
    n, trained, price = len(replies), arm.checkpoint, price_of(arm.asked_as, prices)
    tokens_in, tokens_out = sum(reply.tokens_in for reply in replies), sum(reply.tokens_out for reply in replies)
    return Cost(
        arm=arm.label,
        n_replies=n,
        tokens_in=tokens_in / n if n else None,
        tokens_out=tokens_out / n if n else None,
        spent=None if price is None else price.of(tokens_in, tokens_out),
        steps=trained.steps if trained else 0,
        tokens_trained=trained.tokens if trained else 0,
        dollars=trained.cost if trained else None,
    )


def as_text(results: Results) -> tuple[tuple[str, ...], ...]:
    """The rows as a person reads them, in the order of `HEADS`."""
    return tuple(
        (
            words.visible(one.arm),
            f"{one.n_replies:,}",
            _mean(one.tokens_in),
            _mean(one.tokens_out),
            _dollars(one.spent),
            f"{one.steps:,}" if one.steps else words.NONE,
            f"{one.tokens_trained:,}" if one.tokens_trained else words.NONE,
            _dollars(one.dollars),
        )
        for one in costs(results)
    )


def to_markdown(results: Results) -> str:
    """The rows as a Markdown table."""
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    lines += [markdown_row([escape(text) for text in row]) for row in as_text(results)]
    return "\n".join(lines) + "\n"


def _mean(value: float | None) -> str:
    return words.NONE if value is None else f"{value:.0f}"


def _dollars(value: float | None) -> str:
    return words.NONE if value is None else "0" if value == 0 else "under 0.01" if value < 0.01 else f"{value:,.2f}"
