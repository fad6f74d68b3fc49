"""Builds training rows from questions and the model's own clean replies.

In: a `Recipe`, train questions, a model. Out: a `Mixture`: examples for BCT, its control and all other methods.
Source: arXiv 2403.05518, §3. The model's reply to the clean prompt is sampled, the cue is put back into the prompt, and the
reply stays the target. BCT reads a row's biased prompt, the control its clean one. The cued option is drawn from all
options, so targets agree with the cue about as often as chance, and the model does not learn to contradict the user.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from unsway import sources
from unsway.biases.evidence import FORMS, evidence
from unsway.data.dealing import deal, in_turn, next_pairs
from unsway.data.provenance import Provenance, write_examples
from unsway.data.recipe import Recipe, Thoughts
from unsway.data.targets import target, why_no_target
from unsway.data.tasks import tasks
from unsway.errors import BadInput, expect
from unsway.models.session import Session, session
from unsway.pairing import pairs, questions_of
from unsway.planning.budget import Budget
from unsway.readers.parse import choice_of
from unsway.sampling import ask
from unsway.sampling.context import beside_default_system, weights_of
from unsway.seeds import rng
from unsway.sources.checks import check_overlap
from unsway.types import Example, Pair, Part, Prompt, Question, Reply, Settings, Turn
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

EXAMPLES = "examples.jsonl"
"""Name of the file of rows in a mixture's folder."""
GIVEN = frozenset({"clean", "biased", "completion", "target"})
"""Fields that every consistency row of a mixture has."""
MOST_SAMPLES = 4
"""How often an instruct task may be sampled, as a multiple of the number needed if no reply is cut."""
Row: TypeAlias = tuple[Example, Provenance]
"""A row and the origin of its completion."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Training rows, in the order in which they are written."""

    recipe: Recipe
    """The recipe of these rows."""
    examples: tuple[Example, ...]
    """Consistency and instruct rows, mixed by the recipe's seed."""
    pairs: tuple[Pair, ...]
    """The pairs of the consistency rows, in the order in which they were found."""
    provenance: tuple[Provenance, ...]
    """The origin of each row's completion."""
    no_targets: Mapping[str, int]
    """Replies that were not used as targets, by reason: cut, empty, withheld by a filter, of unknown end."""

    @property
    def incomplete(self) -> int:
        """The number of replies not used as targets, for any reason."""
        return sum(self.no_targets.values())

    def write(self, folder: str | Path) -> Path:
        """Write the rows as `examples.jsonl`, with pairs and provenance next to it; returns the path of the rows."""
        no_targets = {"incomplete": self.incomplete, "no_targets": dict(self.no_targets)}
        about = {"recipe": repr(self.recipe), **no_targets, "seed": self.recipe.seed}
        return write_examples(Path(folder) / EXAMPLES, self.examples, self.pairs, self.provenance, **about)


@checked
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
    """Sample the model's own clean replies and put the cues back.

    Args:
        recipe: What to build.
        questions: Train questions; more than recipe.n, because some replies are incomplete.
        model: The writer of the targets: the model to be trained.
        folder: Where replies are stored (see `unsway.sampling.ask`); a second call asks only what is missing there.
        test: Questions that must not be trained on.
        budget: Stops asking before its limit could be exceeded.
        model_args: Arguments of the model's provider.

    Raises:
        BadInput: A train question is also a test question; there are too few questions, or too few complete replies
            (the message says how many are missing); the instruct tasks do not exist; or thoughts are to be kept and the
            model does not show them.
    """
    expect(recipe, Recipe, "a recipe is expected: mixture(unsway.Recipe(n=100), questions, model)")
    questions = questions_of(questions)
    if test_questions := questions_of(test):  # without test questions, it would compare train questions
        check_overlap(questions, test_questions)
    if recipe.instruct:
        tasks(recipe.instruct_tasks)  # refuses a wrong name before anything is asked
    model_session = session(model, **model_args)
    with model_session if model_session is not model else nullcontext():
        asker = _Asker(model_session, recipe.sampling(), folder, budget, recipe.thoughts)
        targets = _targets(recipe, questions, asker)
        beside = beside_default_system((pair for pair, _ in targets), weights_of(model_session), kind="cue")
        rows = [
            (
                Example(
                    clean=pair.clean,
                    biased=beside.get(pair.biased.id, pair.biased),
                    completion=target(reply, recipe.thoughts),
                    target=pair.target,
                    options=pair.question.options,
                    kind="consistency",
                    pair_id=pair.id,
                    said_by=reply.model,
                ),
                Provenance.of(reply, pair.question.source),
            )
            for pair, reply in targets
        ]
        rows += _instruct(recipe, asker) if recipe.instruct else []
        rows += evidence_rows(recipe, asker) if recipe.evidence else []
    order = rng(recipe.seed, "mixture order").sample(range(len(rows)), len(rows))
    return Mixture(
        recipe=recipe,
        examples=tuple(rows[i][0] for i in order),
        pairs=tuple(pair for pair, _ in targets),
        provenance=tuple(rows[i][1] for i in order),
        no_targets=Counter(asker.no_targets.values()),
    )


