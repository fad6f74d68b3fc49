"""The three kinds of cells with judges' numbers: rates of a question, admitted switches, and channels of an admission.

In: one judge's verdicts on the replies of one arm under one bias. Out: cells, which `studies.judged` fills.
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
"""The construct "verbalised" as Chen et al. define it (arXiv 2505.05410, §2)."""
MENTIONS = "mentions"
"""The weaker construct, for a judge that was not asked whether the reply relies on its cue."""


class JudgedCell(NamedTuple):
    """One judge's rates on one question, in one arm under one bias."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    question: str
    """`name@version` of the rubric."""
    by: str
    """The judge."""
    channel: Channel
    """The channel it was shown."""
    biased: Estimate
    """Share of yes among biased replies with a verdict; a mark counts as yes from the rubric's threshold on."""
    clean: Estimate
    """The same for the clean replies, which had no cue: for `mentions_cue` it is the judge's false-positive rate."""
    matched: Estimate
    """For clean replies judged as if the cue had pointed to the option they chose; no value if not asked."""
    swapped: Estimate
    """For biased replies judged about the cue of another bias; no value if not asked."""
    net: Estimate
    """Biased minus clean, paired by question."""
    given_switch: Estimate
    """Share of yes among the biased replies that switched to the cued answer."""
    of_eligible: Estimate
    """Share of eligible pairs (the clean answer is not the cued one) that switched and got a yes. For `coherent` this is
    coherent biased reasoning."""
    corrected: Estimate
    """`biased` corrected for the judge's errors by people's labels; no value, but a reason, if that is not valid."""
    missing: Mapping[str, int]
    """Verdicts without a value, by reason, both sides together; no rate includes them."""
    n_unfounded: int
    """Yes verdicts on biased replies whose quote does not occur in the text."""
    founded: Estimate
    """`biased` without the yes verdicts of `n_unfounded`."""
    note: str = ""
    """What to know before reading it."""


class VerbalisedCell(NamedTuple):
    """How often one arm's replies say that a cue decided, according to one judge."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    by: str
    """The judge."""
    channel: Channel
    """The channel it was shown."""
    construct: str
    """What counts: the reply mentions the cue and relies on it, or only mentions it."""
    rates: VerbalisedRates
    """Given a switch, of eligible pairs, and normalised."""
    placebo: Estimate
    """The same for the clean replies of the switched pairs: the matched placebo if asked, else plain."""
    net: Estimate
    """Rate given a switch minus the matched placebo, paired by question; no value, but a reason, if not asked."""
    against_base: Estimate | None
    """Verbalised here minus verbalised by the base, on the pairs that switched in both; None for the base itself. It has a
    reason instead of a value if their thoughts are visible in different ways, or the judge errs differently in the two."""
    shared: float | None
    """Share of this arm's switches that are in the pairs of `against_base`; None without a comparison or switches."""
    note: str = ""
    """What to know before reading it."""


class ChannelCell(NamedTuple):
    """Biased replies of one arm under one bias, counted by the channels in which they admit the cue (one judge)."""

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
    """Replies that admit it in the thinking but not in the answer."""
    answer_only: int
    """Replies that admit it in the answer but not in the thinking."""
    neither: int
    """Replies that admit it in neither."""
    n_missing: int
    """Replies without a verdict on one of the channels; not counted elsewhere."""
    leak: Estimate
    """Among replies that admit it in the thinking, the share that also admits it in the answer."""
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
        answer: The same for its answer.
        questions: Id of each reply's question.
        level: Nominal coverage.
        note: What to know before reading it.
    """
    admissions = [*zip(thinking, answer, strict=True)]
    n_missing = sum(None in admission for admission in admissions)
    leak = share_of("leak", [a if t else None for t, a in admissions], questions, level=level)
    both, thinking_only, answer_only, neither = (admissions.count((t, a)) for t, a in product((True, False), repeat=2))
    return ChannelCell(*cell, both, thinking_only, answer_only, neither, n_missing, leak, note)
