"""A reply's reasoning, taken apart and put before the model again in part: the tests of Lanham et al. (arXiv 2307.13702, §2).

In: a reply and how it was read. Out: its `Reasoning` in sentences, or why there is none to test; and the prompts that put a
changed reasoning before the model. It is written where the model speaks (*prefill*), or quoted in the question to a model
that takes no beginning of its reply (*quoted*): another distribution, so the two are never counted together.

    reasoning_of(pair, "biased", reply, outcome.biased).sentences
    answer_prompt(pair.biased, reasoning, "The first sentence.", "prefill")

Not tested: thoughts that are hidden, cut or only summarised, and replies whose prompt lets the model speak on the way.
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
"""Steps of a reasoning at most: longer ones are joined evenly, so that a test asks at most 21 times. Ours."""
TESTS: Mapping[str, str] = {
    "early": "The answer after every beginning of the reasoning",
    "mistakes": "The answer where a helper put a mistake into one sentence and the model went on from there",
    "paraphrase": "The answer where a helper said the reasoning in other words",
    "filler": "The answer where the reasoning is dots",
    "shuffle": "The answer without reasoning, and with the options in another order",
}
"""What can be asked, and what each test changes."""
HELPED = ("mistakes", "paraphrase")
"""Tests that another model prepares."""
_JOINS_NEXT = re.compile(
    r"(?:(?:^|\n)\s*(?:[(\[]?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)\]]|[-*•#>]{1,6})"
    r"|(?:^|[\s(])(?:e\.g|i\.e|vs|etc|cf|approx|no|fig|eq|dr|mr|mrs|ms|st)\.)\s*$",
    re.IGNORECASE,
)
"""A piece that ends so is no sentence: the number of a list, or an abbreviation."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The reasoning of one reply, before its answer."""

    sentences: tuple[str, ...]
    """Its sentences, at most `MOST_STEPS` after joining; each with the white space behind it."""
    opening: str = ""
    """The mark that opens it in the reply; empty where it stands in plain text."""
    closing: str = ""
    """The mark that closes it, with what stands between it and the answer."""
    can_prefill: bool = True
    """Whether it can be written at the beginning of a reply: not where a provider keeps it in a channel of its own."""
    answer: str = "answer_opening"
    """Name of the words that begin its answer in a prefilled reply: those of the form that the model was asked for."""


def reasoning_of(pair: Pair, side: Side, reply: Reply, reading: Reading) -> Reasoning | NoReasoning:
    """The reasoning of a reply, or why there is none to test.

    Args:
        pair: The pair.
        side: The side of it that was asked.
        reply: What was said.
        reading: How it was read; of plain text, what stands before the sentence with the answer is its reasoning.
    """
    prompt = pair.clean if side == "clean" else pair.biased
    channels, answer = split(reply.text), opening_of(pair)
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
    before = [piece for piece, end in _pieces(reply.text) if end <= reading.span[0]]
    return Reasoning(joined(before), answer=answer) if before else "none"


def opening_of(pair: Pair) -> str:
    """Name of the words that begin an answer to a pair: brief replies name the option, others its letter.

    A model that was shown "So the best answer is root" and is then made to begin a letter picks one that does not go with
    the option it names, so that neither is an answer.
    """
    name = Ref.parse(pair.elicit).name
    is_brief = name in elicitations.names() and elicitations.get(name).style == "brief"
    return "answer_opening_brief" if is_brief else "answer_opening"


def steps(text: str) -> tuple[str, ...]:
    """The sentences of a text, at most `MOST_STEPS`; together they are the text."""
    return joined([piece for piece, _ in _pieces(text)])


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """The sentences of a text and where each ends; numbers of lists, abbreviations and code do not end one."""
    begins = sorted(begin for begin, _ in sentences_from_the_end(text, 0, len(text)))[1:]
    last = counted = fences = 0
    for begin in (*begins, len(text)):
        fences, counted = fences + text.count("```", counted, begin), begin
        if begin < len(text) and (fences % 2 or _JOINS_NEXT.search(text[max(last, begin - 20) : begin])):
            continue
        yield text[last:begin], begin
        last = begin


def joined(pieces: Sequence[str], most: int = MOST_STEPS) -> tuple[str, ...]:
    """The pieces, neighbours joined where there are more than so many, as evenly as can be."""
    n = min(most, len(pieces))
    cuts = [round(i * len(pieces) / n) for i in range(n + 1)] if n else []
    return tuple("".join(pieces[low:high]) for low, high in pairwise(cuts))


def filler(reasoning: Reasoning, share: float) -> str:
    """Dots in place of a share of its words (Lanham et al., §2.4: as long as the reasoning, and empty of content)."""
    words = sum(len(sentence.split()) for sentence in reasoning.sentences)
    return (" ..." * round(share * words)).strip()


# ---------------------------------------------------------------- prompts


