"""The cheapest thing one could run that might change a decision; or "run nothing, decide now".

In: the open decisions of a project, what is known of their numbers, prices. Out: `NextStep`s, ranked by value for money or
for hours over all sizes (KG(*)). What one could run: questions of a cell or of its neighbours; for an arm its base, a
few-shot proxy, the training, another seed of it, more questions of it; a side effect. A choice among several arms is valued
by the correlated knowledge gradient. Nothing is asked.

    next_steps("runs").steps
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from unsway import effects, interventions
from unsway.effects.pricing import DISCORDANT
from unsway.errors import BadInput, in_dollars
from unsway.interventions import Fewshot
from unsway.planning import worth as value_of
from unsway.planning.decisions import Stated
from unsway.planning.forecasts import Quantity, printed_draws, sampling_variance
from unsway.planning.plan import SHOTS
from unsway.stats.intervals import Floats
from unsway.studies.beliefs import SEED_SD, Beliefs, is_trained
from unsway.studies.deciding import open_decision, open_decisions, strange_models, waiting
from unsway.studies.running_costs import TRAINING_HOURS, Costs, ProjectPrices, UnknownPrice
from unsway.types.kinds import checked

SIZES = (25, 50, 100, 200, 400, 800, 1600)
"""Numbers of questions that are tried."""
PROXY_SEEN, PROXY_POINTS = 0.41, 10
"""Rank correlation of what few shots and a training take off a BRR, given the BRR before, and the points behind it
(docs/results.md). It is drawn from its posterior, which reaches from below 0 to above 0.8."""
PROXY_DRAWS = 200
"""Draws of that correlation."""
UNLIKELY = 0.05
"""Without a worth: a chance to change the decision below which nothing is worth running."""
CENT, MINUTE = 0.01, 1.0
"""The least that a step is taken to cost."""
Per: TypeAlias = Literal["dollar", "hour"]
"""What value is compared with."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing that could be run next."""

    what: str
    """In a few words: what is run, how much of it, on which model."""
    decision: str
    """Id of the decision it would inform; empty where none is stated."""
    n: int
    """Questions of it: the number with the most value for its cost."""
    dollars: float
    """US dollars."""
    minutes: float
    """Minutes of waiting."""
    chance: float
    """The chance that it changes the decision."""
    value: float
    """Expected value: US dollars where the decision has a worth, else in units of its number; nats without a decision."""
    pays: bool
    """Whether it is worth its cost; without a worth, whether the chance is at least `UNLIKELY`."""
    se: float = 0.0
    """Standard error of the value where it comes from draws; 0 in closed form."""

    @property
    def per_dollar(self) -> float:
        """Value for its cost; a cent at least, so what is free does not win by nothing."""
        return self.value / max(self.dollars, CENT)

    @property
    def per_hour(self) -> float:
        """Value for an hour of waiting; a minute at least."""
        return 60 * self.value / max(self.minutes, MINUTE)


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What one could run, best first, and whether to run anything."""

    steps: tuple[NextStep, ...]
    """Each option at the size with the most value for its cost."""
    decisions: tuple[Stated, ...]
    """Those that are open, the first due first."""
    advice: str
    """What to do, in a sentence."""
    left_out: tuple[str, ...] = ()
    """A sentence for each decision, or cell, that asks a model without a known price."""


# ---------------------------------------------------------------- ranking


@checked
def next_steps(
    project: str | Path, *, decide: str = "", costs: Costs | None = None, per: Per = "dollar", seed: int = 0
) -> NextSteps:
    """Rank what could be run next by what it is expected to be worth for its cost.

    Args:
        project: The folder that holds the studies' folders and the notebook.
        decide: Id of one decision, or its beginning; all that are open by default.
        costs: What running things costs.
        per: Whether value is compared with dollars or with hours of waiting, for sizes and for the order.
        seed: Seed of all draws; options are compared on the same ones.

    Returns:
        The options, best first, each at the best size that the budget allows; those of decisions with a worth stand before
        the others, whose values are no dollars. Several decisions that one cell informs are summed before its size is chosen:
        those with a worth, where there are any. Without a decision, what would be learnt for the money, not the same.

    Raises:
        UnknownName: No open decision has the id.
        BadInput: Several have, or no price is known of what could be run.
    """
    costs = costs or Costs()
    stated = (open_decision(project, decide),) if decide else open_decisions(project)
    beliefs, price = Beliefs(project, seed), ProjectPrices(project, costs)
    informed: dict[str, list[tuple[Stated, RunOption]]] = {}
    left_out: dict[str, str] = {}
    for one in stated:
        options = {option.what: option for option in _options(one, beliefs, price.costs)}
        try:
            for option in options.values():
                price.of(option.model, 1)
        except UnknownPrice as error:
            left_out[one.id] = f"Left out: {one.text!r} ({one.id}). {strange_models(one, project) or error}"
            continue
        for what, option in options.items():
            informed.setdefault(what, []).append((one, option))
    found = [_step(each, price, per) for each in informed.values()]
    cells = () if stated else tuple(Quantity("brr", row.bias, row.model) for row in beliefs.own)
    theta_DC = beliefs.of(*cells) if cells else np.zeros((1, 0))
    for theta_D, cell in zip(theta_DC.T, cells, strict=True):
        try:
            found.append(_learning(cell, theta_D, price, per))
        except UnknownPrice as error:
            left_out[str(cell)] = f"Left out: {cell.bias} on {cell.model}. {error}"
    if left_out and not found:
        raise BadInput(" ".join(left_out.values()))
    affordable = [one for one in found if one is not None]
    priced = {one.id for one in stated if one.worth is not None}

    def rank(step: NextStep) -> tuple[bool, float]:
        """By value for its cost; dollars and rates cannot be compared, so decisions without a worth stand behind."""
        return step.decision not in priced, -(step.per_hour if per == "hour" else step.per_dollar)

    ranked = tuple(sorted(affordable, key=rank))
    advice = _advice(ranked, [one for one in stated if one.id not in left_out], project, seed)
    if len({step.decision in priced for step in ranked}) > 1:
        advice += " Decisions without a worth stand behind the others: their values are rates, not dollars."
    return NextSteps(ranked, stated, advice, tuple(left_out.values()))


@dataclass(frozen=True, slots=True)
class RunOption:
    """One thing that could be run, at any size."""

    what: str
    """In a few words, with `{n}` for its questions."""
    model: str
    """The model that is asked."""
    worth: Callable[[int], value_of.Gain]
    """Its value by the number of questions, in units of the decision's number."""
    times: float = 1.0
    """Prompt tokens over those of the plain prompt."""
    samples: int = 1
    """Replies to each prompt."""
    extra: tuple[float, float] = (0.0, 0.0)
    """US dollars and minutes that do not depend on its size: a training."""


