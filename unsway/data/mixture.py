"""A training set and its control, from questions and the model's own clean replies.

In: a `Recipe`, train questions, a model. Out: `Mixture`: rows for BCT and, row by row, for the control.
Source: arXiv 2403.05518, §3. The model's clean reply is sampled, the cue is put back into the prompt, the reply is kept
as the target; the control has the same questions, targets and instruct rows under clean prompts. The cued option is
drawn from all options, so targets agree with the cue about as often as chance and nobody learns to contradict the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.banks import bank
from unsway.data.recipe import Recipe
from unsway.errors import BadInput
from unsway.pairs import PairSet, pairs
from unsway.run import ask
from unsway.seeds import rng
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

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write `bct.jsonl` and `control.jsonl` with their manifests; returns the paths."""
        about = {"recipe": repr(self.recipe), "incomplete": self.incomplete, "seed": self.recipe.seed}
        place = Path(folder)
        bct = write_jsonl(place / "bct.jsonl", self.bct, kind="bct", **about)
        return bct, write_jsonl(place / "control.jsonl", self.control, kind="control", **about)


def mixture(
    recipe: Recipe,
    questions: Sequence[Question],
    model: ModelLike,
    *,
    folder: str | Path | None = None,
    **model_args: Any,
) -> Mixture:
    """Build a training set: sample the model's own clean replies and put the cues back.

    Args:
        recipe: What to build.
        questions: Train questions; more than recipe.n, since some replies are cut.
        model: Who writes the targets: the model that will be trained.
        folder: Where replies are kept (see `unsway.run.ask`); a second call asks nothing that is there.
        model_args: Arguments of the model's provider.

    Raises:
        BadInput: There are too few questions, or too few whole replies; says how many are missing.
    """
    settings = Settings(temperature=recipe.temperature, max_tokens=recipe.max_tokens, seed=recipe.seed)
    asker = _Asker(model, settings, folder, model_args)
    direct, reasoned = _split(recipe, questions)
    rows = [
        *_targets(recipe, direct, "direct", recipe.n_direct, asker),
        *_targets(recipe, reasoned, recipe.elicit, recipe.n - recipe.n_direct, asker),
    ]
    instruct = _instruct(recipe, asker)
    bct = [_example(pair, reply, "consistency") for pair, reply in rows]
    control = [_example(pair, reply, "control") for pair, reply in rows]
    order = rng(recipe.seed, "mixture order").sample(range(len(rows) + len(instruct)), len(rows) + len(instruct))
    return Mixture(
        recipe=recipe,
        bct=tuple([*bct, *instruct][i] for i in order),
        control=tuple([*control, *instruct][i] for i in order),
        pairs=tuple(pair for pair, _ in rows),
        incomplete=asker.incomplete,
    )


# ---------------------------------------------------------------- consistency rows


@dataclass
class _Asker:
    """Asks the model whole replies, and counts those that were cut."""

    model: ModelLike
    settings: Settings
    folder: str | Path | None
    args: dict[str, Any]
    incomplete: int = 0

    def whole(self, prompts: Iterable[Prompt], label: str, samples: int = 1) -> dict[tuple[str, int], Reply]:
        """Replies that ended by themselves, by prompt id and sample."""
        replies = ask(
            prompts,
            self.model,
            settings=self.settings,
            samples=samples,
            folder=self.folder,
            label=label,
            **self.args,
        )
        whole = {(r.prompt_id, r.sample): r for r in replies if r.stop == "end" and r.text.strip()}
        self.incomplete += len(replies) - len(whole)
        return whole


def _split(recipe: Recipe, questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Disjoint questions for the direct and the reasoned rows, in shares of what there is, in a seeded order."""
    unique = list({question.id: question for question in questions}.values())
    if len(unique) < recipe.n:
        raise BadInput(
            f"The recipe wants {recipe.n} questions of its own for each row, but there are {len(unique)}. Load "
            f"{recipe.n - len(unique)} more, or lower n."
        )
    shuffled = rng(recipe.seed, "train questions").sample(unique, len(unique))
    cut = round(len(shuffled) * recipe.direct_share)
    return shuffled[:cut], shuffled[cut:]


def _targets(
    recipe: Recipe, questions: Sequence[Question], elicit: str, n: int, asker: _Asker
) -> list[tuple[Pair, Reply]]:
    """Exactly n pairs with a whole clean reply, the biases in turn; asks no more questions than it needs."""
    waiting = list(_cued(recipe, questions, elicit))
    found: list[tuple[Pair, Reply]] = []
    while len(found) < n:
        batch, waiting = waiting[: n - len(found)], waiting[n - len(found) :]
        if not batch:
            raise BadInput(
                f"{n} rows with {elicit!r} are wanted, but {len(questions)} questions gave only {len(found)} whole "
                f"replies ({asker.incomplete} were cut at {recipe.max_tokens} tokens). Load more questions, allow longer "
                "replies, or lower n."
            )
        replies = asker.whole([pair.clean for pair in batch], f"targets ({elicit})")
        found += [(pair, replies[pair.clean.id, 0]) for pair in batch if (pair.clean.id, 0) in replies]
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


def _instruct(recipe: Recipe, asker: _Asker) -> list[Example]:
    """Everyday tasks of our own with the model's own replies; each task is sampled as often as the count needs."""
    if recipe.instruct == 0:
        return []
    tasks = bank("instruct_tasks").entries
    prompts = [Prompt((Turn("user", (Part("stem", task),)),)) for task in tasks]
    chosen = rng(recipe.seed, "instruct").sample(prompts, len(prompts))
    samples = -(-recipe.instruct * 5 // (4 * len(chosen)))  # a quarter more than needed: some replies are cut
    replies = asker.whole(chosen[: -(-recipe.instruct * 5 // (4 * samples))], "instruct rows", samples)
    rows = [
        Example(prompt.messages(), replies[prompt.id, k].text, "instruct", None, replies[prompt.id, k].model)
        for k in range(samples)
        for prompt in chosen
        if (prompt.id, k) in replies
    ]
    if len(rows) < recipe.instruct:
        raise BadInput(
            f"{recipe.instruct} instruct rows are wanted, but only {len(rows)} replies were whole. Allow longer replies "
            f"than {recipe.max_tokens} tokens, or lower instruct."
        )
    return rows[: recipe.instruct]
