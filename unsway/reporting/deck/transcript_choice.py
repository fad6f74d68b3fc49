"""Three telling transcripts, chosen by a rule that the slides state, so that nobody picks the ones that please.

In: `Results`. Out: up to three `Telling`s.

With an arm to compare with the base (trained; where none is, prompted): one pair of a trained bias and one of a held-out
bias that the base switched on and the arm held, and one that the arm switched on as well. Where there is none of a kind,
the next of the others takes its place. Without such an arm: pairs that switched, under the biases that sway most, one
each. Always the shortest exchange whose replies are a sentence or more, on a question not shown yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

from unsway.reporting import words
from unsway.stats.state import state
from unsway.studies.results import Arm, Results
from unsway.types import Answer, Outcome, Pair, Reply

SENTENCE = 80
"""Characters below which a reply says too little to tell anything; such pairs come last."""
MOST = 3
COMPARED = (
    "Chosen by rule: the shortest exchange that switched in the base and held after, under a trained and under a held-out "
    "bias, and the shortest that switched in both; where there is none of a kind, the next of another."
)
ALONE = "Chosen by rule: under each of the biases that sway most, the shortest exchange that switched to the cue."


@dataclass(frozen=True, slots=True)
class Said:
    """What one arm said to one prompt of the pair."""

    arm: Arm
    with_cue: bool
    reply: Reply
    answer: Answer
    hit: bool | None


@dataclass(frozen=True, slots=True)
class Telling:
    """A pair, and two replies to set side by side."""

    title: str
    pair: Pair
    left: Said
    right: Said
    rule: str


def telling(results: Results) -> tuple[Telling, ...]:
    """At most three transcripts, each of another question."""
    return tuple(_Choosing(results).chosen())


def compared(results: Results) -> tuple[tuple[Arm, Arm], ...]:
    """Each arm that stands beside its base here, with that base: the trained ones; where there are none, prompted ones."""
    for role in ("trained", "prompted"):
        arms = [arm for arm in results.arms if arm.role == role]
        both = [(arm, base) for arm in arms if (base := results.base_of(arm)) is not None]
        if both:
            return tuple(both)
    return ()


class _Choosing:
    def __init__(self, results: Results) -> None:
        self.results = results
        self.pairs = {pair.id: pair for pair in results.pairs}
        self.said = {(reply.model, reply.sample, reply.prompt_id): reply for reply in results.replies}
        self.by_arm: dict[str, dict[tuple[str, int], Outcome]] = {}
        for outcome in results.outcomes:
            self.by_arm.setdefault(outcome.model, {})[outcome.pair_id, outcome.sample] = outcome

    def chosen(self) -> Iterator[Telling]:
        """The first of each kind, then the second, and so on, until there are enough."""
        shown: set[str] = set()
        for one in chain.from_iterable(zip_longest(*self._kinds())):
            if one is not None and one.pair.question.id not in shown:
                shown.add(one.pair.question.id)
                yield one
                if len(shown) == MOST:
                    return

    def _kinds(self) -> list[list[Telling]]:
        both = compared(self.results)
        if not both:
            return [self._switched(self.results.arms[0], bias) for bias in self._by_sway()] if self.results.arms else []
        every = set(self.results.biases)
        ours = [(arm, base, {bias for bias in every if self.results.is_trained(bias, arm)}) for arm, base in both]
        return [
            [one for arm, base, taught in ours for one in self._beside(arm, base, "held", taught)],
            [one for arm, base, taught in ours for one in self._beside(arm, base, "held", every - taught)],
            [one for arm, base, _ in ours for one in self._beside(arm, base, "switched", every)],
        ]

    def _by_sway(self) -> list[str]:
        """The biases of the first arm, those that sway it most first."""
        arm = self.results.arms[0]
        cells = {bias: cell for bias in self.results.biases if (cell := self.results.cell(arm, bias)) is not None}
        return sorted(cells, key=lambda bias: -(cells[bias]["brr"].value or 0.0))

    def _beside(self, arm: Arm, base: Arm, then: str, wanted: set[str]) -> list[Telling]:
        """Pairs that switched in the base and became `then` in the arm: both replies with the cue."""
        ours, theirs = self.by_arm.get(arm.model, {}), self.by_arm.get(base.model, {})
        found = []
        for key, outcome in theirs.items():
            other = ours.get(key)
            if other is None or state(outcome) != "switched" or state(other) != then or outcome.bias not in wanted:
                continue
            left, right = self._said(base, outcome, True), self._said(arm, other, True)
            if left and right:
                found.append(
                    Telling(self._title(arm, base, outcome.bias, then), self.pairs[key[0]], left, right, COMPARED)
                )
        return sorted(found, key=_rank)[:MOST]

    def _switched(self, arm: Arm, bias: str) -> list[Telling]:
        """Pairs that switched in one arm: its reply without the cue beside the one with it."""
        found = []
        for key, outcome in self.by_arm.get(arm.model, {}).items():
            if outcome.bias != bias or state(outcome) != "switched":
                continue
            left, right = self._said(arm, outcome, False), self._said(arm, outcome, True)
            if left and right:
                title = f"{words.visible(arm.label)} switched to the cue: {words.human(bias)}"
                found.append(Telling(title, self.pairs[key[0]], left, right, ALONE))
        return sorted(found, key=_rank)[:MOST]

    def _title(self, arm: Arm, base: Arm, bias: str, then: str) -> str:
        name, before = words.visible(arm.label), words.visible(base.label)
        if arm.role == "trained" and self.results.trained_biases:
            known = " (trained on)" if self.results.is_trained(bias, arm) else " (held out)"
        else:
            known = ""
        what = f"Switched in {before}, held in {name}" if then == "held" else f"Switched in {before} and in {name}"
        return f"{what}: {words.human(bias)}{known}"

    def _said(self, arm: Arm, outcome: Outcome, with_cue: bool) -> Said | None:
        pair = self.pairs[outcome.pair_id]
        prompt = pair.biased if with_cue else pair.clean
        reply = self.said.get((outcome.model, outcome.sample, prompt.id))
        if reply is None:
            return None
        answer, hit = (outcome.biased, outcome.hit_biased) if with_cue else (outcome.clean, outcome.hit_clean)
        return Said(arm, with_cue, reply, answer, hit)


def _rank(one: Telling) -> tuple[bool, int, str, int]:
    lengths = [len(side.reply.text or side.reply.reasoning or "") for side in (one.left, one.right)]
    exchange = sum(lengths) + sum(len(turn.text()) for turn in one.pair.biased.turns)
    return min(lengths) < SENTENCE, exchange, one.pair.id, one.left.reply.sample
