"""LogiQA: reading and logic from civil-service exams (Liu et al. 2020, arXiv 2007.08124).

`validation` (what Chua et al. measured on), `test` and `train` are the published English splits from the hub, or from
your own copy: a folder `logiqa` under `UNSWAY_ASSETS_DIR` with the hub's Parquet files or the authors' `Eval.txt`,
`Test.txt`, `Train.txt`. `exams` is 1,354 questions of the same kind from OpenAI's `evals`; they are not in the published
set.
`evals` also has files named after LogiQA with "plus": there the right option of every question has been replaced by
"None of the other options are correct". That is a different test, so they are not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unsway import assets
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import Question

_AUTHORS_FILES = {"train": "Train.txt", "validation": "Eval.txt", "test": "Test.txt"}
_PASSAGE_AND_QUESTION = re.compile(
    r"^\s*Passage:\s*(.*?)\s*Question:\s*(.*?)\nA\. (.*)\nB\. (.*)\nC\. (.*)\nD\. (.*)\nAnswer:", re.S
)


def _question(passage: str, question: str, options: list[str], gold: int | None, split: str) -> Question:
    """A question about a passage."""
    stem = f"{passage.strip()}\n\n{question.strip()}"
    return Question(stem, tuple(option.strip() for option in options), gold, "", split)


@source(
    "logiqa",
    revision="1",
    license="none stated upstream: fetched on demand, never passed on",
    splits=(
        Split("validation", 651, "logiqa"),
        Split("test", 651, "logiqa"),
        Split("train", 7376, "logiqa"),
        Split("exams", 1354, "logiqa-exams"),
    ),
    kind="test",
    summary="Reading and logic from civil-service exams",
    paper="arXiv 2007.08124",
)
def logiqa(split: str) -> Iterator[Question]:
    """LogiQA in English."""
    if split == "exams":
        for row in tables.rows(assets.need("logiqa-exams") / "evals/registry/data/logiqa/logiqa.jsonl"):
            match = _PASSAGE_AND_QUESTION.match(row["input"][-1]["content"])
            if match is None:  # a row of another shape: an empty question is counted as skipped, with its row number
                yield Question("", (), None, "", split)
                continue
            passage, question, *options = match.groups()
            yield _question(passage, question, options, "ABCD".find(row["ideal"]), split)
        return
    folder = assets.need("logiqa")
    if not (folder / _AUTHORS_FILES[split]).is_file():
        for row in tables.rows(folder / f"default/logiqa-{split}.parquet"):
            yield _question(row["context"], row["query"], list(row["options"]), row["correct_option"], split)
        return
    # the authors' files: an empty line, the letter, the passage, the question and four options, one per line
    lines = (folder / _AUTHORS_FILES[split]).read_text(encoding="utf-8").splitlines()
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    for first in range(start, len(lines) - 6, 8):
        letter, passage, question, *options = lines[first : first + 7]
        gold = "abcd".find(letter.strip().lower()) if letter.strip() else -1
        yield _question(passage, question, options, gold if gold >= 0 else None, split)
