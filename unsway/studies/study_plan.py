"""Plan what a study will cost and what it could show, before anything is asked.

In: a `Study`, and the folder that it will run in. Out: a `Plan` for each of its parts, with its trainings.

    plan(study)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from unsway.interventions import Fewshot
from unsway.pairing import PairSet
from unsway.planning.prices import Price
from unsway.studies.folder import arms_of, index_of
from unsway.studies.study import Study, check
from unsway.types import Reply
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.planning.plan import Goal, Plan


@checked
def plan(
    study: Study,
    folder: str | Path | None = None,
    *,
    price_table: Mapping[str, Price] | None = None,
    goal: Goal | None = None,
) -> tuple[Plan, ...]:
    """What each part of a study will cost, and what it could show; nothing is asked.

    Costs include replies sampled for training rows, and providers' charges for trainings; the training time is not included.

    Args:
        study: The study.
        folder: Where it will run: replies stored there are not asked again, and give lengths and rates.
        price_table: Prices (`unsway.planning.prices`); an arm is priced as its model.
        goal: What the study should be able to show.
    """
    from unsway.planning.plan import Evidence
    from unsway.planning.plan import plan as plan_pairs
    from unsway.planning.prices import price_of
    from unsway.studies.planned_trainings import planned_trainings

    check(study)
    evidence = Evidence.of(folder, price_table)
    plans = []
    folders = set[str]()
    for part in study.parts():
        prices = dict(evidence.prices)
        for arm in part.arms():
            price = price_of(arm.model, evidence.prices)
            if price is not None:
                prices[arm.name] = price
        names = [arm.name for arm in part.arms()]
        pairs = part.pairs()
        path = None if folder is None else Path(folder)
        replies = evidence.replies if path is None else chain(evidence.replies, _replies_of_changed(path, pairs))
        part_evidence = replace(evidence, prices=prices, replies=replies)
        part_plan = plan_pairs(
            pairs, names, samples=part.samples, settings=part.settings, evidence=part_evidence, goal=goal
        )
        shots = {arm.name for arm in part.arms() if isinstance(arm.intervention, Fewshot)}
        part_plan = replace(
            part_plan,
            models=tuple(
                model_plan.behind_shots() if model_plan.model in shots else model_plan
                for model_plan in part_plan.models
            ),
        )
        plans.append(replace(part_plan, trainings=planned_trainings(part.arms(), pairs, part_plan, path, folders)))
    return tuple(plans)


def _replies_of_changed(folder: Path, pairs: PairSet) -> Iterator[Reply]:
    """The replies of a folder's prompted and trained arms, renamed to the arm and prompt that a plan uses."""
    arms = [arm for arm in arms_of(folder) if arm.of and arm.role != "base"]
    index = index_of(folder, arms)
    prompts = {prompt.id: prompt for pair in pairs for prompt in (pair.clean, pair.biased)}
    for arm in arms:
        for prompt_id, prompt in prompts.items():
            for reply in index.samples(arm.key, prompt).values():
                yield replace(reply, model=arm.planned_name, prompt_id=prompt_id)
