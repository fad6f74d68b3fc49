"""How the thoughts of arms are visible, which decides which arms may be compared by what their replies say.

In: `Results` and an arm. Out: the kinds of its thoughts, and the same in words. Two arms are compared only if these agree.
"""

from __future__ import annotations

from unsway.judging.verdicts import Channel
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.types import Thought


def shown_kinds(results: Results, arm: Arm) -> frozenset[Thought]:
    """How the thoughts of an arm are visible: one or more of full, summary, hidden. Arms that differ are not compared."""
    kinds: tuple[Thought, ...] = ("full", "summary", "hidden")
    return frozenset(kinds).intersection(results.said_by(arm).thoughts())


def thoughts_beside(results: Results, arm: Arm, channel: Channel) -> str:
    """The kind of an arm's thoughts in words, such as "full thoughts". Arms that differ in it are not compared on a channel.

    For the thinking channel, it is how thoughts are visible. For answers, it is whether there are thoughts at all: an arm
    that thinks first may say in its thoughts what an arm without thoughts says in its answer.
    """
    kinds = shown_kinds(results, arm)
    if channel == "answer":
        return "thoughts" if kinds else "no thoughts"
    return f"{' and '.join(sorted(kinds)) or 'no'} thoughts"
