"""Every pair with what each arm said, packed for the page: tables of strings, and rows of numbers into them.

In: `Results`. Out: JSON-able data, its long lists made as they are read; each prompt and each reply once, answers with the
place where they were read (in UTF-16 units, as browsers count), and for each arm what became of the pair. Model text is data
here, never markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from unsway.reporting import words
from unsway.reporting.plots import Palette, colours
from unsway.stats.state import state
from unsway.studies.results import Results
from unsway.types import Answer, Outcome, Pair, Prompt, Question, Reply, Toward

Packed: TypeAlias = dict[str, Any]


def pack(results: Results) -> Packed:
    """All pairs, in the order of the biases, for the viewer of the page.

    The long lists are iterators, so that they need not be in memory whole. `rows` come first and must be read first: they
    number the questions, prompts and replies that follow.
    """
    return _Packing(results).packed()


class _Numbered:
    """Numbers things by a key, in the order they first come, and keeps each once."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self._at: dict[Any, int] = {}

    def number(self, key: Any, thing: Any) -> int:
        at = self._at.setdefault(key, len(self.things))
        if at == len(self.things):
            self.things.append(thing)
        return at


class _Packing:
    def __init__(self, results: Results) -> None:
        self.results = results
        self.prompts, self.replies, self.questions = _Numbered(), _Numbered(), _Numbered()
        self.sources = {source: i for i, source in enumerate(results.sources)}
        self.biases = {bias: i for i, bias in enumerate(results.biases)}
        self.said = {(reply.model, reply.sample, reply.prompt_id): reply for reply in results.replies}

    def packed(self) -> Packed:
        results = self.results
        by_pair: dict[str, list[Outcome]] = {}
        for outcome in results.outcomes:
            by_pair.setdefault(outcome.pair_id, []).append(outcome)
        unique = {pair.id: pair for pair in results.pairs}
        ordered = sorted(unique.values(), key=lambda pair: self.biases[pair.bias])
        return {
            "rows": (row for pair in ordered for row in self._rows(pair, by_pair.get(pair.id, ()))),
            "title": results.title,
            "arms": [
                {"label": words.visible(arm.label), "role": arm.role, "model": arm.model, "ink": ink}
                for arm, ink in zip(results.arms, colours(results.arms, Palette()), strict=True)
            ],
            "biases": [
                {"id": words.visible(bias), "label": words.human(bias), "trained": results.is_trained(bias)}
                for bias in self.biases
            ],
            "sources": [words.visible(source) for source in self.sources],
            "questions": map(_question, self.questions.things),
            "prompts": map(_prompt, self.prompts.things),
            "replies": map(_said, self.replies.things),
        }

    def _rows(self, pair: Pair, outcomes: Iterable[Outcome]) -> Iterator[Packed]:
        """A row for each sample that any arm has."""
        by_sample: dict[int, dict[str, Outcome]] = {}
        for outcome in outcomes:
            by_sample.setdefault(outcome.sample, {})[outcome.model] = outcome
        clean, biased = pair.clean.id, pair.biased.id
        for sample, of_model in sorted(by_sample.items()):
            yield {
                "id": pair.id if sample == 0 else f"{pair.id}.{sample}",
                "bias": self.biases[pair.bias],
                "source": self.sources[pair.question.source],
                "elicit": words.visible(pair.elicit),
                "question": self.questions.number(pair.question.id, pair.question),
                "clean": self.prompts.number(clean, pair.clean),
                "biased": self.prompts.number((biased, pair.bias), pair.biased),
                "cued": _cued(pair),
                "order": None if _is_plain(pair.order) else list(pair.order),
                "arms": [self._arm(of_model.get(arm.model), sample, clean, biased) for arm in self.results.arms],
            }

    def _arm(self, outcome: Outcome | None, sample: int, clean: str, biased: str) -> Packed | None:
        """What an arm said to both prompts, what was read, and what became of the pair."""
        if outcome is None:
            return None
        sides = (
            ("clean", clean, outcome.clean, outcome.hit_clean),
            ("biased", biased, outcome.biased, outcome.hit_biased),
        )
        body: Packed = {"state": state(outcome), "why": outcome.excluded}
        for side, prompt, answer, hit in sides:
            reply = self.said.get((outcome.model, sample, prompt))
            body[side] = None if reply is None else [self._reply(reply), hit, *_answer(answer, reply)]
        return body

    def _reply(self, reply: Reply) -> int:
        return self.replies.number((reply.model, reply.sample, reply.prompt_id), reply)


def _question(question: Question) -> Packed:
    return {"stem": question.stem, "options": list(question.options), "gold": question.gold}


def _prompt(prompt: Prompt) -> list[Any]:
    """Turns of a prompt: role, then parts as kind and text; null where the model speaks."""
    return [
        [turn.role, None if turn.parts is None else [[part.kind, part.text] for part in turn.parts]]
        for turn in prompt.turns
    ]


def _said(reply: Reply) -> Packed:
    body: Packed = {"text": reply.text, "stop": reply.stop}
    if reply.reasoning:
        body["reasoning"] = reply.reasoning
    if reply.turns:
        body["turns"] = list(reply.turns)
    return body


def _answer(answer: Answer, reply: Reply) -> list[Any]:
    """Option, status, rule, and where it was read in the text or, by a `reasoning_` rule, in the reasoning."""
    if answer.span is None:
        return [answer.choice, answer.status, answer.rule]
    text = (reply.reasoning or "") if answer.rule.startswith("reasoning_") else reply.text
    return [answer.choice, answer.status, answer.rule, *(_utf16(text, at) for at in answer.span)]


def _utf16(text: str, at: int) -> int:
    """A place in characters as a place in UTF-16 units."""
    before = text[:at]
    return at if before.isascii() else len(before.encode("utf-16-le", "surrogatepass")) // 2


def _cued(pair: Pair) -> int | None:
    """The option that the cue points to; None where following it means something else."""
    return pair.target.option if isinstance(pair.target, Toward) else None


def _is_plain(order: tuple[int, ...]) -> bool:
    return order == tuple(range(len(order)))
