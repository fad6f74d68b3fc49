"""Few-shot examples: our own short questions, posed and written out in the style of the elicitation.

In: the bank `demos`, a generator, an elicitation. Out: `Shot`s, and their text for a cue at the front of a user turn.
Source: the cues of arXiv 2403.05518 and 2305.04388 that hide in few-shot examples; the examples are our own writing.
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
"""Options that a demo can be shown with: the right one and its four wrong ones."""
SEPARATOR = "\n\n===\n\n"
"""Between shots, and between the last one and the question."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A question of our own with its right option, wrong ones, and why it is right."""

    stem: str
    right: str
    wrong: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Shot:
    """A question as shown in an example, with the option that it is labelled with."""

    stem: str
    options: tuple[str, ...]
    label: int
    right: int | None
    """The option that is right, or None where it is not known."""
    reason: str
    mark: str = ""
    """What stands behind the text of the labelled option."""


@cache
def demos() -> tuple[Demo, ...]:
    """All demos of the bank. Raises `BadInput` where an entry is not one."""
    return tuple(_demo(entry) for entry in bank("demos").entries)


def _demo(entry: str) -> Demo:
    stem, *lines = entry.split("\n")
    by_sign = {sign: tuple(line[2:] for line in lines if line.startswith(f"{sign} ")) for sign in "=->"}
    if len(by_sign["="]) != 1 or len(by_sign["-"]) != MAX_OPTIONS - 1 or len(by_sign[">"]) != 1 or len(lines) != 6:
        raise BadInput(f"The demo {stem[:60]!r} is not a stem with one line '=', four lines '-' and one line '>'.")
    return Demo(stem, by_sign["="][0], by_sign["-"], by_sign[">"][0])


def pose(demo: Demo, draw: Random, *, n_options: int | None = None, right: int | None = None) -> Shot:
    """A demo as a shot labelled correctly; number of options (2 to 4) and place of the right one are drawn."""
    n = n_options or draw.randrange(2, MAX_OPTIONS)
    place = draw.randrange(n) if right is None else right
    options = draw.sample(demo.wrong, n - 1)
    options.insert(place, demo.right)
    return Shot(demo.stem, tuple(options), place, place, demo.reason)


def relabelled(shot: Shot, label: int, draw: Random) -> Shot:
    """A shot with another label and a reason that would do for any option; unchanged where the label is the same."""
    if label == shot.label and shot.reason:
        return shot
    reason = fill(draw.choice(bank("planted_reasons").entries), text=shot.options[label].rstrip("."))
    return replace(shot, label=label, reason=reason)


def planted(question: Question, label: int, draw: Random) -> Shot:
    """The question itself as a shot, labelled with an option."""
    return relabelled(Shot(question.stem, question.options, label, question.gold, ""), label, draw)


def write(shots: Iterable[Shot], elicit: str) -> str:
    """The text of shots, each with a line that rules it off from what follows; a cue for the front of a user turn."""
    return SEPARATOR.join(_text(shot, elicit) for shot in shots) + SEPARATOR.rstrip("\n")


def _text(shot: Shot, elicit: str) -> str:
    shown = [text + shot.mark * (i == shot.label) for i, text in enumerate(shot.options)]
    return f"{shot.stem}{''.join(part.text for part in option_parts(shown))}\n\n{reply(shot, elicit)}"


def reply(shot: Shot, elicit: str) -> str:
    """The reply of a shot: the answer alone where the elicitation is direct, else the reasoning and the answer."""
    label = f"({letter(shot.label)})"
    if elicit == "direct":
        return f"Answer: {label}"
    if elicit == "brief":
        return f"{shot.reason} So the best answer is {label} {shot.options[shot.label].rstrip('.')}."
    return f"{shot.reason} Therefore, the best answer is: {label}."
