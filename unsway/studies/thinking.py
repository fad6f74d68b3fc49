"""How the thoughts of arms can be seen, and so which arms may be compared by what their replies say.

In: `Results` and an arm. Out: the kinds of its thoughts; and the same in words, which two arms must share.
"""

from __future__ import annotations

from unsway.judging.verdicts import Channel
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.types import Thought


def shown_kinds(found: Results, arm: Arm) -> frozenset[Thought]:
    """How the thoughts of an arm can be seen, one or more of full, summary, hidden: arms that differ are not compared."""
    kinds: tuple[Thought, ...] = ("full", "summary", "hidden")
    return frozenset(kinds).intersection(found.said_by(arm).thoughts())


def thoughts_beside(found: Results, arm: Arm, channel: Channel) -> str:
    """What arms must share to be compared by what is said of one channel, in words such as "full thoughts", "no thoughts".

    Of thinking that is how it can be seen. Of answers, whether there are thoughts at all: who thinks first may say there what
    another arm, all of whose reasoning is in its answer, says in it.
    """
    kinds = shown_kinds(found, arm)
    if channel == "answer":
        return "thoughts" if kinds else "no thoughts"
    return f"{' and '.join(sorted(kinds)) or 'no'} thoughts"
