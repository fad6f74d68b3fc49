"""The few-shot proxy: k training pairs in the context instead of fine-tuning on thousands.

In: pairs, an arm and k. Out: the same pairs with shots in front. The model is asked for the clean replies of the shots.
Source: the in-context interventions of the code released with arXiv 2403.05518 (naive few-shot, biased, paired and
repeated consistency). Shots are chat turns, the same for all prompts, so an engine processes them once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from unsway import sources
from unsway.biases import Bias
from unsway.data import Recipe
from unsway.errors import BadInput
from unsway.interventions.base import Changed, InterventionKind, before, by_prompt, kinds, open_session, record_path
from unsway.interventions.shots import ARMS, Shot, ShotArm, shots
from unsway.prompts import elicitations
from unsway.registry import Ref
from unsway.sampling import Sampling
from unsway.sampling.context import check_fit
from unsway.seeds import content_id, rng
from unsway.sources import SOURCE, QuestionFile, Source
from unsway.spelling import expression, several
from unsway.store import dumps, write_jsonl
from unsway.types import Pair, Prompt, Question
from unsway.types.kinds import check_kinds

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

VERSION = 2
SWEEP = (1, 2, 4, 8, 16, 32)
"""k of a sweep; the original code has 1 to 32."""
TASKS = ("arc_easy", "arc_challenge", "openbookqa")
"""Sources of train questions (arXiv 2403.05518, §3), those of `studies.Trained`."""
A_TASK = 400
"""Questions loaded from each task, in seeded order: enough for 32 shots even if most replies are truncated."""
POOL = 64
"""Size of the pool of pairs for drawing the shots of each question (`drawn`)."""
_NAME = re.compile(r"(?:fewshot:)?(\d{1,4})-([a-z]+)(-drawn)?(?:/(.+))?")


@dataclass(frozen=True, slots=True)
class Fewshot:
    """Training pairs as chat turns in front of every prompt."""

    k: int
    """Number of training pairs; arms that show two prompts per pair have twice as many shots."""
    arm: ShotArm = "naive"
    recipe: Recipe = field(default_factory=Recipe)
    """Biases, instructions and decoding of the rows; its counts and seed are not used."""
    drawn: bool = False
    """Whether each question has its own shots, drawn from `POOL` pairs; both of its sides get the same."""
    tasks: tuple[Annotated[Source | QuestionFile, SOURCE], ...] = field(
        default_factory=lambda: (*map(sources.resolve, TASKS),)
    )
    """Sources of train questions; names are taken too."""
    questions: tuple[Question, ...] = ()
    """Train questions to use instead of those of the tasks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(map(sources.resolve, several(self.tasks))))
        if self.arm not in ARMS:
            raise BadInput(f"The arm is {self.arm!r}; it is one of {', '.join(ARMS)}.")
        check_kinds(self)
        if self.k < 1:
            raise BadInput(f"A few-shot proxy has k = {self.k}; it needs at least 1 training pair.")

    @property
    def name(self) -> str:
        """`fewshot:K-ARM`, then `-drawn`, then `/` and the biases of the shots if they differ from the recipe's."""
        suffix = (
            "" if self.recipe.biases == Recipe().biases else f"/{'+'.join(bias.name for bias in self.recipe.biases)}"
        )
        return f"fewshot:{self.k}-{self.arm}{'-drawn' if self.drawn else ''}{suffix}"

    @property
    def versioned(self) -> str:
        """The name, the version of this module, and a hash of the recipe, its biases and the train questions."""
        recipe = replace(self.recipe, n=self.k, instruct=0, seed=0)
        train_ids = [q.id for q in self.questions] or [expression(task) for task in self.tasks]
        dependencies = content_id(dumps(recipe), [bias.versioned for bias in recipe.biases], train_ids)
        return f"{self.name}@{VERSION}.{dependencies[:8]}"

    @property
    def biases(self) -> tuple[str, ...]:
        """Biases whose cue is in the shots; none in arms that show only clean prompts."""
        return tuple(bias.name for bias in self.recipe.biases) if self.arm in ("biased", "paired") else ()

    def without(self, *tested: str) -> Fewshot:
        """The proxy without shots of these biases, so a bias is not measured after its own shots.

        Raises:
            BadInput: No bias is left.
        """
        excluded = {Ref.parse(name).name for name in tested}
        biases = self.recipe.biases
        remaining = tuple(bias for bias in biases if Ref.parse(bias.name).name not in excluded)
        if not remaining:
            names = ", ".join(bias.name for bias in biases)
            raise BadInput(f"Without {', '.join(tested)} no bias is left of {names}; name more of them.")
        return replace(self, recipe=replace(self.recipe, biases=remaining))

    def apply(
        self,
        pairs: Sequence[Pair],
        model: ModelLike,
        sampling: Sampling = Sampling(),  # noqa: B008  # frozen
        seed: int = 0,
    ) -> Changed:
        """The pairs with shots in front; see `Intervention`."""
        originals = by_prompt(pairs)
        train = self.questions or [q for task in self.tasks for q in sources.load(task, A_TASK, seed=seed)]
        pool = sources.without_overlap(train, (pair.question for _, pair in originals.values()))
        by_elicit: dict[str, list[str]] = {}
        for key, (_, pair) in originals.items():
            elicit = Ref.parse(pair.elicit).unversioned  # published prompts use other elicitations than ours
            by_elicit.setdefault(elicit if elicit in elicitations.names() else "cot", []).append(key)
        prompts: dict[str, Prompt] = {}
        n = max(self.k, POOL) if self.drawn else self.k
        with open_session(model) as session:
            for elicit, keys in by_elicit.items():
                rows = shots(n, replace(self.recipe, seed=seed), elicit, pool, session, sampling)
                if sampling.folder is not None:  # store the rows that were shown next to the replies
                    write_jsonl(
                        record_path(sampling.folder, session.subject.name, f"{self.name}-{elicit}"),
                        [shot.row for shot in rows],
                        intervention=self.versioned,
                        model=session.subject.name,
                        weights=session.subject.weights,
                        seed=seed,
                    )
                for key in keys:
                    prompt, pair = originals[key]
                    prompt_shots: Sequence[Shot] = rows
                    if self.drawn:  # keyed by the question's text, ignoring the order of its options
                        stem, options = sources.checks.key(pair.question)
                        prompt_shots = rng(seed, "shots", stem, options).sample(rows, self.k)
                    prompts[key] = before(prompt, tuple(turn for shot in prompt_shots for turn in shot.turns(self.arm)))
        advice = "Take fewer shots (a smaller k), shorter train questions, or allow shorter replies."
        check_fit(prompts.values(), session, sampling.settings, advice=advice)
        return Changed.of(pairs, {key: prompts[key] for key in originals})


