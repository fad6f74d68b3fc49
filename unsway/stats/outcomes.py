"""Replies joined to pairs and read: one outcome for each pair, arm and sample.

In: pairs, raw replies in any order, and the arms where some were asked other prompts. Out: `Outcome`s, in the order of
the pairs, then of arm and sample. Both sides come from the same model, weights, settings and sample number. A reply that
is missing, or cannot be read, is None with a reason, never a miss (arXiv 2403.05518 drops such rows without a count).
How a pair is counted stands in the pair itself (`Pair.rule`), so no plug-in is looked up.

    outs = outcomes(pairs, replies)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from unsway import readers
from unsway.errors import BadInput, expect_each
from unsway.readers import Reader
from unsway.readers.letter import LETTER, first_reply
from unsway.stats.answer_turns import agreements, letter_counts
from unsway.types import ArmKey, Excluded, Outcome, Pair, Prompt, Reading, Reply, Rule, Settings
from unsway.types.kinds import checked

OutcomeKey: TypeAlias = tuple[ArmKey, str, int]
"""Arm, pair id and sample of an outcome."""
NO_REPLY = Reading(None, "no_reply")
"""Stands on a side that has no reply."""


def key_of(outcome: Outcome) -> OutcomeKey:
    """What an outcome is looked up by."""
    return outcome.arm, outcome.pair_id, outcome.sample


class Run(NamedTuple):
    """What both sides of an outcome have in common."""

    model: str
    weights: str
    sample: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class AskedArm:
    """An arm as far as joining goes: whose replies are its own, and to which prompts."""

    key: ArmKey
    settings: Settings | None = None
    """How its replies were decoded; replies under other settings belong to another arm. None takes all."""
    instead: Mapping[str, str] | None = None
    """Id of each prompt to the id of the prompt that was asked instead; None where prompts were asked as they are. Without an
    intervention, a prompt that is not in it was asked as it is."""

    def asked_id(self, prompt: Prompt) -> str:
        """Id of the prompt that it was asked where a pair has this one; empty where it was asked none."""
        if self.instead is None:
            return prompt.id
        return self.instead.get(prompt.id, "" if self.key.intervention else prompt.id)

    def gave(self, run: Run) -> bool:
        """Whether the replies of a run are its own."""
        is_it = (run.model, run.weights) == (self.key.model, self.key.weights)
        return is_it and self.settings in (None, run.settings)


class ReplyIndex:
    """Replies by arm, prompt and sample."""

    def __init__(self, replies: Iterable[Reply], arms: Iterable[AskedArm] | None = None) -> None:
        """Replies in any order, each address once; without `arms`, those of every model that replied."""
        numbers: dict[Run, int] = {}
        by_prompt: dict[str, dict[int, Reply]] = {}
        for reply in replies:
            run = Run(reply.model, reply.weights, reply.sample, reply.settings)
            number = numbers.setdefault(run, len(numbers))
            known = by_prompt.setdefault(reply.prompt_id, {}).setdefault(number, reply)
            if known is not reply and known != reply:
                raise BadInput(
                    f"Model {reply.model!r} has two different replies to prompt {reply.prompt_id}, "
                    f"sample {reply.sample}, under the same settings. Keep one of them."
                )
        self._join(by_prompt, tuple(numbers), arms)

    def _join(
        self,
        by_prompt: Mapping[str, Mapping[int, Reply]],
        runs: Sequence[Run],
        arms: Iterable[AskedArm] | None = None,
    ) -> None:
        """Take replies by the id of their prompt and the number of their run."""
        self._by_prompt, self._runs = by_prompt, runs
        self.table: Any = None
        """The replies as columns (`unsway.stats.reply_table`), once somebody asked for them."""
        if arms is None:
            arms = (AskedArm(key) for key in dict.fromkeys(ArmKey(run.model, run.weights) for run in self._runs))
        self.arms = tuple(sorted(arms, key=lambda arm: arm.key.name))
        """Whose replies are joined, by name."""
        self._arms = {arm.key: arm for arm in self.arms}
        self._own = {
            arm.key: [(run.sample, number) for number, run in enumerate(self._runs) if arm.gave(run)]
            for arm in self.arms
        }

    def arm(self, key: ArmKey) -> AskedArm:
        """The arm of that key."""
        return self._arms[key]

    @property
    def replies(self) -> tuple[Reply, ...]:
        """All replies, prompt by prompt."""
        return tuple(reply for by_run in self._by_prompt.values() for reply in by_run.values())

    def samples(self, key: ArmKey, prompt: Prompt) -> dict[int, Reply]:
        """The replies of an arm to a prompt, or to the one asked instead, by the number of the sample.

        Raises:
            BadInput: The arm answered under two settings, so its outcomes could not be told apart.
        """
        by_run = self._to(key, prompt)
        found = sorted((sample, number) for sample, number in self._own[key] if number in by_run)
        self._check_apart(found, prompt.id)
        return {sample: by_run[number] for sample, number in found}

    def sides(self, key: ArmKey, pair: Pair) -> Iterator[tuple[int, Reply | None, Reply | None]]:
        """Sample, clean and biased reply of an arm to a pair, for every sample of either. Raises as `samples`."""
        clean, biased = self._to(key, pair.clean), self._to(key, pair.biased)
        if clean or biased:
            found = sorted((sample, number) for sample, number in self._own[key] if number in clean or number in biased)
            self._check_apart(found, pair.id)
            yield from ((sample, clean.get(number), biased.get(number)) for sample, number in found)

    def reply(self, key: ArmKey, prompt: Prompt, sample: int) -> Reply | None:
        """The reply of an arm to a prompt, or to the one asked instead; None where there is none."""
        return self.samples(key, prompt).get(sample) if key in self._arms else None

    def check_weights(self, pair: Pair) -> None:
        """Refuse a pair that one model answered with two sets of weights. Raises `BadInput`."""
        numbers = {number for side in (pair.clean, pair.biased) for number in self._by_prompt.get(side.id, ())}
        by_model: dict[str, int] = {}
        for number in sorted(numbers):
            first = by_model.setdefault(self._runs[number].model, number)
            if self._runs[first].weights != self._runs[number].weights:
                self._check_apart([(0, first), (0, number)], pair.id)

    def _to(self, key: ArmKey, prompt: Prompt) -> Mapping[int, Reply]:
        """Replies to a prompt, or to the one that this arm was asked instead, by number of the run; of any arm."""
        return self._by_prompt.get(self._arms[key].asked_id(prompt), {})

    def _check_apart(self, found: Sequence[tuple[int, int]], asked: str) -> None:
        """Refuse two runs, by (sample, number), that stand for the same sample."""
        for (sample, one), (next_sample, other) in pairwise(found):
            if sample == next_sample:
                runs = self._runs[one], self._runs[other]
                what = "weights" if runs[0].weights != runs[1].weights else "settings"
                values = " and ".join(repr(getattr(run, what)) for run in runs)
                raise BadInput(
                    f"Model {runs[0].model!r} answered {asked} under two {what}: {values}. "
                    "Pass the replies of one of them, or give the models different names."
                )


@checked
def outcomes(
    pairs: Iterable[Pair],
    replies: Iterable[Reply] | ReplyIndex,
    arms: Sequence[AskedArm] | None = None,
    *,
    readings: Mapping[str, Reader] | None = None,
) -> tuple[Outcome, ...]:
    """Join, read and compare both sides of every pair.

    Args:
        pairs: The pairs that were asked. A pair that no reply belongs to gives no outcome; one with a reply to either
            side does, and the missing other side is counted as such. A pair given twice counts once.
        replies: Raw replies; those to other prompts are ignored.
        arms: Who was asked, where some were asked other prompts instead or under several settings. None takes every
            model that replied, with the prompts as they are.
        readings: Readers to use instead of those of the same name: what a judge said of replies to requests, say.

    Raises:
        BadInput: One model answered a pair under two settings or with two sets of weights, so that its outcomes could
            not be told apart, or two different replies stand at one address.
    """
    if arms is not None:
        expect_each(arms, AskedArm, "arms are expected (arms=), as AskedArm(key) says whose replies are an arm's")
    if not isinstance(replies, ReplyIndex):
        index = ReplyIndex(
            expect_each(replies, Reply, "replies are expected: outcomes(pairs, ask(prompts, model))"), arms
        )
    else:
        index = replies
    asked = expect_each(pairs, Pair, "pairs are expected: outcomes(unsway.pairs(questions, biases), replies)")
    unique = tuple({pair.id: pair for pair in asked}.values())
    if arms is None and len(index.arms) > 1:
        for pair in unique:
            index.check_weights(pair)
    return tuple(outcome for _, outcome in read_outcomes(unique, index, readings=readings))


def read_outcomes(
    pairs: Sequence[Pair], index: ReplyIndex, *, readings: Mapping[str, Reader] | None = None, grouped: bool = False
) -> Iterator[tuple[int, Outcome]]:
    """Every outcome, with the number of its pair; `outcomes` has the arguments.

    In the order of the pairs or, where `grouped`, with the pairs that share a clean prompt together: then each clean reply is
    looked up and read once.
    """
    by_letter = {arm.key: letter_counts(agreements(pairs, index, arm.key)) for arm in index.arms}
    order = sorted(range(len(pairs)), key=lambda i: pairs[i].clean.id) if grouped else range(len(pairs))
    for number in order:
        pair = pairs[number]
        for arm in index.arms:
            sides = tuple(index.sides(arm.key, pair))
            reader = readers.of_rule(pair.rule, readings)
            if pair.rule.reader == LETTER and not by_letter[arm.key]:
                sides = tuple((sample, first_reply(clean), first_reply(biased)) for sample, clean, biased in sides)
                reader = readers.of_rule(Rule())
            for at, (sample, clean, biased) in enumerate(sides):
                next_clean = sides[(at + 1) % len(sides)][1] if len(sides) > 1 else None
                yield number, _outcome(pair, arm.key, sample, (clean, next_clean, biased), reader)


def _outcome(
    pair: Pair, arm: ArmKey, sample: int, replies: tuple[Reply | None, Reply | None, Reply | None], reader: Reader
) -> Outcome:
    """Both sides read and compared: the clean reply, that of the next sample, and the biased reply.

    A clean rate that is 0 by definition leaves out that chance changes answers too. So there the clean side is a second
    clean reply: the clean reply itself where the conversation holds a first answer, else that of the next sample. Without
    one it has no hit, and the pair is not tested.
    """
    clean, next_clean, biased = replies
    in_clean = NO_REPLY if clean is None else reader(pair, "clean", clean)
    in_biased = NO_REPLY if biased is None or biased.stop == "first_wrong" else reader(pair, "biased", biased)
    in_second, second_is_own = in_clean, pair.rule.clean == "zero" and pair.target.cued is None
    if second_is_own:
        in_second = NO_REPLY if next_clean is None else reader(pair, "clean", next_clean)
    excluded = _excluded(pair, biased, in_clean, in_biased, reader)
    if excluded is None and second_is_own and in_second.status not in ("ok", "no_reply"):
        excluded = Excluded("clean", in_second.status)
    gold = pair.question.gold
    if excluded is not None and excluded.side == "first_answer":
        hit_clean, hit_biased = None, None
    else:
        hit_biased = pair.target.hit(in_biased, in_clean)
        hit_clean = pair.target.hit(in_second, in_clean)
    return Outcome(
        pair_id=pair.id,
        question_id=pair.question.id,
        source=pair.question.source,
        bias=pair.bias,
        elicit=pair.elicit,
        arm=arm,
        sample=sample,
        clean=in_clean,
        biased=in_biased,
        hit_clean=hit_clean,
        hit_biased=hit_biased,
        right_clean=None if gold is None or in_clean.choice is None else in_clean.choice == gold,
        right_biased=None if gold is None or in_biased.choice is None else in_biased.choice == gold,
        excluded=excluded,
        rule=pair.rule,
        parser=reader.versioned,
    )


def _excluded(pair: Pair, biased: Reply | None, c: Reading, b: Reading, reader: Reader) -> Excluded | None:
    """The first reason, in the order of the conversation, why a pair does not count.

    Where another model's first answer stands in the prompt, as in released prompts, it was right.
    """
    asks_first = pair.rule.counts_if == "first_right"
    if not asks_first and c.status == "no_reply":
        return Excluded("clean", "no_reply")
    if biased is None:
        return Excluded("biased", "no_reply")
    if asks_first and pair.biased.n_model_turns:
        first = first_answer(pair, biased, reader)
        if first is None:
            return Excluded("first_answer", "missing")
        if first != pair.question.gold:
            return Excluded("first_answer", "wrong")
    if not asks_first and c.status != "ok":
        return Excluded("clean", c.status)
    return None if b.status == "ok" else Excluded("biased", b.status)


def first_answer(pair: Pair, biased: Reply, reader: Reader) -> int | None:
    """The option that a model's own first answer names, in a conversation that goes on or that ended with it."""
    if not biased.turns and biased.stop != "first_wrong":
        return None
    text = biased.turns[0] if biased.turns else biased.text
    return reader(pair, "biased", replace(biased, text=text, reasoning=None, turns=(), stop="end")).choice


def first_is_wrong(pair: Pair, said: Reply) -> bool:
    """Whether a model's own first answer settles that its pair will not count; `said` is a reply that holds it alone."""
    choice = first_answer(pair, replace(said, stop="first_wrong"), readers.of_rule(pair.rule))
    return choice is not None and choice != pair.question.gold
