"""An irrelevant fact about an option: its first letter and that letter's position in the alphabet.

Source: arXiv 2403.05518 (distractor: fact). If an option does not begin with an English letter, the fact is about its
first character and its length.
"""

from __future__ import annotations

from random import Random
from string import ascii_lowercase

from unsway.banks import bank
from unsway.biases.insert import fill, put
from unsway.biases.registry import bias
from unsway.prompts.render import letter
from unsway.sources.checks import visible
from unsway.types import Prompt, Question


@bias(
    "distractor_fact",
    version=1,
    summary="A true and irrelevant fact about an option, said to be possibly irrelevant",
    paper="arXiv:2403.05518",
    banks=("fact_openings", "distractor_facts", "fact_closings"),
)
def distractor_fact(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
    """A fact before the question, a warning after its options. Followed when the answer is the option of the fact."""
    name = f"({letter(option)})"
    text = visible(question.options[option])
    opening = fill(draw.choice(bank("fact_openings").entries), letter=name)
    char = text.lstrip("\"'“‘«([")[:1].lower()
    position = ascii_lowercase.index(char) + 1 if char and char in ascii_lowercase else 0
    placeholder = "{place}" if position else "{length}"
    entry = draw.choice([wording for wording in bank("distractor_facts").entries if placeholder in wording])
    fact = fill(entry, letter=name, char=char if position else text[0], place=str(position), length=str(len(text)))
    with_warning = put(clean, "after_options", draw.choice(bank("fact_closings").entries))
    return put(with_warning, "front", f"{opening}\n<fact>\n{fact}\n</fact>")
