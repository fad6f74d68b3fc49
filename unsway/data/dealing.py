"""Distributes train questions to the cues of a recipe: one cue per question, equal shares for every cue and form.

In: a recipe and questions. Out: for each of the two elicitations one queue per cue; each of its rows asks questions until one
has a target. The questions that a row may ask depend on the seed and the row's number, not on what is left. So if one reply
changes, only its own row changes, as long as no cue runs out of questions. Until then, a smaller recipe's pairs are also the
first of a larger one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from unsway.biases.registry import Bias
from unsway.data.recipe import Recipe
from unsway.errors import BadInput, number_of
from unsway.pairing import PairSet, pairs
from unsway.prompts import elicitations
from unsway.prompts.elicitations import Elicitation
from unsway.registry import Ref
from unsway.seeds import digest, rng
from unsway.sources.checks import key
from unsway.types import Pair, Question, Reply


@dataclass
class CueQueue:
    """The rows of one cue with one elicitation, and their questions."""

    cue: Bias
    """The bias, in one of its forms."""
    elicit: Elicitation
    """The elicitation of its questions."""
    n_rows: int
    """The number of rows that the recipe wants with this cue."""
    pairs: tuple[Pair, ...]
    """A pair for each of its questions to which the cue applies, in order."""
    spare: dict[str, Question]
    """Its questions that no row has asked yet, by id, including those to which the cue does not apply."""
    targets: dict[int, tuple[Pair, Reply]] = field(default_factory=dict)
    """The pair and the target of each finished row, by row number from 0."""
    n_asked: int = 0
    """The number of pairs asked."""

    @property
    def missing(self) -> list[int]:
        """Numbers of the rows that have no target yet."""
        return [row for row in range(self.n_rows) if row not in self.targets]

    def take(self, row: int, seed: int) -> Pair | None:
        """The next pair of a row: its own question, its own stand-in, then random others; None if none is left.

        Rows use questions from the front and stand-ins from the end, so with two questions per row, no other row
        changes with this row's reply. Random others are drawn from the middle first.
        """
        n = len(self.pairs)
        middle, end = n // 2, n - n // 4
        draw = rng(seed, "stand-ins", self.cue.name, self.elicit.name, row)
        others = (
            index
            for zone in (range(middle, end), range(end, n), range(middle))
            for index in draw.sample(zone, len(zone))
        )
        for index in chain((row,), (index for index in chain((n - 1 - row,), others) if index >= self.n_rows)):
            if index < n and self.pairs[index].question.id in self.spare:
                del self.spare[self.pairs[index].question.id]
                self.n_asked += 1
                return self.pairs[index]
        return None


def deal(recipe: Recipe, questions: Sequence[Question]) -> tuple[tuple[CueQueue, ...], tuple[CueQueue, ...]]:
    """Distribute separate questions to the cues of the direct rows and of the reasoned rows.

    Raises:
        BadInput: There are fewer questions than rows; no two rows share a question.
    """
    excluded_names = set(recipe.exclude)
    by_id = {q.id: q for q in questions if excluded_names.isdisjoint((q.id, q.source, Ref.parse(q.source).unversioned))}
    # two files may have the same question under different ids
    unique_questions = list({key(q): q for q in by_id.values()}.values())
    if len(unique_questions) < recipe.n:
        raise BadInput(
            f"The recipe has n = {recipe.n} rows, each with its own question, but there are "
            f"{number_of(len(unique_questions), 'question')}. Load {recipe.n - len(unique_questions)} more, or lower n."
        )
    shuffled_questions = rng(recipe.seed, "train questions").sample(unique_questions, len(unique_questions))
    cut = round(len(shuffled_questions) * recipe.direct_share)
    return (
        _queues(recipe, shuffled_questions[:cut], elicitations.get("direct"), recipe.n_direct),
        _queues(recipe, shuffled_questions[cut:], recipe.elicit, recipe.n - recipe.n_direct),
    )


def next_pairs(queues: Sequence[CueQueue], recipe: Recipe, why: str = "") -> list[tuple[CueQueue, int, Pair]]:
    """The next pair to ask for every row without a target, with its queue and row number.

    If a cue has run out of questions, its row takes a random one left over from another cue.
    `why` tells, in an error, why replies were not used as targets.

    Raises:
        BadInput: There are too few questions left.
    """
    n_left = sum(len(queue.spare) for queue in queues)
    n_missing = sum(len(queue.missing) for queue in queues)
    batch: list[tuple[CueQueue, int, Pair]] = []
    if n_missing <= n_left:
        rows = [(queue, row, queue.take(row, recipe.seed)) for queue in queues for row in queue.missing]
        batch += [(queue, row, pair) for queue, row, pair in rows if pair]
        for queue, row in ((queue, row) for queue, row, pair in rows if pair is None):
            seed_text = f"{recipe.seed} {queue.cue.name} {queue.elicit.name} {row}"
            spares = {question.id: (lender, question) for lender in queues for question in lender.spare.values()}
            for id_ in sorted(spares, key=lambda id_: digest(seed_text, id_)):
                lender, question = spares[id_]
                if new_pairs := _pairs(recipe, [question], queue.cue, queue.elicit).pairs:
                    del lender.spare[id_]
                    queue.n_asked += 1
                    batch.append((queue, row, new_pairs[0]))
                    break
    if len(batch) < n_missing:
        queue = next(queue for queue in queues if queue.missing)
        n_lost = queue.n_asked - len(queue.targets)
        raise BadInput(
            f"{n_missing} more rows are wanted, {len(queue.missing)} of them of {queue.cue.name} with {queue.elicit.name!r}, "
            f"but only {n_left} questions are left for them: of its {queue.n_asked} replies {n_lost} were not whole or not "
            f"kept{why}. Load more questions, allow longer replies if they are cut, or lower n."
        )
    return batch


def in_turn(queues: Sequence[CueQueue]) -> list[tuple[Pair, Reply]]:
    """The pairs with their targets, taking the cues in turn, so a smaller set is the beginning of a larger one."""
    rounds = max(queue.n_rows for queue in queues)
    return [queue.targets[row] for row in range(rounds) for queue in queues if row < queue.n_rows]


def _queues(recipe: Recipe, questions: Sequence[Question], elicit: Elicitation, n_rows: int) -> tuple[CueQueue, ...]:
    """Questions and rows distributed over the cues in turn, so shares are even."""
    queues = []
    n_cues = len(recipe.cues)
    for i, cue in enumerate(recipe.cues):
        cue_questions = questions[i::n_cues]
        cue_pairs = _pairs(recipe, cue_questions, cue, elicit).pairs
        queues.append(CueQueue(cue, elicit, len(range(i, n_rows, n_cues)), cue_pairs, {q.id: q for q in cue_questions}))
    return tuple(queues)


def _pairs(recipe: Recipe, questions: Sequence[Question], cue: Bias, elicit: Elicitation) -> PairSet:
    """The pairs of one cue; the cued option is drawn from all options."""
    return pairs(questions, [cue], elicit=elicit, aim="any", seed=recipe.seed, instructions=recipe.instructions)
