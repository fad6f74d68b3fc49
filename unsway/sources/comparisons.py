"""Asks which of two replies to an instruction is better, for the positional bias. Needs no download.

In: nothing, or your own instruction with two replies. Out: questions whose options are the replies. Their right option is
unknown, so use them with `aim="any"`.
Source: the judging task of arXiv 2403.05518. We wrote the instructions, each with two replies of similar quality.
"""

from __future__ import annotations

from collections.abc import Iterator

from unsway.banks import bank
from unsway.seeds import rng
from unsway.sources.registry import Split, source
from unsway.types import Question


def comparison(instruction: str, replies: tuple[str, str], split: str = "test") -> Question:
    """A question that asks which of two replies is better; its wording depends only on the instruction."""
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
        instruction, first, second = entry.split("\n> ")
        yield comparison(instruction, (first, second), split)