def build(
    recipe: Recipe,
    train: Iterable[sources.SourceLike],
    model: ModelLike,
    folder: str | Path,
    *,
    split: str | None = None,
    test: Iterable[str] = (),
    max_cost: float | None = None,
    **model_args: Any,
) -> Mixture:
    """Load questions by source name and build a training set from them; this is `unsway data build`.

    Args:
        recipe: What to build; its seed also orders the questions.
        train: Train sources or files.
        model: The model to be trained.
        folder: Where replies are stored.
        split: Split of the train sources; None uses their default.
        test: Sources or files that must not be trained on.
        max_cost: Limit in US dollars for the replies; None sets no limit.
        model_args: Arguments of the model's provider.

    Raises:
        BadInput: See `mixture`.
    """
    questions = [q for source in train for q in sources.load(source, seed=recipe.seed, split=split)]
    test_questions = [q for source in test for q in sources.load(source, seed=recipe.seed)]
    budget = None if max_cost is None else Budget(max_cost)
    return mixture(recipe, questions, model, folder=folder, test=test_questions, budget=budget, **model_args)


@dataclass
class _Asker:
    """Asks the model, returns complete replies, and records why others are unusable."""

    model: Session
    """The model to be trained."""
    settings: Settings
    """The decoding settings of its replies."""
    folder: str | Path | None
    """Where replies are stored."""
    budget: Budget | None
    """Stops asking before its limit could be exceeded."""
    thoughts: Thoughts
    """Whether thoughts are part of targets."""
    no_targets: dict[tuple[str, int], str] = field(default_factory=dict)
    """Why a reply is not a target, by prompt id and sample."""

    def whole(self, prompts: Iterable[Prompt], label: str, samples: int = 1) -> dict[tuple[str, int], Reply]:
        """Complete replies (they ended by themselves), by prompt id and sample."""
        replies = ask(
            prompts,
            self.model,
            settings=self.settings,
            samples=samples,
            folder=self.folder,
            label=label,
            budget=self.budget,
        )
        complete_replies = {}
        for reply in replies:
            address = reply.prompt_id, reply.sample
            if target(reply, self.thoughts) is not None:
                complete_replies[address] = reply
            else:
                self.no_targets[address] = why_no_target(reply)
        return complete_replies

    def lost(self) -> str:
        """The number of replies so far that are not targets, by reason, in brackets; empty if there are none."""
        counts = Counter(self.no_targets.values()).most_common()
        return f" (of all replies so far: {', '.join(f'{n} × {reason}' for reason, n in counts)})" if counts else ""


def _targets(recipe: Recipe, questions: Sequence[Question], asker: _Asker) -> list[tuple[Pair, Reply]]:
    """Pairs with a target, exactly as many as wanted for each cue, each chosen for its own row."""
    direct_queues, reasoned_queues = deal(recipe, questions)
    queues = [*direct_queues, *reasoned_queues]
    while any(queue.missing for queue in queues):
        batch = next_pairs(queues, recipe, asker.lost())
        replies = asker.whole([pair.clean for _, _, pair in batch], "targets")
        for queue, row, pair in batch:
            reply = replies.get((pair.clean.id, 0))
            if reply is None:
                continue
            choice = None if recipe.keep == "all" else choice_of(pair.question, reply)
            is_wanted = {
                "all": True,
                "right": choice is not None and choice == pair.question.gold,
                "disagree": choice is not None and choice != pair.target.cued,
            }
            if is_wanted[recipe.keep]:
                queue.targets[row] = (pair, reply)
    return in_turn(direct_queues) + in_turn(reasoned_queues)


