"""A training set and its control, from questions and the model's own clean replies.

In: a `Recipe`, train questions, a model. Out: `Mixture`: rows for BCT and, row by row, for the control.
Source: arXiv 2403.05518, §3. The model's clean reply is sampled, the cue is put back into the prompt, the reply is kept
as the target; the control has the same questions, targets and instruct rows under clean prompts. The cued option is
drawn from all options, so targets agree with the cue about as often as chance and nobody learns to contradict the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.data.provenance import Provenance, of_pair, of_task
from unsway.data.recipe import Keep, Recipe
from unsway.data.tasks import tasks as named_tasks
from unsway.errors import BadInput
from unsway.models.session import Session, session
from unsway.pairing import PairSet, pairs
from unsway.readers.parse import read
from unsway.sampling import ask
from unsway.seeds import rng
from unsway.sources.checks import check_overlap
from unsway.store import write_jsonl
from unsway.types import Example, Pair, Part, Prompt, Question, Reply, Settings, Turn

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.planning.budget import Budget


@dataclass(frozen=True, slots=True)
class Mixture:
    """Rows to train on: `bct` and `control` pair row by row."""

    recipe: Recipe
    bct: tuple[Example, ...]
    control: tuple[Example, ...]
    pairs: tuple[Pair, ...]
    """The pairs behind the consistency rows."""
    incomplete: int
    """Replies that were cut at max_tokens, and so are no targets."""
    about: tuple[Provenance, ...] = ()
    """Where each row comes from, of `bct` and `control` alike."""

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write `bct.jsonl`, `control.jsonl` and `bct.provenance.jsonl` with their manifests; returns the first two paths."""
        about = {"recipe": repr(self.recipe), "incomplete": self.incomplete, "seed": self.recipe.seed}
        place = Path(folder)
        write_jsonl(place / "bct.provenance.jsonl", self.about, kind="provenance", **about)
        bct = write_jsonl(place / "bct.jsonl", self.bct, kind="bct", **about)
        return bct, write_jsonl(place / "control.jsonl", self.control, kind="control", **about)


def mixture(
    recipe: Recipe,
    questions: Sequence[Question],
    model: ModelLike,
    *,
    folder: str | Path | None = None,
    test: Iterable[Question] = (),
    budget: Budget | None = None,
    **model_args: Any,
) -> Mixture:
    """Build a training set: sample the model's own clean replies and put the cues back.

    Args:
        recipe: What to build.
        questions: Train questions; more than recipe.n, since some replies are cut.
        model: Who writes the targets: the model that will be trained.
        folder: Where replies are kept (see `unsway.sampling.ask`); a second call asks nothing that is there.
        test: Questions that nothing may be trained on.
        budget: Stops asking before its limit could be passed.
        model_args: Arguments of the model's provider.

    Raises:
        BadInput: A train question is also a test question; there are too few questions, or too few whole replies: says how
            many are missing; there are no such instruct tasks.
    """
    if tested := tuple(test):  # without test questions it would look for twins among the train questions
        check_overlap(questions, tested)
    everyday = named_tasks(recipe.instruct_tasks) if recipe.instruct else ((), "")
    settings = Settings(temperature=recipe.temperature, max_tokens=recipe.max_tokens, seed=recipe.seed)
    asked = session(model, **model_args)
    with asked if asked is not model else nullcontext():
        asker = _Asker(asked, settings, folder, budget)
        rows = _targets(_waiting(recipe, questions), recipe, asker)
        instruct = _instruct(recipe, *everyday, asker)
    bct = [_example(pair, reply, "consistency") for pair, reply in rows]
    control = [_example(pair, reply, "control") for pair, reply in rows]
    about = [
        *(of_pair(pair, reply) for pair, reply in rows),
        *(of_task(reply, source) for _, reply, source in instruct),
    ]
    tasks = [example for example, _, _ in instruct]
    order = rng(recipe.seed, "mixture order").sample(range(len(rows) + len(instruct)), len(rows) + len(instruct))
    return Mixture(
        recipe=recipe,
        bct=tuple([*bct, *tasks][i] for i in order),
        control=tuple([*control, *tasks][i] for i in order),
        pairs=tuple(pair for pair, _ in rows),
        incomplete=len(asker.cut),
        about=tuple(about[i] for i in order),
    )


# ---------------------------------------------------------------- consistency rows


