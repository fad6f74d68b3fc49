"""What a bias is, how to declare one, and how to find them all.

In: modules of this package, and of other packages through the entry-point group `unsway.plugins`. Out: `Bias` values
by name. To add a bias, add one module with one decorated function; nothing else is edited.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Required, TypeAlias, TypedDict, TypeVar, Unpack, get_args

from unsway.banks import bank
from unsway.biases.definition import Cue
from unsway.biases.insert import Inserted
from unsway.errors import BadInput, UnknownName, kind_of
from unsway.registry import Ref, Registry, declared
from unsway.types import Prompt, Rule

TargetKind: TypeAlias = Literal["toward", "away", "away_from_gold", "change"]
"""What following the cue means: the answer is the cued option, is not the cued option, is not the gold option, or differs
from the clean answer."""
Kind: TypeAlias = Literal["insertion", "substitution"]
"""An insertion only adds cues to the clean prompt; a substitution has its own clean prompt."""
CleanRate: TypeAlias = Literal["asked", "zero"]
"""Whether the clean rate is measured, or 0 by definition (docs/statistics.md)."""

OFFERED = ("elicit", "form", "arguments")
"""Keywords that a bias's function may take: the style of the elicitation (`cot`, `brief` or `direct`), the drawn form, the
bank of arguments."""


@dataclass(frozen=True, slots=True)
class Skip:
    """The bias does not apply to this question. Skipped questions are always counted."""

    reason: str
    """The reason in a few words, independent of the question."""


@dataclass(frozen=True, slots=True)
class Substituted:
    """What a substitution returns: both prompts, and the order of the options in the biased one."""

    clean: Prompt
    """The clean prompt, instead of the one that the other biases share."""
    biased: Prompt
    """The biased prompt."""
    order: tuple[int, ...] | None = None
    """The option shown at each position of the biased prompt; None keeps the question's order."""


Made: TypeAlias = Prompt | Inserted | Substituted | Skip
Make: TypeAlias = Callable[..., Made]
"""`(question, clean, option, draw, **offered)`: the question, its clean prompt, the cued option, a random generator for
this question and bias, and the keywords of `OFFERED` that the function takes."""
F = TypeVar("F", bound=Make)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """Something in a prompt that should not matter."""

    name: str
    """Its name for users; `name/form` is the same bias restricted to one form."""
    version: int | str
    """Changes with every edit that could change a prompt. The banks have their own versions; the version of a cue made from a
    value is the hash of its content."""
    summary: str
    """One line for people."""
    paper: str
    """Where it was published, as `arXiv:` and a number; empty if it was not."""
    target: TargetKind = "toward"
    """What following the cue means."""
    kind: Kind = "insertion"
    """insertion, or substitution if its clean prompt differs from that of the other biases."""
    min_options: int = 2
    """Questions with fewer options are skipped and counted."""
    max_options: int = 26
    """Questions with more options are skipped and counted."""
    clean: CleanRate = "asked"
    """`zero` if the clean rate is 0 by definition."""
    needs_first_answer: bool = False
    """Whether a pair counts only if the model's own first answer was right."""
    forms: tuple[str, ...] = ()
    """Forms to draw from evenly; if there are any, the function takes the keyword `form`."""
    banks: tuple[str, ...] = ()
    """Banks of its wordings; their versions are part of the bias's version."""
    source: str = ""
    """The source with its own questions, if those of the other biases do not fit; else empty."""
    reader: str = "mcq"
    """The reader of its replies."""
    definition: Cue | None = None
    """The content of a cue made from a value, so a study can store it; None for a declared bias."""
    wants: tuple[str, ...] = ()
    """The keywords of `OFFERED` that its function takes."""
    make: Make = field(repr=False, compare=False)
    """The function that puts it into a prompt."""

    def __post_init__(self) -> None:
        """Raise `BadInput` if a field has an unknown value, which would otherwise be counted as another one."""
        for name, allowed in (("target", TargetKind), ("kind", Kind), ("clean", CleanRate)):
            if getattr(self, name) not in get_args(allowed):
                alternatives = ", ".join(map(repr, get_args(allowed)))
                raise BadInput(
                    f"Bias {self.name!r} has the {name} {getattr(self, name)!r}; it is one of {alternatives}."
                )

    @property
    def suits_requests(self) -> bool:
        """Whether it can be applied to a request, which has no options to name."""
        return self.definition is not None and self.target == "change"

    @property
    def rule(self) -> Rule:
        """How its pairs are counted."""
        return Rule(self.clean, "first_right" if self.needs_first_answer else "always", self.reader)

    @property
    def versioned(self) -> str:
        """`name@version`, followed by the versions of its banks."""
        return f"{self.name}@{'.'.join(str(v) for v in (self.version, *(bank(b).version for b in self.banks)))}"


