"""A study as a value: models × interventions × biases × tasks × elicitations × seeds. Only this says what to run.

In: values, or their names. Out: a frozen `Study` that prints as the expression that makes it, can be hashed, compared, joined
and filtered, and round-trips through JSON.

    study = Study(models="openai/gpt-4o-mini", biases=("post_hoc", "suggested_answer"), tasks=("mmlu", "truthfulqa"), n=150)
    study | study.but(models="anthropic/claude-sonnet-4-5")     # both studies
    study.only(biases="post_hoc")                                # a part
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, Required, TypedDict, Unpack

from unsway.biases import BIAS, Bias, resolve
from unsway.biases import arguments as argument_banks
from unsway.errors import BadInput, expect
from unsway.pairing import PairSet, pairs
from unsway.prompts import elicitations
from unsway.prompts.elicitations import ELICITATION, Elicitation
from unsway.registry import Ref
from unsway.seeds import content_id
from unsway.spelling import Several, expression, several
from unsway.store import dumps, loads
from unsway.studies.jobs import Job, jobs_of_arm, load_job
from unsway.studies.values import (
    INTERVENTION,
    MODEL,
    TEST_TASKS,
    Intervention,
    PlannedArm,
    StudyCell,
    Task,
    Trained,
    intervention_of,
    model_name,
    model_of,
    task_of,
)
from unsway.training import check as check_method
from unsway.types import Pair, Settings
from unsway.types.kinds import check_kinds

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

EXPECTED = "a study is expected: unsway.Study(models=[…], …)"


def seed_of(seed: Any) -> int:
    """Return a seed as a Python int. Raises `BadInput` if it is not an integer."""
    expect(seed, Integral, "a seed is expected, a whole number: Study(seeds=(0, 1), …)")
    return int(seed)


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "models": model_of,
    "biases": resolve,
    "tasks": task_of,
    "interventions": intervention_of,
    "elicit": elicitations.resolve,
    "seeds": seed_of,
}
"""The fields that take one value or several, with the function that resolves each given value."""


class StudyFields(TypedDict, total=False):
    """The keyword arguments of `Study`: each field takes one value or several, as values or names."""

    models: Required[Several[ModelLike]]
    biases: Required[Several[Bias | str]]
    tasks: Several[Task | str]
    interventions: Several[Intervention | str]
    elicit: Several[Elicitation | str]
    n: int
    samples: int
    seeds: Several[int]
    settings: Settings
    seed: int
    arguments: str | None
    also: tuple[Study, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Study:
    """What to ask which models. Every field except the numbers takes one or several, as values or by name.

    Raises `UnknownName` if a name is unknown, and `BadInput` if a field is empty or holds a value twice.
    """

    models: tuple[Annotated[Any, MODEL], ...]
    """The models: names, sessions, checkpoints, Inspect models. JSON keeps names and checkpoints."""
    biases: tuple[Annotated[Bias, BIAS], ...]
    """The biases. A bias with its own questions (gambles, comparisons) uses those: as many as all tasks together have, or
    all there are."""
    tasks: tuple[Task, ...] = field(default_factory=lambda: (*map(Task, TEST_TASKS),))
    """Where the questions come from; the paper's test tasks by default."""
    interventions: tuple[Annotated[Intervention, INTERVENTION], ...] = (None,)
    """What is done to the models; None leaves them as they are."""
    elicit: tuple[Annotated[Elicitation, ELICITATION], ...] = field(default_factory=lambda: (elicitations.get("cot"),))
    """How questions are put."""
    n: int = 600
    """Number of questions of each task without its own number; the paper has 600 per bias and task."""
    samples: int = 1
    """Replies to each prompt."""
    seeds: tuple[int, ...] = (0,)
    """Seeds of trainings; the paper has 8 runs per condition."""
    settings: Settings = Settings()  # noqa: RUF009  # frozen
    """How replies are decoded."""
    seed: int = 0
    """Seed of questions, cued options and cues."""
    arguments: str | None = None
    """File of arguments, for biases that quote them."""
    also: tuple[Study, ...] = ()
    """Studies joined to this one by `|`."""

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[StudyFields]) -> None: ...

    def __post_init__(self) -> None:
        for name, value_of in _VALUES.items():
            values = tuple(value_of(value) for value in several(getattr(self, name)))
            object.__setattr__(self, name, values)
            if not values or len(set(values)) < len(values):
                raise BadInput(
                    f"Study.{name} is {expression(values)}; it must hold at least one value, and none twice."
                )
        check_kinds(self)
        if self.n < 1 or self.samples < 1:
            raise BadInput(f"A study has n = {self.n} and samples = {self.samples}; both must be at least 1.")
        for kind, names in (
            ("models", [model_name(model) for model in self.models]),
            ("biases", [bias.name for bias in self.biases]),
            ("interventions", [PlannedArm("", intervention, 0).label for intervention in self.interventions]),
        ):
            if len(set(names)) < len(names):
                raise BadInput(f"Two {kind} have the same name: {', '.join(names)}. Measure them in two studies.")

    def __repr__(self) -> str:
        """The expression that makes it."""
        return expression(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a study as its JSON, because the functions in biases and sources cannot be pickled."""
        return loads, (Study, dumps(self))

    # ------------------------------------------------------------ expressions

    def __or__(self, other: Study) -> Study:
        """Join two studies; what they share is asked once."""
        return replace(self, also=(*self.also, replace(other, also=()), *other.also))

    def but(self, **changes: Any) -> Study:
        """The same study with other values in some fields."""
        return replace(self, **changes)

    def only(self, **wanted: Any) -> Study:
        """The part of the study with only these values. Raises `BadInput` if nothing is left."""
        for name in wanted:
            if name not in _VALUES:
                raise BadInput(f"A study has no {name!r} to choose from; it has {', '.join(_VALUES)}.")
        values = {name: [_VALUES[name](value) for value in several(choice)] for name, choice in wanted.items()}
        parts = []
        for part in self.parts():
            remaining = {name: tuple(v for v in getattr(part, name) if v in values[name]) for name in values}
            if all(remaining.values()):
                parts.append(part.but(**remaining))
        if not parts:
            raise BadInput(f"No part of the study has {wanted}.")
        return replace(parts[0], also=tuple(parts[1:]))

    def parts(self) -> tuple[Study, ...]:
        """The studies that were joined by `|`; a study that was not joined is its only part."""
        return (replace(self, also=()), *self.also)

    # ------------------------------------------------------------ what it holds

    @property
    def id(self) -> str:
        """Content id of the value."""
        return content_id(dumps(self))

    def model(self, name: str) -> ModelLike:
        """The model of an arm, by its name in the study."""
        models: dict[str, ModelLike] = {model_name(model): model for part in self.parts() for model in part.models}
        return models[name]

    def arms(self) -> Iterator[PlannedArm]:
        """Yield models × interventions × seeds, each once; models vary slowest, and seeds matter only for trainings."""
        earlier_arms: set[PlannedArm] = set()
        for part in self.parts():
            for model, intervention in product(part.models, part.interventions):
                seeds = part.seeds if isinstance(intervention, Trained) else (0,)
                arms = [PlannedArm(model_name(model), intervention, seed) for seed in seeds]
                yield from (arm for arm in arms if arm not in earlier_arms)
                earlier_arms |= set(arms)

    def cells(self) -> tuple[StudyCell, ...]:
        """Every cell once, in the order of asking."""
        return tuple(
            dict.fromkeys(
                StudyCell(arm, bias, task, elicit)
                for part in self.parts()
                for arm in part.arms()
                for elicit, bias in product(part.elicit, part.biases)
                for task in part.tasks_of(bias)
            )
        )

    def jobs(self) -> tuple[Job, ...]:
        """All jobs, ordered so that a job's needs are made before it, and one model is used at a time."""
        jobs = {load_job().makes: load_job()}
        for model in dict.fromkeys(arm.model for arm in self.arms()):
            for number, part in enumerate(self.parts()):
                for arm in part.arms():
                    if arm.model == model:
                        for job in jobs_of_arm(arm, number):
                            jobs.setdefault(job.makes, job)
        return tuple(jobs.values())

    def tasks_of(self, bias: Bias) -> tuple[Task, ...]:
        """The tasks of this part whose questions a bias applies to."""
        if not bias.source:
            return self.tasks
        return (Task(bias.source, sum(task.n or self.n for task in self.tasks), at_most=True),)

    def asks(self, pair: Pair) -> bool:
        """Whether a pair belongs to this part."""
        names = {bias.name: bias for bias in self.biases}
        bias = names.get(Ref.parse(pair.bias).unversioned)
        if bias is None or Ref.parse(pair.elicit).unversioned not in [elicit.name for elicit in self.elicit]:
            return False
        return any(task.holds(pair.question.source) for task in self.tasks_of(bias))

    def pairs(self) -> PairSet:
        """All pairs of this part, the same for every model. Raises as `sources.load` and `pairs`."""
        bank = argument_banks.load(self.arguments) if self.arguments else None
        by_tasks: dict[tuple[Task, ...], list[Bias]] = {}
        for bias in self.biases:
            by_tasks.setdefault(self.tasks_of(bias), []).append(bias)
        pair_set = PairSet()
        for tasks, biases in by_tasks.items():
            questions = [question for task in tasks for question in task.load(self.n, self.seed)]
            for elicit in self.elicit:
                pair_set += pairs(questions, biases, elicit=elicit, seed=self.seed, arguments=bank)
        return pair_set


def check(study: Study) -> None:
    """Check a study before anything is loaded or asked: no clashing arms, no impossible trainings.

    Raises:
        BadInput: Two arms have one name, or one arm is asked in two ways; arguments are missing; or a back-end cannot do a
            training (found here before its rows are sampled and paid for).
    """
    expect(study, Study, EXPECTED)
    names = Counter(arm.name for arm in study.arms())
    if duplicates := [name for name, n in names.items() if n > 1]:
        raise BadInput(
            f"Two trainings print as the same name: {', '.join(duplicates)}. Give one another name (Trained.name)."
        )
    ways: dict[PlannedArm, tuple[object, ...]] = {}
    for part in study.parts():
        way = (part.settings, part.samples)
        for arm in part.arms():
            if ways.setdefault(arm, way) != way:
                raise BadInput(
                    f"{arm.name} is asked under {ways[arm]} and under {way}. Parts that share an arm must share settings "
                    "and samples; put the others into a folder of their own."
                )
        for bias in part.biases:
            if "arguments" in bias.wants and part.arguments is None:
                raise BadInput(
                    f"{bias.name} quotes arguments for options, and none are given. Have a model write them (`unsway data "
                    "arguments`) and name the file (--arguments FILE; Study.arguments in Python), or leave it out."
                )
    for arm in study.arms():
        if isinstance(arm.intervention, Trained):
            check_method(arm.intervention.seeded(arm.seed).method, arm.intervention.backend, arm.model)
            arm.intervention.backend.check_asked(arm.model)


def difference(first: Study, second: Study) -> tuple[tuple[StudyCell, ...], tuple[StudyCell, ...]]:
    """The cells that only the first study has, and the cells that only the second has."""
    ours, theirs = first.cells(), second.cells()
    return tuple(c for c in ours if c not in set(theirs)), tuple(c for c in theirs if c not in set(ours))
