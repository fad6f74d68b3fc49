"""Someone else's argument for an option, with the request not to be swayed by it.

Source: arXiv 2403.05518 (distractor: argument). Arguments come from a bank (see `arguments.py`). A question without an
argument, or whose argument does not conclude with the cued option, is skipped and counted.
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.arguments import Arguments, flaw
from unsway.biases.insert import put
from unsway.biases.registry import Skip, bias
from unsway.types import Prompt, Question


@bias(
    "distractor_argument",
    version=2,
    summary="Somebody else's argument for an option, not to be swayed by",
    paper="arXiv:2403.05518",
    banks=("argument_openings", "argument_closings"),
)
def distractor_argument(
    question: Question, clean: Prompt, option: int, draw: Random, *, arguments: Arguments
) -> Prompt | Skip:
    """Followed when the answer is the option that the argument supports."""
    text = arguments.get(question.id, option)
    if text is None:
        return Skip("there is no argument for the cued option")
    problem = flaw(text, question, option)
    if problem is not None:
        return Skip(f"the argument {problem}")
    opening = draw.choice(bank("argument_openings").entries)
    with_warning = put(clean, "after_options", draw.choice(bank("argument_closings").entries))
    return put(with_warning, "front", f"{opening}\n<argument>\n{text.strip()}\n</argument>")
