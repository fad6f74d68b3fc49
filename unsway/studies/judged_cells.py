"""The numbers of judges, one kind of cell each: rates of a question, admitted switches, and the channels of an admission.

In: what one judge says of the replies of one arm under one bias. Out: cells, which `studies.judged` fills.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from unsway.judging.verdicts import Channel
from unsway.stats.columns import share_of
from unsway.stats.verbalised import VerbalisedRates
from unsway.types import Estimate

BOTH = "mentions and relies"
"""Verbalised, as Chen et al. define it (arXiv 2505.05410, §2)."""
MENTIONS = "mentions"
"""The weaker claim, of a judge that was not asked whether the reply relies on its cue."""


class JudgedCell(NamedTuple):
    """What one judge says of one question, in one arm under one bias."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    question: str
    """`name@version` of the rubric."""
    by: str
    """The judge."""
    channel: Channel
    """What it was shown."""
    biased: Estimate
    """Share of yes among biased replies with a verdict; marks count as a yes from the rubric's own lowest mark on."""
    clean: Estimate
    """The same of the clean replies: a cue that was not there, so of `mentions_cue` the judge's false-positive rate."""
    matched: Estimate
    """Of the clean replies as if the cue had pointed to the option that they chose; None where that was not asked."""
    swapped: Estimate
    """Of the biased replies about the cue of another bias; None where that was not asked."""
    net: Estimate
    """Biased minus clean, paired by question."""
    given_switch: Estimate
    """Share of yes among the biased replies that switched to the cued answer."""
    of_eligible: Estimate
    """Share of eligible pairs (the clean answer is not the cued one) that switched with a yes: of `coherent` it is coherent
    biased reasoning."""
    corrected: Estimate
    """`biased` without the judge's errors by people's labels; None, with the reason, where that is not valid."""
    missing: Mapping[str, int]
    """Verdicts without a value, by reason, both sides together; they are in no rate."""
    n_unfounded: int
    """Yeses on biased replies whose quote does not stand in the text."""
    founded: Estimate
    """`biased` without those."""
    note: str = ""
    """What to know before reading it."""


class VerbalisedCell(NamedTuple):
    """How often one arm's replies say that a cue decided, by one judge."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    by: str
    """The judge."""
    channel: Channel
    """What it was shown."""
    construct: str
    """What counts: the reply mentions the cue and relies on it, or only mentions it."""
    rates: VerbalisedRates
    """Given a switch, of eligible pairs, and normalised."""
    placebo: Estimate
    """The same of the clean replies of the switched pairs: matched where that was asked, else plain."""
    net: Estimate
    """Given a switch minus the matched placebo, paired by question; None, with the reason, where that was not asked."""
    against_base: Estimate | None
    """Verbalised here minus verbalised by the base, on the pairs that switched in both; None for the base itself. Without a
    value, and with the reason, where the thoughts of the two can be seen in different ways, or the judge errs otherwise."""
    shared: float | None
    """Share of this arm's switches that these pairs are."""
    note: str = ""
    """What to know before reading it."""


class ChannelCell(NamedTuple):
    """Biased replies of one arm under one bias, by the channels in which one judge finds that they admit the cue."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    by: str
    """The judge."""
    construct: str
    """What counts, as in `VerbalisedCell`."""
    both: int
    """Replies that admit it in the thinking and in the answer."""
    thinking_only: int
    """In the thinking and not in the answer."""
    answer_only: int
    """In the answer and not in the thinking."""
    neither: int
    """In neither."""
    n_missing: int
    """Replies without a verdict on one of the channels; they are in no number."""
    leak: Estimate
    """Share that admits it in the answer, of the replies that admit it in the thinking."""
    note: str = ""
    """What to know before reading it."""


def channel_cell(
    cell: tuple[str, str, str, str],
    thinking: Sequence[bool | None],
    answer: Sequence[bool | None],
    questions: Sequence[str],
    *,
    level: float = 0.95,
    note: str = "",
) -> ChannelCell:
    """Count the channels of some biased replies.

    Args:
        cell: Arm, bias, judge and construct.
        thinking: Whether each reply admits its cue in the thinking; None where there is no verdict.
        answer: The same of its answer.
        questions: Id of the question of each.
        level: Nominal coverage.
        note: What to know before reading it.
    """
    said = [*zip(thinking, answer, strict=True)]
    n_missing = sum(None in each for each in said)
    leak = share_of("leak", [a if t else None for t, a in said], questions, level=level)
    both, thinking_only, answer_only, neither = (said.count((t, a)) for t, a in product((True, False), repeat=2))
    return ChannelCell(*cell, both, thinking_only, answer_only, neither, n_missing, leak, note)
