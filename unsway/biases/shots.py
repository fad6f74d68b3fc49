"""Few-shot examples inside a cue: our own short questions, labelled and written in the style of the elicitation.

In: the bank `demos`, a random generator, an elicitation. Out: `LabelledQuestion`s, and their text as a cue at the start of
a user turn.
Source: the cues of arXiv 2403.05518 and 2305.04388 that are hidden in few-shot examples; we wrote the examples.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.errors import BadInput
from unsway.prompts.render import letter, option_parts
from unsway.types import Question

MAX_OPTIONS = 5
"""Most options of a shown demo: the right one and four wrong ones."""
SEPARATOR = "\n\n===\n\n"
"""The text between shots, and between the last shot and the question."""


@dataclass(frozen=True, slots=True)
class Demo:
    """One of our own questions, with the reason why its right option is right."""

    stem: str
    """The question text."""
    right: str
    """The right option."""
    wrong: tuple[str, ...]
    """Four wrong options."""
    reason: str
    """Why the right option is right, in a sentence or two."""


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question as an example shows it, labelled with one of its options."""

    stem: str
    """The question text."""
    options: tuple[str, ...]
    """The options in the order they are shown."""
    label: int
    """Index of the option that the example gives as its answer."""
    right: int | None
    """Index of the right option; None if it is not known."""
    reason: str
    """The reasoning of the example's reply."""
    mark: str = ""
    """A sign shown after the text of the labelled option."""


@cache
def demos() -> tuple[Demo, ...]:
    """All demos of the bank. Raises `BadInput` if an entry is not a demo."""
    all_demos = []
    for entry in bank("demos").entries:
        stem, *lines = entry.split("\n")
        by_sign = {sign: tuple(line[2:] for line in lines if line.startswith(f"{sign} ")) for sign in "=->"}
        if len(by_sign["="]) != 1 or len(by_sign["-"]) != MAX_OPTIONS - 1 or len(by_sign[">"]) != 1 or len(lines) != 6:
            raise BadInput(f"The demo {stem[:60]!r} is not a stem with one line '=', four lines '-' and one line '>'.")
        all_demos.append(Demo(stem, by_sign["="][0], by_sign["-"], by_sign[">"][0]))
    return tuple(all_demos)


def pose(demo: Demo, draw: Random, *, n_options: int | None = None, right: int | None = None) -> LabelledQuestion:
    """A correctly labelled demo. Unless given, the number of options (2 to 4) and the right one's position are drawn."""
    n = n_options or draw.randrange(2, MAX_OPTIONS)
    index = draw.randrange(n) if right is None else right
    options = draw.sample(demo.wrong, n - 1)
    options.insert(index, demo.right)
    return LabelledQuestion(demo.stem, tuple(options), index, index, demo.reason)


def relabelled(shot: LabelledQuestion, label: int, draw: Random) -> LabelledQuestion:
    """A shot with another label and a reason that fits any option; unchanged if it has that label and a reason already."""
    if label == shot.label and shot.reason:
        return shot
    reason = fill(draw.choice(bank("planted_reasons").entries), text=shot.options[label].rstrip("."))
    return replace(shot, label=label, reason=reason)


def label_question(question: Question, label: int, draw: Random) -> LabelledQuestion:
    """The question itself, labelled with an option."""
    return relabelled(LabelledQuestion(question.stem, question.options, label, question.gold, ""), label, draw)


def write(shots: Iterable[LabelledQuestion], elicit: str) -> str:
    """The text of shots, each followed by a separator line; a cue for the start of a user turn."""
    texts = []
    for shot in shots:
        option_texts = [text + shot.mark * (i == shot.label) for i, text in enumerate(shot.options)]
        texts.append(f"{shot.stem}{''.join(part.text for part in option_parts(option_texts))}\n\n{reply(shot, elicit)}")
    return SEPARATOR.join(texts) + SEPARATOR.rstrip("\n")


def reply(shot: LabelledQuestion, elicit: str) -> str:
    """The reply of a shot: only the answer if the elicitation is direct, else the reasoning and the answer."""
    label = f"({letter(shot.label)})"
    if elicit == "direct":
        return f"Answer: {label}"
    if elicit == "brief":
        return f"{shot.reason} So the best answer is {label} {shot.options[shot.label].rstrip('.')}."
    return f"{shot.reason} Therefore, the best answer is: {label}."
