"""What each arm costs: tokens of its prompts and replies, and of its training.

In: `Results`. Out: rows for a program, or Markdown for a page. Beside the table of what an arm buys.
"""

from __future__ import annotations

from dataclasses import dataclass

from unsway.report import words
from unsway.report.study import Results

HEADS = ("arm", "replies", "tokens in, a reply", "tokens out, a reply", "steps trained", "tokens trained")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one arm took."""

    arm: str
    n_replies: int
    tokens_in: float | None
    """Mean tokens of a prompt, all its turns; None without replies."""
    tokens_out: float | None
    """Mean tokens of a reply."""
    steps: int
    """Steps of its training; 0 where there was none."""
    tokens_trained: int
    dollars: float | None
    """US dollars of its training, where a provider charged."""


def costs(results: Results) -> tuple[Cost, ...]:
    """One row for each arm; its replies are those that the study asked."""
    asked = {prompt.id for pair in results.pairs for prompt in (pair.clean, pair.biased)}
    return tuple(_cost(results, arm.label, arm.model, asked) for arm in results.arms)


def _cost(results: Results, label: str, model: str, asked: set[str]) -> Cost:
    replies = [reply for reply in results.replies if reply.model == model and reply.prompt_id in asked]
    trained, n = results.arm(label).checkpoint, len(replies)
    return Cost(
        arm=label,
        n_replies=n,
        tokens_in=sum(reply.tokens_in for reply in replies) / n if n else None,
        tokens_out=sum(reply.tokens_out for reply in replies) / n if n else None,
        steps=trained.steps if trained else 0,
        tokens_trained=trained.tokens if trained else 0,
        dollars=trained.cost if trained else None,
    )


def to_markdown(results: Results) -> str:
    """The rows as a Markdown table."""
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    for one in costs(results):
        cells = (words.visible(one.arm).replace("|", "\\|"), f"{one.n_replies:,}", _mean(one.tokens_in))
        more = (_mean(one.tokens_out), f"{one.steps:,}", f"{one.tokens_trained:,}")
        lines.append(f"| {' | '.join(cells + more)} |")
    return "\n".join(lines) + "\n"


def _mean(value: float | None) -> str:
    return words.NONE if value is None else f"{value:.0f}"
