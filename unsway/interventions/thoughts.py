"""Split a reply's reasoning and show parts of it to the model again: the tests of Lanham et al. (arXiv 2307.13702, §2).

In: a reply and how it was read. Out: its `Reasoning` in sentences, or why there is none to test; and the prompts that show a
changed reasoning to the model. The reasoning is written as the beginning of the reply (*prefill*), or quoted in the question
if the model does not accept prefills (*quoted*). The distributions differ, so the two are never counted together.

    reasoning_of(pair, "biased", reply, outcome.biased).sentences
    answer_prompt(pair.biased, reasoning, "The first sentence.", "prefill")

Not tested: thoughts that are hidden, truncated or only summarised, and replies to prompts with earlier model turns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.errors import BadInput, UnknownName
from unsway.prompts import elicitations
from unsway.prompts.render import letter
from unsway.readers.channels import split
from unsway.readers.wording import sentences_from_the_end
from unsway.registry import Ref
from unsway.types import Mode, NoReasoning, Pair, Part, Prompt, Question, Reading, Reply, Side, Turn

BANK, CANARIES = "thought_requests", "prefill_canaries"
MOST_STEPS = 20
"""Maximum steps of a reasoning: in longer ones, sentences are joined evenly, so a test asks at most 21 times. Ours."""
TESTS: Mapping[str, str] = {
    "early": "The answer after every beginning of the reasoning",
    "mistakes": "The answer where a helper put a mistake into one sentence and the model went on from there",
    "paraphrase": "The answer where a helper said the reasoning in other words",
    "filler": "The answer where the reasoning is dots",
    "shuffle": "The answer without reasoning, and with the options in another order",
}
"""The tests, and what each changes."""
HELPED = ("mistakes", "paraphrase")
"""Tests that need a helper model."""
_JOINS_NEXT = re.compile(
    r"(?:(?:^|\n)\s*(?:[(\[]?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)\]]|[-*•#>]{1,6})"
    r"|(?:^|[\s(])(?:e\.g|i\.e|vs|etc|cf|approx|no|fig|eq|dr|mr|mrs|ms|st)\.)\s*$",
    re.IGNORECASE,
)
"""Matches the end of a piece that is not a sentence: a list number, or an abbreviation."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The reasoning of one reply, before its answer."""

    sentences: tuple[str, ...]
    """Its sentences, at most `MOST_STEPS` after joining; each with its trailing white space."""
    opening: str = ""
    """The mark that opens it in the reply; empty if it is plain text."""
    closing: str = ""
    """The mark that closes it, with the text between it and the answer."""
    can_prefill: bool = True
    """Whether it can be prefilled: not if a provider keeps it in a separate channel."""
    answer: str = "answer_opening"
    """Name of the words that begin its answer in a prefilled reply, which match the requested form of answer."""


def reasoning_of(pair: Pair, side: Side, reply: Reply, reading: Reading) -> Reasoning | NoReasoning:
    """The reasoning of a reply, or why there is none to test.

    Args:
        pair: The pair.
        side: The side of it that was asked.
        reply: The reply.
        reading: How it was read; in plain text, the reasoning is the text before the sentence with the answer.
    """
    prompt = pair.clean if side == "clean" else pair.biased
    channels = split(reply.text)
    answer = opening_of(pair)
    if prompt.n_model_turns:
        return "speaks"
    if reading.status != "ok":
        return "unread"
    if channels.thought_kind == "full":
        low, high = channels.thought_span
        opening = reply.text[:low]
        closing = reply.text[high : channels.said_span[0]]
        return Reasoning(steps(channels.thought), opening, closing, bool(opening.strip()), answer)
    if reply.reasoning and reply.thought in ("full", "summary", "unknown"):
        kind: NoReasoning = "summary" if reply.thought == "summary" else "unknown"
        return Reasoning(steps(reply.reasoning), can_prefill=False) if reply.thought == "full" else kind
    if reply.thought in ("hidden", "cut") or channels.thought_kind == "cut":
        return "hidden" if reply.thought == "hidden" else "cut"
    if reading.span is None:
        return "none"
    sentences = [piece for piece, end in _pieces(reply.text) if end <= reading.span[0]]
    return Reasoning(merge_pieces(sentences), answer=answer) if sentences else "none"


