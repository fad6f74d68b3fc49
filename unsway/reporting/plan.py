"""A plan for people and programs: two tables with sentences below them, or one JSON body.

In: a `Plan` of `unsway.planning`. Out: plain rows, sentences, and what rich prints. Fractions become percent and points here.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from unsway.errors import number_of
from unsway.reporting.words import NONE, dollars, human, join_names, level, percent, visible

if TYPE_CHECKING:
    from rich.console import Group

    from unsway.judging.planned import JudgePlan
    from unsway.planning.plan import Plan
    from unsway.studies.named_plan import NamedPlan

MODEL_HEADS = ("model", "replies", "kept", "calls", "tokens in", "out", "cost", "price of", "minutes", "calls/s")
BIAS_HEADS = ("bias", "questions", "will count", "half-width", "least BRR", "least difference")
SELDOM = 0.05
"""Share of studies below which it is not said that their intervals allow for missing answers."""


def body(plan: Plan) -> dict[str, Any]:
    """Everything for a program: fractions, tokens, US dollars, minutes; a missing value is null."""
    totals = {name: getattr(plan, name) for name in ("n_prompts", "n_calls", "cost", "minutes")}
    models = [asdict(model) | {"minutes": model.minutes} for model in plan.models]
    return asdict(plan) | {"models": models} | totals


def named_body(named_plan: NamedPlan) -> dict[str, Any]:
    """The plan for a program, with the costs of judges and of side effects (if requested)."""
    effect_costs = (
        {"effects": [effect_plan._asdict() for effect_plan in named_plan.effects]} if named_plan.effects else {}
    )
    return body(named_plan.plan) | {"judges": [asdict(judge_plan) for judge_plan in named_plan.judging]} | effect_costs


def to_terminal(plan: Plan) -> Group:
    """Both tables and the sentences, for rich."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Table | Text] = []
    for heads, rows in ((MODEL_HEADS, model_rows(plan)), (BIAS_HEADS, bias_rows(plan))):
        table = Table(box=None, pad_edge=False)
        for i, head in enumerate(heads):
            table.add_column(head, justify="right" if i else "left", overflow="fold", no_wrap=bool(i))
        for row in rows:
            table.add_row(*map(Text, row))
        parts += [table, Text()]
    return Group(*parts, *map(Text, sentences(plan)))


# ---------------------------------------------------------------- rows


def model_rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """The cost of each model, in the order of `MODEL_HEADS`."""
    return tuple(
        (
            visible(model.model),
            f"{model.n_prompts:,}",
            f"{model.n_kept:,}",
            f"{model.n_calls:,}",
            tokens(model.tokens_in),
            tokens(model.tokens_out),
            dollars(model.cost),
            model.price.seen if model.price else NONE,
            minutes(model.minutes),
            f"{model.calls_per_second:.2g} {'measured' if model.timed else 'guessed'}",
        )
        for model in plan.models
    )


def bias_rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """What the questions of each bias could show, in points, in the order of `BIAS_HEADS`."""

    def points(value: float | None) -> str:
        return NONE if value is None else f"{100 * value:.1f}"

    return tuple(
        (
            human(bias.bias),
            f"{bias.n_questions:,}",
            f"{bias.n_expected:,}",
            points(bias.half_width),
            points(bias.smallest_brr),
            points(bias.smallest_difference),
        )
        for bias in plan.biases
    )


