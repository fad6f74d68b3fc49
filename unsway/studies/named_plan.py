"""The cost of a study given by names, including judges and side effects: what `unsway plan` prints.

In: names of models, `Wanted`. Out: a `NamedPlan`. No model is asked and no key is needed.

    plan_named(["openai/gpt-4o-mini"], Wanted(("mmlu",)), effects=["clean_accuracy"]).plan.cost
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

from unsway.effects.asked import panel
from unsway.effects.definition import EffectInputs
from unsway.effects.pricing import EffectPlan, effect_plans, lengths
from unsway.judging.planned import JudgePlan, judge_plan
from unsway.models.session import LOCAL, name_of
from unsway.pairing import PairSet
from unsway.planning.plan import Evidence, Goal, Plan, keep_plan, plan
from unsway.planning.prices import Price
from unsway.studies.named import Wanted
from unsway.studies.side_effects import N, enough_questions
from unsway.types import Settings

_log = logging.getLogger(__name__)


class AlsoPlanned(TypedDict, total=False):
    """What to plan besides the study itself."""

    judges: Sequence[str]
    """Models that will judge the replies."""
    ask: Sequence[str]
    """Rubrics that the judges are asked."""
    effects: Sequence[str] | None
    """Names of side effects; None takes the panel's defaults."""


class NamedPlan(NamedTuple):
    """The cost of a study given by names, before anything is asked."""

    plan: Plan
    """Prompts, tokens, US dollars and minutes of each model, and what each bias could show."""
    pairs: PairSet
    """The pairs, with what was skipped."""
    stand_ins: tuple[str, ...]
    """Biases that were planned with stand-ins for arguments."""
    judging: tuple[JudgePlan, ...]
    """The cost of each judge."""
    effects: tuple[EffectPlan, ...]
    """The cost of each side effect, and what it could show."""
    n_effect_replies: int
    """Number of replies of each arm to all side effects together."""


def plan_named(
    models: Sequence[str],
    selection: Wanted,
    *,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    samples: int = 1,
    folder: str | Path | None = None,
    price_table: Mapping[str, Price] | None = None,
    half_width: float = 0.05,
    **more: Unpack[AlsoPlanned],
) -> NamedPlan:
    """Plan to ask some models, with judges and side effects if requested.

    Args:
        models: The models by name.
        selection: What to ask them.
        settings: How replies are decoded.
        samples: Replies to each prompt.
        folder: Where it will run: its replies are not asked again, its past runs give the rate, and the plan is stored there.
        price_table: Prices by name; the package's own by default.
        half_width: The desired half-width of the BRR's interval.
        more: Fields of `AlsoPlanned`: judges and their rubrics, side effects.

    Raises:
        BadInput, UnknownName: As `Wanted.pairs`.
    """
    names = [*map(name_of, models)]
    for model, name in zip(models, names, strict=True):
        if "/" in model and name == LOCAL + model:
            provider = model.partition("/")[0]
            _log.warning("%r is no provider; %s is taken as a local model of the Hugging Face hub.", provider, model)
    pairs, stand_ins = selection.planned(names[0])
    evidence = Evidence.of(folder, price_table)
    elicit = selection.elicit[0]
    effects = more.get("effects", ())
    questions = enough_questions(tuple(pairs), N) if effects != () else ()
    asked_effects = panel(effects, EffectInputs(questions, elicit, N, selection.seed), settings, own_sizes=True)
    reply_lengths = lengths(asked_effects, elicit, settings)
    goal = Goal(half_width)
    study_plan = plan(
        pairs, names, samples=samples, settings=settings, evidence=evidence, goal=goal, more=reply_lengths
    )
    if folder is not None:
        keep_plan(folder, study_plan, pairs)
    judge_inputs = (
        len(names) * samples,
        more.get("ask", ()),
        more.get("judges", ()),
        evidence.prices,
        settings.max_tokens,
    )
    judging = judge_plan(pairs, *judge_inputs)
    return NamedPlan(study_plan, pairs, stand_ins, judging, effect_plans(asked_effects), len(reply_lengths))