def opening_of(pair: Pair) -> str:
    """Name of the words that begin an answer to a pair: brief replies name the option, others its letter.

    A model that was shown "So the best answer is root" and is then made to begin with a letter picks one that does not match
    the option it names, so neither would be an answer.
    """
    name = Ref.parse(pair.elicit).name
    is_brief = name in elicitations.names() and elicitations.get(name).style == "brief"
    return "answer_opening_brief" if is_brief else "answer_opening"


def steps(text: str) -> tuple[str, ...]:
    """The sentences of a text, at most `MOST_STEPS`; joined they give the text."""
    return merge_pieces([piece for piece, _ in _pieces(text)])


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """The sentences of a text and where each ends; numbers of lists, abbreviations and code do not end one."""
    begins = sorted(begin for begin, _ in sentences_from_the_end(text, 0, len(text)))[1:]
    last = counted_to = fences = 0
    for begin in (*begins, len(text)):
        fences = fences + text.count("```", counted_to, begin)
        counted_to = begin
        if begin < len(text) and (fences % 2 or _JOINS_NEXT.search(text[max(last, begin - 20) : begin])):
            continue
        yield text[last:begin], begin
        last = begin


def merge_pieces(pieces: Sequence[str], most: int = MOST_STEPS) -> tuple[str, ...]:
    """The pieces; if there are more than `most`, neighbours are joined as evenly as possible."""
    n = min(most, len(pieces))
    cuts = [round(i * len(pieces) / n) for i in range(n + 1)] if n else []
    return tuple("".join(pieces[low:high]) for low, high in pairwise(cuts))


def filler(reasoning: Reasoning, share: float) -> str:
    """Dots instead of a share of its words (Lanham et al., §2.4: as long as the reasoning, without content)."""
    words = sum(len(sentence.split()) for sentence in reasoning.sentences)
    return (" ..." * round(share * words)).strip()


# ---------------------------------------------------------------- prompts


def check_tests(names: Iterable[str], helper: object) -> tuple[str, ...]:
    """The names of tests, each once. Raises `UnknownName`, and `BadInput` if one needs a helper and there is none."""
    tests = tuple(dict.fromkeys(names))
    for name in tests:
        if name not in TESTS:
            raise UnknownName("test of the reasoning", name, TESTS)
        if name in HELPED and helper is None:
            raise BadInput(
                f"The test {name!r} needs another model that rewrites sentences: name one (--helper MODEL, helper=…). "
                f"Without one: {', '.join(test for test in TESTS if test not in HELPED)}."
            )
    return tests


@cache
def wordings() -> Mapping[str, str]:
    """The wordings of the bank, by name."""
    return {name: text for name, _, text in (entry.partition("\n") for entry in bank(BANK).entries)}


def answer_prompt(prompt: Prompt, reasoning: Reasoning, start: str, mode: Mode) -> Prompt:
    """The prompt that asks for the answer after `start`, always in the same form."""
    if mode == "quoted":
        return _with_quote(prompt, "answer_after", start)
    opening = wordings()[reasoning.answer] if start.strip() else wordings()[reasoning.answer].lstrip()
    if reasoning.opening:
        return _with_prefill(prompt, f"{reasoning.opening}{start.rstrip()}{reasoning.closing}{opening.lstrip()}")
    return _with_prefill(prompt, f"{start.rstrip()}{opening}")


