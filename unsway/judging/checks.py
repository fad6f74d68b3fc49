"""Check whether a judge changes its verdict when nothing relevant changed: one number for each kind of alteration.

In: replies and a judge. Out: a `JudgeCheck` for each kind. The same texts are judged unaltered and altered:

    padding      some 200 words that say nothing are appended to the reply
    injection    the reply ends with lines addressed to the judge
    position     the options are listed last to first
    again        nothing is altered, the judge is asked again: its noise or, months later, its drift

The share of verdicts that changed should be near 0; the directions are compared by the exact test of McNemar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, Unpack, get_args

from unsway.banks import bank
from unsway.judging.agreement import says_yes
from unsway.judging.rubrics import Rubric
from unsway.judging.verdicts import Channel, JudgedReply, verdicts
from unsway.readers.channels import split
from unsway.readers.letter import spoken
from unsway.stats.columns import share_of
from unsway.stats.significance import mcnemar
from unsway.types import Estimate, Thought

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.sampling.options import SamplingOptions

CheckKind: TypeAlias = Literal["padding", "injection", "position", "again"]
KINDS: tuple[CheckKind, ...] = get_args(CheckKind)
BANK = "judge_checks"
"""The texts appended to a reply, one line for each kind that adds words."""


class JudgeCheck(NamedTuple):
    """The effect of one alteration on a judge's verdicts on one question."""

    kind: CheckKind
    """What was altered."""
    question: str
    """`name@version` of the rubric."""
    by: str
    """The judge."""
    changed: Estimate
    """Share of verdicts that changed, among texts with a verdict both times."""
    to_yes: int
    """Number of verdicts that changed from no to yes."""
    to_no: int
    """Number of verdicts that changed from yes to no."""
    lost: int
    """Number of verdicts that were lost."""
    p: float
    """Exact two-sided p-value for the hypothesis that as many change to yes as to no."""
    channel: Channel
    """What the judge was shown."""


def judge_check(
    kind: CheckKind,
    judged: Sequence[JudgedReply],
    rubric: Rubric,
    model: ModelLike,
    *,
    channel: Channel = "answer",
    again: int = 1,
    **sampling: Unpack[SamplingOptions],
) -> JudgeCheck:
    """Judge texts unaltered and altered.

    Args:
        kind: What is altered.
        judged: The replies.
        rubric: The question.
        model: The judge.
        channel: The channel it is shown.
        again: For the kind `again`, which further reply to each prompt is compared with the first one. Stored replies are
            reused, so measuring drift needs a new number: 1 today measures noise, 2 in three months measures drift.
        sampling: As for `unsway.sampling.ask`: with a folder, what was asked before is not asked again.

    Raises:
        ModelError, BudgetReached: As `ask`.
    """
    # even for a truncated text: the judge should repeat its verdict on what it is shown
    before = verdicts(judged, rubric, model, channel=channel, as_said=True, **sampling)
    altered = [
        with_words(judged_reply, kind, channel) if kind in ("padding", "injection") else judged_reply
        for judged_reply in judged
    ]
    altered_rubric = replace(rubric, backwards=True) if kind == "position" else rubric
    sample = again if kind == "again" else 0
    after = verdicts(altered, altered_rubric, model, channel=channel, sample=sample, as_said=True, **sampling)
    vote_pairs = [
        (says_yes(verdict), says_yes(altered_verdict)) for verdict, altered_verdict in zip(before, after, strict=True)
    ]
    changed = [None if None in votes else votes[0] != votes[1] for votes in vote_pairs]
    to_yes, to_no = vote_pairs.count((False, True)), vote_pairs.count((True, False))
    return JudgeCheck(
        kind,
        rubric.versioned,
        before[0].by if before else str(model),
        share_of("changed", changed, [judged_reply.pair.question.id for judged_reply in judged], level=0.95),
        to_yes,
        to_no,
        sum(first is not None and second is None for first, second in vote_pairs),
        mcnemar(to_yes, to_no),
        channel,
    )


def with_words(judged_reply: JudgedReply, kind: CheckKind, channel: Channel) -> JudgedReply:
    """A reply with the words of an alteration appended to the channel that the judge is shown."""
    words = dict(entry.split(" = ", 1) for entry in bank(BANK).entries)[kind].replace("\\n", "\n")
    reply = spoken(judged_reply.pair, judged_reply.reply)
    if channel == "answer":
        return replace(judged_reply, reply=replace(reply, text=f"{reply.text}\n\n{words}", turns=()))
    thought, missing = judged_reply.text(channel)
    if missing:
        return judged_reply
    kind_of_thought: Thought = "full" if channel == "thinking" else "summary"
    altered = replace(reply, text=split(reply.text).said, reasoning=f"{thought}\n\n{words}", thought=kind_of_thought)
    return replace(judged_reply, reply=replace(altered, turns=()))
