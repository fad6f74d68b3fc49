"""Shared helpers of the tests of biases: questions that suit each bias, and functions that inspect a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from scipy.stats import chisquare

from unsway import biases, sources
from unsway.biases import shots
from unsway.biases.arguments import Argument, Arguments
from unsway.pairing import PairSet, pairs
from unsway.prompts import elicitations
from unsway.prompts.render import letter
from unsway.testing import toy_questions
from unsway.types import Prompt, Question

ELICITS = tuple(name for name in elicitations.names() if elicitations.get(name).style != "request")
"""Ways to put a question with options; requests have none, and are tested in test_requests.py."""
ONE_TURN = tuple(name for name in ELICITS if elicitations.get(name).answer_turn is None)
"""Elicitations with a single turn; answer turns are tested in test_biases.py and test_answer_turn.py."""
NAMES = biases.names()


@cache
def questions(n: int = 6) -> tuple[Question, ...]:
    """Questions of all kinds, so some suit every bias: four options, two options, gambles, options that are words."""
    return (
        *toy_questions(n),
        *(replace(q, stem=f"Quickly: {q.stem}", id="") for q in toy_questions(n, n_options=2)),
        *sources.load("gambles", n),
        *(
            Question(f"Which is number {i} on the list?", ("Oak tree", "pine", "Elm.", "“Ash”"), i % 4, "t", "test")
            for i in range(n)
        ),
    )


@cache
def arguments(n: int = 6) -> Arguments:
    """An argument for every option."""
    return Arguments(
        tuple(
            Argument(q.id, i, f"Step 1: look closely.\nStep 2: compare. Therefore, the best answer is: ({letter(i)}).")
            for q in questions(n)
            for i in range(len(q.options))
        )
    )


def build(names: Iterable[str], elicit: str = "cot", seed: int = 0, n: int = 6, **more: object) -> PairSet:
    return pairs(questions(n), tuple(names), elicit=elicit, seed=seed, arguments=arguments(n), **more)  # type: ignore[arg-type]


def option_texts(prompt: Prompt) -> list[str]:
    return [part.text for part in prompt.turns[-1].parts or () if part.kind == "option"]


def place(prompt: Prompt) -> str:
    """Position of the only cue in the question's turn."""
    kinds = [part.kind for part in prompt.turns[-1].parts or ()]
    at = kinds.index("cue")
    if at == 0:
        return "front"
    if at == len(kinds) - 1:
        return "end"
    return "before_options" if kinds[at + 1] == "option" else "after_options"


def shot_texts(prompt: Prompt) -> list[str]:
    """The examples before a question."""
    first = (prompt.turns[-1].parts or ())[0]
    assert first.kind == "cue"
    return first.text.removesuffix("\n\n===\n\n").split("\n\n===\n\n")


def labelled_right(shot: str) -> bool:
    """Whether the label of an example is its demo's right option."""
    demo = next(d for d in shots.demos() if shot.startswith(d.stem))
    label = re.findall(r"\(([A-Z])\)", shot.split("\n\n")[-1])[-1]
    line = next(line for line in shot.split("\n") if line.startswith(f"({label}) "))
    return line[4:].rstrip(" ⬛✓") == demo.right


def even(counts: list[int], what: str) -> None:
    """Assert that counts are about even, with a chi-square test that an even draw fails once in a million."""
    assert all(counts), f"{what}: some are never drawn: {counts}"
    assert chisquare(counts).pvalue > 1e-6, f"{what}: {counts}"
