"""Train questions dealt out to the cues of a recipe: one cue a question, equal shares for every cue and form.

In: a recipe and questions. Out: for both elicitations one queue a cue, from which pairs are taken until it has enough
targets. A smaller recipe's pairs are the first of a larger one's, as long as no cue runs out of questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unsway.biases.registry import Bias
from unsway.data.recipe import Recipe
from unsway.errors import BadInput
from unsway.pairing import PairSet, pairs
from unsway.prompts import elicitations
from unsway.prompts.elicitations import Elicitation
from unsway.registry import Ref
from unsway.seeds import rng
from unsway.types import Pair, Question, Reply

MARGIN = 4
"""Questions that a second round asks beyond the missing ones, and half as many again: each round starts an Inspect eval,
which takes a second or more. Surplus replies are not used: the first whole ones in order are."""


@dataclass
class CueQueue:
    """The pairs of one cue under one elicitation, in order."""

    cue: Bias
    """The bias, in one of its forms."""
    elicit: Elicitation
    """How its questions are put."""
    wanted: int
    """Rows that the recipe wants of this cue."""
    pairs: list[Pair]
    """Pairs that were not asked yet."""
    unfit: list[Question]
    """Questions that the cue does not apply to."""
    found: list[tuple[Pair, Reply]] = field(default_factory=list)
    """Pairs that have a target, with the reply that it is."""
    asked: int = 0
    """Pairs that were asked."""

    @property
    def missing(self) -> int:
        """Rows that are still wanted."""
        return max(0, self.wanted - len(self.found))

    @property
    def spare(self) -> int:
        """Questions that it does not need as things stand."""
        return len(self.unfit) + max(0, len(self.pairs) - self.missing)

    def take(self) -> list[Pair]:
        """The next pairs to ask. Raises `BadInput` where they have run out."""
        if self.missing > len(self.pairs):
            lost = self.asked - len(self.found)
            raise BadInput(
                f"{self.missing} more rows of {self.cue.name} with {self.elicit.name!r} are wanted, but only "
                f"{len(self.pairs)} questions are left for them: of {self.asked} replies {lost} were cut or not kept. Load "
                "more questions, allow longer replies, or lower n."
            )
        more = MARGIN + self.missing // 2 if self.asked and self.missing else 0
        taken, self.pairs = self.pairs[: self.missing + more], self.pairs[self.missing + more :]
        self.asked += len(taken)
        return taken

    def give(self) -> Question:
        """A question that it does not need: one that its cue does not apply to, else the last."""
        return self.unfit.pop() if self.unfit else self.pairs.pop().question


def deal(recipe: Recipe, questions: Sequence[Question]) -> tuple[tuple[CueQueue, ...], tuple[CueQueue, ...]]:
    """Deal disjoint questions to the cues of the direct rows, and of the reasoned rows.

    Raises:
        BadInput: There are fewer questions than rows, since no two rows share one.
    """
    barred = set(recipe.exclude)
    unique = list(
        {q.id: q for q in questions if barred.isdisjoint((q.id, q.source, Ref.parse(q.source).unversioned))}.values()
    )
    if len(unique) < recipe.n:
        raise BadInput(
            f"The recipe wants {recipe.n} questions of its own for each row, but there are {len(unique)}. Load "
            f"{recipe.n - len(unique)} more, or lower n."
        )
    shuffled = rng(recipe.seed, "train questions").sample(unique, len(unique))
    cut = round(len(shuffled) * recipe.direct_share)
    return (
        _queues(recipe, shuffled[:cut], elicitations.get("direct"), recipe.n_direct),
        _queues(recipe, shuffled[cut:], recipe.elicit, recipe.n - recipe.n_direct),
    )


def lend(queues: Sequence[CueQueue], recipe: Recipe) -> None:
    """Give questions that other cues do not need to cues that have run out, first from the cue with most to spare."""
    for queue in queues:
        while queue.missing > len(queue.pairs):
            lenders = [other for other in queues if other is not queue and other.spare]
            if not lenders:
                break
            lender = max(lenders, key=lambda other: other.spare)
            queue.pairs += _pairs(recipe, [lender.give()], queue.cue, queue.elicit)


def in_turn(queues: Sequence[CueQueue]) -> list[tuple[Pair, Reply]]:
    """The pairs with their targets, one of each cue in turn: a smaller set is the beginning of a larger one."""
    rounds = max(queue.wanted for queue in queues)
    return [queue.found[turn] for turn in range(rounds) for queue in queues if turn < queue.wanted]


def _queues(recipe: Recipe, questions: Sequence[Question], elicit: Elicitation, wanted: int) -> tuple[CueQueue, ...]:
    """Questions and wanted rows dealt to the cues in turn, so that shares are even."""
    queues, n_cues = [], len(recipe.cues)
    for i, cue in enumerate(recipe.cues):
        dealt = questions[i::n_cues]
        made = _pairs(recipe, dealt, cue, elicit)
        fit = {pair.question.id for pair in made}
        unfit = [question for question in dealt if question.id not in fit]
        queues.append(CueQueue(cue, elicit, len(range(i, wanted, n_cues)), list(made), unfit))
    return tuple(queues)


def _pairs(recipe: Recipe, questions: Sequence[Question], cue: Bias, elicit: Elicitation) -> PairSet:
    """The pairs of one cue; the cued option is drawn from all options."""
    return pairs(questions, [cue], elicit=elicit, aim="any", seed=recipe.seed, instructions=recipe.instructions)
