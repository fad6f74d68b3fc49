"""Functions that insert a cue into a clean prompt and change nothing else.

In: a clean `Prompt`, whose last turn is the question (stem, options, instruction), and a text. Out: a `Prompt` whose
`stripped()` is the clean one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from unsway.types import Part, Prompt, Role, Turn

Place: TypeAlias = Literal["front", "before_options", "after_options", "end"]
"""Where in the question's turn: before the stem, before the options, after the options, or after the instruction."""
PLACES: tuple[Place, ...] = get_args(Place)


@dataclass(frozen=True, slots=True)
class Inserted:
    """An insertion's result if it reports what it drew; otherwise a bias returns the prompt itself."""

    prompt: Prompt
    """The biased prompt."""
    drawn: Mapping[str, str]
    """What was drawn: the cue's place, its wording as `bank:number`, or anything else worth knowing about the pair."""


def put(prompt: Prompt, place: Place, text: str) -> Prompt:
    """The prompt with a cue as its own paragraph at a place of the question's turn.

    If the question has no options, both places around the options are between its stem and its instruction.
    """
    parts = prompt.turns[-1].parts or ()
    first, after = _options(parts)
    index = {"front": 0, "before_options": first, "after_options": after, "end": len(parts)}[place]
    cue = Part("cue", f"{text}\n\n" if place == "front" else f"\n\n{text}")
    return _question(prompt, (*parts[:index], cue, *parts[index:]))


def around(prompt: Prompt, front: str, back: str) -> Prompt:
    """The prompt with a cue immediately before the question's turn text and one after it; an empty cue is left out."""
    parts = prompt.turns[-1].parts or ()
    before, after = (tuple(Part("cue", text) for text in (cue,) if text) for cue in (front, back))
    return _question(prompt, (*before, *parts, *after))


def mark(prompt: Prompt, options: tuple[int, ...], text: str) -> Prompt:
    """The prompt with a cue immediately after the text of some options."""
    parts: list[Part] = []
    option = 0
    for part in prompt.turns[-1].parts or ():
        parts.append(part)
        if part.kind == "option":
            if option in options:
                parts.append(Part("cue", text))
            option += 1
    return _question(prompt, tuple(parts))


def system(prompt: Prompt, text: str) -> Prompt:
    """The prompt with a cue as a system turn before everything."""
    return Prompt((cue_turn("system", text), *prompt.turns))


def between(prompt: Prompt, *turns: Turn, ask: str) -> Prompt:
    """The prompt with turns inserted between the options and the instruction.

    Args:
        prompt: The clean prompt.
        turns: The turns after the options; the first is an assistant turn, or a user turn that is merged with the question's.
        ask: A cue at the start of the last user turn, before the instruction.
    """
    parts = prompt.turns[-1].parts or ()
    _, cut = _options(parts)
    question_turns: tuple[Turn, ...] = (Turn("user", parts[:cut]),)
    if turns[0].role == "user":
        question_turns = (Turn("user", (*parts[:cut], *(turns[0].parts or ()))),)
        turns = turns[1:]
    return Prompt((*prompt.turns[:-1], *question_turns, *turns, Turn("user", (Part("cue", ask), *parts[cut:]))))


def cue_turn(role: Role, text: str) -> Turn:
    """A turn that consists of a cue."""
    return Turn(role, (Part("cue", text),))


def model_turn() -> Turn:
    """A turn that the model under test writes."""
    return Turn("assistant", None)


def fill(text: str, /, **words: str) -> str:
    """The text with its {placeholders} replaced in one pass: a placeholder inside a replacement stays unchanged."""
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)


def _options(parts: Sequence[Part]) -> tuple[int, int]:
    """The indices where the options begin and end among the parts; without options, both are the end of the stem."""
    indices = [i for i, part in enumerate(parts) if part.kind == "option"]
    stem = 1 + max((i for i, part in enumerate(parts) if part.kind == "stem"), default=-1)
    return (indices[0], indices[-1] + 1) if indices else (stem, stem)


def _question(prompt: Prompt, parts: tuple[Part, ...]) -> Prompt:
    return Prompt((*prompt.turns[:-1], Turn("user", parts)))
