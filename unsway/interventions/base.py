"""What an intervention in prompts is: something that changes what is asked, on both sides alike, and trains nothing.

In: pairs. Out: `Changed`: the same pairs with the prompts that are asked instead, and why some have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from unsway import layout
from unsway.errors import BadInput, UnknownName, kind_of
from unsway.models.session import Session, session
from unsway.registry import Registry
from unsway.types import Pair, Part, Prompt, Role, Turn

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.sampling import Sampling


class ChangedPair(NamedTuple):
    """A pair under an intervention."""

    pair: Pair
    """The pair as it was built; its target, order and rule hold under the intervention, too."""
    clean: Prompt | None
    """What is asked instead of the clean prompt; None where nothing can be, with the reason in `Changed.missing`."""
    biased: Prompt | None
    """What is asked instead of the biased prompt; None likewise."""


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """Pairs under an intervention."""

    pairs: tuple[ChangedPair, ...]
    """In the order of the pairs that were given."""
    prompts: Mapping[str, Prompt]
    """What is asked instead of each prompt, by the id of that prompt."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Prompts that are not asked: id to the reason, in a few words that do not depend on the prompt."""

    @classmethod
    def of(
        cls, pairs: Iterable[Pair], prompts: Mapping[str, Prompt], missing: Mapping[str, str] | None = None
    ) -> Changed:
        """The pairs with their prompts exchanged; `prompts` goes from the id of each prompt to what is asked instead."""
        changed = (ChangedPair(pair, prompts.get(pair.clean.id), prompts.get(pair.biased.id)) for pair in pairs)
        return cls(tuple(changed), prompts, missing or {})

    def reasons(self) -> Mapping[str, int]:
        """How many prompts are missing, by reason."""
        return Counter(self.missing.values())


class Intervention(Protocol):
    """A frozen value; `get` makes one from its name."""

    @property
    def name(self) -> str:
        """Its name: `fewshot:4-naive`, `prompted:ignore`, `rewrite`."""
        ...

    @property
    def versioned(self) -> str:
        """The name with the versions of everything that it depends on."""
        ...

    @property
    def biases(self) -> tuple[str, ...]:
        """Biases shown in the few-shot examples, which are therefore not held out."""
        ...

    def apply(self, pairs: Sequence[Pair], model: ModelLike, sampling: Sampling, seed: int = 0) -> Changed:
        """The pairs as they are asked.

        Args:
            pairs: The pairs; prompts of equal text are the same prompt.
            model: The model that will be asked, and that writes what the intervention needs.
            sampling: How the measured replies will be decoded, where replies are kept, and what they may cost.
            seed: Seed of what is drawn.

        Raises:
            BadInput: Some prompts would not fit the model; only what the intervention itself needs was asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class InterventionKind:
    """One kind of intervention, as its file declares it."""

    value_type: type[Any]
    """The frozen dataclass; a study's JSON keeps its fields."""
    parse: Callable[[str], Intervention | None]
    """The intervention of a name, or None where the name is of another kind."""
    names: Callable[[], Iterable[str]]
    """Names to list; a kind with a number in its names lists some of them."""
    summary: str
    """One line for a person."""


NONE = "none"
"""How no intervention is spelled."""
kinds: Registry[InterventionKind] = Registry("kind of intervention", "unsway.interventions", InterventionKind)
"""Every kind of intervention by name; adding one is adding a file that ends in `kinds.add(…)`."""


def names() -> tuple[str, ...]:
    """The names of interventions, in alphabetical order; a few-shot proxy takes any k, and more at its end."""
    return tuple(sorted(name for kind in kinds.names() for name in kinds.get(kind).names()))


def get(name: str) -> Intervention:
    """The intervention of that name; `4:naive` is short for `fewshot:4-naive`.

    Raises:
        UnknownName: There is none of that name, or a bias that it names is none.
    """
    for kind in kinds.names():
        found = kinds.get(kind).parse(name)
        if found is not None:
            return found
    raise UnknownName("intervention", name, names())


def resolve(given: Intervention | str | None) -> Intervention | None:
    """The intervention itself, or the one of that name; None for `none`, which leaves prompts as they are.

    Raises:
        UnknownName: As `get`.
        BadInput: It is something else, such as the class of an intervention.
    """
    if given is None:
        return None
    if not isinstance(given, str):
        if isinstance(given, type) or not hasattr(given, "versioned"):
            raise BadInput(f"{kind_of(given)} is no intervention. Give one, as Fewshot(4), or a name, as 'fewshot:4'.")
        return given
    return None if given == NONE else get(given)


def by_prompt(pairs: Iterable[Pair]) -> dict[str, tuple[Prompt, Pair]]:
    """Every prompt of some pairs once, with a pair that it belongs to, by its id."""
    found: dict[str, tuple[Prompt, Pair]] = {}
    for pair in pairs:
        for prompt in (pair.clean, pair.biased):
            found.setdefault(prompt.id, (prompt, pair))
    return found


def open_session(model: ModelLike) -> AbstractContextManager[Session]:
    """A session with a model; one that was handed in stays open, one that is opened here is closed."""
    opened = session(model)
    return nullcontext(opened) if opened is model else opened


def record_path(folder: str | Path, model: str, name: str) -> Path:
    """Where an intervention writes down what it did to a model: a JSONL file in a folder beside the replies."""
    plain = layout.file_name(f"{model.rpartition('/')[2]}-{name}")
    return Path(folder) / layout.INTERVENTIONS / f"{plain}.jsonl"


# ---------------------------------------------------------------- turns


def said(role: Role, text: str) -> Turn:
    """A turn that is all instruction: it says how to reply, not what; so it is no cue, and `stripped()` keeps it."""
    return Turn(role, (Part("instruction", text),))


def before(prompt: Prompt, turns: tuple[Turn, ...]) -> Prompt:
    """The prompt with turns in front of all its own; a system turn that it begins with stays the first of all."""
    own = prompt.turns
    first = 1 if own and own[0].role == "system" else 0
    return Prompt((*own[:first], *turns, *own[first:]))


def without_example(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns without the elicitation's worked examples: leading turns that are all instruction."""
    return turns[len(worked_example(turns)) :]


def worked_example(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Leading turns that are all instruction."""
    for i, turn in enumerate(turns):
        if turn.parts is None or any(part.kind != "instruction" for part in turn.parts):
            return turns[:i]
    return ()
