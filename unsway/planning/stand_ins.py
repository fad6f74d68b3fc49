"""Stand-ins for arguments that no model has written yet, so that a plan can count their tokens.

In: pairs, and biases that quote arguments. Out: pairs of those biases on the same questions, with each argument replaced by
text of the requested length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unsway import biases as suite
from unsway.biases.arguments import Argument, Arguments
from unsway.pairing import PairSet, cued_option, pairs
from unsway.prompts.render import letter

ARGUMENT_WORDS = 120
"""Words of an argument: the number requested in the bank `argument_requests`."""


def biases_with_arguments(names: Iterable[str]) -> tuple[str, ...]:
    """The given biases that quote arguments."""
    return tuple(name for name in names if "arguments" in suite.resolve(name).wants)


def stand_in_pairs(built: PairSet, names: Sequence[str], elicits: Iterable[str], seed: int) -> PairSet:
    """Pairs of biases that quote arguments, on the questions of existing pairs.

    Args:
        built: Pairs of other biases; questions used only by a bias with its own source are left out.
        names: Biases that quote arguments.
        elicits: Elicitations.
        seed: Seed of cued options and cues.
    """
    own_source_biases = {bias.versioned for bias in suite.all_biases() if bias.source}
    questions = {pair.question.id: pair.question for pair in built if pair.bias not in own_source_biases}.values()
    cued_options = {question.id: cued_option(question, seed=seed) for question in questions}
    bank = Arguments(
        tuple(
            Argument(question_id, option, "words " * (ARGUMENT_WORDS - 5) + f"\nSo the answer is ({letter(option)}).")
            for question_id, option in cued_options.items()
        )
    )
    return sum((pairs(questions, names, elicit=elicit, seed=seed, arguments=bank) for elicit in elicits), PairSet())