def _step(informed: Sequence[tuple[Stated, RunOption]], price: ProjectPrices, per: Per) -> NextStep | None:
    """One option for all decisions that it informs, at the affordable size with the most value for its cost; None if none is.

    Dollars and rates have no sum, so the value is that for the decisions with a worth, where there are any.
    """
    option = informed[0][1]
    costs = _affordable(option, price)
    if not costs:
        return None
    worth = {one.id: cache(each.worth) for one, each in informed}
    counted = [one for one, _ in informed if one.worth is not None] or [one for one, _ in informed]
    units = {one.id: 1.0 if one.worth is None else 100 * one.worth for one in counted}

    def value(n: int) -> float:
        return sum(unit * worth[key](n).value for key, unit in units.items())

    n = value_of.best_size(value, lambda k: _least(costs[k], per), tuple(costs))
    likeliest = max(units, key=lambda key: worth[key](n).chance)
    pays = any(
        value(n) > costs[n][0] if one.worth is not None else worth[one.id](n).chance >= UNLIKELY for one, _ in informed
    )
    se = sum(unit * worth[key](n).se for key, unit in units.items())
    return NextStep(option.what.format(n=n), likeliest, n, *costs[n], worth[likeliest](n).chance, value(n), pays, se)


def _affordable(option: RunOption, price: ProjectPrices) -> dict[int, tuple[float, float]]:
    """Dollars and minutes of an option, at every size that is within the budget."""
    more, longer = option.extra
    asked = {n: price.of(option.model, n, option.times, option.samples) for n in SIZES}
    costs = {n: (dollars + more, minutes + longer) for n, (dollars, minutes) in asked.items()}
    most = price.costs.budget
    return {n: cost for n, cost in costs.items() if most is None or cost[0] <= most}


