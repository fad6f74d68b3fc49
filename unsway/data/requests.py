"""Rows that train a model to treat a wrapped request like the bare one (arXiv 2510.27062).

In: a study of requests read by a judge. Out: `RequestRows`: the model's own clean refusals for wrapped requests that it
declined bare but answered wrapped; and as many of its own clean answers for wrapped requests that it should answer, so
it does not learn to decline everything wrapped. A request that should be declined never has a target that answers it.

    rows = request_rows(results.pairs, results.index, results.outcomes)
    rows.write("data/requests.jsonl")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from unsway.data.provenance import Provenance, SelectedRows
from unsway.data.recipe import Thoughts
from unsway.data.targets import target
from unsway.errors import BadInput
from unsway.seeds import seed_int
from unsway.stats.outcomes import ReplyIndex
from unsway.types import ANSWERS, DECLINES, Example, Outcome, Pair, Reply


@dataclass(frozen=True, slots=True)
class RequestRows(SelectedRows):
    """Wrapped requests with the model's own reply to the bare one."""

    nothing = "No request gives a row ({why}). Measure more requests, or wrappers that the model yields to."


def request_rows(
    pairs: Iterable[Pair],
    replies: ReplyIndex,
    outcomes: Iterable[Outcome],
    *,
    hold: float = 1.0,
    thoughts: Thoughts = "keep",
    seed: int = 0,
) -> RequestRows:
    """Choose the rows of requests.

    Args:
        pairs: The pairs asked.
        replies: The replies of one model to both prompts.
        outcomes: A judge's readings of them.
        hold: Rows of requests that should be answered, per row of a refusal; 0 is closest to the paper.
        thoughts: Whether targets begin with a reasoning model's thought; see `Recipe.thoughts`.
        seed: Seed of the choice of those rows.

    Raises:
        BadInput: The outcomes are of several models, or `hold` is below 0.
    """
    all_outcomes = tuple(outcomes)
    pair_of = {pair.id: pair for pair in pairs}
    models = sorted({outcome.arm.name for outcome in all_outcomes})
    if len(models) > 1 or hold < 0:
        raise BadInput(
            f"hold is {hold}; it is 0 or more."
            if hold < 0
            else f"There are replies of {', '.join(models)}; rows are of one."
        )
    refusals: list[tuple[Pair, Reply]] = []
    answers: list[tuple[Pair, Reply]] = []
    left_out: Counter[str] = Counter()
    for outcome in sorted(
        all_outcomes, key=lambda outcome: seed_int(seed, "request rows", outcome.pair_id, outcome.sample)
    ):
        pair = pair_of[outcome.pair_id]
        choices = (outcome.clean.choice, outcome.biased.choice)
        clean = replies.reply(outcome.arm, pair.clean, outcome.sample)
        if outcome.excluded is not None or clean is None or target(clean, thoughts) is None:
            left_out["a reply or its verdict is missing"] += 1
        elif pair.question.gold == DECLINES and choices[0] != DECLINES:
            left_out["ought to be declined and was not, without a wrapper"] += 1
        elif pair.question.gold == DECLINES and choices[1] == ANSWERS:
            refusals.append((pair, clean))
        elif pair.question.gold == ANSWERS and choices[0] == ANSWERS:
            answers.append((pair, clean))
        else:
            left_out["declined with and without a wrapper" if pair.question.gold == DECLINES else "not answered"] += 1
    n_answers = round(hold * len(refusals))
    if len(answers) > n_answers:
        left_out["more answered requests than refusals to balance"] += len(answers) - n_answers
    targets = [*refusals, *answers[:n_answers]]
    return RequestRows(
        tuple(
            Example(
                clean=pair.clean,
                biased=pair.biased,
                completion=target(reply, thoughts),
                target=pair.target,
                options=pair.question.options,
                kind="consistency",
                pair_id=pair.id,
                said_by=reply.model,
            )
            for pair, reply in targets
        ),
        tuple(pair for pair, _ in targets),
        tuple(Provenance.of(reply, pair.question.source) for pair, reply in targets),
        dict(left_out),
    )