def continuation_prompt(prompt: Prompt, reasoning: Reasoning, start: str, mode: Mode) -> Prompt:
    """The prompt that makes the model continue from `start`."""
    if mode == "quoted":
        return _with_quote(prompt, "continue_after", start)
    return _with_prefill(prompt, f"{reasoning.opening}{start.rstrip()}")


def continuation(prompt: Prompt, text: str) -> str:
    """The text that a model added to a prefilled reply, without a mark that its provider repeats."""
    prefilled = prompt.turns[-1].text() if prompt.turns[-1].role == "assistant" else ""
    tails = (prefilled[start:] for start, char in enumerate(prefilled) if char in "<[◁")
    return text.removeprefix(next((mark for mark in tails if text.startswith(mark)), ""))


def mistake_prompt(question: Question, before: str, sentence: str) -> Prompt:
    """The prompt that asks a helper for a wrong version of a sentence; the helper does not see the answer."""
    options = "\n".join(f"({letter(i)}) {text}" for i, text in enumerate(question.options))
    slots = {
        "question": _with_bars(f"{question.stem}\n{options}"),
        "start": _with_bars(before),
        "sentence": _line(sentence),
    }
    return _prompt_of(fill(wordings()["mistake"], **slots))


def paraphrase_prompt(sentence: str) -> Prompt:
    """The prompt that asks a helper to paraphrase a sentence; the helper does not see the question."""
    return _prompt_of(fill(wordings()["paraphrase"], sentence=_line(sentence)))


def helper_sentence(reply: Reply, sentence: str) -> str:
    """The sentence that a helper wrote, with the white space of the one it replaces; empty if it wrote no new one."""
    lines = [line.strip(' |\t"“”') for line in split(reply.text).said.splitlines() if line.strip(" |\t")]
    text = lines[0] if lines and reply.stop == "end" else ""
    return text + sentence[len(sentence.rstrip()) :] if text.casefold() != sentence.strip().casefold() else ""


class Canary(NamedTuple):
    """A reply prefilled up to the middle of a word, to test whether prefills reach the model."""

    prompt: Prompt
    """The question and the prefilled beginning of its reply."""

    def is_finished_by(self, text: str) -> bool:
        """Whether a text continues inside the word: with a small letter, and not with the whole word.

        It does not matter which word results: a small model that makes "blazing" of "bl" received the prefill just as one
        that makes "blue". A model that did not receive it starts a new sentence.
        """
        beginning = self.prompt.turns[-1].text().rpartition(" ")[2]
        return text[:1].islower() and not text.lower().startswith(beginning.lower())


def canaries() -> tuple[Canary, ...]:
    """The canaries that test whether prefills reach a model; some servers silently drop them."""
    result = []
    for entry in bank(CANARIES).entries:
        question, start = entry.split(" = ")
        result.append(Canary(_with_prefill(_prompt_of(question), start)))
    return tuple(result)


def _prompt_of(text: str) -> Prompt:
    """One question to a model."""
    return Prompt((Turn("user", (Part("instruction", text),)),))


def _with_prefill(prompt: Prompt, start: str) -> Prompt:
    """A prompt with a prefilled reply; unchanged if `start` is empty."""
    return Prompt((*prompt.turns, Turn("assistant", (Part("instruction", start),)))) if start else prompt


def _with_quote(prompt: Prompt, form: str, start: str) -> Prompt:
    """A prompt that quotes a reasoning at its end."""
    *before, last = prompt.turns
    text = fill(wordings()[form], start=_with_bars(start) if start.strip() else wordings()["nothing"])
    return Prompt((*before, Turn(last.role, (*(last.parts or ()), Part("instruction", text)))))


def _with_bars(text: str) -> str:
    """A text with a bar before each line."""
    return "\n".join(f"| {_line(line)}" for line in text.strip().splitlines()) or wordings()["nothing"]


def _line(text: str) -> str:
    """The text on one line, without invisible characters."""
    return "".join(char if char.isprintable() else " " for char in text.strip())
