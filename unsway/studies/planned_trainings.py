"""The cost of a study's trainings, before anything is asked.

In: a part of a study with its plan, and the folder it will run in. Out: a `TrainingPlan` for each training.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unsway.data.mixture import EXAMPLES
from unsway.models.weights import CHECKPOINT_FILE
from unsway.planning.plan import TOKENS_OUT, Plan, PromptLength
from unsway.planning.trainings import TrainingPlan
from unsway.studies.jobs import checkpoint_folder, rows_folder
from unsway.studies.values import PlannedArm, Trained
from unsway.types import Pair


def planned_trainings(
    arms: Iterable[PlannedArm], pairs: Iterable[Pair], planned: Plan, folder: Path | None, planned_folders: set[str]
) -> tuple[TrainingPlan, ...]:
    """The plan of each training among some arms, each once.

    The recipe gives the number of rows. Prompts are assumed as long as the part's mean clean prompt, replies as long as the
    rules of thumb of `unsway.planning.plan` say. Truncated replies, which are sampled again, are not counted.

    Args:
        arms: The arms of a part.
        pairs: Its pairs.
        planned: Its plan, which has the price and the rate of each arm.
        folder: Where the study will run: what is already sampled or trained there is not counted.
        planned_folders: Folders of rows and checkpoints that earlier parts plan; this part's folders are added to it.
    """
    clean = {pair.clean.id: PromptLength.of(pair.clean, pair.elicit).tokens_in for pair in pairs}
    prompt_tokens = sum(clean.values()) / len(clean) if clean else 0.0
    models = {model_plan.model: model_plan for model_plan in planned.models}
    plans = []
    for arm in arms:
        training = arm.intervention
        if not isinstance(training, Trained) or checkpoint_folder(arm, training) in planned_folders:
            continue
        rows, checkpoint = rows_folder(arm, training), checkpoint_folder(arm, training)
        n = training.recipe.n + training.recipe.evidence + training.recipe.instruct
        direct = training.recipe.direct_share * training.recipe.n
        reply_tokens = min(training.recipe.max_tokens, TOKENS_OUT.get(training.recipe.elicit.name, TOKENS_OUT["cot"]))
        tokens_out = direct * min(training.recipe.max_tokens, TOKENS_OUT["direct"]) + (n - direct) * reply_tokens
        has_rows = rows in planned_folders or (folder is not None and (folder / rows / EXAMPLES).exists())
        is_done = folder is not None and (folder / checkpoint / CHECKPOINT_FILE).exists()
        n_replies = 0 if has_rows or is_done else n
        tokens = 0.0 if is_done else (n * prompt_tokens + tokens_out) * training.method.epochs
        plans.append(
            TrainingPlan(
                arm=arm.name,
                n_replies=n_replies,
                tokens_in=n_replies * prompt_tokens,
                tokens_out=tokens_out if n_replies else 0.0,
                trained_tokens=tokens,
                price=models[arm.name].price,
                training_cost=training.backend.training_cost(arm.model, tokens) if tokens else 0.0,
                minutes=n_replies / models[arm.name].calls_per_second / 60,
            )
        )
        planned_folders |= {rows, checkpoint}
    return tuple(plans)