def _least(cost: tuple[float, float], per: Per) -> float:
    """Dollars or minutes, a cent or a minute at least."""
    return max(cost[0], CENT) if per == "dollar" else max(cost[1], MINUTE)


# ---------------------------------------------------------------- what could be run


def _options(decision: Stated, beliefs: Beliefs, costs: Costs) -> Iterator[RunOption]:
    """What could be run for a decision, for each of its numbers."""
    numbers = tuple(map(Quantity.parse, decision.quantities))
    rates = tuple(replace(one, kind="brr") if one.kind == "ratio" else one for one in numbers)
    bases = tuple(replace(one, arm=one.model) for one in rates if one.kind != "effect")
    beside = tuple(
        Quantity("brr", row.bias, row.model) for one in rates for row in beliefs.known if row.model == one.arm
    )
    columns = tuple(dict.fromkeys((*numbers, *rates, *bases, *beside)))
    draws_DC = beliefs.of(*columns)
    look = _Look(decision.utility(draws_DC[:, : len(numbers)]), dict(zip(columns, draws_DC.T, strict=True)))
    for rate in dict.fromkeys(rates):
        if rate.change:
            yield from _of_arm(rate, look, beliefs, costs)
            continue
        yield RunOption(f"{{n}} questions of {rate.bias} on {rate.model}", rate.model, look.at(rate))
        for one in dict.fromkeys(one for one in beside if one.model == rate.model and one not in rates):
            yield RunOption(f"{{n}} questions of {one.bias} on {one.model}", one.model, look.at(one))


def _of_arm(rate: Quantity, look: _Look, beliefs: Beliefs, costs: Costs) -> Iterator[RunOption]:
    """What could be run for the number of an arm: for a training its base, few shots instead, itself, more of it, a seed."""
    named, model, what = f"{{n}} questions of {rate.bias}", rate.model, f"{rate.change} on {rate.model}"
    samples = effects.get(rate.bias).samples if rate.kind == "effect" else 1
    if not is_trained(rate):
        times = SHOTS if isinstance(interventions.get(rate.change), Fewshot) else 1.0
        yield RunOption(f"{named} on {model} with {rate.change}", model, look.at(rate), times, samples)
        return
    if rate.kind != "effect":
        base = replace(rate, arm=model)
        yield RunOption(f"{named} on {model} as it is", model, look.by_regression(base, beliefs.seed))
        rho_D = value_of.correlation_draws(PROXY_SEEN, PROXY_POINTS, given=1, size=PROXY_DRAWS, seed=beliefs.seed)
        proxy = look.at(rate, correlations=tuple(rho_D.tolist()))
        yield RunOption(f"{named} on {model} with a few shots for {rate.change}", model, proxy, SHOTS)
    cost = costs.training, 60 * TRAINING_HOURS
    again = look.at(rate, more=SEED_SD[rate.kind] ** 2)
    if not beliefs.printed(rate):
        yield RunOption(f"train {what}, {named}", model, again, samples=samples, extra=cost)
        return
    of_last_D = beliefs.trained(rate, look.draws[rate])
    yield RunOption(f"{named} more on {rate.arm}", model, look.at(rate, of_last_D), samples=samples)
    yield RunOption(f"train {what} with another seed, {named}", model, again, samples=samples, extra=cost)


