"""Which of two replies to an instruction is better? For the positional bias; nothing to download.

In: nothing, or your own instruction with two replies. Out: questions whose options are the replies; nobody knows the
right one, so ask them with `aim="any"`.
Source: the judging task of arXiv 2403.05518; instructions and replies are our own, two of similar quality each.
"""

from __future__ import annotations

from collections.abc import Iterator

from unsway.banks import bank
from unsway.seeds import rng
from unsway.sources.registry import Split, source
from unsway.types import Question


def comparison(instruction: str, replies: tuple[str, str], split: str = "test") -> Question:
    """A question that asks which of two replies is better; one instruction always gets the same words."""
    wording = rng(0, "comparison", instruction).choice(bank("comparisons").entries)
    return Question(wording.replace("{instruction}", instruction), replies, None, "", split)


@source(
    "comparisons",
    revision="1",
    license="MIT (unsway)",
    splits=(Split("test", len(bank("reply_pairs").entries)),),
    summary="Which of two replies to an instruction is better; our own, without gold",
    paper="arXiv 2403.05518",
)
def comparisons(split: str) -> Iterator[Question]:
    """Every instruction of the bank with its two replies."""
    for entry in bank("reply_pairs").entries:
        instruction, one, other = entry.split("\n> ")
        yield comparison(instruction, (one, other), split)
