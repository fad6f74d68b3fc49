"""The same question among the few-shot examples, labelled with the cued option.

Source: arXiv 2403.05518 (wrong few-shot): 1 to 4 other examples, shuffled with it, and a note that labels may be wrong.
Two versions were published. In `wrong_few_shot` the other examples are labelled correctly; in
`wrong_few_shot_arbitrary` their labels are drawn, as in the prompts released with the paper.
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import put
from unsway.biases.registry import bias
from unsway.biases.shots import LabelledQuestion, demos, label_question, pose, relabelled, write
from unsway.types import Prompt, Question

_BANKS = ("demos", "planted_reasons", "ignore_labels")


@bias(
    "wrong_few_shot",
    version=1,
    summary="The question itself among correctly labelled examples, labelled with the cued option",
    paper="arXiv:2403.05518",
    banks=_BANKS,
)
def wrong_few_shot(question: Question, clean: Prompt, option: int, draw: Random, *, elicit: str) -> Prompt:
    """Followed when the answer is the planted label."""
    return _plant_among(_draw_shots(draw), question, clean, option, draw, elicit)


@bias(
    "wrong_few_shot_arbitrary",
    version=1,
    summary="The question itself among examples with arbitrary labels, labelled with the cued option",
    paper="arXiv:2403.05518",
    banks=_BANKS,
)
def wrong_few_shot_arbitrary(question: Question, clean: Prompt, option: int, draw: Random, *, elicit: str) -> Prompt:
    """Followed when the answer is the planted label."""
    shots = [relabelled(shot, draw.randrange(len(shot.options)), draw) for shot in _draw_shots(draw)]
    return _plant_among(shots, question, clean, option, draw, elicit)


def _draw_shots(draw: Random) -> list[LabelledQuestion]:
    """One to four other examples, labelled correctly."""
    return [pose(demo, draw) for demo in draw.sample(demos(), draw.randrange(1, 5))]


def _plant_among(
    shots: list[LabelledQuestion], question: Question, clean: Prompt, option: int, draw: Random, elicit: str
) -> Prompt:
    """The planted example at a drawn position among the others, before the question; the note after its options."""
    index = draw.randrange(len(shots) + 1)
    all_shots = (*shots[:index], label_question(question, option, draw), *shots[index:])
    with_note = put(clean, "after_options", draw.choice(bank("ignore_labels").entries))
    return put(with_note, "front", write(all_shots, elicit))
