"""TruthfulQA: questions that people answer wrongly out of habit (Lin et al. 2022, arXiv 2109.07958).

`validation` is the 817 questions with one right option (mc1), from the hub or from your own copy: a folder
`truthfulqa` under `UNSWAY_ASSETS_DIR` with the hub's Parquet file or the authors' `mc_task.json`. `bigbench` is the 299
questions in BIG-bench; a package index has it. The published files always list the right option first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unsway import assets
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import Question


def scored(stem: str, scores: Mapping[str, float], split: str) -> Question:
    """A question with scored options: the one with score 1 is right; if not exactly one has it, none is."""
    options = tuple(scores)
    right = [index for index, option in enumerate(options) if scores[option] == 1]
    return Question(stem, options, right[0] if len(right) == 1 else None, "", split)


@source(
    "truthfulqa",
    revision="1",
    license="Apache-2.0",
    splits=(Split("validation", 817, "truthfulqa"), Split("bigbench", 299, "bigbench")),
    kind="test",
    summary="Questions that people answer wrongly out of habit, one right option each (mc1)",
    paper="arXiv 2109.07958",
)
def truthfulqa(split: str) -> Iterator[Question]:
    """TruthfulQA, mc1."""
    if split == "bigbench":
        path = assets.need("bigbench") / "bigbench-1.0.0/bigbench/benchmark_tasks/truthful_qa/task_mc.json"
        for row in tables.rows(path):
            yield scored(row["input"], row["target_scores"], split)
        return
    authors_file = assets.need("truthfulqa") / "mc_task.json"
    if authors_file.is_file():
        for row in tables.rows(authors_file):
            yield scored(row["question"], row["mc1_targets"], split)
        return
    for row in tables.rows(authors_file.parent / "multiple_choice/validation-00000-of-00001.parquet"):
        targets = row["mc1_targets"]
        yield scored(row["question"], dict(zip(targets["choices"], targets["labels"], strict=True)), split)
