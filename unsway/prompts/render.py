"""How a question is put: stem, lettered options, and the instruction that asks for reasoning or for the bare answer.

In: a `Question` and the name of an elicitation. Out: a `Prompt` whose parts are tagged; the question is its last turn.
Source: the layout (stem, blank line, a header, one `(A) …` line an option, blank line, instruction) is that of the
prompts released with arXiv 2403.05518; the wordings are our own and live in `banks/`.

    >>> from unsway.types import Question
    >>> print(render(Question("Which is a metal?", ("iron", "sulfur"), 0, "toy", "test"), "direct").turns[0].text())
    Which is a metal?
    <BLANKLINE>
    Answer choices:
    (A) iron
    (B) sulfur
    <BLANKLINE>
    Give only the letter of the correct answer, without any explanation.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

from unsway.banks import Bank, bank
from unsway.errors import BadInput, UnknownName
from unsway.types import Part, Prompt, Question, Turn

MAX_OPTIONS = len(ascii_uppercase)
"""Options have letters A to Z."""

_BANKS = {"cot": "cot_instructions", "brief": "brief_instructions", "direct": "direct_instructions"}
"""Elicitation to the bank of its wordings. cot: reason step by step, then answer. brief: reason in a sentence or two,
after one worked example, for models too small for more. direct: answer at once."""


_EXAMPLES = {"brief": "brief_example"}
"""Elicitation to the bank of the worked example that comes before its question."""


def elicitations() -> tuple[str, ...]:
    """The names of all elicitations."""
    return tuple(_BANKS)


def versioned(elicit: str) -> str:
    """`name@version`; the version is that of the banks of its wordings. Raises `UnknownName`."""
    example = f".{bank(_EXAMPLES[elicit]).version}" if elicit in _EXAMPLES else ""
    return f"{elicit}@{_bank(elicit).version}{example}"


def instructions(elicit: str) -> tuple[str, ...]:
    """The wordings of an elicitation: entry 0 is the one to measure with, training varies over all (SPEC §5.3).

    Raises:
        UnknownName: There is no such elicitation.
    """
    return _bank(elicit).entries


def letter(i: int) -> str:
    """The letter under which option `i` is shown: 0 is A. Raises `BadInput` beyond 25."""
    if not 0 <= i < MAX_OPTIONS:
        raise BadInput(f"Option number {i} has no letter; a question has at most {MAX_OPTIONS} options.")
    return ascii_uppercase[i]


def render(question: Question, elicit: str = "cot", instruction: str | None = None) -> Prompt:
    """The clean prompt of a question: stem, options and instruction, after the elicitation's worked example if any.

    Args:
        question: The question; 1 to 26 options.
        elicit: The elicitation.
        instruction: A wording to use in place of the elicitation's entry 0.

    Raises:
        UnknownName: There is no such elicitation.
        BadInput: The question has no options or more than 26, or the instruction is blank.
    """
    text = instructions(elicit)[0] if instruction is None else instruction
    if not text.strip():
        raise BadInput("The instruction is blank; leave it out to use the elicitation's own wording.")
    if not 1 <= len(question.options) <= MAX_OPTIONS:
        raise BadInput(f"Question {question.id} has {len(question.options)} options; 1 to {MAX_OPTIONS} are allowed.")
    asking = Part("instruction", "\n\n" + text)
    turn = Turn("user", (Part("stem", question.stem), *option_parts(question.options), asking))
    return Prompt((*_worked_example(elicit, asking), turn))


def option_parts(options: Sequence[str]) -> tuple[Part, ...]:
    """The lettered lines of options; the first carries the blank line and the header above them."""
    header = "\n\nAnswer choices:"
    lines = (f"\n({letter(i)}) {option}" for i, option in enumerate(options))
    return tuple(Part("option", line if i else header + line) for i, line in enumerate(lines))


def _worked_example(elicit: str, asking: Part) -> tuple[Turn, ...]:
    """The turns of an elicitation's worked example, all of them instruction: they say how to reply, not what."""
    if elicit not in _EXAMPLES:
        return ()
    stem, options, reply = bank(_EXAMPLES[elicit]).entries
    shown = stem + "".join(part.text for part in option_parts(options.split("\n"))) + asking.text
    return (Turn("user", (Part("instruction", shown),)), Turn("assistant", (Part("instruction", reply),)))


def _bank(elicit: str) -> Bank:
    if elicit not in _BANKS:
        raise UnknownName("elicitation", elicit, _BANKS)
    return bank(_BANKS[elicit])
