"""What a bias is, and where the biases are found: one decorated function in one file each.

In: a name. Out: a frozen `Bias`. Adding one touches one file: modules of this package are found by themselves, and other
packages add theirs through the entry-point group `unsway.plugins`.

    @bias("post_hoc", version=1, summary="…", paper="arXiv:2403.05518")
    def post_hoc(question, clean, option, rng): return Prompt(…)
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from random import Random
from typing import Literal, TypeAlias

from unsway.errors import BadInput, UnknownName
from unsway.types import Prompt, Question


@dataclass(frozen=True, slots=True)
class Skip:
    """A bias that cannot be put to a question says why; the question is counted, never asked with an empty cue."""

    reason: str


@dataclass(frozen=True, slots=True)
class Substitution:
    """A pair whose clean arm is no subset of the biased one: other demos, or options in another order."""

    clean: Prompt
    biased: Prompt
    order: tuple[int, ...] | None = None
    """Option shown at each place of the biased arm; None keeps the question's order."""


Build: TypeAlias = Callable[[Question, Prompt, int, Random], Prompt | Substitution | Skip]
"""(question, clean prompt, option the cue is about, generator) to the biased prompt."""
TargetKind: TypeAlias = Literal["toward", "away", "away_from_gold", "change"]
"""What following means: the option; any other than it; any but the right one; any change between the arms."""


@dataclass(frozen=True, slots=True)
class Bias:
    """A cue that must not matter."""

    name: str
    version: int
    """Moves whenever a prompt would."""
    summary: str
    paper: str
    """Where it was published, `arXiv:…`."""
    build: Build
    target: TargetKind = "toward"
    kind: Literal["insertion", "substitution"] = "insertion"
    min_options: int = 2

    @property
    def versioned(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


_BIASES: dict[str, Bias] = {}
_FOUND: set[str] = set()


def bias(
    name: str,
    *,
    version: int,
    summary: str,
    paper: str,
    target: TargetKind = "toward",
    kind: Literal["insertion", "substitution"] = "insertion",
    min_options: int = 2,
) -> Callable[[Build], Build]:
    """Register the decorated function as a bias."""

    def register(build: Build) -> Build:
        if name in _BIASES and _BIASES[name].build is not build:
            raise BadInput(f"There are two biases named {name!r}; give one of them another name.")
        _BIASES[name] = Bias(name, version, summary, paper, build, target, kind, min_options)
        return build

    return register


def names() -> tuple[str, ...]:
    """The names of all biases, sorted."""
    _discover()
    return tuple(sorted(_BIASES))


def all_biases() -> tuple[Bias, ...]:
    """All biases, by name."""
    return tuple(_BIASES[name] for name in names())


def get(name: str) -> Bias:
    """The bias of that name (`name` or `name@version`). Raises `UnknownName`."""
    _discover()
    bare, _, version = name.partition("@")
    if bare not in _BIASES:
        raise UnknownName("bias", bare, _BIASES)
    found = _BIASES[bare]
    if version and version != str(found.version):
        raise BadInput(f"{bare!r} is at version {found.version} here, but version {version} was asked for.")
    return found


def _discover() -> None:
    """Import this package's modules and the plugins; one that fails is named, never passed over."""
    if _FOUND:
        return
    package = import_module("unsway.biases")
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        import_module(f"unsway.biases.{module}")
    for entry in entry_points(group="unsway.plugins"):
        try:
            entry.load()
        except Exception as error:
            raise BadInput(
                f"The plugin {entry.name!r} ({entry.value}) does not load: {error}. Mend or remove it."
            ) from error
    _FOUND.add("all")
