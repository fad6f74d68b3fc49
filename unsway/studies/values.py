"""What a study is made of: tasks, trainings, and the arms and cells that follow.

In: values, or their names. Out: frozen values, each resolved once, when it is made; a wrong name is refused there.

    Task("mmlu", 100)
    Trained(Bct(learning_rate=1e-4), tasks=("arc_easy", "openbookqa"), recipe=Recipe(n=300))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias, TypeVar

from unsway import interventions, sources
from unsway.backends.local import Local
from unsway.biases import Bias
from unsway.data import Recipe
from unsway.data.mixture import GIVEN
from unsway.errors import BadInput
from unsway.interventions.base import Intervention as PromptIntervention
from unsway.prompts.elicitations import Elicitation
from unsway.registry import Ref
from unsway.sources import Source
from unsway.studies.tagged import (
    BACKEND,
    KIND,
    METHOD,
    SOURCE,
    Json,
    backend_of,
    method_of,
    source_of,
    tagged,
    untagged,
)
from unsway.training import Backend, Bct, Method
from unsway.types import Question

T = TypeVar("T")
Several: TypeAlias = T | Iterable[T]
"""One value or several."""


def several(value: Any) -> tuple[Any, ...]:
    """One value or several as a tuple; a text is one value."""
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


@dataclass(frozen=True, slots=True, repr=False)
class Task:
    """Questions of a source."""

    source: Annotated[Source | Path, SOURCE]
    """A source, or a file of questions; names and paths are taken too."""
    n: int | None = None
    """How many; None takes the study's number."""
    split: str | None = None
    """A split of the source; None takes its default."""
    after: int = 0
    """Questions, in seeded order, to leave out before these."""
    at_most: bool = field(default=False, compare=False)
    """Whether n is a maximum, so that a source with fewer gives all it has instead of refusing."""

    if TYPE_CHECKING:

        def __init__(
            self,
            source: Source | Path | str,
            n: int | None = None,
            split: str | None = None,
            after: int = 0,
            at_most: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", source_of(self.source))

    def __repr__(self) -> str:
        """The expression that makes it."""
        return expression(self)

    def load(self, n: int | None, seed: int) -> tuple[Question, ...]:
        """The questions: the task's own number, else n; all of them where both are None."""
        many = self.n or n
        needed = None if many is None or self.at_most else self.after + many
        loaded = sources.load(self.source, n=needed, seed=seed, split=self.split)[self.after :]
        return loaded[:many]

    def holds(self, source: str) -> bool:
        """Whether questions of this `Question.source` are of its source, whatever their revision."""
        return Ref.parse(source).unversioned == self.source.name


def tasks_of(given: Any) -> tuple[Task, ...]:
    """Tasks, or sources by name, one or several."""
    return tuple(one if isinstance(one, Task) else Task(one) for one in several(given))


@dataclass(frozen=True, slots=True, repr=False)
class Trained:
    """An intervention that trains: a method on a recipe's rows, from questions of other tasks than those measured."""

    method: Annotated[Method, METHOD] = Bct()  # noqa: RUF009  # frozen
    """The method with its hyper-parameters; its seed is that of the arm."""
    _: KW_ONLY
    tasks: tuple[Task, ...] = field(default_factory=lambda: tasks_of(("arc_easy", "arc_challenge", "openbookqa")))
    """Train questions; all of them are loaded (the paper's sources, without BIG-Bench Hard)."""
    recipe: Recipe = Recipe()  # noqa: RUF009  # frozen
    """What the rows are made of."""
    backend: Annotated[Backend, BACKEND] = Local()  # noqa: RUF009  # frozen
    """Where it is trained, with its options."""
    name: str = ""
    """What it is called in tables; the method's name where empty."""

    if TYPE_CHECKING:

        def __init__(
            self,
            method: Method | str = ...,
            *,
            tasks: Several[Task | str] = ...,
            recipe: Recipe = ...,
            backend: Backend | str = ...,
            name: str = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", method_of(self.method))
        object.__setattr__(self, "tasks", tasks_of(self.tasks))
        object.__setattr__(self, "backend", backend_of(self.backend))
        if lacking := self.method.reads - GIVEN:
            raise BadInput(
                f"A study trains on a recipe's rows, but {self.method.name!r} reads {', '.join(sorted(lacking))}, which "
                "these do not have. Make rows with `unsway data preferences`, and train and measure by the verbs `train` and "
                "`measure`."
            )

    def __repr__(self) -> str:
        """The expression that makes it."""
        return expression(self)

    def __str__(self) -> str:
        """What it is called in tables."""
        return self.name or self.method.name

    @property
    def biases(self) -> tuple[str, ...]:
        """Names of the biases whose cues are in its prompts."""
        return tuple(dict.fromkeys(Ref.parse(name).name for name in self.recipe.biases))

    def seeded(self, seed: int) -> Trained:
        """The training of one seed, which also has rows of its own."""
        method = replace(self.method, seed=seed)
        return replace(self, method=method, recipe=replace(self.recipe, seed=self.recipe.seed + seed))


Intervention: TypeAlias = PromptIntervention | Trained | None
"""None leaves a model and its prompts as they are; else something in front of the prompts, or a training."""
TRAINED = "trained"
"""The kind of a training in JSON; the others are those of `interventions.kinds`."""
NONE = "none"
"""How no intervention is spelled."""


def intervention_of(given: Any) -> Intervention:
    """The intervention of a name (`none`, `prompted:…`, `fewshot:4-naive`, …) or of a row. Raises `UnknownName`."""
    if given is None or given == NONE or given == {KIND: NONE}:
        return None
    if isinstance(given, str):
        return interventions.get(given)
    if not isinstance(given, Mapping):
        found: Intervention = given
        return found
    if KIND not in given:  # the first edition knew trainings alone as rows
        given = {**given, KIND: TRAINED, "method": {KIND: given["method"], **dict(given["settings"])}}
        del given["settings"]
    kind = Trained if given[KIND] == TRAINED else interventions.kinds.get(given[KIND]).type
    value: Intervention = untagged(kind, given)
    return value


def _intervention_row(value: Intervention) -> dict[str, Any]:
    if value is None:
        return {KIND: NONE}
    kinds = {interventions.kinds.get(name).type: name for name in interventions.kinds.names()} | {Trained: TRAINED}
    return tagged(kinds[type(value)], value)


INTERVENTION = Json(_intervention_row, intervention_of)


class PlannedArm(NamedTuple):
    """One arm of a study, before it is asked."""

    model: str
    """The name of the model in the study."""
    intervention: Intervention
    seed: int
    """Seed of the training; 0 where nothing is trained."""

    @property
    def label(self) -> str:
        """What the arm is called next to others of its model: base, the intervention, or the training and its seed."""
        if isinstance(self.intervention, Trained):
            return f"{self.intervention}/{self.seed}" if self.seed else str(self.intervention)
        return "base" if self.intervention is None else self.intervention.name

    @property
    def name(self) -> str:
        """The model and what was done to it."""
        return self.model if self.intervention is None else f"{self.model} + {self.label}"


class StudyCell(NamedTuple):
    """The smallest part of a study that has a number of its own."""

    arm: PlannedArm
    bias: Bias
    task: Task
    elicit: Elicitation


# ---------------------------------------------------------------- in Python


def expression(value: Any) -> str:
    """The Python expression that makes a value, with what has a name by its name and without fields that are defaults."""
    if isinstance(value, tuple):
        return f"({', '.join(map(expression, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Bias) and value.definition is not None:
        return f"from_definition({value.definition!r})"
    if isinstance(value, Bias | Source | Elicitation):
        return repr(value.name)
    if isinstance(value, Path):
        return repr(str(value))
    if isinstance(value, Task) and value == Task(value.source):
        return expression(value.source)
    if not is_dataclass(value):
        return repr(value)
    given = []
    for each in fields(value):
        default = each.default if each.default_factory is MISSING else each.default_factory()
        own = getattr(value, each.name)
        if own != default:
            given.append(f"{each.name}={expression(own)}")
    return f"{type(value).__name__}({', '.join(given)})"