def check_tests(names: Iterable[str], helper: object) -> tuple[str, ...]:
    """The names of tests, each once. Raises `UnknownName`, and `BadInput` where one needs a helper."""
    asked = tuple(dict.fromkeys(names))
    for name in asked:
        if name not in TESTS:
            raise UnknownName("test of the reasoning", name, TESTS)
        if name in HELPED and helper is None:
            raise BadInput(
                f"The test {name!r} needs another model that rewrites sentences: name one (--helper MODEL, helper=…). "
                f"Without one: {', '.join(each for each in TESTS if each not in HELPED)}."
            )
    return asked


@cache
def wordings() -> Mapping[str, str]:
    """What is asked, by its name in the bank."""
    return {name: text for name, _, text in (entry.partition("\n") for entry in bank(BANK).entries)}


def answer_prompt(prompt: Prompt, reasoning: Reasoning, start: str, mode: Mode) -> Prompt:
    """What asks for the answer after this much reasoning, in one form whatever it is."""
    if mode == "quoted":
        return _quoted(prompt, "answer_after", start)
    opening = wordings()[reasoning.answer] if start.strip() else wordings()[reasoning.answer].lstrip()
    if reasoning.opening:
        return _begun(prompt, f"{reasoning.opening}{start.rstrip()}{reasoning.closing}{opening.lstrip()}")
    return _begun(prompt, f"{start.rstrip()}{opening}")


def continuation_prompt(prompt: Prompt, reasoning: Reasoning, start: str, mode: Mode) -> Prompt:
    """What has the model carry on from this much reasoning."""
    if mode == "quoted":
        return _quoted(prompt, "continue_after", start)
    return _begun(prompt, f"{reasoning.opening}{start.rstrip()}")


def continued(prompt: Prompt, text: str) -> str:
    """What a model added to a reply that was begun for it; a mark that its provider repeats is taken off."""
    begun = prompt.turns[-1].text() if prompt.turns[-1].role == "assistant" else ""
    repeated = (begun[place:] for place, char in enumerate(begun) if char in "<[◁")
    return text.removeprefix(next((mark for mark in repeated if text.startswith(mark)), ""))


def mistake_prompt(question: Question, before: str, sentence: str) -> Prompt:
    """What asks a helper for a wrong version of a sentence; it is not told the answer."""
    options = "\n".join(f"({letter(i)}) {text}" for i, text in enumerate(question.options))
    shown = {"question": _barred(f"{question.stem}\n{options}"), "start": _barred(before), "sentence": _line(sentence)}
    return _asked(fill(wordings()["mistake"], **shown))


def paraphrase_prompt(sentence: str) -> Prompt:
    """What asks a helper for the sentence in other words; it does not see the question."""
    return _asked(fill(wordings()["paraphrase"], sentence=_line(sentence)))


def helped(reply: Reply, sentence: str) -> str:
    """The sentence that a helper wrote, with the white space of the one it replaces; empty where there is no new one."""
    lines = [line.strip(' |\t"“”') for line in split(reply.text).said.splitlines() if line.strip(" |\t")]
    said = lines[0] if lines and reply.stop == "end" else ""
    return said + sentence[len(sentence.rstrip()) :] if said.casefold() != sentence.strip().casefold() else ""


class Canary(NamedTuple):
    """A reply that was begun in the middle of a word."""

    prompt: Prompt
    """The question and the beginning of its reply."""

    def is_finished_by(self, text: str) -> bool:
        """Whether a text goes on inside the word: with a small letter, and not with the word from its start.

        Which word it makes is not asked: a small model that makes "blazing" of "bl" received the beginning like one that
        makes "blue". Whoever did not receive it begins a sentence.
        """
        begun = self.prompt.turns[-1].text().rpartition(" ")[2]
        return text[:1].islower() and not text.lower().startswith(begun.lower())


def canaries() -> tuple[Canary, ...]:
    """What tells whether the beginning of a reply reaches a model; some servers drop it without a word."""
    found = []
    for entry in bank(CANARIES).entries:
        question, start = entry.split(" = ")
        found.append(Canary(_begun(_asked(question), start)))
    return tuple(found)


def _asked(text: str) -> Prompt:
    """One question to a model."""
    return Prompt((Turn("user", (Part("instruction", text),)),))


def _begun(prompt: Prompt, start: str) -> Prompt:
    """A prompt with the beginning of its reply; without one it stays as it is."""
    return Prompt((*prompt.turns, Turn("assistant", (Part("instruction", start),)))) if start else prompt


def _quoted(prompt: Prompt, form: str, start: str) -> Prompt:
    """A prompt that quotes a reasoning at its end."""
    *before, last = prompt.turns
    text = fill(wordings()[form], start=_barred(start) if start.strip() else wordings()["nothing"])
    return Prompt((*before, Turn(last.role, (*(last.parts or ()), Part("instruction", text)))))


def _barred(text: str) -> str:
    """A text with a bar before each line."""
    return "\n".join(f"| {_line(line)}" for line in text.strip().splitlines()) or wordings()["nothing"]


def _line(text: str) -> str:
    """The text on one line, without what cannot be seen."""
    return "".join(char if char.isprintable() else " " for char in text.strip())
