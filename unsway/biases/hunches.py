"""A user's hunch about an option: the code that `suggested_answer` and `suggested_against` share.

In: a bank of phrasings with the placeholder {answer}. Out: a prompt with one of them at one of four places.
Source: arXiv 2403.05518, §3.1: many paraphrases and four places, so no single sentence at a single place is learnt.
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import PLACES, Inserted, fill, put
from unsway.prompts.render import letter
from unsway.types import Prompt, Question

FORMS = ("letter", "quoted")
"""How a hunch names its option: (B), or the option's text in quotes."""


def option_name(question: Question, option: int, form: str) -> str:
    """An option as a cue names it: its letter in brackets, or its text in quotes."""
    return f"({letter(option)})" if form == "letter" else f'"{question.options[option]}"'


def hunch(
    bank_name: str, question: Question, clean: Prompt, option: int, draw: Random, form: str, **words: str
) -> Inserted:
    """The clean prompt with a hunch. Phrasing and place are drawn evenly; `words` fills other placeholders."""
    entries = bank(bank_name).entries
    number = draw.choice(range(len(entries)))
    place = draw.choice(PLACES)
    text = fill(entries[number], answer=option_name(question, option, form), **words)
    return Inserted(put(clean, place, text), {"place": place, "wording": f"{bank_name}:{number}"})
