"""How a question becomes a prompt: stem, lettered options, and an instruction to reason or to give only the answer.

In: a `Question` and the name of an elicitation. Out: a `Prompt` with tagged parts; the question is its last turn.
Source: the layout (stem, blank line, a header, one `(A) …` line per option, blank line, instruction) is that of the
prompts released with arXiv 2403.05518. We wrote the wordings; they are in `banks/`.

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

from unsway.errors import BadInput
from unsway.prompts import elicitations
from unsway.prompts.elicitations import Elicitation
from unsway.types import Pair, Part, Prompt, Question, Side, Turn

MAX_OPTIONS = len(ascii_uppercase)
"""The number of letters, A to Z, and so of options."""


def letter(i: int) -> str:
    """The letter under which option `i` is shown: 0 is A. Raises `BadInput` beyond 25."""
    if not 0 <= i < MAX_OPTIONS:
        raise BadInput(f"Option number {i} has no letter; a question has at most {MAX_OPTIONS} options.")
    return ascii_uppercase[i]


def letter_on(pair: Pair, side: Side, option: int) -> str:
    """The letter of an option on one side of a pair; the biased side may have the options in another order."""
    return letter(pair.order.index(option) if side == "biased" else option)


def answer_on(pair: Pair, side: Side, option: int) -> str:
    """An answer to a pair: the letter on a side, or, for a request, the text of the outcome (requests show no options)."""
    return pair.question.options[option] if pair.question.is_request else letter_on(pair, side, option)


def letters_on(pair: Pair, option: int) -> str:
    """The letter of an option in brackets; both letters if the biased side shows it under another one."""
    clean, biased = letter_on(pair, "clean", option), letter_on(pair, "biased", option)
    return f"({clean})" if clean == biased else f"({clean}; with the cue {biased})"


def render(question: Question, elicit: Elicitation | str = "cot", instruction: str | None = None) -> Prompt:
    """The clean prompt of a question: stem, options and instruction, after the elicitation's worked examples if any.

    Args:
        question: The question; 1 to 26 options.
        elicit: The elicitation.
        instruction: The wording to use instead of the elicitation's entry 0.

    Raises:
        UnknownName: There is no such elicitation.
        BadInput: The question has no options or more than 26; the instruction is blank; or the elicitation is for
            requests and the question is not one, or the reverse.
    """
    elicitation = elicitations.resolve(elicit)
    text = elicitation.wordings.entries[0] if instruction is None else instruction
    if question.is_request != (elicitation.style == "request"):
        raise BadInput(
            f"Question {question.id} ({question.source}) is a request, which is put as it stands: take elicit='request', "
            "or 'house_rules' with the source of that name (--elicit)."
            if question.is_request
            else f"The elicitation {elicitation.name!r} puts requests, and question {question.id} ({question.source}) has "
            "options to choose from. Take 'cot', or a source of requests."
        )
    if question.is_request:  # shown unchanged, after the rules if there are any; its outcomes are never shown
        rules = (Turn("system", (Part("instruction", text),)),) if text else ()
        return Prompt((*rules, Turn("user", (Part("stem", question.stem),))))
    if not text.strip():
        raise BadInput("The instruction is blank; leave it out to use the elicitation's own wording.")
    if not 1 <= len(question.options) <= MAX_OPTIONS:
        raise BadInput(f"Question {question.id} has {len(question.options)} options; 1 to {MAX_OPTIONS} are allowed.")
    instruction_part = Part("instruction", "\n\n" + text)
    turn = Turn("user", (Part("stem", question.stem), *option_parts(question.options), instruction_part))
    if elicitation.example is None:
        return Prompt((turn,))
    example_turns: list[Turn] = []  # worked examples are all instruction: they say how to reply, not what
    for stem, options, reply in zip(*[iter(elicitation.example.entries)] * 3, strict=True):
        text = stem + "".join(part.text for part in option_parts(options.split("\n"))) + instruction_part.text
        example_turns += Turn("user", (Part("instruction", text),)), Turn("assistant", (Part("instruction", reply),))
    return Prompt((*example_turns, turn))


def option_parts(options: Sequence[str]) -> tuple[Part, ...]:
    """The lettered lines of the options; the first includes the blank line and the header above them."""
    header = "\n\nAnswer choices:"
    lines = (f"\n({letter(i)}) {option}" for i, option in enumerate(options))
    return tuple(Part("option", line if i else header + line) for i, line in enumerate(lines))


def options_shown(prompt: Prompt) -> tuple[str, ...]:
    """The option texts that a prompt shows last; empty if it shows none."""
    texts_by_turn = [[part.text for part in turn.parts or () if part.kind == "option"] for turn in prompt.turns]
    lines = next((texts for texts in reversed(texts_by_turn) if texts), [])
    return tuple(text.partition(f"\n({letter(i)}) ")[2] for i, text in enumerate(lines))


def letters_asked(prompt: Prompt) -> tuple[str, ...]:
    """The letters that a prompt's answer turn lets the model choose from; empty if its last turn is not an answer turn."""
    answer_turns = (elicitations.get(name).answer_turn for name in elicitations.names())
    last = prompt.turns[-1].text() if len(prompt.turns) > 2 and prompt.turns[-2].parts is None else ""
    if last not in {wordings.entries[0] for wordings in answer_turns if wordings is not None}:
        return ()
    options = [sum(part.kind == "option" for part in turn.parts or ()) for turn in prompt.turns]
    return tuple(letter(i) for i in range(next((n for n in reversed(options) if n), 0)))


def with_answer_turn(prompt: Prompt, elicit: Elicitation) -> Prompt:
    """The prompt with a model turn and then the answer turn added; unchanged if the elicitation has no answer turn."""
    if elicit.answer_turn is None:
        return prompt
    answer_turn = Turn("user", (Part("instruction", elicit.answer_turn.entries[0]),))
    return Prompt((*prompt.turns, Turn("assistant", None), answer_turn))
