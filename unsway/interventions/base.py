"""The protocol of interventions in prompts: they change the prompts, equally on both sides, and train nothing.

In: pairs. Out: `Changed`: the same pairs with the prompts asked instead, and the reason if a prompt is not asked.
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
    """The pair as built; its target, order and rule are also valid under the intervention."""
    clean: Prompt | None
    """The prompt asked instead of the clean one; None if there is none, with the reason in `Changed.missing`."""
    biased: Prompt | None
    """The prompt asked instead of the biased one; None likewise."""


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """Pairs under an intervention."""

    pairs: tuple[ChangedPair, ...]
    """In the order of the pairs that were given."""
    prompts: Mapping[str, Prompt]
    """The prompt asked instead of each original prompt, by the original's id."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Maps the id of each prompt that is not asked to the reason, in words that do not depend on the prompt."""

    @classmethod
    def of(
        cls, pairs: Iterable[Pair], prompts: Mapping[str, Prompt], missing: Mapping[str, str] | None = None
    ) -> Changed:
        """The pairs with their prompts replaced; `prompts` maps the id of each prompt to the one asked instead."""
        changed = (ChangedPair(pair, prompts.get(pair.clean.id), prompts.get(pair.biased.id)) for pair in pairs)
        return cls(tuple(changed), prompts, missing or {})

    def reasons(self) -> Mapping[str, int]:
        """How many prompts are missing, by reason."""
        return Counter(self.missing.values())


class Intervention(Protocol):
    """An intervention in prompts: a frozen value, which `get` makes from its name."""

    @property
    def name(self) -> str:
        """Its name: `fewshot:4-naive`, `prompted:ignore`, `rewrite`."""
        ...

    @property
    def versioned(self) -> str:
        """The name with the versions of everything it depends on."""
        ...

    @property
    def biases(self) -> tuple[str, ...]:
        """Biases shown in the few-shot examples, which are therefore not held out."""
        ...

    def apply(self, pairs: Sequence[Pair], model: ModelLike, sampling: Sampling, seed: int = 0) -> Changed:
        """Return the pairs with the prompts that are actually asked.

        Args:
            pairs: The pairs; prompts of equal text are the same prompt.
            model: The model that will be asked; it also writes the texts that the intervention needs.
            sampling: How the measured replies will be decoded, where replies are stored, and their budget.
            seed: Seed of what is drawn.

        Raises:
            BadInput: Some prompts would not fit the model's context; only prompts of the intervention itself were asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class InterventionKind:
    """One kind of intervention, as its file declares it."""

    value_type: type[Any]
    """The frozen dataclass; a study's JSON stores its fields."""
    parse: Callable[[str], Intervention | None]
    """Return the intervention with a name, or None if the name belongs to another kind."""
    names: Callable[[], Iterable[str]]
    """Names to list; a kind with a number in its names lists some of them."""
    summary: str
    """One line for a person."""


NONE = "none"
"""The name for no intervention."""
kinds: Registry[InterventionKind] = Registry("kind of intervention", "unsway.interventions", InterventionKind)
"""Every kind of intervention by name; adding one is adding a file that ends in `kinds.add(…)`."""


def names() -> tuple[str, ...]:
    """The names of interventions, in alphabetical order; few-shot proxies also take any other k, and suffixes."""
    return tuple(sorted(name for kind in kinds.names() for name in kinds.get(kind).names()))


def get(name: str) -> Intervention:
    """Return the intervention with a name; `4:naive` is short for `fewshot:4-naive`.

    Raises:
        UnknownName: There is no such intervention, or it names an unknown bias.
    """
    for kind in kinds.names():
        intervention = kinds.get(kind).parse(name)
        if intervention is not None:
            return intervention
    raise UnknownName("intervention", name, names())


def resolve(given: Intervention | str | None) -> Intervention | None:
    """Return an intervention unchanged, or look up its name; None for `none`, which leaves prompts unchanged.

    Raises:
        UnknownName: As `get`.
        BadInput: It is neither an intervention nor a name, for example a class.
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
    prompts: dict[str, tuple[Prompt, Pair]] = {}
    for pair in pairs:
        for prompt in (pair.clean, pair.biased):
            prompts.setdefault(prompt.id, (prompt, pair))
    return prompts


def open_session(model: ModelLike) -> AbstractContextManager[Session]:
    """A session with a model, closed at the end if it was opened here; a given session stays open."""
    own_session = session(model)
    return nullcontext(own_session) if own_session is model else own_session


def record_path(folder: str | Path, model: str, name: str) -> Path:
    """Path of the record that an intervention writes for a model: a JSONL file in a folder next to the replies."""
    stem = layout.file_name(f"{model.rpartition('/')[2]}-{name}")
    return Path(folder) / layout.INTERVENTIONS / f"{stem}.jsonl"


# ---------------------------------------------------------------- turns


def instruction_turn(role: Role, text: str) -> Turn:
    """A turn of kind instruction: it says how to reply, so it is no cue, and `stripped()` keeps it."""
    return Turn(role, (Part("instruction", text),))


def before(prompt: Prompt, turns: tuple[Turn, ...]) -> Prompt:
    """The prompt with turns put in front; if the prompt begins with a system turn, that stays first."""
    prompt_turns = prompt.turns
    start = 1 if prompt_turns and prompt_turns[0].role == "system" else 0
    return Prompt((*prompt_turns[:start], *turns, *prompt_turns[start:]))


def without_example(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns without the elicitation's worked examples: leading turns made only of instructions."""
    return turns[len(worked_example(turns)) :]


def worked_example(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The leading turns made only of instructions."""
    for i, turn in enumerate(turns):
        if turn.parts is None or any(part.kind != "instruction" for part in turn.parts):
            return turns[:i]
    return ()
