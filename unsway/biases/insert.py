"""Ways to put a cue into a clean prompt without changing anything else.

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
"""Where in the question's turn: before the stem, between stem and options, after the options, after the instruction."""
PLACES: tuple[Place, ...] = get_args(Place)


@dataclass(frozen=True, slots=True)
class Inserted:
    """What an insertion makes, where it says what it drew."""

    prompt: Prompt
    """The biased prompt."""
    drawn: Mapping[str, str]
    """What was drawn: the place of the cue, its wording as `bank:number`, or whatever else a reader of the pair may want."""


def put(prompt: Prompt, place: Place, text: str) -> Prompt:
    """The prompt with a cue as a paragraph of its own at a place of the question's turn.

    Where the question has no options, both places next to them are between its stem and its instruction.
    """
    parts = prompt.turns[-1].parts or ()
    first, after = _options(parts)
    at = {"front": 0, "before_options": first, "after_options": after, "end": len(parts)}[place]
    cue = Part("cue", f"{text}\n\n" if place == "front" else f"\n\n{text}")
    return _question(prompt, (*parts[:at], cue, *parts[at:]))


def around(prompt: Prompt, front: str, back: str) -> Prompt:
    """The prompt with a cue right before the question's turn and one right after it; an empty one is left out."""
    parts = prompt.turns[-1].parts or ()
    before, after = (tuple(Part("cue", text) for text in (each,) if text) for each in (front, back))
    return _question(prompt, (*before, *parts, *after))


def mark(prompt: Prompt, options: tuple[int, ...], text: str) -> Prompt:
    """The prompt with a cue right after the text of some options."""
    parts: list[Part] = []
    seen = 0
    for part in prompt.turns[-1].parts or ():
        parts.append(part)
        if part.kind == "option":
            if seen in options:
                parts.append(Part("cue", text))
            seen += 1
    return _question(prompt, tuple(parts))


def system(prompt: Prompt, text: str) -> Prompt:
    """The prompt with a cue as a system turn in front of everything."""
    return Prompt((cue_turn("system", text), *prompt.turns))


def between(prompt: Prompt, *turns: Turn, ask: str) -> Prompt:
    """The prompt with turns between the options and the instruction.

    Args:
        prompt: The clean prompt.
        turns: Turns that follow the options; the first is an assistant turn, or a user turn that joins the question.
        ask: A cue that opens the last user turn, before the instruction.
    """
    parts = prompt.turns[-1].parts or ()
    _, cut = _options(parts)
    asked: tuple[Turn, ...] = (Turn("user", parts[:cut]),)
    if turns[0].role == "user":
        asked, turns = (Turn("user", (*parts[:cut], *(turns[0].parts or ()))),), turns[1:]
    return Prompt((*prompt.turns[:-1], *asked, *turns, Turn("user", (Part("cue", ask), *parts[cut:]))))


def cue_turn(role: Role, text: str) -> Turn:
    """A turn that consists of a cue."""
    return Turn(role, (Part("cue", text),))


def model_turn() -> Turn:
    """A turn in which the model under test speaks."""
    return Turn("assistant", None)


def fill(text: str, /, **words: str) -> str:
    """The text with its {placeholders} replaced, all at once: a placeholder inside a replacement stays as it is."""
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), text)


def _options(parts: Sequence[Part]) -> tuple[int, int]:
    """Where the options begin and end among the parts; both are where the stem ends if there are none."""
    places = [i for i, part in enumerate(parts) if part.kind == "option"]
    stem = 1 + max((i for i, part in enumerate(parts) if part.kind == "stem"), default=-1)
    return (places[0], places[-1] + 1) if places else (stem, stem)


def _question(prompt: Prompt, parts: tuple[Part, ...]) -> Prompt:
    return Prompt((*prompt.turns[:-1], Turn("user", parts)))
