"""What a prompt asks: its question, and how it asks for the reply. Read from its parts, for a prompt carries neither.

In: a `Prompt`. Out: its `Question` (gold unknown), the name of its elicitation.
"""

from __future__ import annotations

import re

from unsway.prompts import elicitations
from unsway.types import Prompt, Question

_HEADER = "\n\nAnswer choices:\n"
_LETTERED = re.compile(r"\s*(?:Answer choices:\s*)?\([A-Z]\) ")
_NEXT = re.compile(r"\n\([A-Z]\) ")


def question_of(prompt: Prompt) -> Question:
    """The question of a prompt, in the order in which its options are shown.

    Where no part is an option (prompts released with a paper), the text is taken apart by the common layout.
    """
    parts = [part for turn in prompt.turns for part in turn.parts or ()]
    stem = "".join(part.text for part in parts if part.kind == "stem")
    options = tuple(_LETTERED.sub("", part.text, count=1) for part in parts if part.kind == "option")
    if not options:
        stem, _, shown = stem.partition(_HEADER)
        options = tuple(text.partition("\n\n")[0] for text in _NEXT.split("\n" + shown)[1:])
    return Question(stem, options, None, "asked", "")


def elicitation_of(prompt: Prompt) -> str:
    """The elicitation whose instruction the last turn holds; `cot` where it is none of ours, as published prompts ask."""
    last = prompt.turns[-1].parts or ()
    said = {part.text.strip() for part in last if part.kind == "instruction"}
    return next(
        (name for name in elicitations.names() if said.intersection(elicitations.get(name).wordings.entries)), "cot"
    )
