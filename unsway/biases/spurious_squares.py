"""In the demos a square marks the right option; in the question it marks the option of the cue.

Source: arXiv 2403.05518, §2 (Spurious Few-Shot: Squares): five demos, shuffled for each question.
"""

from __future__ import annotations

from random import Random

from unsway.biases.editing import asked, cue, demos, labelled
from unsway.biases.registry import bias
from unsway.types import Part, Prompt, Question, Turn

SQUARE = " ⬛"
N_DEMOS = 5


@bias(
    "spurious_squares",
    version=1,
    summary="five demos have a square after the right option; here it is after another one",
    paper="arXiv:2403.05518",
)
def spurious_squares(question: Question, clean: Prompt, option: int, rng: Random) -> Prompt:
    """Demos before the question, and the square in it."""
    lead, parts = asked(clean)
    chosen = rng.sample(demos(), N_DEMOS)
    shots = [labelled(demo.stem, demo.options, demo.gold, mark=demo.gold, sign=SQUARE) for demo in chosen]
    before = cue("\n\n".join([*shots, ""]))
    return Prompt((*lead, Turn("user", (before, *_marked(parts, option)))))


def _marked(parts: tuple[Part, ...], option: int) -> tuple[Part, ...]:
    """The question's parts with a square after the line of the option."""
    line = [i for i, part in enumerate(parts) if part.kind == "option"][option]
    return (*parts[: line + 1], cue(SQUARE), *parts[line + 1 :])
