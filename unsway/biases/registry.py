"""What a bias is, how one is declared, and how all of them are found.

In: modules of this package, and of other packages through the entry-point group `unsway.plugins`. Out: `Bias` values
by name. Adding a bias is adding one module with one decorated function; nothing else is edited.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

from unsway.banks import bank
from unsway.errors import BadInput, UnknownName
from unsway.registry import Registry
from unsway.types import Prompt

TargetKind: TypeAlias = Literal["toward", "away", "away_from_gold", "change"]
"""What following the cue means: the answer is the cued option; is not the cued option; is not the gold one; is another
than in the clean arm."""
Kind: TypeAlias = Literal["insertion", "substitution"]
"""An insertion only adds cues to the clean prompt; a substitution brings a clean prompt of its own."""
CleanRate: TypeAlias = Literal["asked", "zero"]
"""Whether the clean rate is measured, or 0 by definition (SPEC §4)."""

WANTED = ("elicit", "form", "arguments")
"""What a bias may ask for, as keyword-only parameters of its function: the name of the elicitation, the form that was
drawn, the bank of arguments."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A bias cannot be put to this question; counted, never silent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Substituted:
    """What a substitution makes: both arms, and the order of options in the biased one."""

    clean: Prompt
    biased: Prompt
    order: tuple[int, ...] | None = None
    """Option shown at each place of the biased arm; None keeps the order of the question."""


Made: TypeAlias = Prompt | Substituted | Skip
Make: TypeAlias = Callable[..., Made]
"""`(question, clean, option, draw, **wanted)`: the question, its clean prompt, the cued option, a generator of its own."""
F = TypeVar("F", bound=Make)


@dataclass(frozen=True, slots=True)
class Bias:
    """Something in a prompt that ought not to matter."""

    name: str
    """How users call it; with `/form` at its end, held to that form."""
    version: int
    """Moves with every change that could change a prompt, save those of its banks, which have versions of their own."""
    summary: str
    paper: str
    """Where it was published, as `arXiv:…`."""
    target: TargetKind
    kind: Kind
    min_options: int
    max_options: int
    clean: CleanRate
    needs_first_answer: bool
    """Whether a pair counts only where the model's own first answer was right."""
    forms: tuple[str, ...]
    """Forms that are drawn evenly; `name/form` holds it to one."""
    banks: tuple[str, ...]
    """Banks whose wordings it draws from."""
    wants: tuple[str, ...]
    """Which of `WANTED` its function takes."""
    source: str
    """The source whose questions it is put to, where it does not fit those of the other biases; else empty."""
    make: Make = field(repr=False, compare=False)

    @property
    def versioned(self) -> str:
        """`name@version`, followed by the versions of its banks."""
        return f"{self.name}@{'.'.join(str(v) for v in (self.version, *(bank(b).version for b in self.banks)))}"


_biases: Registry[Bias] = Registry("bias", "unsway.biases")


def bias(
    name: str,
    *,
    version: int,
    summary: str,
    paper: str,
    target: TargetKind = "toward",
    kind: Kind = "insertion",
    min_options: int = 2,
    max_options: int = 26,
    clean: CleanRate = "asked",
    needs_first_answer: bool = False,
    forms: tuple[str, ...] = (),
    banks: tuple[str, ...] = (),
    source: str = "",
) -> Callable[[F], F]:
    """Declare a bias over a function `(question, clean, option, draw) -> Prompt | Substituted | Skip`.

    Args:
        name: How users call it.
        version: 1 at first; move it whenever a prompt could change.
        summary: One line for a person.
        paper: Where it was published: `arXiv:` and a number.
        target: What following the cue means.
        kind: insertion, or substitution where the clean prompt is not that of the other biases.
        min_options: Questions with fewer are skipped and counted.
        max_options: Questions with more are skipped and counted.
        clean: `zero` where the clean rate is 0 by definition.
        needs_first_answer: Whether only pairs count whose first answer, the model's own, was right.
        forms: Forms to draw from; the function then takes a keyword `form`.
        banks: Names of the banks it draws from; their versions are part of its own.
        source: The source of its own questions, where it does not fit those of the other biases.

    Raises:
        BadInput: The name is taken, or the function takes something that is not handed to it.
    """

    def declare(make: F) -> F:
        declared = Bias(
            name=name,
            version=version,
            summary=summary,
            paper=paper,
            target=target,
            kind=kind,
            min_options=min_options,
            max_options=max_options,
            clean=clean,
            needs_first_answer=needs_first_answer,
            forms=forms,
            banks=banks,
            wants=_wants(name, make, forms),
            source=source,
            make=make,
        )
        _biases.add(name, declared)
        return make

    return declare


def _wants(name: str, make: Make, forms: tuple[str, ...]) -> tuple[str, ...]:
    """The keyword-only parameters of a bias's function."""
    parameters = inspect.signature(make).parameters.values()
    wants = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    unknown = [each for each in wants if each not in WANTED]
    if unknown or len(wants) + 4 != len(parameters):
        raise BadInput(
            f"The function of bias {name!r} takes {inspect.signature(make)}; it must take (question, clean, option, "
            f"draw) and, by keyword only, none or some of: {', '.join(WANTED)}."
        )
    if bool(forms) != ("form" in wants):
        raise BadInput(
            f"Bias {name!r} has forms {forms}; a bias with forms takes a keyword `form`, and only such a one."
        )
    return wants


def names() -> tuple[str, ...]:
    """The names of all biases, in alphabetical order."""
    return _biases.names()


def all_biases() -> tuple[Bias, ...]:
    """All biases, in alphabetical order."""
    return tuple(_biases.get(name) for name in names())


def get(name: str) -> Bias:
    """The bias of that name, or of `name/form`. Raises `UnknownName` with the closest names."""
    if name in _biases:
        return _biases.get(name)
    plain, _, form = name.partition("/")
    if plain not in _biases:
        raise UnknownName("bias", name, _biases.names())
    found = _biases.get(plain)
    if form not in found.forms:
        raise UnknownName(f"form of {plain}", form, found.forms)
    return replace(found, name=name, forms=(form,))