def tokens(value: float) -> str:
    """Tokens to three digits: 840, 12.3k, 1.70M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            digits = 2 if value < 10 * size else 1 if value < 100 * size else 0
            return f"{value / size:,.{digits}f}{unit}"
    return f"{value:.0f}"


def minutes(value: float) -> str:
    """Minutes without false precision; hours from two hours on."""
    if 0 < value < 1:
        return "under 1"
    return f"{value:,.0f}" if value < 120 else f"{value / 60:,.1f} h"


# ---------------------------------------------------------------- sentences


def judge_sentence(one: JudgePlan) -> str:
    """The cost of a judge, in a sentence."""
    cost = "at an unknown price" if one.cost is None else f"for {dollars(one.cost)}"
    return (
        f"Judging the replies by {visible(one.model)}: {number_of(one.n_calls, 'call')}, {tokens(one.tokens_in)} tokens in "
        f"and {tokens(one.tokens_out)} out, {cost}; placebos would come on top."
    )


def sentences(plan: Plan) -> tuple[str, ...]:
    """The summary of the tables; the last sentence says whether twice the time would be a surprise."""
    prompts = (
        f"{number_of(plan.n_unique, 'unique prompt')}, {plan.n_clean:,} of them clean and asked once for all biases; "
        f"{number_of(plan.n_prompts, 'reply')} to ask for in {number_of(plan.n_calls, 'call')}."
    )
    unpriced_models = [visible(model.model) for model in plan.models if model.price is None and model.n_prompts]
    months = sorted({model.price.seen for model in plan.models if model.price is not None and model.cost})
    price_note = f" (prices as seen in {join_names(months)}; --prices FILE gives others)" if months else ""
    cost = f"Cost: {dollars(plan.cost)}{price_note}."
    if unpriced_models:
        price_option = "--prices FILE, with a line NAME IN OUT YYYY-MM"
        cost = f"The cost is unknown: there is no price for {join_names(unpriced_models)}. Give one: {price_option}."
    budgets = sorted({model.thinking for model in plan.models if model.thinking})
    if budgets:
        budget_text = join_names([f"{n:,}" for n in budgets])
        cost += (
            f" Thinking counts with its whole budget, {budget_text} tokens a call, until replies are kept that tell."
        )
    unknown_models = [visible(model.model) for model in plan.models if model.thinking is None]
    if unknown_models:
        cost += (
            f" The thinking of {join_names(unknown_models)} is not counted: give --thinking-budget, "
            "or plan again with replies."
        )
    if plan.trainings:
        n_replies, n_tokens = (
            sum(getattr(training, name) for training in plan.trainings) for name in ("n_replies", "trained_tokens")
        )
        n = len(plan.trainings)
        cost += (
            f" This holds {number_of(n, 'training')}: {n_replies:,} replies for their rows, and {tokens(n_tokens)} "
            "tokens to train on, whose time is not counted."
        )
    time = minutes(plan.minutes)
    unit = "" if time.endswith("h") else " minute" if time in ("1", "under 1") else " minutes"
    are_timed = {model.timed for model in plan.models if model.n_prompts}
    rates = "rates that are partly guessed"
    if are_timed == {True}:
        rates = "the rate of earlier runs here"
    elif are_timed == {False}:
        rates = "guessed rates (there is no earlier run here)"
    assumptions = plan.goal.assumed
    power = (
        f"In points: half of the BRR's {level(plan.goal.level)} interval; the smallest BRR, and the smallest difference "
        f"between two models, that {percent(plan.goal.power)}% of such studies would find. Assumed: "
        f"{percent(assumptions.follows)}% of pairs follow the cue and would not without it, "
        f"{percent(assumptions.away)}% the other way round, {percent(assumptions.read)}% are read."
    )
    precision = (
        f"A half-width of {100 * plan.goal.half_width:g} points takes {plan.questions_for_it:,} questions of each bias "
        "(more for those that count only if the first answer is right)."
    )
    untested_biases = [human(bias.bias) for bias in plan.biases if not bias.tested]
    if untested_biases:
        power += (
            f" {join_names(untested_biases)}: not tested, because chance changes answers too; with --samples 2 the second "
            "clean reply shows how often."
        )
    share_allowing = max(
        (assumptions.allows(round(bias.n_expected / assumptions.read)) for bias in plan.biases if bias.tested),
        default=0.0,
    )
    if share_allowing >= SELDOM:
        power += (
            f" With {percent(1 - assumptions.read)}% of the pairs unread, the intervals of {percent(share_allowing)}% "
            f"of such studies also allow for the missing answers, by up to {percent(1 - assumptions.read)} points on either "
            "side, and so find less: make more replies readable first."
        )
    amount = "Under 1" if time == "under 1" else f"About {time.replace(' h', ' hours')}"
    duration = f"{amount}{unit} at {rates}, one model after another."
    return prompts, cost, duration, power, precision, surprise(plan)


def surprise(plan: Plan) -> str:
    """How surprising it would be if the study took twice as long: the chance, and the runs it is based on."""
    time = plan.time
    answer = "Yes, somewhat" if time.p_twice < 0.15 else "Not very" if time.p_twice < 0.35 else "No"
    basis = "a guess, because no run here was planned yet"
    if time.n_runs:
        basis = f"from {number_of(time.n_runs, 'past run')} here"
    return (
        f"Would you be surprised if it took twice as long? {answer}: the chance is {percent(time.p_twice)}% ({basis}); "
        f"with 80% probability it takes {time.low:.1f} to {time.high:.1f} times as long as planned."
    )
