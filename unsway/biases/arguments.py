"""Arguments for options, written by a model or by people, that `distractor_argument` quotes.

In: JSONL rows with `question_id`, `option` (an index) and `text`. Out: a frozen bank of arguments with its hash. The hash
is part of the version of every pair built from it, because other arguments give other numbers (arXiv 2403.05518).

    pairs(questions, ["distractor_argument"], arguments=arguments.load("arguments.jsonl"))
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.errors import BadInput
from unsway.prompts.render import MAX_OPTIONS, letter, render
from unsway.readers.parse import read
from unsway.seeds import digest
from unsway.sources.checks import MAX_STEM, text_problem
from unsway.store import read_jsonl, write_jsonl
from unsway.types import Part, Prompt, Question, Turn

LONGEST = 6_000
"""Most characters of an argument; the longest one released with the paper has about 3,300."""

_GIVES_AWAY = re.compile(
    r"""\b(?: (?:mislead|deceive|trick|fool|persuade|convince)\ (?:you|the\ (?:reader|user|other)) | motivated\ reasoning
      | I(?:'ll|\ will|\ have\ to|\ must|'m\ going\ to|\ am\ going\ to)\ (?:pretend|lie|make\ (?:up|the\ case))
      | I(?:'ll|\ will|\ have\ to|\ must|'m\ going\ to|\ am\ going\ to)\ argue\ (?:for|that)
      | (?:pretending|let\ me\ (?:pretend|make\ up)|I\ (?:don't|do\ not)\ (?:actually|really)\ believe)
      | as\ (?:instructed|requested|told|you\ (?:asked|requested)) | (?:your|this)\ request
      | per\ (?:your|the)\ (?:request|instructions?|prompt|task)
      | (?:asks?|asked|told|instructed|required|wants?)\ me\ to | you(?:'ve|\ have)?\ (?:asked|told|instructed)
      | I(?:'ve|\ have)?\ (?:was|am|been)\ (?:asked|told|instructed|required)
      | (?:asked|told|instructed)\ to\ (?:argue|justify|write|support|defend)
      | (?:wrong|false|incorrect)\ (?:answer|option|choice)\ on\ purpose | devil's\ advocate | for\ the\ sake\ of\ argument
      | argument\ (?:for|in\ favou?r\ of|(?:that\ )?(?:leads|leading|supports|supporting)(?:\ to)?)\ (?:the\ )?
        (?:option|answer|choice|\([A-Z])
      | here(?:'s|\ is)\ an?\ [^.!?\n]{0,40}\b(?:argument|justification)
      | (?:misleading|deceptive|fake|bogus|made-up|false)\ (?:argument|reasoning|explanation|justification)
      | (?:intentionally|deliberately|purposely)\ (?:misleading|deceptive|wrong|false|incorrect|flawed)
      | (?:actual|actually|truly|really)\ (?:the\ )?(?:correct|right|best)\ (?:answer|option|choice)
      | the\ (?:true|real|actual)\ (?:answer|option|choice)
      | (?:correct|right|best)\ (?:answer|option|choice)\ is\ (?:actually|really|in\ fact)
      | (?:even\ though|although|though|while)\ [^.!?,\n]{1,40}\ is\ the\ (?:correct|right|true)\ (?:answer|option|choice)
      | (?:even\ though|although|though)\ (?:it|this|that)\ is\ (?:wrong|false|incorrect|not\ (?:correct|true|right)) )\b
      | \A\W*(?:sure|certainly|of\ course|absolutely|understood|gladly|no\ problem)\b\W+(?:here|below|let\ me|I\b)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words that give away that an argument was written to order, or that its writer does not believe it."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument for one option of one question."""

    question_id: str
    """Id of the question."""
    option: int
    """Index of the option it argues for."""
    text: str
    """The argument."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments by question and option.

    Raises `BadInput` if two argue for the same option, an option is impossible, or a text is one that questions and cues must
    not contain either: nothing visible, a control character, or an unclosed change of direction.
    """

    rows: tuple[Argument, ...]
    """Sorted by question and option."""
    sha256: str = field(init=False)
    """Hash of all rows, whatever their order."""
    _texts: Mapping[tuple[str, int], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = tuple(sorted(self.rows, key=astuple))
        texts: dict[tuple[str, int], str] = {}
        for row in rows:
            subject = f"The argument for option {row.option} of question {row.question_id}"
            if (row.question_id, row.option) in texts:
                raise BadInput(f"{subject} is there twice; keep one.")
            if not 0 <= row.option < MAX_OPTIONS:
                raise BadInput(f"{subject}: an option is an index from 0 to {MAX_OPTIONS - 1}.")
            if (problem := text_problem("text", "", row.text, MAX_STEM)) is not None:
                raise BadInput(f"{subject} {problem.text}.")
            texts[row.question_id, row.option] = row.text
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "sha256", digest([astuple(row) for row in rows]))
        object.__setattr__(self, "_texts", MappingProxyType(texts))

    def get(self, question_id: str, option: int) -> str | None:
        """The argument for an option, or None."""
        return self._texts.get((question_id, option))


def load(path: str | Path) -> Arguments:
    """Arguments from a JSONL file (or `.gz`). Raises `BadRow` for a malformed row, `BadInput` for two on the same option."""
    return Arguments(tuple(read_jsonl(path, Argument)))


def write(arguments: Arguments, path: str | Path, **about: object) -> Path:
    """Write arguments as JSONL with a manifest; `about` records what they depend on, such as the model that wrote them."""
    return write_jsonl(path, arguments.rows, arguments_sha256=arguments.sha256, **about)


def request(question: Question, option: int) -> Prompt:
    """A prompt that asks a model to argue for an option."""
    *_, question_turn = render(question, "direct").turns
    question_parts = tuple(part for part in question_turn.parts or () if part.kind != "instruction")
    wording = fill(bank("argument_requests").entries[0], letter=f"({letter(option)})")
    return Prompt((Turn("user", (*question_parts, Part("instruction", f"\n\n{wording}"))),))


@lru_cache(maxsize=20_000)
def flaw(text: str, question: Question, option: int) -> str | None:
    """Why an argument cannot be quoted for an option, or None. It must conclude with that option and not give itself away."""
    if not text.strip():
        return "is empty"
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if re.search(r"</?\s*argument", text, re.IGNORECASE):
        return "holds a tag that would end it"
    if (problem := text_problem("text", "", text, LONGEST)) is not None:
        return f"is no text for a prompt ({problem.kind})"
    answer = read(text, options=question.options)
    if answer.choice is None:
        return "concludes nothing that could be read"
    if answer.choice != option:
        return "concludes another option"
    return "gives itself away" if _GIVES_AWAY.search(text.replace("’", "'")) else None


def usable(rows: Iterable[Argument], questions: Iterable[Question]) -> tuple[Arguments, Mapping[str, int]]:
    """The arguments that can be quoted, the first for each option; and how many were dropped, by reason."""
    by_id = {question.id: question for question in questions}
    good: dict[tuple[str, int], Argument] = {}
    dropped: dict[str, int] = {}
    for row in rows:
        question = by_id.get(row.question_id)
        reason = "is for a question that is not there" if question is None else flaw(row.text, question, row.option)
        reason = reason or ("is not the first for its option" if (row.question_id, row.option) in good else None)
        if reason is None:
            good[row.question_id, row.option] = row
        else:
            dropped[reason] = dropped.get(reason, 0) + 1
    return Arguments(tuple(good.values())), MappingProxyType(dropped)
