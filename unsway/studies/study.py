"""A study as a value: models × interventions × biases × tasks × elicitations × seeds. Nothing else says what to run.

In: names. Out: a frozen `Study` that prints as the expression that makes it, can be hashed, compared, joined and cut.

    study = Study(models="openai/gpt-4o-mini", biases=("post_hoc", "suggested_answer"), tasks=("mmlu", "truthfulqa"), n=150)
    study | study.but(models="anthropic/claude-sonnet-4-5")     # both
    study.only(biases="post_hoc")                                # a part
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from unsway import biases as suite
from unsway import interventions, sources
from unsway.backends import backend
from unsway.biases import arguments as argument_banks
from unsway.data import Recipe
from unsway.errors import BadInput
from unsway.models.session import LOCAL, name_of
from unsway.pairing import PairSet, pairs
from unsway.prompts import elicitations
from unsway.seeds import content_id
from unsway.training import check as check_method
from unsway.training.methods import Sft, method
from unsway.types import Example, Pair, Question, Settings

NONE = "none"
"""The intervention that leaves a model and its prompts as they are."""


@dataclass(frozen=True, slots=True)
class Task:
    """Questions of a source."""

    source: str
    """A source by name, or a file."""
    n: int | None = None
    """How many; None takes the study's."""
    split: str | None = None
    """A split of it; None takes its default."""
    after: int = 0
    """Questions, in seeded order, to leave out before these."""
    at_most: bool = field(default=False, repr=False, compare=False)
    """Whether n is the most, so that a source with fewer gives all it has instead of refusing."""

    def load(self, n: int | None, seed: int) -> tuple[Question, ...]:
        """The questions: the task's own number, else n; all of them where both are None."""
        many = self.n or n
        needed = None if many is None or self.at_most else self.after + many
        loaded = sources.load(self.source, n=needed, seed=seed, split=self.split)[self.after :]
        return loaded[:many]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """An intervention that trains: a method on a recipe's rows, from questions of other tasks than those measured."""

    method: str = "bct"
    tasks: tuple[Task | str, ...] = ("arc_easy", "arc_challenge", "openbookqa")
    """Train questions; all of them are loaded (the paper's sources, without BIG-Bench Hard)."""
    recipe: Recipe = Recipe()  # noqa: RUF009  # frozen
    settings: tuple[tuple[str, float], ...] = ()
    """Hyper-parameters of the method that are not its defaults, as (name, value)."""
    backend: str = "local"
    name: str = ""
    """What it is called beside others; the method where empty."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", _tasks(self.tasks))
        if self.how(0).row is not Example:
            raise BadInput(
                f"A study trains on a recipe's rows, but {self.method!r} takes {self.how(0).row.__name__.lower()}s. Make "
                "them with `unsway data preferences`, and train and measure by the verbs `train` and `measure`."
            )

    def __str__(self) -> str:
        return self.name or self.method

    @property
    def biases(self) -> tuple[str, ...]:
        """Names of the biases whose cues are in its prompts."""
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.recipe.biases))

    def how(self, seed: int) -> Sft:
        """The method with its hyper-parameters and a seed. Raises `UnknownName`, `BadInput`."""
        return method(self.method, **dict(self.settings), seed=seed)


Intervention: TypeAlias = "str | Trained"
"""none; the name of an intervention in prompts (fewshot:4-naive, prompted:…, rewrite); or a training."""


class ArmKey(NamedTuple):
    """One arm of a study, before it is asked."""

    model: str
    intervention: Intervention
    seed: int
    """Seed of the training; 0 where nothing is trained."""

    @property
    def label(self) -> str:
        """How the arm is called beside others of its model: base, the intervention, or the training and its seed."""
        if isinstance(self.intervention, Trained):
            return f"{self.intervention}/{self.seed}" if self.seed else str(self.intervention)
        return "base" if self.intervention == NONE else self.intervention

    @property
    def name(self) -> str:
        """The model and what was done to it."""
        return self.model if self.label == "base" else f"{self.model} + {self.label}"


class Cell(NamedTuple):
    """The smallest part of a study that has a number of its own."""

    arm: ArmKey
    bias: str
    task: Task
    elicit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is asked of whom. Every field but the numbers takes one name or several."""

    models: tuple[str, ...]
    """Whatever `unsway.sampling` asks, by name."""
    biases: tuple[str, ...]
    """Names or name/form. One with questions of its own (gambles, comparisons) is put to those: as many as all tasks have,
    or all there are."""
    tasks: tuple[Task | str, ...]
    interventions: tuple[Intervention, ...] = (NONE,)
    elicit: tuple[str, ...] = ("cot",)
    n: int = 600
    """Questions of each task that names no number of its own; the paper has 600 a bias and task."""
    samples: int = 1
    """Replies to each prompt."""
    seeds: tuple[int, ...] = (0,)
    """Seeds of trainings; the paper has 8 runs a condition."""
    settings: Settings = Settings()  # noqa: RUF009  # frozen
    seed: int = 0
    """Seed of questions, cued options and cues."""
    arguments: str | None = None
    """File of arguments, for biases that quote them."""
    also: tuple[Study, ...] = ()
    """Studies joined to this one by `|`."""

    def __post_init__(self) -> None:
        for name in ("models", "biases", "interventions", "elicit", "seeds"):
            object.__setattr__(self, name, _several(getattr(self, name)))
        object.__setattr__(self, "tasks", _tasks(self.tasks))
        for name in ("models", "biases", "tasks", "interventions", "elicit", "seeds"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise BadInput(f"Study.{name} is {values}; it must hold at least one value, and none twice.")
        if self.n < 1 or self.samples < 1:
            raise BadInput(f"A study has n = {self.n} and samples = {self.samples}; both must be at least 1.")
        names = [str(one) for one in self.interventions]
        if len(set(names)) < len(names):
            raise BadInput(
                f"Two interventions print as the same name: {', '.join(names)}. Measure them in two studies."
            )

    # ------------------------------------------------------------ expressions

    def __or__(self, other: Study) -> Study:
        """Both studies; what they share is asked once."""
        return replace(self, also=(*self.also, replace(other, also=()), *other.also))

    def but(self, **changes: Any) -> Study:
        """The same study with other values in some fields."""
        return replace(self, **changes)

    def only(self, **kept: Any) -> Study:
        """The part with these values alone. Raises `BadInput` where nothing is left."""
        parts = [part for part in self.parts() if all(_shared(part, name, kept[name]) for name in kept)]
        if not parts:
            raise BadInput(f"No part of the study has {kept}.")
        first, *rest = (p.but(**{name: _shared(p, name, kept[name]) for name in kept}) for p in parts)
        return replace(first, also=tuple(rest))

    def parts(self) -> tuple[Study, ...]:
        """The products that were joined; a study that was not joined is its own and only part."""
        return (replace(self, also=()), *self.also)

    # ------------------------------------------------------------ what it holds

    @property
    def id(self) -> str:
        """Content id of the value."""
        return content_id(repr(self))

    def arms(self) -> Iterator[ArmKey]:
        """Models × interventions × seeds, each once, models slowest; seeds count for trainings alone."""
        seen: set[ArmKey] = set()
        for part in self.parts():
            for model, intervention in product(part.models, part.interventions):
                seeds = part.seeds if isinstance(intervention, Trained) else (0,)
                keys = [ArmKey(model, intervention, seed) for seed in seeds]
                yield from (key for key in keys if key not in seen)
                seen |= set(keys)

    def cells(self) -> tuple[Cell, ...]:
        """Every cell once, in the order in which it is asked."""
        return tuple(
            dict.fromkeys(
                Cell(arm, bias, task, elicit)
                for part in self.parts()
                for arm in part.arms()
                for elicit, bias in product(part.elicit, part.biases)
                for task in part.tasks_of(bias)
            )
        )

    def tasks_of(self, bias: str) -> tuple[Task, ...]:
        """The tasks of this part whose questions a bias is put to."""
        tasks = tuple(task for task in self.tasks if isinstance(task, Task))
        own = suite.get(bias).source
        return (Task(own, sum(task.n or self.n for task in tasks), at_most=True),) if own else tasks

    def asks(self, pair: Pair) -> bool:
        """Whether a pair is one of this part's."""
        bias, elicit, source = (text.partition("@")[0] for text in (pair.bias, pair.elicit, pair.question.source))
        if bias not in self.biases or elicit not in self.elicit:
            return False
        return any(source in (task.source.partition("@")[0], Path(task.source).name) for task in self.tasks_of(bias))

    def pairs(self) -> PairSet:
        """All pairs of this part, for every model alike. Raises what `sources.load` and `pairs` do."""
        bank = argument_banks.load(self.arguments) if self.arguments else None
        by_tasks: dict[tuple[Task, ...], list[str]] = {}
        for bias in self.biases:
            by_tasks.setdefault(self.tasks_of(bias), []).append(bias)
        built = PairSet()
        for tasks, names in by_tasks.items():
            questions = [question for task in tasks for question in task.load(self.n, self.seed)]
            for elicit in self.elicit:
                built += pairs(questions, names, elicit=elicit, seed=self.seed, arguments=bank)
        return built


def check(study: Study) -> None:
    """Every name, before anything is loaded or asked. Raises `UnknownName` or `BadInput`."""
    names = Counter(arm.name for arm in study.arms())
    if twice := [name for name, n in names.items() if n > 1]:
        raise BadInput(f"Two trainings print as the same name: {', '.join(twice)}. Give one another (Trained.name).")
    decoded: dict[ArmKey, tuple[object, ...]] = {}
    for part in study.parts():
        how = (part.settings, part.samples)
        for arm in part.arms():
            if decoded.setdefault(arm, how) != how:
                raise BadInput(
                    f"{arm.model} under {arm.intervention} is asked under {decoded[arm]} and under {how}. Parts that share "
                    "an arm must share settings and samples; put the others into a folder of their own."
                )
        for bias in part.biases:
            needs = "arguments" in suite.get(bias).wants
            if needs and part.arguments is None:
                raise BadInput(
                    f"{bias} quotes arguments for options, and none are given. Have a model write them (`unsway data "
                    "arguments`) and name the file (--arguments FILE; Study.arguments in Python), or leave it out."
                )
        for elicit in part.elicit:
            elicitations.get(elicit)
        _check_tasks(part.tasks)
        for arm in part.arms():
            if isinstance(arm.intervention, Trained):
                _check_training(arm.model, arm.intervention, arm.seed)
            elif arm.intervention != NONE:
                interventions.get(arm.intervention)


def _check_tasks(tasks: Iterable[Task | str]) -> None:
    for task in tasks:
        if isinstance(task, Task) and not task.source.endswith((".jsonl", ".csv", ".gz")):
            sources.get(task.source.partition("@")[0])


def _check_training(model: str, how: Trained, seed: int) -> None:
    """A training that its backend cannot do would fail only after its rows were sampled, and paid for."""
    _check_tasks(how.tasks)
    check_method(how.how(seed), backend(how.backend), model)
    if how.backend == "local" and not name_of(model).startswith(LOCAL):
        raise BadInput(
            f"{model!r} is asked at a provider or a server, so that {str(how)!r} cannot train it here (backend 'local'). "
            f"Name a local model ({LOCAL}smollm2-135m, a folder), or another backend."
        )


def difference(one: Study, other: Study) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Cells that only the first study has, and those that only the second has."""
    ours, theirs = one.cells(), other.cells()
    return tuple(c for c in ours if c not in set(theirs)), tuple(c for c in theirs if c not in set(ours))


# ---------------------------------------------------------------- fields


def _several(value: Any) -> tuple[Any, ...]:
    """One value or several as a tuple."""
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def _tasks(value: Any) -> tuple[Task, ...]:
    one = value if not isinstance(value, Task) else (value,)
    return tuple(task if isinstance(task, Task) else Task(task) for task in _several(one))


def _shared(part: Study, name: str, kept: Any) -> tuple[Any, ...]:
    """The values of a field that are kept, in the order of the study."""
    if name not in {field.name for field in fields(Study)}:
        raise BadInput(f"A study has no {name!r}; it has {', '.join(field.name for field in fields(Study))}.")
    wanted = _tasks(kept) if name == "tasks" else _several(kept)
    return tuple(value for value in _several(getattr(part, name)) if value in wanted)
