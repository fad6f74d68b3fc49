"""Shots: rows of a training set that are put into the context instead of trained on.

In: a recipe, train questions, a model. Out: `Shot`s: one question with its clean prompt, its biased prompt and the
model's own clean reply, as turns. `unsway.data.mixture` makes them, so a shot equals a training row.
Source: arXiv 2403.05518 (training rows); the arms are those that its authors tried before they could fine-tune.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from unsway.data import Recipe, mixture
from unsway.errors import BadInput
from unsway.interventions.base import instruction_turn, without_example
from unsway.pairing import pairs
from unsway.prompts import elicitations
from unsway.types import Example, Question, Turn

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.sampling import Sampling

ShotArm: TypeAlias = Literal["naive", "biased", "paired", "repeated"]
"""Which prompts of a training pair are shown. naive: the clean prompt. biased: the prompt with the cue. paired: both, the
clean one first. repeated: the clean one twice, as long as paired. The reply is always the model's own clean one."""
ARMS: tuple[ShotArm, ...] = get_args(ShotArm)
LOOKED_AT = 20
"""Number of questions used to test what a bias does to the turns; it may skip some of them."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One training pair with its reply."""

    question: Question
    clean: tuple[Turn, ...]
    """The clean prompt's turns, without the elicitation's worked example, which the asked prompt has already."""
    biased: tuple[Turn, ...]
    """The biased prompt's turns, likewise."""
    reply: str
    row: Example
    """The training row that it was made from."""

    def turns(self, arm: ShotArm) -> tuple[Turn, ...]:
        """The turns that an arm shows of it."""
        clean, biased = ((*turns, instruction_turn("assistant", self.reply)) for turns in (self.clean, self.biased))
        turns_of_arm: dict[ShotArm, tuple[Turn, ...]] = {
            "naive": clean,
            "biased": biased,
            "paired": clean + biased,
            "repeated": clean + clean,
        }
        return turns_of_arm[arm]


def shots(
    k: int, recipe: Recipe, elicit: str, questions: Sequence[Question], model: ModelLike, sampling: Sampling
) -> tuple[Shot, ...]:
    """The first k training pairs of a recipe with untruncated clean replies; a smaller k gives the first of these.

    Args:
        k: How many pairs.
        recipe: Biases, instructions, decoding, and the seed of the questions' order, of the cues and of sampling; its
            counts are not used.
        elicit: The elicitation of the shots: that of the prompts they precede.
        questions: Train questions, which must not be measured themselves.
        model: The model that writes the replies: the one that will be asked.
        sampling: Limits replies to the length of the measured ones; says where they are stored, and their budget.

    Raises:
        BadInput: There are too few questions or whole replies, or a bias cannot be shown as turns.
    """
    for bias in recipe.biases:
        first_pairs = pairs(questions[:LOOKED_AT], [bias], elicit=elicit, aim="any", seed=recipe.seed)
        turns = [turn for pair in first_pairs for turn in pair.biased.turns]
        if any(turn.parts is None or turn.role == "system" for turn in turns):
            raise BadInput(
                f"{bias.name} cannot be shown as a shot: its prompt has a system turn, or turns that the model under test "
                "must speak itself. Leave it out of the shots' biases."
            )
    is_direct = elicit == "direct"
    shot_recipe = replace(
        recipe,
        n=k,
        instruct=0,
        direct_share=1.0 if is_direct else 0.0,
        elicit=recipe.elicit if is_direct else elicitations.get(elicit),
        max_tokens=min(recipe.max_tokens, sampling.settings.max_tokens),
        thoughts="drop",  # earlier turns of a chat have no thought
    )
    training_set = mixture(shot_recipe, questions, model, folder=sampling.folder, budget=sampling.budget)
    rows = {row.pair_id: row for row in training_set.examples}
    result = []
    for pair in training_set.pairs:  # in the order found, which does not depend on their number
        row = rows[pair.id]
        clean, biased = (  # no part of a shot is a cue of the asked question
            tuple(instruction_turn(turn.role, turn.text()) for turn in without_example(prompt.turns))
            for prompt in (pair.clean, pair.biased)
        )
        result.append(Shot(pair.question, clean, biased, row.completion or "", row))
    return tuple(result)
