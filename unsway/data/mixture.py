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

from unsway.banks import bank
from unsway.data.provenance import Provenance, of_pair, of_task
from unsway.data.recipe import Recipe
from unsway.errors import BadInput
from unsway.pairs import PairSet, pairs
from unsway.run import Session, ask, session
from unsway.seeds import rng
from unsway.sources.checks import check_overlap
from unsway.store import write_jsonl
from unsway.types import Example, Pair, Part, Prompt, Question, Reply, Settings, Turn

if TYPE_CHECKING:
    from unsway.run.models import ModelLike


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
    **model_args: Any,
) -> Mixture:
    """Build a training set: sample the model's own clean replies and put the cues back.

    Args:
        recipe: What to build.
        questions: Train questions; more than recipe.n, since some replies are cut.
        model: Who writes the targets: the model that will be trained.
        folder: Where replies are kept (see `unsway.run.ask`); a second call asks nothing that is there.
        test: Questions that nothing may be trained on.
        model_args: Arguments of the model's provider.

    Raises:
        BadInput: A train question is also a test question; there are too few questions, or too few whole replies: says how
            many are missing.
    """
    if tested := tuple(test):  # without test questions it would look for twins among the train questions
        check_overlap(questions, tested)
    settings = Settings(temperature=recipe.temperature, max_tokens=recipe.max_tokens, seed=recipe.seed)
    asked = session(model, **model_args)
    with asked if asked is not model else nullcontext():
        asker = _Asker(asked, settings, folder)
        rows = _targets(_waiting(recipe, questions), asker)
        instruct = _instruct(recipe, asker)
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
    cut: set[tuple[str, int]] = field(default_factory=set)
    """Prompt id and sample of each reply that was cut."""

    def whole(self, prompts: Iterable[Prompt], label: str, samples: int = 1) -> dict[tuple[str, int], Reply]:
        """Replies that ended by themselves, by prompt id and sample."""
        replies = ask(prompts, self.model, settings=self.settings, samples=samples, folder=self.folder, label=label)
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


@dataclass
class _Waiting:
    """Pairs of one elicitation that wait for a whole clean reply, and how many are still wanted."""

    elicit: str
    pairs: list[Pair]
    wanted: int

    def take(self) -> list[Pair]:
        """The next pairs to ask: as many as are wanted. Raises `BadInput` where they have run out."""
        if self.wanted > len(self.pairs):
            raise BadInput(
                f"{self.wanted} more rows with {self.elicit!r} are wanted, but only {len(self.pairs)} questions are left: "
                "too many replies were cut. Load more questions, allow longer replies, or lower n."
            )
        taken, self.pairs = self.pairs[: self.wanted], self.pairs[self.wanted :]
        return taken


def _waiting(recipe: Recipe, questions: Sequence[Question]) -> tuple[_Waiting, ...]:
    direct, reasoned = _split(recipe, questions)
    return (
        _Waiting("direct", list(_cued(recipe, direct, "direct")), recipe.n_direct),
        _Waiting(recipe.elicit, list(_cued(recipe, reasoned, recipe.elicit)), recipe.n - recipe.n_direct),
    )


def _targets(kinds: Sequence[_Waiting], asker: _Asker) -> list[tuple[Pair, Reply]]:
    """Pairs with a whole clean reply, exactly as many as are wanted; asks no more questions than it needs."""
    found: list[tuple[Pair, Reply]] = []
    while any(kind.wanted for kind in kinds):
        batch = [(kind, pair) for kind in kinds for pair in kind.take()]
        replies = asker.whole([pair.clean for _, pair in batch], "targets")
        for kind, pair in batch:
            reply = replies.get((pair.clean.id, 0))
            if reply is not None:
                kind.wanted -= 1
                found.append((pair, reply))
    return found


def _cued(recipe: Recipe, questions: Sequence[Question], elicit: str) -> PairSet:
    """One pair a question, the biases in turn."""
    built = PairSet((), ())
    of_bias = {bias: questions[i :: len(recipe.biases)] for i, bias in enumerate(recipe.biases)}
    for bias, asked in of_bias.items():
        built += pairs(asked, [bias], elicit=elicit, aim="any", seed=recipe.seed, instructions=recipe.instructions)
    place = {question.id: i for i, question in enumerate(questions)}
    return PairSet(tuple(sorted(built.pairs, key=lambda pair: place[pair.question.id])), built.skipped)


def _example(pair: Pair, reply: Reply, kind: Any) -> Example:
    prompt = pair.biased if kind == "consistency" else pair.clean
    return Example(prompt.messages(), reply.text, kind, pair.id, reply.model)


# ---------------------------------------------------------------- instruct rows


def _instruct(recipe: Recipe, asker: _Asker) -> list[tuple[Example, Reply, str]]:
    """Everyday tasks of our own with the model's own replies, and where the tasks are from.

    Each task is sampled as often as the count needs.
    """
    if recipe.instruct == 0:
        return []
    source = bank("instruct_tasks").versioned
    prompts = [Prompt((Turn("user", (Part("stem", task),)),)) for task in bank("instruct_tasks").entries]
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
