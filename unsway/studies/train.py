"""Train a model on its own replies in one call: sample rows, fit, and return the checkpoint.

In: a method, a base model, train questions, a back-end. Out: a `Checkpoint` that `measure` takes.

    checkpoint = train(Bct(learning_rate=1e-4), "unsway/smollm2-135m", load("arc_easy"), backend=Local())
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unsway import backends, layout
from unsway.backends.local import Local
from unsway.data import Recipe, mixture
from unsway.models.session import name_of
from unsway.pairing import questions_of
from unsway.seeds import content_id
from unsway.store import dumps
from unsway.training import check, fit
from unsway.training.methods import resolve
from unsway.types import Checkpoint, Question
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.planning.budget import Budget
    from unsway.training import Backend, Method

SHARE = 0.75
"""Rows per question if no recipe is given: some replies are truncated, and each row needs its own question."""


@checked
def train(
    method: Method | str,
    base: str,
    questions: Sequence[Question],
    *,
    recipe: Recipe | None = None,
    backend: Backend | str | None = None,
    folder: str | Path | None = None,
    test: Iterable[Question] = (),
    budget: Budget | None = None,
) -> Checkpoint:
    """Sample a model's own replies to train questions, add the cues to the prompts, and train it on them.

    Args:
        method: The method with its hyper-parameters, such as `Bct()`, or a method's name, with its defaults.
        base: The model to train, which also writes the replies.
        questions: Train questions.
        recipe: What the rows are made of. None takes the paper's recipe with three rows for every four questions (at most
            10,000), and as many instruct rows. A method that takes no instruct rows gets none.
        backend: Where it is trained, as a value or by name; None trains here (`Local()`).
        folder: Where rows and checkpoint are stored. None takes `trained/NAME` in the current folder; NAME has the model, the
            method and a hash of both with the rows. The same call resumes a stopped one and repeats nothing.
        test: Test questions, which are excluded from training.
        budget: Stops sampling before its limit could be exceeded.

    Raises:
        UnknownName: There is no such method or back-end.
        BadInput: The back-end cannot do the method, or there are too few questions.
        TrainingError: The fit failed; its last good step is stored.
    """
    method = resolve(method)
    trainer = backends.resolve(backend or Local())
    questions = questions_of(questions)
    check(method, trainer, base)
    n = min(Recipe().n, int(SHARE * len(questions)))
    full_recipe = recipe or replace(Recipe(), n=max(1, n), instruct=n, seed=method.seed)
    full_recipe = full_recipe if method.takes_instruct else replace(full_recipe, instruct=0)
    content_hash = content_id(repr(method), dumps(full_recipe), [question.id for question in questions])[:8]
    model_name = layout.file_name(name_of(base).rpartition("/")[2])
    path = Path(folder) if folder is not None else Path(layout.TRAINED) / f"{model_name}-{method.name}-{content_hash}"
    examples = mixture(full_recipe, questions, base, folder=path, test=test, budget=budget)
    rows_path = examples.write(path / layout.DATA)
    return fit(rows_path, method, base, trainer, path / "checkpoint")
