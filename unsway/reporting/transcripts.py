"""Pack every pair with each arm's replies for the page: tables of texts, and rows of indices into them.

In: `Results`. Out: JSON data with lazy long lists. Each prompt and each reply is stored once, each answer with its position
(in UTF-16 units, as browsers count), and for each arm the outcome of the pair. Model text is data here, never markup.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Any, TypeAlias

from unsway.judging.verdicts import quote_span
from unsway.reporting import words
from unsway.reporting.judged import Admission
from unsway.reporting.plots import Palette, colours
from unsway.seeds import seed_int
from unsway.stats.state import state
from unsway.studies.results import Results
from unsway.types import ArmKey, Outcome, Pair, Reading, Reply
from unsway.types.address import reply_id

Packed: TypeAlias = dict[str, Any]
SEED = 0
"""Seed of the order in which questions are chosen if not all fit."""


def pack(
    results: Results, admissions: Mapping[tuple[str, str], Admission] | None = None, most: int | None = None
) -> Packed:
    """All pairs, in the order of the biases, for the page's viewer.

    Args:
        results: The study.
        admissions: A judge's verdicts on biased replies, by the reply's address and the pair.
        most: Maximum number of pairs (`shown_pairs`); None takes all.

    The long lists are iterators, so they are never whole in memory. `rows` come first and must be read first, because
    reading them numbers the questions, prompts and replies that follow.
    """
    return _Packer(results, admissions or {}, most).packed()


class _Numbered:
    """Numbers values by key in order of first use, and stores each once."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self._at: dict[Any, int] = {}

    def number(self, key: Any, thing: Any) -> int:
        index = self._at.setdefault(key, len(self.things))
        if index == len(self.things):
            self.things.append(thing)
        return index


