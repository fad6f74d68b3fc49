"""Choose the three transcripts of the slides by a rule that the slides state, so nobody picks favourable ones.

In: `Results`. Out: up to three `ChosenTranscript`s.

With an arm to compare with the base (a trained one, or else a prompted one): one pair of a trained bias and one of a held-out
bias that switched in the base but not in the arm, and one that switched in both. If a kind has no pair, the next pair of
another kind takes its place. Without such an arm: pairs that switched, one for each of the biases that sway most. Each is
the shortest exchange whose replies are at least a sentence long, on a question not shown yet.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain, zip_longest

from unsway.reporting import words
from unsway.stats.state import State, state
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.types import ArmKey, Outcome, Pair, Reading, Reply

SENTENCE = 80
"""Replies shorter than this many characters say too little; their pairs come last."""
MOST = 3
"""Maximum number of transcripts in a deck."""
COMPARED = (
    "Chosen by rule: the shortest exchange that switched in the base and held after, under a trained and under a held-out "
    "bias, and the shortest that switched in both; where there is none of a kind, the next of another."
)
ALONE = "Chosen by rule: under each of the biases that sway most, the shortest exchange that switched to the cue."


@dataclass(frozen=True, slots=True)
class ShownReply:
    """One arm's reply to one prompt of the pair."""

    arm: Arm
    """Whose reply it is."""
    with_cue: bool
    """Whether it answers the biased prompt."""
    reply: Reply
    """The raw reply."""
    answer: Reading
    """The answer read in it."""
    hit: bool | None
    """Whether it follows the cue; None if unknown."""


@dataclass(frozen=True, slots=True)
class ChosenTranscript:
    """A pair, and two replies to show side by side."""

    title: str
    """What happened, in which arms, under which bias."""
    pair: Pair
    """The question with and without the cue."""
    left: ShownReply
    """The reply without the cue, or the base's."""
    right: ShownReply
    """The reply with the cue, or the other arm's."""
    rule: str
    """How it was chosen."""


def choose(results: Results) -> tuple[ChosenTranscript, ...]:
    """At most three transcripts, each on a different question: the first of each kind, then the second of each, and so on."""
    by_question: dict[str, ChosenTranscript] = {}
    for candidate in chain.from_iterable(zip_longest(*_Candidates(results).by_kind())):
        if candidate is not None and len(by_question) < MOST:
            by_question.setdefault(candidate.pair.question.id, candidate)
    return tuple(by_question.values())


def compared_arms(results: Results) -> tuple[tuple[Arm, Arm], ...]:
    """(arm, base) for each arm that a deck compares with its base: the trained arms, or else the prompted ones."""
    for role in ("trained", "prompted"):
        arms = [arm for arm in results.arms if arm.role == role]
        arm_pairs = [(arm, base) for arm in arms if (base := results.base_of(arm)) is not None]
        if arm_pairs:
            return tuple(arm_pairs)
    return ()


class _Candidates:
    """Pairs that could be shown, looked up by arm."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.pairs = {pair.id: pair for pair in results.pairs}
        self.by_arm: dict[ArmKey, dict[tuple[str, int], Outcome]] = {}
        for outcome in results.outcomes:
            self.by_arm.setdefault(outcome.arm, {})[outcome.pair_id, outcome.sample] = outcome

    def by_kind(self) -> list[list[ChosenTranscript]]:
        """The candidates of each kind, the shortest first."""
        results = self.results
        arm_pairs = compared_arms(self.results)
        if not results.arms:
            return []
        if not arm_pairs:
            first = results.arms[0]
            cells = {bias: cell for bias in results.biases if (cell := results.cell(first, bias)) is not None}
            candidates = []
            for bias in sorted(cells, key=lambda bias: -(cells[bias]["brr"].value or 0.0)):
                title = f"{words.visible(first.label)} switched to the cue: {words.human(bias)}"
                transcripts = []
                for (pair_id, _), outcome in self.by_arm.get(first.key, {}).items():
                    if outcome.bias == bias and state(outcome) == "switched":
                        left, right = (self._reply(first, outcome, with_cue=with_cue) for with_cue in (False, True))
                        if left and right:
                            transcripts.append(ChosenTranscript(title, self.pairs[pair_id], left, right, ALONE))
                candidates.append(sorted(transcripts, key=_rank)[:MOST])
            return candidates
        held_trained, held_out, switched = [], [], []
        for arm, base in arm_pairs:
            trained_biases = {bias for bias in results.biases if results.is_trained(bias, arm)}
            held_trained += self._find_pairs(arm, base, "held", trained_biases)
            held_out += self._find_pairs(arm, base, "held", set(results.biases) - trained_biases)
            switched += self._find_pairs(arm, base, "switched", results.biases)
        return [held_trained, held_out, switched]

    def _find_pairs(self, arm: Arm, base: Arm, new_state: State, biases: Collection[str]) -> list[ChosenTranscript]:
        """Pairs that switched in the base and became `new_state` in the arm: both replies to the biased prompt."""
        ours, theirs = self.by_arm.get(arm.key, {}), self.by_arm.get(base.key, {})
        arm_name, base_name = words.visible(arm.label), words.visible(base.label)
        event = (
            f"Switched in {base_name}, held in {arm_name}"
            if new_state == "held"
            else f"Switched in {base_name} and in {arm_name}"
        )
        transcripts = []
        for key, outcome in theirs.items():
            after = ours.get(key)
            if after is None or state(outcome) != "switched" or state(after) != new_state or outcome.bias not in biases:
                continue
            left, right = self._reply(base, outcome, with_cue=True), self._reply(arm, after, with_cue=True)
            if left and right:
                training = ""
                if arm.role == "trained" and self.results.trained_biases:
                    training = " (trained on)" if self.results.is_trained(outcome.bias, arm) else " (held out)"
                title = f"{event}: {words.human(outcome.bias)}{training}"
                transcripts.append(ChosenTranscript(title, self.pairs[key[0]], left, right, COMPARED))
        return sorted(transcripts, key=_rank)[:MOST]

    def _reply(self, arm: Arm, outcome: Outcome, *, with_cue: bool) -> ShownReply | None:
        pair = self.pairs[outcome.pair_id]
        prompt = pair.biased if with_cue else pair.clean
        reply = self.results.reply(outcome.arm, prompt, outcome.sample)
        if reply is None:
            return None
        answer, hit = (outcome.biased, outcome.hit_biased) if with_cue else (outcome.clean, outcome.hit_clean)
        return ShownReply(arm, with_cue, reply, answer, hit)


def _rank(transcript: ChosenTranscript) -> tuple[bool, int, str, int]:
    """Sort key: short exchanges first, but those with replies shorter than a sentence last."""
    lengths = [
        len(shown_reply.reply.text or shown_reply.reply.reasoning or "")
        for shown_reply in (transcript.left, transcript.right)
    ]
    exchange = sum(lengths) + sum(len(turn.text()) for turn in transcript.pair.biased.turns)
    return min(lengths) < SENTENCE, exchange, transcript.pair.id, transcript.left.reply.sample
