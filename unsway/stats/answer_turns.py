"""Whether the letter that a model gives when asked for only the letter matches its reply, and so which of the two counts.

In: pairs whose elicitation has an answer turn, the replies of an arm. Out: by side, how many readable replies agree with the
letter. A model that forgets its reply gives an unrelated letter: for the embedded model, 15 of 37 letters matched its clean
replies. In such a case the replies count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from unsway import readers
from unsway.readers.letter import LETTER, first_reply
from unsway.types import ArmKey, Pair, Prompt, Reply, Rule, Side

ENOUGH = 0.95
"""Share of the readable replies, on each side, that must agree with the letter for the letter to count. Our choice."""
SIDES: tuple[Side, Side] = ("clean", "biased")


class LetterAgreement(NamedTuple):
    """How often letter and reply agree on one side."""

    n_alike: int
    """Replies whose letter is the option read in them."""
    n_read: int
    """Replies with a readable option and a readable letter."""


class JoinedReplies(Protocol):
    """Replies to both sides of a pair (`unsway.stats.outcomes.ReplyIndex`)."""

    def sides(self, key: ArmKey, pair: Pair) -> Iterator[tuple[int, Reply | None, Reply | None]]:
        """Sample number, clean and biased reply of an arm, for every sample with either reply."""
        ...


def agreements(pairs: Iterable[Pair], index: JoinedReplies, arm: ArmKey) -> Mapping[Side, LetterAgreement]:
    """The agreement of an arm's letters with its replies, by side; a clean reply shared by biases counts once."""
    reply_reader, letter_reader = readers.of_rule(Rule()), readers.get(LETTER)
    by_side = {side: LetterAgreement(0, 0) for side in SIDES}
    samples_read: set[tuple[Prompt, int]] = set()
    for pair in pairs:
        for sample, *replies in index.sides(arm, pair) if pair.rule.reader == LETTER else ():
            for side, prompt, reply in zip(SIDES, (pair.clean, pair.biased), replies, strict=True):
                first = first_reply(reply)
                if reply is None or first is None or (prompt, sample) in samples_read:
                    continue
                samples_read.add((prompt, sample))
                choice, letter_choice = reply_reader(pair, side, first).value, letter_reader(pair, side, reply).value
                if choice is not None and letter_choice is not None:
                    n_alike, n_read = by_side[side]
                    by_side[side] = LetterAgreement(n_alike + (choice == letter_choice), n_read + 1)
    return by_side


def letter_counts(agreement: Mapping[Side, LetterAgreement]) -> bool:
    """Whether the letter counts: it agrees with enough of the readable replies on both sides."""
    return all(side.n_read and side.n_alike >= ENOUGH * side.n_read for side in agreement.values())