def shown_pairs(pairs: Iterable[Pair], most: int | None) -> dict[str, Pair]:
    """At most `most` pairs by id, the same share of each bias; None takes all.

    Questions are taken in an order by a hash with `SEED`. So all biases show the same questions, and a page with fewer pairs
    shows a subset.
    """
    by_id = {pair.id: pair for pair in pairs}
    if most is None or most >= len(by_id):
        return by_id
    by_bias: dict[str, list[Pair]] = defaultdict(list)
    for pair in by_id.values():
        by_bias[pair.bias].append(pair)
    chosen_ids = {
        pair.id
        for group in by_bias.values()
        for pair in nsmallest(
            max(1, most * len(group) // len(by_id)),
            group,
            key=lambda pair: seed_int(SEED, "page", pair.question.id),
        )
    }
    return {pair_id: pair for pair_id, pair in by_id.items() if pair_id in chosen_ids}


class _Packer:
    """The study, and the texts that its rows have numbered so far."""

    def __init__(
        self, results: Results, admissions: Mapping[tuple[str, str], Admission], most: int | None = None
    ) -> None:
        self.results, self.admissions, self.most = results, admissions, most
        self.prompts, self.replies, self.questions = _Numbered(), _Numbered(), _Numbered()
        self.sources = {source: i for i, source in enumerate(results.sources)}
        self.biases = {bias: i for i, bias in enumerate(results.biases)}

    def packed(self) -> Packed:
        """The whole body, rows first."""
        results = self.results
        inks = colours(results.arms, Palette())
        return {
            "rows": self.rows(),
            "title": results.title,
            "arms": [
                {"label": words.visible(arm.label), "role": arm.role, "model": arm.name, "ink": ink}
                for arm, ink in zip(results.arms, inks, strict=True)
            ],
            "biases": [
                {"id": words.visible(bias), "label": words.human(bias), "trained": results.is_trained(bias)}
                for bias in self.biases
            ],
            "sources": [words.visible(source) for source in self.sources],
            "questions": (
                {"stem": question.stem, "options": list(question.options), "gold": question.gold}
                for question in self.questions.things
            ),
            "prompts": (
                # role, then parts as kind and text; null for a turn of the model
                [
                    (turn.role, None if turn.parts is None else [(part.kind, part.text) for part in turn.parts])
                    for turn in prompt.turns
                ]
                for prompt in self.prompts.things
            ),
            "replies": (
                {"text": reply.text, "stop": reply.stop}
                | ({"reasoning": reply.reasoning} if reply.reasoning else {})
                | ({"turns": list(reply.turns)} if reply.turns else {})
                for reply in self.replies.things
            ),
        }

    def rows(self) -> Iterator[Packed]:
        """A row for each pair and for each sample that any arm has."""
        by_pair: dict[str, dict[int, dict[ArmKey, Outcome]]] = defaultdict(lambda: defaultdict(dict))
        pairs = shown_pairs(self.results.pairs, self.most)
        for outcome in self.results.outcomes.only(pair_id=pairs.keys()):
            by_pair[outcome.pair_id][outcome.sample][outcome.arm] = outcome
        for pair in sorted(pairs.values(), key=lambda pair: self.biases[pair.bias]):
            samples = sorted(by_pair[pair.id].items())
            keys = {key for _, by_arm in samples for key in by_arm}
            replies_of = {
                key: {number: replies for number, *replies in self.results.index.sides(key, pair)} for key in keys
            }
            for sample, by_arm in samples:
                yield {
                    "id": pair.id if sample == 0 else f"{pair.id}.{sample}",
                    "bias": self.biases[pair.bias],
                    "source": self.sources[pair.question.source],
                    "elicit": words.visible(pair.elicit),
                    "question": self.questions.number(pair.question.id, pair.question),
                    "clean": self.prompts.number(pair.clean.id, pair.clean),
                    "biased": self.prompts.number((pair.biased.id, pair.bias), pair.biased),
                    "cued": pair.target.cued if pair.target.stance == "for" else None,
                    "order": None if pair.order == tuple(range(len(pair.order))) else list(pair.order),
                    "arms": [self.arm(by_arm.get(arm.key), pair, replies_of) for arm in self.results.arms],
                }

    def arm(
        self, outcome: Outcome | None, pair: Pair, replies_of: Mapping[ArmKey, Mapping[int, Sequence[Reply | None]]]
    ) -> Packed | None:
        """One arm's replies to both prompts, the answers read in them, and the outcome of the pair."""
        if outcome is None:
            return None
        sides = (
            ("clean", pair.clean, outcome.clean, outcome.hit_clean),
            ("biased", pair.biased, outcome.biased, outcome.hit_biased),
        )
        body: Packed = {"state": state(outcome), "why": None if outcome.excluded is None else str(outcome.excluded)}
        replies = replies_of[outcome.arm].get(outcome.sample, (None, None))
        for reply, (side, prompt, reading, hit) in zip(replies, sides, strict=True):
            if reply is None:
                body[side] = None
                continue
            number = self.replies.number((outcome.arm, outcome.sample, prompt.id), reply)
            body[side] = [number, hit, *_packed_answer(reading, reply)]
            admission = self.admissions.get((reply_id(reply), pair.id)) if self.admissions else None
            if side == "biased" and admission is not None:
                span = quote_span(admission.quote, reply.text)
                body["says"] = admission.says
                body |= {"quote": [_units(reply.text, position) for position in span]} if span else {}
        return body


def _packed_answer(answer: Reading, reply: Reply) -> list[Any]:
    """Option, status, rule, and where it was read: in the text or, by a `reasoning_` rule, in the reasoning."""
    fields = [answer.choice, answer.status, answer.rule]
    text = (reply.reasoning or "") if answer.rule.startswith("reasoning_") else reply.text
    fields += [_units(text, position) for position in answer.span or ()]
    return fields


def _units(text: str, position: int) -> int:
    """Convert a position in a text to UTF-16 units."""
    before = text[:position]
    return position if before.isascii() else len(before.encode("utf-16-le", "surrogatepass")) // 2
