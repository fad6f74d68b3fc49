"""What a cue made from a sentence consists of, as plain data for files.

In: wordings, places, what following it means. Out: a `Cue`, checked; its version is the hash of its content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from unsway.biases.hunches import FORMS
from unsway.biases.insert import PLACES, Place
from unsway.errors import BadInput
from unsway.seeds import digest
from unsway.sources.checks import MAX_STEM, text_problem

CuePlace: TypeAlias = Place | Literal["system"]
"""A place in the question's turn (before the stem, before the options, after the options, after the instruction), or a
system turn before everything."""
CueTarget: TypeAlias = Literal["toward", "away", "change"]
"""What following the cue means: the answer is the cued option, is not the cued option, or differs from the clean answer."""

CUE_PLACES: tuple[CuePlace, ...] = (*PLACES, "system")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
OPTION_PLACEHOLDER = re.compile(r"\{(?:answer|letter|text)\}")
"""The placeholders that name the cued option."""
REQUEST = "{request}"
"""The placeholder for the question, in a wording that surrounds it."""
_PLACEHOLDERS = ("answer", "letter", "text", "request")
_MISTYPED = re.compile(rf"\{{(?!\w+\}})\s*(?:{'|'.join(_PLACEHOLDERS)})\b[^{{}}\n]{{0,20}}\}}?", re.I)
"""The beginning of a malformed placeholder: with spaces, a conversion, a format, an attribute, or no closing brace."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,79}")


@dataclass(frozen=True, slots=True)
class Cue:
    """What a cue consists of, as plain data. Raises `BadInput` if it is not usable."""

    name: str
    """Its name for users: letters, digits, `_`, `-` and `.`."""
    wordings: tuple[str, ...]
    """The wordings, drawn evenly."""
    places: tuple[CuePlace, ...]
    """The places, drawn evenly."""
    target: CueTarget
    """What following the cue means."""
    forms: tuple[str, ...]
    """How {answer} names the option, drawn evenly; empty if no wording has {answer}."""
    summary: str
    """One line for people."""

    def __post_init__(self) -> None:
        subject = f"The cue {self.name!r}"
        if not _NAME.fullmatch(self.name):
            raise BadInput(
                f"{subject}: a name consists of letters, digits, '_', '-' and '.', and begins with one of the first two."
            )
        if not self.wordings or not all(text.strip() for text in self.wordings):
            raise BadInput(f"{subject} has an empty wording, or none. Write at least one sentence.")
        for number, text in enumerate(self.wordings, 1):
            if (problem := text_problem("wordings", f"wording {number} ", text, MAX_STEM)) is not None:
                raise BadInput(f"{subject}: {problem.text}.")
        if len(set(self.wordings)) < len(self.wordings):
            raise BadInput(f"{subject} has a wording twice. Remove one of the two.")
        unknown = {placeholder for text in self.wordings for placeholder in PLACEHOLDER.findall(text)} - set(
            _PLACEHOLDERS
        )
        if unknown:
            raise BadInput(
                f"{subject} has the placeholder {{{min(unknown)}}}; known are {{answer}}, {{letter}} and {{text}}, and "
                "{request}, around which a wording goes."
            )
        malformed = next((match[0] for text in self.wordings if (match := _MISTYPED.search(text))), None)
        if malformed is not None:
            raise BadInput(
                f"{subject} has {malformed!r}, which is no placeholder and would reach the model as text. Write the bare "
                "word in braces: {answer}, {letter} or {text}, or {request}, around which a wording goes."
            )
        if self.forms and not any("{answer}" in text for text in self.wordings):
            raise BadInput(
                f"{subject} has the form {self.forms[0]!r}, which is how {{answer}} is written, and no wording "
                "has {answer}."
            )
        if any(text.count(REQUEST) > 1 or not text.replace(REQUEST, "").strip() for text in self.wordings):
            raise BadInput(
                f"{subject} has {REQUEST} twice in a wording, or nothing else in it. Write it once, with words around it."
            )
        silent = next((text for text in self.wordings if not OPTION_PLACEHOLDER.search(text)), None)
        if silent is not None and self.target != "change":
            raise BadInput(
                f"{subject}: the wording {silent[:60]!r} names no option, so no answer can follow it. Put {{answer}}, "
                "{letter} or {text} into it, or set target='change', which counts any answer but the clean one."
            )
        for field, values, allowed in (
            ("place", self.places, CUE_PLACES),
            ("target", (self.target,), get_args(CueTarget)),
            ("form", self.forms, FORMS),
        ):
            bad_values = [value for value in values if value not in allowed]
            if bad_values:
                raise BadInput(f"{subject} has the {field} {bad_values[0]!r}; it is one of: {', '.join(allowed)}.")
        if not self.places:
            raise BadInput(f"{subject} has no place; name at least one of: {', '.join(CUE_PLACES)}.")

    @property
    def version(self) -> str:
        """Hash of everything that can change a prompt or a number; the name and the summary are left out."""
        return digest(self.wordings, self.places, self.target, self.forms)[:8]
