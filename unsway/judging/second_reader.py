"""A model as a second reader of replies: how well does it agree with the first, the multiple-choice reader?

In: pairs, replies to them, a model. Out: `SecondReading`: the share of equal readings, Cohen's kappa, and every reply that
the two read differently. It runs only if called. The report then gives each BRR as read
and corrected for the first reader's errors (`stats.misreading`). The model is asked the rubric `second_reader`.

    reading = second_reader(pairs, replies, "openai/gpt-4o-mini", n=200, folder="runs/x/second_reader")
    reading.agreement.value, reading.kappa.value, reading.disagreements[:5]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from unsway import readers
from unsway.errors import expect_count
from unsway.judging import rubrics
from unsway.judging.rubrics.second_reader import NO_OPTION
from unsway.judging.verdicts import JudgedReply, verdicts
from unsway.prompts.render import letter_on
from unsway.readers.letter import spoken
from unsway.seeds import seed_int
from unsway.stats.outcomes import ReplyIndex
from unsway.types import Estimate, Pair, Prompt, Reply, Rule, Side, Verdict

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.sampling.options import SamplingOptions


class Disagreement(NamedTuple):
    """A reply that the two read differently."""

    item: JudgedReply
    """The reply."""
    first: str
    """The first reader's reading: a letter in brackets, or none."""
    second: str
    """The second reader's reading: a letter in brackets, or none."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """The result of a second reader."""

    model: str
    """The second reader: the model, with its settings if they are not the default."""
    rubric: str
    """`name@version` of the rubric it was asked."""
    first: str
    """Version of the first reader."""
    agreement: Estimate
    """Share of equal readings."""
    kappa: Estimate
    """Cohen's kappa."""
    disagreements: tuple[Disagreement, ...]
    """Every reply that the two read differently."""
    n_unread: int
    """Replies without a reading in the requested form; excluded from all numbers."""
    verdicts: tuple[Verdict, ...]
    """The model's verdict on each reply."""


def second_reader(
    pairs: Iterable[Pair],
    replies: Iterable[Reply] | ReplyIndex,
    model: ModelLike,
    *,
    n: int | None = None,
    seed: int = 0,
    level: float = 0.95,
    model_args: Mapping[str, Any] | None = None,
    **sampling: Unpack[SamplingOptions],
) -> SecondReading:
    """Have a model read replies, and compare its readings with those of the first reader.

    Args:
        pairs: The pairs that were asked.
        replies: Raw replies; replies to other prompts, and empty, truncated or filtered ones, are left out.
        model: The second reader; see `unsway.models.session.subject`.
        n: Maximum number of replies, drawn by the seed; None takes all.
        seed: Seed of that draw.
        level: Nominal coverage of the intervals.
        model_args: Arguments of the model's provider.
        sampling: As for `unsway.sampling.ask`: with a folder, a second call asks nothing. Decoding is greedy by default,
            with room for a model that thinks first.

    Raises:
        ModelError, BudgetReached: As `ask`.
    """
    from unsway.stats.agreement import agreement

    judged_replies = drawn(pairs, replies, n, seed)
    rubric = rubrics.get("second_reader")
    first_reader = readers.of_rule(Rule())
    sampling.setdefault("label", "second reader")
    second_verdicts = verdicts(judged_replies, rubric, model, model_args=model_args, **sampling)
    readings = [
        (
            judged_reply,
            _as_shown(
                judged_reply,
                first_reader(
                    judged_reply.pair, judged_reply.side, spoken(judged_reply.pair, judged_reply.reply)
                ).choice,
            ),
            _as_shown(judged_reply, verdict.value),
        )
        for judged_reply, verdict in zip(judged_replies, second_verdicts, strict=True)
        if verdict.value is not None
    ]
    share, kappa = agreement(
        [first for _, first, _ in readings],
        [second for *_, second in readings],
        [judged_reply.pair.question.id for judged_reply, *_ in readings],
        level=level,
    )
    return SecondReading(
        model=second_verdicts[0].by if second_verdicts else str(model),
        rubric=rubric.versioned,
        first=first_reader.versioned,
        agreement=share,
        kappa=kappa,
        disagreements=tuple(Disagreement(*reading) for reading in readings if reading[1] != reading[2]),
        n_unread=len(judged_replies) - len(readings),
        verdicts=second_verdicts,
    )


def drawn(
    pairs: Iterable[Pair], replies: Iterable[Reply] | ReplyIndex, n: int | None, seed: int
) -> tuple[JudgedReply, ...]:
    """The replies that can be read, at most n, in an order that depends only on the seed and on each reply's address."""
    expect_count(n)
    index = replies if isinstance(replies, ReplyIndex) else ReplyIndex(replies)
    sides: dict[str, tuple[Pair, Side, Prompt]] = {}
    for pair in pairs:
        if pair.question.is_request:
            continue
        sides[pair.clean.id] = (pair, "clean", pair.clean)
        sides[pair.biased.id] = (pair, "biased", pair.biased)
    judged_replies = [
        JudgedReply(pair, side, reply)
        for pair, side, prompt in sides.values()
        for arm in index.arms
        for reply in index.samples(arm.key, prompt).values()
        for spoken_reply in [spoken(pair, reply)]
        if spoken_reply.stop not in ("length", "filter") and spoken_reply.text.strip()
    ]
    judged_replies.sort(
        key=lambda judged_reply: seed_int(
            seed, "second reader", judged_reply.reply.model, judged_reply.reply.prompt_id, judged_reply.reply.sample
        )
    )
    return tuple(judged_replies[:n])


def _as_shown(judged_reply: JudgedReply, option: int | None) -> str:
    """A reading as the reply would write it: the option's letter on its side, in brackets, or none."""
    if option is None or option == NO_OPTION:
        return "none"
    return f"({letter_on(judged_reply.pair, judged_reply.side, option)})"
