"""The parts of a study: tasks, trainings, and the arms and cells that follow from them.

In: values, or their names. Out: frozen values. Names are resolved once, at construction; a wrong name raises there.

    Task("mmlu", 100)
    Trained(Bct(learning_rate=1e-4), tasks=("arc_easy", "openbookqa"), recipe=Recipe(n=300))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from os import PathLike, fspath
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

from unsway import backends, interventions, sources
from unsway.backends import BACKEND
from unsway.backends.local import Local
from unsway.biases import Bias
from unsway.data import Recipe
from unsway.data.mixture import GIVEN
from unsway.errors import BadInput
from unsway.interventions.base import NONE
from unsway.interventions.base import Intervention as PromptIntervention
from unsway.interventions.fewshot import TASKS
from unsway.models.session import session
from unsway.prompts.elicitations import Elicitation
from unsway.registry import Ref
from unsway.sources import SOURCE, QuestionFile, Source, SourceLike
from unsway.spelling import KIND, Json, Several, expression, several, tagged, text_under, untagged
from unsway.training import Backend, Bct, Method
from unsway.training.methods import METHOD
from unsway.training.methods import resolve as method_of
from unsway.types import Checkpoint, Question
from unsway.types.kinds import check_kinds

if TYPE_CHECKING:
    from unsway.models.session import ModelLike


@dataclass(frozen=True, slots=True, repr=False)
class Task:
    """Questions of a source."""

    source: Annotated[Source | QuestionFile, SOURCE]
    """A source, or a file of questions; names and paths are accepted too."""
    n: int | None = None
    """How many questions; None takes the study's number."""
    split: str | None = None
    """A split of the source; None takes its default."""
    after: int = 0
    """How many questions to skip first, in seeded order."""
    at_most: bool = field(default=False, repr=False, compare=False)
    """Whether n is a maximum, so that a source with fewer gives all it has instead of refusing."""

    if TYPE_CHECKING:

        def __init__(
            self,
            source: SourceLike,
            n: int | None = None,
            split: str | None = None,
            after: int = 0,
            at_most: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", sources.resolve(self.source))
        check_kinds(self)

    def __repr__(self) -> str:
        """The expression that makes it."""
        return expression(self)

    def load(self, n: int | None, seed: int) -> tuple[Question, ...]:
        """Load the task's own number of questions, else n (a file may have fewer); all of them if both are None."""
        count = self.n or n
        at_most = self.at_most or (self.n is None and isinstance(self.source, QuestionFile))
        n_needed = None if count is None or at_most else self.after + count
        questions = sources.load(self.source, n=n_needed, seed=seed, split=self.split)[self.after :]
        return questions[:count]

    def holds(self, source: str) -> bool:
        """Whether a `Question.source` is this task's source, in any revision."""
        return Ref.parse(source).unversioned == self.source.name


@expression.register
def _(value: Task) -> str:
    return expression(value.source) if value == Task(value.source) else expression.dispatch(object)(value)


def task_of(task: Task | SourceLike) -> Task:
    """Return a task unchanged; turn a source or file into a task of all its questions."""
    return task if isinstance(task, Task) else Task(task)


TEST_TASKS = ("mmlu", "truthfulqa", "logiqa", "hellaswag")
"""The paper's sources of test questions (arXiv 2403.05518)."""
TRAIN_TASKS = TASKS
"""The paper's sources of train questions, without BIG-Bench Hard."""


@dataclass(frozen=True, slots=True, repr=False)
class Trained:
    """An intervention that trains: a method on a recipe's rows, from questions of tasks that are not measured."""

    method: Annotated[Method, METHOD] = Bct()  # noqa: RUF009  # frozen
    """The method with its hyper-parameters; the arm sets its seed."""
    _: KW_ONLY
    tasks: tuple[Task, ...] = field(default_factory=lambda: (*map(Task, TRAIN_TASKS),))
    """Train questions; all of them are loaded."""
    recipe: Recipe = field(default_factory=Recipe)
    """What the rows are made of; without instruct rows if the method takes none."""
    backend: Annotated[Backend, BACKEND] = Local()  # noqa: RUF009  # frozen
    """Where it is trained, with its options."""
    name: str = ""
    """Its name in tables; empty takes the method's name."""

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
        object.__setattr__(self, "tasks", tuple(map(task_of, several(self.tasks))))
        object.__setattr__(self, "backend", backends.resolve(self.backend))
        check_kinds(self)
        if not self.method.takes_instruct:
            object.__setattr__(self, "recipe", replace(self.recipe, instruct=0))
        if missing := self.method.reads - GIVEN:
            raise BadInput(
                f"A study trains on a recipe's rows, but {self.method.name!r} reads {', '.join(sorted(missing))}, which "
                "these do not have. Make rows with `unsway data preferences`, and train and measure by the verbs `train` and "
                "`measure`."
            )

    def __repr__(self) -> str:
        """The expression that makes it."""
        return expression(self)

    def __str__(self) -> str:
        """Its name in tables."""
        return self.name or self.method.name

    @property
    def biases(self) -> tuple[str, ...]:
        """Names of the biases whose cues are in its prompts."""
        return self.recipe.bias_names

    def seeded(self, seed: int) -> Trained:
        """The training with one seed; each seed also has its own rows."""
        method = replace(self.method, seed=seed)
        return replace(self, method=method, recipe=replace(self.recipe, seed=self.recipe.seed + seed))


Intervention: TypeAlias = PromptIntervention | Trained | None
"""What is done to a model: nothing (None), something in front of its prompts, or a training."""
TRAINED = "trained"
"""The kind of a training in JSON; other kinds are listed in `interventions.kinds`."""


def intervention_of(intervention: Any) -> Intervention:
    """Return the intervention for a name (`none`, `prompted:…`, `fewshot:4-naive`, …) or a JSON row. Raises `UnknownName`."""
    if intervention == {KIND: NONE}:
        return None
    if not isinstance(intervention, Mapping):
        return intervention if isinstance(intervention, Trained) else interventions.resolve(intervention)
    if KIND not in intervention:  # in the first edition only trainings were JSON rows
        intervention = {
            **intervention,
            KIND: TRAINED,
            "method": {KIND: intervention["method"], **dict(intervention["settings"])},
        }
        del intervention["settings"]
    kind = (
        Trained if text_under(intervention) == TRAINED else interventions.kinds.get(text_under(intervention)).value_type
    )
    value: Intervention = untagged(kind, intervention)
    return value


def _intervention_row(value: Intervention) -> dict[str, Any]:
    if value is None:
        return {KIND: NONE}
    kinds = {interventions.kinds.get(name).value_type: name for name in interventions.kinds.names()} | {
        Trained: TRAINED
    }
    return tagged(kinds[type(value)], value)


INTERVENTION = Json(_intervention_row, intervention_of)


def model_of(model: Any) -> Any:
    """Return a model unchanged, or the checkpoint of a JSON row; a name stays a name until the model is asked."""
    return untagged(Checkpoint, model) if isinstance(model, Mapping) else model


def model_name(model: ModelLike) -> str:
    """Name of a model in a study; a model given as text keeps that text."""
    if isinstance(model, str | PathLike):
        return fspath(model)
    return model.model if isinstance(model, Checkpoint) else session(model).subject.name


MODEL = Json(
    lambda model: tagged("checkpoint", model) if isinstance(model, Checkpoint) else model_name(model), model_of
)
"""Models in JSON: checkpoints as they are, others by name."""


class PlannedArm(NamedTuple):
    """One arm of a study, before it is asked."""

    model: str
    """The name of the model in the study."""
    intervention: Intervention
    seed: int
    """Seed of the training; 0 where nothing is trained."""

    @property
    def label(self) -> str:
        """Its label among the arms of its model: base, the intervention, or the training and its seed."""
        if isinstance(self.intervention, Trained):
            return f"{self.intervention}/{self.seed}" if self.seed else str(self.intervention)
        return "base" if self.intervention is None else self.intervention.name

    @property
    def name(self) -> str:
        """The model and its intervention."""
        return self.model if self.intervention is None else f"{self.model} + {self.label}"


class StudyCell(NamedTuple):
    """The smallest part of a study that has a number of its own."""

    arm: PlannedArm
    bias: Bias
    task: Task
    elicit: Elicitation