@dataclass(frozen=True, slots=True)
class _Look:
    """What one decision's actions are worth in joint draws of every number that could be seen."""

    utility_DA: Floats
    draws: Mapping[Quantity, Floats]

    def at(
        self, rate: Quantity, seen: Floats | None = None, *, more: float = 0.0, correlations: Sequence[float] = (1.0,)
    ) -> Callable[[int], value_of.Gain]:
        """The value of n questions of a rate (or of other draws of it), with more variance, or of a proxy of it."""
        seen_D = self.draws[rate] if seen is None else seen
        sd_A, sd, middle = self.utility_DA.std(axis=0), float(seen_D.std()), float(seen_D.mean())
        alike_A = (self.utility_DA - self.utility_DA.mean(axis=0)).T @ (seen_D - middle) / len(seen_D)
        alike_A = alike_A / np.where(sd_A * sd > 0, sd_A * sd, 1)

        def worth(n: int) -> value_of.Gain:
            noise = more + (DISCORDANT / n if rate.kind == "effect" else sampling_variance(middle, n))
            found = []
            for rho in correlations:
                moves = [value_of.learnt_by_proxy(s, sd, noise, rho * r) for s, r in zip(sd_A, alike_A, strict=True)]
                found.append(value_of.correlated_gain(self.utility_DA.mean(axis=0), moves))
            value, chance = np.mean([(one.value, one.chance) for one in found], axis=0)
            return value_of.Gain(float(value), 0.0, float(chance))

        return worth

    def by_regression(self, rate: Quantity, seed: int) -> Callable[[int], value_of.Gain]:
        """The value of n questions of a rate that the actions do not depend on in a straight line."""
        return lambda n: value_of.evsi_by_regression(self.utility_DA, printed_draws(self.draws[rate], n, seed))


def _learning(cell: Quantity, theta_D: Floats, price: ProjectPrices, per: Per) -> NextStep | None:
    """What would be learnt of a cell that was measured here, where no decision is stated; None where none is affordable."""
    sd, middle = float(theta_D.std()), float(theta_D.mean())

    def nats(n: int) -> value_of.Gain:
        return value_of.Gain(value_of.information(sd, sampling_variance(middle, n)), 0.0, 0.0)

    option = RunOption(f"{{n}} questions of {cell.bias} on {cell.model}", cell.model, nats)
    costs = _affordable(option, price)
    if not costs:
        return None
    n = value_of.best_size(lambda k: nats(k).value, lambda k: _least(costs[k], per), tuple(costs))
    return NextStep(option.what.format(n=n), "", n, *costs[n], 0.0, nats(n).value, pays=False)


def _advice(steps: Sequence[NextStep], stated: Sequence[Stated], project: str | Path, seed: int) -> str:
    """What to do, in a sentence."""
    if not stated:
        found = "so this is learning" if steps else "and nothing was measured here that one could learn more of"
        return f"No decision is stated, {found}. State one: `unsway note … --if 'brr(BIAS, MODEL) > .05'`."
    best = next((step for step in steps if step.pays), None)
    if best is not None:
        text = next(one.text for one in stated if one.id == best.decision)
        chance, cost = value_of.in_percent(best.chance), in_dollars(best.dollars)
        return f"Run {best.what}: {chance} chance to change {text!r}, {cost}, {max(1, best.minutes):,.0f} min."
    said = [
        f"{one.decision.text!r}: {one.stands} ({value_of.in_percent(one.doubt)} that another is right)"
        for one in waiting(project, seed)
        if one.decision in stated
    ]
    return f"Run nothing; decide now: {'; '.join(said)}."