class About(TypedDict, total=False):
    """The keywords of `bias`; each is the `Bias` field with the same name."""

    version: Required[int]
    summary: Required[str]
    paper: Required[str]
    target: TargetKind
    kind: Kind
    min_options: int
    max_options: int
    clean: CleanRate
    needs_first_answer: bool
    forms: tuple[str, ...]
    banks: tuple[str, ...]
    source: str
    reader: str


biases: Registry[Bias] = Registry("bias", "unsway.biases", Bias)
"""All biases, by name."""


def bias(name: str, **about: Unpack[About]) -> Callable[[F], F]:
    """Declare a bias from a function `(question, clean, option, draw) -> Prompt | Inserted | Substituted | Skip`.

    Args:
        name: Its name for users.
        about: Fields of `Bias`; version (1 at first), summary and paper are required.

    The function may also take these keyword-only arguments: `form`, the drawn one of its `forms`; `elicit`, the style of the
    elicitation (cot, brief or direct); `arguments`, the users' bank (`arguments.get(question.id, option)`).

    Raises:
        UnknownName: A bias has no such field.
        BadInput: The name is taken or malformed, a field is missing, or the function or a field is not valid for a bias.
    """

    def declare(make: F) -> F:
        if not callable(make):
            raise BadInput(
                f"The bias {name!r} is {kind_of(make)}; it must be a function (question, clean, option, draw)."
            )
        parameters = inspect.signature(make).parameters.values()
        wants = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        if not set(wants) <= set(OFFERED) or len(wants) + 4 != len(parameters):
            raise BadInput(
                f"The function of bias {name!r} takes {inspect.signature(make)}; it must take (question, clean, option, "
                f"draw) and, by keyword only, none or some of: {', '.join(OFFERED)}."
            )
        new_bias = declared("bias", Bias, name, about, wants=wants, make=make)
        if "/" in str(name):
            raise BadInput(f"The bias {name!r} has a / in its name, which separates a bias from its form. Rename it.")
        if bool(new_bias.forms) != ("form" in wants):
            raise BadInput(
                f"Bias {name!r} has forms {new_bias.forms}; a bias with forms takes a keyword `form`, and only such a one."
            )
        biases.add(name, new_bias)
        return make

    return declare


names = biases.names
"""The names of all biases, in alphabetical order."""


def all_biases() -> tuple[Bias, ...]:
    """All biases, in alphabetical order."""
    return tuple(biases.get(name) for name in names())


def get(name: str) -> Bias:
    """The bias with that name, or in the form `name/form`. Raises `UnknownName` with the closest names."""
    ref = Ref.parse(name)
    if ref.version or ref.name not in biases:
        raise UnknownName("bias", name, biases.names())
    base = biases.get(ref.name)
    if not ref.form:
        return base
    if ref.form not in base.forms:
        raise UnknownName(f"form of {ref.name}", ref.form, base.forms)
    return restrict_to_form(base, ref.form)


def restrict_to_form(bias: Bias, form: str) -> Bias:
    """The bias restricted to one form: `name/form`."""
    return replace(bias, name=f"{bias.name}/{form}", forms=(form,))


def rule_of(bias: str) -> Rule:
    """The rule of the bias named `name` or `name@version`; the default `Rule()` if that bias is not installed."""
    try:
        return get(Ref.parse(bias).name).rule
    except UnknownName:
        return Rule()
