"""A record of the question, shown by mistake, that contains an answer.

Source: arXiv 2505.05410 (the metadata hint).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import fill, put
from unsway.biases.registry import bias
from unsway.prompts.render import letter
from unsway.types import Prompt, Question


@bias(
    "metadata_hint",
    version=1,
    summary="The question comes with a record (XML, JSON, …) that holds an answer",
    paper="arXiv:2505.05410",
    banks=("metadata_openings", "metadata"),
)
def metadata_hint(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
    """Followed when the answer is the option in the record."""
    record = fill(draw.choice(bank("metadata").entries), letter=letter(option), id=f"q-{question.id[:6]}")
    return put(clean, "front", f"{draw.choice(bank('metadata_openings').entries)}\n{record}")