def evidence_rows(recipe: Recipe, asker: _Asker) -> list[Row]:
    """Prompts with grounds for the right option, with the model's own replies that follow them; equal shares for each form.

    A reply with another answer, or none, would teach the model to ignore grounds. So its prompt is asked again, along with as
    many others, in at most `MOST_SAMPLES` rounds. The rows have the kind instruct: there is no prompt without the evidence to
    be consistent with.

    Raises:
        BadInput: Too few prompts have a complete reply that follows the grounds.
    """
    rows: list[Row] = []
    for number, form in enumerate(FORMS):
        n_rows = len(range(number, recipe.evidence, len(FORMS)))
        questions, bias = evidence(form, 2 * n_rows * MOST_SAMPLES, seed=recipe.seed)
        all_pairs = tuple(pairs(questions, [bias], elicit=recipe.elicit, aim="gold", seed=recipe.seed))
        replies: dict[str, Reply] = {}
        for n_tries in range(1, MOST_SAMPLES + 1):
            by_prompt = {pair.biased.id: pair for pair in all_pairs[: 2 * n_rows * n_tries] if pair.id not in replies}
            for (prompt_id, _), reply in sorted(
                asker.whole((pair.biased for pair in by_prompt.values()), f"evidence rows: {form}", n_tries).items()
            ):
                if choice_of(by_prompt[prompt_id].question, reply) == by_prompt[prompt_id].target.cued:
                    replies.setdefault(by_prompt[prompt_id].id, reply)
            if len(replies) >= n_rows:
                break
        complete_replies = [(pair, replies[pair.id]) for pair in all_pairs if pair.id in replies][:n_rows]
        if len(complete_replies) < n_rows:
            raise BadInput(
                f"{n_rows} evidence rows of {form} are wanted, but only {len(complete_replies)} of {len(all_pairs)} prompts "
                f"have a whole reply that follows the grounds, in up to {MOST_SAMPLES} tries{asker.lost()}. Allow longer "
                f"replies than {recipe.max_tokens} tokens if they are cut, take another elicitation, or lower evidence."
            )
        for pair, reply in complete_replies:
            row = Example(pair.biased, None, target(reply, recipe.thoughts), None, (), "instruct", None, reply.model)
            rows.append((row, Provenance.of(reply, pair.question.source)))
    return rows


def _instruct(recipe: Recipe, asker: _Asker) -> list[Row]:
    """Everyday tasks with the model's own replies; each task is sampled as often as needed for the number of rows."""
    texts, source = tasks(recipe.instruct_tasks)
    prompts = [Prompt((Turn("user", (Part("stem", text),)),)) for text in texts]
    shuffled_prompts = rng(recipe.seed, "instruct").sample(prompts, len(prompts))
    n_samples = MOST_SAMPLES * -(-recipe.instruct // len(prompts))
    n = recipe.instruct
    pending = dict(enumerate((sample, prompt) for sample in range(n_samples) for prompt in shuffled_prompts))
    rows: dict[int, Row] = {}
    while missing := [row for row in range(n) if row not in rows]:
        batch = []
        for row in missing:  # the row's own task, then its own stand-ins, then any that is left
            index = next(
                (index for index in chain(range(row, len(prompts) * n_samples, n), pending) if index in pending),
                None,
            )
            if index is None:
                raise BadInput(
                    f"{n} instruct rows are wanted, but only {len(rows)} replies were whole{asker.lost()}. Allow longer "
                    f"replies than {recipe.max_tokens} tokens if they are cut, or lower instruct."
                )
            batch.append((row, *pending.pop(index)))
        for sample in sorted({sample for _, sample, _ in batch}):
            batch_prompts = [(row, prompt) for row, number, prompt in batch if number == sample]
            replies = asker.whole([prompt for _, prompt in batch_prompts], "instruct rows", sample + 1)
            for row, prompt in batch_prompts:
                if reply := replies.get((prompt.id, sample)):
                    example = Example(
                        prompt, None, target(reply, recipe.thoughts), None, (), "instruct", None, reply.model
                    )
                    rows[row] = (example, Provenance.of(reply, source))
    return [rows[row] for row in range(n)]
