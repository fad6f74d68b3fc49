"""Plan the cost of judging a study before anything is asked: calls, tokens, US dollars.

In: the pairs that will be asked, how many replies each prompt gets, questions, judges. Out: a `JudgePlan` for each judge.
Questions that share a wording are one call, and so are equal prompts: a question without a cue is asked only once about a
clean reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from unsway.judging import rubrics
from unsway.planning.plan import CHARACTERS_A_TOKEN, TOKENS_OUT
from unsway.planning.prices import Price, price_of
from unsway.registry import Ref
from unsway.types import Pair, Settings

TOKENS_A_FORM = 40.0
"""Tokens of a judge's reply: a quote and a few short lines. A guess; a judge that thinks first writes hundreds."""


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What one judge will be asked."""

    model: str
    """Its name as Inspect takes it."""
    n_calls: int
    """Calls for both sides of every pair."""
    tokens_in: float
    """Prompt tokens, by the rules of thumb of a plan."""
    tokens_out: float
    """Reply tokens."""
    cost: float | None
    """US dollars; None if the price is unknown."""


def judge_plan(
    pairs: Iterable[Pair],
    n_replies: int,
    ask: Sequence[str],
    by: Sequence[str],
    prices: Mapping[str, Price],
    longest: int = Settings().max_tokens,
) -> tuple[JudgePlan, ...]:
    """Plan to judge all replies to pairs; placebos and tests of the judges would come on top.

    Args:
        pairs: The pairs.
        n_replies: Replies to each prompt, of all models and samples.
        ask: Names of rubrics.
        by: Judges: models; patterns cost nothing and are left out.
        prices: Prices by name.
        longest: Maximum tokens of a reply.

    Raises:
        UnknownName: A rubric is not known.
    """
    wordings = {rubric.wording.entries[0]: rubric for rubric in rubrics.resolve(ask)}
    lengths: dict[tuple[str, ...], float] = {}
    for pair in pairs:
        reply = min(longest, TOKENS_OUT.get(Ref.parse(pair.elicit).name, TOKENS_OUT["cot"]))
        for words, rubric in wordings.items():
            if rubric.applies(pair):
                tokens = len(rubric.prompt(pair, "clean", "").turns[0].text()) / CHARACTERS_A_TOKEN + reply
                lengths[words, "biased", pair.id] = tokens
                lengths[words, "clean", pair.id if "{cue}" in words else pair.clean.id] = tokens
    plans = []
    for model in (name for name in by if name != "patterns"):
        n_calls, tokens_in = n_replies * len(lengths), n_replies * sum(lengths.values())
        tokens_out = n_calls * TOKENS_A_FORM
        price = price_of(model, prices)
        cost = None if price is None else price.of(tokens_in, tokens_out)
        plans.append(JudgePlan(model, n_calls, tokens_in, tokens_out, cost))
    return tuple(plans)