@dataclass
class _Asker:
    """Asks the model whole replies, and counts those that were cut."""

    model: Session
    settings: Settings
    folder: str | Path | None
    budget: Budget | None
    cut: set[tuple[str, int]] = field(default_factory=set)
    """Prompt id and sample of each reply that was cut."""

    def whole(self, prompts: Iterable[Prompt], label: str, samples: int = 1) -> dict[tuple[str, int], Reply]:
        """Replies that ended by themselves, by prompt id and sample."""
        replies = ask(
            prompts,
            self.model,
            settings=self.settings,
            samples=samples,
            folder=self.folder,
            label=label,
            budget=self.budget,
        )
        whole = {(r.prompt_id, r.sample): r for r in replies if r.stop == "end" and r.text.strip()}
        self.cut |= {(r.prompt_id, r.sample) for r in replies} - whole.keys()
        return whole


def _split(recipe: Recipe, questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Disjoint questions for the direct and the reasoned rows, in shares of what there is, in a seeded order."""
    unique = list({q.id: q for q in questions if not _excluded(q, recipe.exclude)}.values())
    if len(unique) < recipe.n:
        raise BadInput(
            f"The recipe wants {recipe.n} questions of its own for each row, but there are {len(unique)}. Load "
            f"{recipe.n - len(unique)} more, or lower n."
        )
    shuffled = rng(recipe.seed, "train questions").sample(unique, len(unique))
    cut = round(len(shuffled) * recipe.direct_share)
    return shuffled[:cut], shuffled[cut:]


def _excluded(question: Question, exclude: tuple[str, ...]) -> bool:
    return not {question.id, question.source, question.source.partition("@")[0]}.isdisjoint(exclude)


MARGIN = 4
"""Questions that a second round asks beyond those that are missing, and half as many again: each round starts an Inspect
eval, a second or more. What is asked too much is not used; the first whole replies in order are."""


@dataclass
class _Waiting:
    """The pairs of one cue under one elicitation, in order, and those that have a target."""

    cue: str
    elicit: str
    wanted: int
    pairs: list[Pair]
    """Not asked yet."""
    unfit: list[Question]
    """Questions that the cue cannot be put to."""
    found: list[tuple[Pair, Reply]] = field(default_factory=list)
    asked: int = 0

    @property
    def missing(self) -> int:
        """Rows that are still wanted."""
        return max(0, self.wanted - len(self.found))

    def take(self) -> list[Pair]:
        """The next pairs to ask. Raises `BadInput` where they have run out."""
        if self.missing > len(self.pairs):
            raise BadInput(
                f"{self.missing} more rows of {self.cue} with {self.elicit!r} are wanted, but only {len(self.pairs)} "
                f"questions are left for them: of {self.asked} replies {self.asked - len(self.found)} were cut or not "
                "kept. Load more questions, allow longer replies, or lower n."
            )
        more = MARGIN + self.missing // 2 if self.asked and self.missing else 0
        taken, self.pairs = self.pairs[: self.missing + more], self.pairs[self.missing + more :]
        self.asked += len(taken)
        return taken

    @property
    def spare(self) -> int:
        """Questions that it does not need as things stand."""
        return len(self.unfit) + max(0, len(self.pairs) - self.missing)

    def give(self) -> Question:
        """A question that it does not need: one that its cue cannot be put to, else the last."""
        return self.unfit.pop() if self.unfit else self.pairs.pop().question


def _waiting(recipe: Recipe, questions: Sequence[Question]) -> tuple[tuple[_Waiting, ...], ...]:
    """For both elicitations, the cues of one round."""
    direct, reasoned = _split(recipe, questions)
    return (
        _by_cue(recipe, direct, "direct", recipe.n_direct),
        _by_cue(recipe, reasoned, recipe.elicit, recipe.n - recipe.n_direct),
    )


def _by_cue(recipe: Recipe, questions: Sequence[Question], elicit: str, wanted: int) -> tuple[_Waiting, ...]:
    """The questions dealt out to the cues in turn, one cue a question; the rows too, so that shares are even."""
    cues = recipe.cues
    waiting = []
    for i, cue in enumerate(cues):
        dealt = questions[i :: len(cues)]
        made = _cued(recipe, dealt, cue, elicit)
        fit = {pair.question.id for pair in made}
        unfit = [question for question in dealt if question.id not in fit]
        waiting.append(_Waiting(cue, elicit, len(range(i, wanted, len(cues))), list(made), unfit))
    return tuple(waiting)


def _lend(waiting: Sequence[_Waiting], recipe: Recipe) -> None:
    """Where a cue's own questions have run out, it gets those that others do not need, from whoever has most to spare.

    As long as none has run out, nothing is lent, and the rows of a smaller set are the first of a larger one.
    """
    for each in waiting:
        while each.missing > len(each.pairs):
            lenders = [other for other in waiting if other is not each and other.spare]
            if not lenders:
                break
            lender = max(lenders, key=lambda other: other.spare)
            each.pairs += _cued(recipe, [lender.give()], each.cue, each.elicit)


def _targets(kinds: Sequence[Sequence[_Waiting]], recipe: Recipe, asker: _Asker) -> list[tuple[Pair, Reply]]:
    """Pairs with a target, exactly as many as are wanted of each cue: the first in the order of its questions."""
    waiting = [each for kind in kinds for each in kind]
    while any(each.missing for each in waiting):
        _lend(waiting, recipe)
        batch = [(each, pair) for each in waiting for pair in each.take()]
        replies = asker.whole([pair.clean for _, pair in batch], "targets")
        for each, pair in batch:
            reply = replies.get((pair.clean.id, 0))
            if reply is not None and _kept(pair, reply, recipe.keep):
                each.found.append((pair, reply))
    return [row for kind in kinds for row in _in_turn(kind)]


def _in_turn(kind: Sequence[_Waiting]) -> list[tuple[Pair, Reply]]:
    """The rows of the cues in turn, so that a smaller set is the beginning of a larger one."""
    rounds = max(each.wanted for each in kind)
    return [each.found[turn] for turn in range(rounds) for each in kind if turn < each.wanted]


def _kept(pair: Pair, reply: Reply, keep: Keep) -> bool:
    """Whether a reply becomes a target."""
    if keep == "all":
        return True
    choice = read(reply.text, options=pair.question.options, reasoning=reply.reasoning, stop=reply.stop).choice
    if keep == "right":
        return choice is not None and choice == pair.question.gold
    return choice is not None and choice != pair.target.cued


def _cued(recipe: Recipe, questions: Sequence[Question], cue: str, elicit: str) -> PairSet:
    """The pairs of one cue."""
    return pairs(questions, [cue], elicit=elicit, aim="any", seed=recipe.seed, instructions=recipe.instructions)


def _example(pair: Pair, reply: Reply, kind: Any) -> Example:
    prompt = pair.biased if kind == "consistency" else pair.clean
    return Example(prompt.messages(), reply.text, kind, pair.id, reply.model)


# ---------------------------------------------------------------- instruct rows


def _instruct(recipe: Recipe, tasks: Sequence[str], source: str, asker: _Asker) -> list[tuple[Example, Reply, str]]:
    """Everyday tasks with the model's own replies, and where the tasks are from.

    Each task is sampled as often as the count needs.
    """
    if recipe.instruct == 0:
        return []
    prompts = [Prompt((Turn("user", (Part("stem", task),)),)) for task in tasks]
    shuffled = rng(recipe.seed, "instruct").sample(prompts, len(prompts))
    waiting = [(sample, prompt) for sample in range(_most_samples(recipe, prompts)) for prompt in shuffled]
    rows: list[tuple[Example, Reply, str]] = []
    while len(rows) < recipe.instruct:
        missing = recipe.instruct - len(rows)
        batch, waiting = waiting[:missing], waiting[missing:]
        if not batch:
            raise BadInput(
                f"{recipe.instruct} instruct rows are wanted, but only {len(rows)} replies were whole. Allow longer "
                f"replies than {recipe.max_tokens} tokens, or lower instruct."
            )
        for sample in sorted({sample for sample, _ in batch}):
            asked = [prompt for number, prompt in batch if number == sample]
            replies = asker.whole(asked, "instruct rows", sample + 1)
            rows += [
                (Example(prompt.messages(), reply.text, "instruct", None, reply.model), reply, source)
                for prompt in asked
                if (reply := replies.get((prompt.id, sample))) is not None
            ]
    return rows


def _most_samples(recipe: Recipe, prompts: Sequence[Prompt]) -> int:
    """Samples of each task that may be asked: four times what would do if no reply were cut."""
    return 4 * -(-recipe.instruct // len(prompts))