def parse(name: str) -> Fewshot | None:
    """The proxy with a name, `fewshot:K-ARM` or shorter `K-ARM`; None if the name has another form."""
    match = _NAME.fullmatch(name.replace(":", "-", 1) if name[:1].isdigit() else name)
    arm = next((arm for arm in ARMS if match and arm == match[2]), None)
    if match is None or arm is None or int(match[1]) < 1:
        return None
    recipe = Recipe(biases=match[4].split("+")) if match[4] else Recipe()
    return Fewshot(int(match[1]), arm, recipe, drawn=bool(match[3]))


def sweep(arm: ShotArm = "naive", ks: Iterable[int] = SWEEP) -> tuple[str, ...]:
    """Names of one arm with several k. The shots of a smaller k are the first ones of a larger k."""
    return tuple(Fewshot(k, arm).name for k in ks)


def leave_one_out(biases: Iterable[Bias | str], k: int, arm: ShotArm = "biased") -> Mapping[str, str]:
    """Maps each bias to the name of the proxy whose shots have all the other biases.

    Raises:
        BadInput: There are fewer than two biases.
    """
    proxy = Fewshot(k, arm, Recipe(biases=tuple(dict.fromkeys(biases))))
    return {bias.name: proxy.without(bias.name).name for bias in proxy.recipe.biases}


kinds.add(
    "fewshot",
    InterventionKind(
        Fewshot, parse, lambda: (name for arm in ARMS for name in sweep(arm)), "Training pairs as chat turns in front"
    ),
)
