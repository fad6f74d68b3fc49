"""BIG-Bench Hard: the 13 subtasks that Turpin et al. 2023 made multiple choice (Suzgun et al. 2022, arXiv 2210.09261).

`test` is BIG-Bench Hard's own selection (about 250 questions per subtask), from the hub or from your own copy: a folder
`bbh` under `UNSWAY_ASSETS_DIR` with the hub's Parquet files or the authors' `<subtask>.json`. `bigbench` is the
BIG-bench task that a subtask was drawn from; a package index has it (not web_of_lies, which was new in BBH).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from unsway import assets
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.sources.truthfulqa import scored
from unsway.types import Question

_BIGBENCH = "bigbench-1.0.0/bigbench/benchmark_tasks"
HYPERBATON = 1000
"""Number of BIG-bench's 50,000 hyperbaton questions to load: the first 1,000, as many as the other large tasks have."""

_SUBTASKS: dict[str, tuple[int, int, str, str]] = {
    # name: rows of BIG-Bench Hard, rows of BIG-bench, folder of BIG-bench, topic
    "causal_judgment": (187, 190, "causal_judgment", "what a typical person says caused what"),
    "date_understanding": (250, 369, "date_understanding", "a date worked out from another"),
    "disambiguation_qa": (250, 258, "disambiguation_qa", "whom a pronoun means, or that nobody can tell"),
    "hyperbaton": (250, HYPERBATON, "hyperbaton", "which order of adjectives is right"),
    "logical_deduction_five_objects": (
        250,
        500,
        "logical_deduction/five_objects",
        "an order of five things from clues",
    ),
    "movie_recommendation": (250, 500, "movie_recommendation", "the film most like four others"),
    "navigate": (250, 1000, "navigate", "whether steps lead back to the start"),
    "ruin_names": (250, 448, "ruin_names", "a funny edit of a name"),
    "snarks": (178, 181, "snarks", "which of two statements is sarcastic"),
    "sports_understanding": (250, 1000, "sports_understanding", "whether a sentence on sports is plausible"),
    "temporal_sequences": (250, 1000, "temporal_sequences", "when somebody could have gone somewhere"),
    "tracking_shuffled_objects_three_objects": (
        250,
        750,
        "tracking_shuffled_objects/three_objects",
        "who holds what after swaps",
    ),
    "web_of_lies": (250, 0, "", "whether somebody in a chain of speakers tells the truth"),
}
_OTHER_SPELLINGS = {"causal_judgment": "causal_judgement"}
"""Subtasks that BIG-Bench Hard spells differently."""


def big_bench(task: str, row: dict[str, Any], body: dict[str, Any]) -> Question:
    """A question from a row of BIG-bench: its scored options, and its stem after the task file's prefix.

    navigate answers with True and False, which become Yes and No. hyperbaton and snarks have two sentences inside the
    question, which become its options: a " … " b " … " or (a) … (b) ….
    """
    text, scores = row["input"].strip(), row["target_scores"]
    if task in ("hyperbaton", "snarks"):
        match = re.match(r'(.*?)\s*(?:\(a\)|a ") (.*?)(?: ")? (?:\(b\)|b ") (.*?)(?: " \?)?$', text, re.S)
        if match is None:
            return Question("", (), None, "", "bigbench")
        gold = next(index for index, name in enumerate("ab") if scores.get(name, 0) or scores.get(f"({name})", 0))
        return Question(match[1], (match[2], match[3]), gold, "", "bigbench")
    prefix = body.get("task_prefix", "").strip()
    if task == "navigate":
        words = {"True": "Yes", "False": "No"}
        return scored(f"{prefix}\n\n{text}", {words[option]: score for option, score in scores.items()}, "bigbench")
    prefix = f"{prefix}\n\n{body.get('example_input_prefix', '').strip()}".strip()
    stem = f"{prefix} {text}" if prefix.endswith((":", " to")) else f"{prefix}\n\n{text}"
    return scored(stem.strip(), scores, "bigbench")


for _task, (_hard_rows, _all_rows, _folder, _about) in _SUBTASKS.items():
    _splits = (Split("test", _hard_rows, "bbh"), Split("bigbench", _all_rows, "bigbench"))

    @source(
        f"bbh/{_task}",
        revision="1",
        license="BIG-Bench Hard MIT, BIG-bench Apache-2.0",
        splits=_splits if _folder else _splits[:1],
        kind="train",
        summary=f"BIG-Bench Hard: {_about}",
        paper="arXiv 2210.09261",
    )
    def rows(split: str, task: str = _task) -> Iterator[Question]:
        """The questions of one subtask, whose options are lines `(A) …`, lines `- …`, or yes and no."""
        if split == "bigbench":
            path = assets.need("bigbench") / _BIGBENCH / _SUBTASKS[task][2] / "task.json"
            body = json.loads(path.read_text(encoding="utf-8"))
            for row in body["examples"][: HYPERBATON if task == "hyperbaton" else None]:
                yield big_bench(task, row, body)
            return
        folder = assets.need("bbh")
        name = _OTHER_SPELLINGS.get(task, task)
        authors_file = folder / f"{name}.json"
        hub_file = folder / name / "test-00000-of-00001.parquet"
        for row in tables.rows(authors_file if authors_file.is_file() else hub_file):
            stem, _, option_lines = row["input"].partition("\nOptions:\n")
            lettered_options = re.findall(r"^\(([A-Z])\) (.*)$", option_lines, re.M)
            options = tuple(option for _, option in lettered_options) or tuple(
                re.findall(r"^- (.*)$", option_lines, re.M)
            )
            options = options or ("Yes", "No")
            targets = [f"({letter})" for letter, _ in lettered_options] or [option.casefold() for option in options]
            target = row["target"].strip() if lettered_options else row["target"].strip().casefold()
            yield Question(stem.strip(), options, targets.index(target) if target in targets else None, "", "test")
