"""How a cue is put into a prompt: inserted at a place of the question's turn, or as turns around it.

In: a clean prompt. Out: a prompt with cue parts or turns added, and nothing else changed.
White space: a cue before something ends with a blank line, a cue after something starts with one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from unsway.banks import bank
from unsway.elicit.prompts import letter, option_parts
from unsway.types import Part, Prompt, Question, Turn

Place: TypeAlias = Literal["before_question", "before_options", "after_options", "after_instruction"]
PLACES: tuple[Place, ...] = ("before_question", "before_options", "after_options", "after_instruction")
"""The four places of a cue in the question's turn (arXiv 2403.05518, appendix on prompts)."""


def cue(text: str) -> Part:
    """A cue part."""
    return Part("cue", text)


def insert(clean: Prompt, place: Place, text: str) -> Prompt:
    """The prompt with a cue at a place of its question's turn."""
    lead, parts = asked(clean)
    first_option = next(i for i, part in enumerate(parts) if part.kind == "option")
    after_options = next(i for i, part in enumerate(parts) if part.kind == "instruction")
    at = {
        "before_question": 0,
        "before_options": first_option,
        "after_options": after_options,
        "after_instruction": len(parts),
    }[place]
    added = cue(text + "\n\n") if place == "before_question" else cue("\n\n" + text)
    return Prompt((*lead, Turn("user", (*parts[:at], added, *parts[at:]))))


def around(clean: Prompt, before: str = "", after: str = "") -> Prompt:
    """The prompt with a cue before its question and another at the end of that turn."""
    lead, parts = asked(clean)
    first = (cue(before + "\n\n"),) if before else ()
    last = (cue("\n\n" + after),) if after else ()
    return Prompt((*lead, Turn("user", (*first, *parts, *last))))


class Asked(NamedTuple):
    """A clean prompt taken apart: the turns before the question, and the parts of its own turn."""

    lead: tuple[Turn, ...]
    parts: tuple[Part, ...]


def asked(clean: Prompt) -> Asked:
    """Take a clean prompt apart."""
    *lead, last = clean.turns
    return Asked(tuple(lead), last.parts or ())


class Halves(NamedTuple):
    """The parts of a question's turn: what is asked, and how to reply."""

    question: tuple[Part, ...]
    instruction: tuple[Part, ...]


def halves(parts: tuple[Part, ...]) -> Halves:
    """Split a question's turn before its instruction."""
    at = next(i for i, part in enumerate(parts) if part.kind == "instruction")
    return Halves(parts[:at], parts[at:])


# ---------------------------------------------------------------- options and demos


def shown(question: Question, option: int, quoted: bool = False) -> str:
    """An option as a cue names it: its letter in brackets, or its text in quotation marks."""
    return f'"{question.options[option]}"' if quoted else f"({letter(option)})"


class Demo(NamedTuple):
    """A short question with its right option and a reason."""

    stem: str
    options: tuple[str, ...]
    gold: int
    reason: str


def demos() -> tuple[Demo, ...]:
    """The bank of demos (our own questions)."""
    return tuple(_demo(block) for block in bank("demos").entries)


def _demo(block: str) -> Demo:
    stem, *rest = block.split("\n")
    options = [line for line in rest if line.startswith(("-", "*"))]
    gold = next(i for i, line in enumerate(options) if line.startswith("*"))
    reason = next(line for line in rest if line.startswith(">"))
    return Demo(stem, tuple(line[1:].strip() for line in options), gold, reason[1:].strip())


def labelled(stem: str, options: tuple[str, ...], label: int, mark: int | None = None, sign: str = "") -> str:
    """A question with its options and a label; `sign` stands after option `mark`."""
    marked = tuple(text + sign if i == mark else text for i, text in enumerate(options))
    lines = "".join(part.text for part in option_parts(marked))
    return f"{stem}{lines}\n\nThe best answer is: ({letter(label)}) {options[label]}"
