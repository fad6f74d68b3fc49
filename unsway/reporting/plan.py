"""A plan as a person and as a program read it: two tables and the sentences below them, or one JSON body.

In: a `Plan` (`measure.power`). Out: plain rows, sentences, what rich prints. Percent and points are made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from unsway.reporting.words import NONE, human, listed, percent, visible

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from unsway.planning.plan import BiasPlan, ModelPlan, Plan

MODEL_HEADS = ("model", "replies", "kept", "calls", "tokens in", "out", "cost", "price of", "minutes", "calls/s")
BIAS_HEADS = ("bias", "questions", "will count", "half-width", "least BRR", "least difference")


def body(plan: Plan) -> dict[str, Any]:
    """Everything for a program: fractions, tokens, US dollars, minutes; missing is null."""
    totals = {name: getattr(plan, name) for name in ("n_prompts", "n_calls", "cost", "minutes")}
    models = [asdict(model) | {"minutes": model.minutes} for model in plan.models]
    return asdict(plan) | {"models": models} | totals


# ---------------------------------------------------------------- tables


def model_rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """What each model takes, in the order of `MODEL_HEADS`."""
    return tuple(_model_row(model) for model in plan.models)


def _model_row(model: ModelPlan) -> tuple[str, ...]:
    return (
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


def bias_rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """What the questions of each bias could show, in points, in the order of `BIAS_HEADS`."""
    return tuple(_bias_row(bias) for bias in plan.biases)


def _bias_row(bias: BiasPlan) -> tuple[str, ...]:
    found = (bias.half_width, bias.smallest_brr, bias.smallest_difference)
    return (human(bias.bias), f"{bias.n_questions:,}", f"{bias.n_expected:,}", *map(_points, found))


def _points(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f}"


def tokens(value: float) -> str:
    """Tokens to three digits: 840, 12.3k, 1.70M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            digits = 2 if value < 10 * size else 1 if value < 100 * size else 0
            return f"{value / size:,.{digits}f}{unit}"
    return f"{value:.0f}"


def dollars(value: float | None) -> str:
    """US dollars, to the cent; a dash where a price is not known."""
    return NONE if value is None else "under $0.01" if 0 < value < 0.01 else f"${value:,.2f}"


def minutes(value: float) -> str:
    """Minutes without false precision; hours from two hours on."""
    return "0" if value == 0 else "under 1" if value < 1 else f"{value:,.0f}" if value < 120 else f"{value / 60:,.1f} h"


# ---------------------------------------------------------------- sentences


def sentences(plan: Plan) -> tuple[str, ...]:
    """What the tables come to; the last one answers whether twice the time would be a surprise."""
    many = (
        f"{plan.n_unique:,} unique prompts, {plan.n_clean:,} of them clean and asked once for all biases; "
        f"{plan.n_prompts:,} replies to be had in {plan.n_calls:,} calls."
    )
    shows = (
        f"In points: half of the BRR's {percent(plan.level)}% interval; the smallest BRR, and the smallest difference "
        f"between two models, that {percent(plan.power)}% of such studies would find. {_assumed(plan)}"
    )
    narrow = (
        f"A half-width of {100 * plan.wanted_half_width:g} points takes {plan.questions_for_it:,} questions of each bias "
        "(more for those that count only where the first answer is right)."
    )
    took = f"About {_about(plan)} at {_rates(plan)}, one model after another."
    return many, _cost(plan), took, shows, narrow, surprised(plan)


def _about(plan: Plan) -> str:
    took = minutes(plan.minutes)
    return took.replace(" h", " hours") if took.endswith("h") else f"{took} minute{'' if took.endswith('1') else 's'}"


def _cost(plan: Plan) -> str:
    unknown = [model.model for model in plan.models if model.price is None and model.n_prompts]
    if unknown:
        names = listed([visible(name) for name in unknown])
        return f"The cost is not known: no price of {names}. Give one: --prices FILE, with a line NAME IN OUT YYYY-MM."
    seen = sorted({model.price.seen for model in plan.models if model.price is not None and model.cost})
    when = f" (prices as seen in {listed(seen)}; --prices FILE has others)" if seen else ""
    return f"Cost: {dollars(plan.cost)}{when}."


def _rates(plan: Plan) -> str:
    timed = {model.timed for model in plan.models if model.n_prompts}
    if timed == {True}:
        return "the rate of earlier runs here"
    return "guessed rates (no earlier run tells)" if timed == {False} else "rates that are partly guessed"


def _assumed(plan: Plan) -> str:
    a = plan.assumed
    return (
        f"Assumed: {percent(a.follows)}% of pairs follow the cue and would not without it, {percent(a.away)}% the other way "
        f"round, {percent(a.read)}% are read."
    )


def surprised(plan: Plan) -> str:
    """Would one be surprised if it took twice as long? With a chance, and what it rests on."""
    time = plan.time
    yes = "Yes, somewhat" if time.p_twice < 0.15 else "Not very" if time.p_twice < 0.35 else "No"
    rests = f"from {time.n_runs} past runs here" if time.n_runs > 1 else "from 1 past run here"
    rests = rests if time.n_runs else "a judgement, as no run here was planned yet"
    return (
        f"Would you be surprised if it took twice as long? {yes}: the chance is {percent(time.p_twice)}% ({rests}); with 80% "
        f"it takes {time.low:.1f} to {time.high:.1f} times as long as planned."
    )


# ---------------------------------------------------------------- terminal


def to_terminal(plan: Plan) -> Group:
    """Both tables and the sentences."""
    from rich.console import Group
    from rich.text import Text

    said = (Text(sentence) for sentence in sentences(plan))
    return Group(_table(MODEL_HEADS, model_rows(plan)), Text(), _table(BIAS_HEADS, bias_rows(plan)), Text(), *said)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for i, head in enumerate(heads):
        table.add_column(head, justify="right" if i else "left", overflow="fold", no_wrap=bool(i))
    for row in rows:
        table.add_row(*map(Text, row))
    return table
