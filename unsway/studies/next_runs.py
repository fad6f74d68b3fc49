"""Find the cheapest run that might change a decision; or "run nothing, decide now".

In: the open decisions of a project, what is known about their numbers, prices. Out: `NextStep`s, ranked by value per dollar
or hour, at the best of all sizes (KG(*)). Candidates: questions of a cell or of its neighbours; for an arm, questions of its
base, a few-shot proxy, the training, another seed, more questions; a side effect. A choice among several arms is valued
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
"""Numbers of questions to consider."""
PROXY_SEEN, PROXY_POINTS = 0.41, 10
"""Rank correlation between how much few shots and a training reduce a BRR, given the BRR before; and the number of data
points behind it (docs/results.md). It is drawn from its posterior, which reaches from below 0 to above 0.8."""
PROXY_DRAWS = 200
"""Number of values that stand for that posterior."""
UNLIKELY = 0.05
"""For decisions without a worth: the chance to change the decision below which no run pays."""
CENT, MINUTE = 0.01, 1.0
"""The minimum cost assumed for a step: US dollars, minutes."""
Per: TypeAlias = Literal["dollar", "hour"]
"""The cost that value is divided by."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One possible next run."""

    what: str
    """A short description: what to run, how much, on which model."""
    decision: str
    """Id of the decision it would inform; empty if none is stated."""
    n: int
    """Number of questions: the one with the most value for its cost."""
    dollars: float
    """Cost in US dollars."""
    minutes: float
    """Minutes of waiting."""
    chance: float
    """The chance that it changes the decision."""
    value: float
    """Expected value: US dollars if the decision has a worth, else units of its number; nats without a decision."""
    pays: bool
    """Whether it is worth its cost; if the decision has no worth, whether the chance is at least `UNLIKELY`."""
    se: float = 0.0
    """Standard error of the value if it comes from a regression on draws. 0 for a closed form, whose means and spreads still
    come from draws: another seed moves it by some 5 to 10 %, and more near a tie."""

    @property
    def per_dollar(self) -> float:
        """Value per US dollar. The cost counts as at least a cent, so free runs do not get infinite value."""
        return self.value / max(self.dollars, CENT)

    @property
    def per_hour(self) -> float:
        """Value per hour of waiting. The wait counts as at least a minute."""
        return 60 * self.value / max(self.minutes, MINUTE)


@dataclass(frozen=True, slots=True)
class NextSteps:
    """The possible runs, best first, and whether to run anything."""

    steps: tuple[NextStep, ...]
    """Each option at the size with the most value for its cost."""
    decisions: tuple[Stated, ...]
    """The decisions considered, the first due first."""
    advice: str
    """What to do, in a sentence."""
    left_out: tuple[str, ...] = ()
    """One sentence for each decision or cell that was left out because its model's price is unknown."""


# ---------------------------------------------------------------- ranking


@checked
def next_steps(
    project: str | Path, *, decide: str = "", costs: Costs | None = None, per: Per = "dollar", seed: int = 0
) -> NextSteps:
    """Rank the possible next runs by expected value per cost.

    Args:
        project: The folder that holds the studies' folders and the notebook.
        decide: Id of one decision, or its beginning; all open decisions by default.
        costs: What running things costs.
        per: Whether sizes and order are chosen by value per dollar or per hour of waiting.
        seed: Seed of all draws; options are compared on the same ones.

    Returns:
        The options, best first, each at the best size that the budget allows. Options for decisions with a worth come before
        the others, whose values are not dollars. If one cell informs several decisions, their values are summed before its
        size is chosen (only those with a worth, if there are any). Without a decision, options are ranked by how much would
        be learnt for the money, which is not the same.

    Raises:
        UnknownName: No open decision has the id.
        BadInput: Several open decisions have it, or no option has a known price.
    """
    costs = costs or Costs()
    decisions = (open_decision(project, decide),) if decide else open_decisions(project)
    beliefs = Beliefs(project, seed)
    prices = ProjectPrices(project, costs)
    options_by_description: dict[str, list[tuple[Stated, RunOption]]] = {}
    left_out: dict[str, str] = {}
    for decision in decisions:
        options = {option.what: option for option in _options(decision, beliefs, prices.costs)}
        try:
            for option in options.values():
                prices.of(option.model, 1)
        except UnknownPrice as error:
            left_out[decision.id] = (
                f"Left out: {decision.text!r} ({decision.id}). {strange_models(decision, project) or error}"
            )
            continue
        for description, option in options.items():
            options_by_description.setdefault(description, []).append((decision, option))
    steps = [_step(decision_options, prices, per) for decision_options in options_by_description.values()]
    cells = () if decisions else tuple(Quantity("brr", row.bias, row.model) for row in beliefs.own)
    theta_DC = beliefs.of(*cells) if cells else np.zeros((1, 0))
    for theta_D, cell in zip(theta_DC.T, cells, strict=True):
        try:
            steps.append(_learning(cell, theta_D, prices, per))
        except UnknownPrice as error:
            left_out[str(cell)] = f"Left out: {cell.bias} on {cell.model}. {error}"
    if left_out and not steps:
        raise BadInput(" ".join(left_out.values()))
    affordable = [step for step in steps if step is not None]
    with_worth = {decision.id for decision in decisions if decision.worth is not None}

    def rank(step: NextStep) -> tuple[bool, float]:
        """Sort key: value per cost. Dollars and rates cannot be compared, so decisions without a worth come last."""
        return step.decision not in with_worth, -(step.per_hour if per == "hour" else step.per_dollar)

    ranked = tuple(sorted(affordable, key=rank))
    advice = _advice(ranked, [decision for decision in decisions if decision.id not in left_out], project, seed)
    if len({step.decision in with_worth for step in ranked}) > 1:
        advice += " Decisions without a worth stand behind the others: their values are rates, not dollars."
    return NextSteps(ranked, decisions, advice, tuple(left_out.values()))


@dataclass(frozen=True, slots=True)
class RunOption:
    """One possible run, of any size."""

    what: str
    """A short description, with `{n}` for the number of questions."""
    model: str
    """The model that is asked."""
    worth: Callable[[int], value_of.Gain]
    """Maps the number of questions to the value, in units of the decision's number."""
    times: float = 1.0
    """Length of its prompts relative to the plain prompt's."""
    samples: int = 1
    """Replies to each prompt."""
    extra: tuple[float, float] = (0.0, 0.0)
    """US dollars and minutes that do not depend on its size: a training."""


def _step(decision_options: Sequence[tuple[Stated, RunOption]], prices: ProjectPrices, per: Per) -> NextStep | None:
    """One option for all decisions that it informs, at the affordable size with the most value for its cost; None if none is.

    Dollars and rates have no sum, so the value is that for the decisions with a worth, where there are any.
    """
    option = decision_options[0][1]
    costs = _affordable(option, prices)
    if not costs:
        return None
    worth = {decision.id: cache(run_option.worth) for decision, run_option in decision_options}
    decisions = [decision for decision, _ in decision_options if decision.worth is not None] or [
        decision for decision, _ in decision_options
    ]
    units = {decision.id: 1.0 if decision.worth is None else 100 * decision.worth for decision in decisions}

    def value(n: int) -> float:
        return sum(unit * worth[key](n).value for key, unit in units.items())

    n = value_of.best_size(value, lambda k: _least(costs[k], per), tuple(costs))
    likeliest = max(units, key=lambda key: worth[key](n).chance)
    pays = any(
        value(n) > costs[n][0] if decision.worth is not None else worth[decision.id](n).chance >= UNLIKELY
        for decision, _ in decision_options
    )
    se = sum(unit * worth[key](n).se for key, unit in units.items())
    return NextStep(option.what.format(n=n), likeliest, n, *costs[n], worth[likeliest](n).chance, value(n), pays, se)


def _affordable(option: RunOption, prices: ProjectPrices) -> dict[int, tuple[float, float]]:
    """Dollars and minutes of an option, at every size that is within the budget."""
    extra_dollars, extra_minutes = option.extra
    asking_costs = {n: prices.of(option.model, n, option.times, option.samples) for n in SIZES}
    costs = {n: (dollars + extra_dollars, minutes + extra_minutes) for n, (dollars, minutes) in asking_costs.items()}
    limit = prices.costs.budget
    return {n: cost for n, cost in costs.items() if limit is None or cost[0] <= limit}


def _least(cost: tuple[float, float], per: Per) -> float:
    """The cost in dollars or minutes, but at least a cent or a minute."""
    return max(cost[0], CENT) if per == "dollar" else max(cost[1], MINUTE)


# ---------------------------------------------------------------- what could be run


def _options(decision: Stated, beliefs: Beliefs, costs: Costs) -> Iterator[RunOption]:
    """The possible runs for each number of a decision."""
    quantities = tuple(map(Quantity.parse, decision.quantities))
    rates = tuple(replace(quantity, kind="brr") if quantity.kind == "ratio" else quantity for quantity in quantities)
    bases = tuple(replace(rate, arm=rate.model) for rate in rates if rate.kind != "effect")
    neighbours = tuple(
        Quantity("brr", row.bias, row.model) for rate in rates for row in beliefs.known if row.model == rate.arm
    )
    columns = tuple(dict.fromkeys((*quantities, *rates, *bases, *neighbours)))
    draws_DC = beliefs.of(*columns)
    joint = _JointDraws(decision.utility(draws_DC[:, : len(quantities)]), dict(zip(columns, draws_DC.T, strict=True)))
    for rate in dict.fromkeys(rates):
        if rate.change:
            yield from _of_arm(rate, joint, beliefs, costs)
            continue
        yield RunOption(f"{{n}} questions of {rate.bias} on {rate.model}", rate.model, joint.at(rate))
        for neighbour in dict.fromkeys(
            neighbour for neighbour in neighbours if neighbour.model == rate.model and neighbour not in rates
        ):
            yield RunOption(
                f"{{n}} questions of {neighbour.bias} on {neighbour.model}", neighbour.model, joint.at(neighbour)
            )


def _of_arm(rate: Quantity, joint: _JointDraws, beliefs: Beliefs, costs: Costs) -> Iterator[RunOption]:
    """The possible runs for an arm's number. For a training: its base, few shots instead, itself, more questions, a seed."""
    questions = f"{{n}} questions of {rate.bias}"
    model = rate.model
    training = f"{rate.change} on {rate.model}"
    samples = effects.get(rate.bias).samples if rate.kind == "effect" else 1
    if not is_trained(rate):
        times = SHOTS if isinstance(interventions.get(rate.change), Fewshot) else 1.0
        yield RunOption(f"{questions} on {model} with {rate.change}", model, joint.at(rate), times, samples)
        return
    if rate.kind != "effect":
        base = replace(rate, arm=model)
        yield RunOption(f"{questions} on {model} as it is", model, joint.by_regression(base, beliefs.seed))
        rho_D = value_of.correlation_draws(PROXY_SEEN, PROXY_POINTS, given=1, size=PROXY_DRAWS)
        proxy = joint.at(rate, correlations=tuple(rho_D.tolist()))
        yield RunOption(f"{questions} on {model} with a few shots for {rate.change}", model, proxy, SHOTS)
    cost = costs.training, 60 * TRAINING_HOURS
    with_new_seed = joint.at(rate, variance=SEED_SD[rate.kind] ** 2)
    if not beliefs.printed(rate):
        yield RunOption(f"train {training}, {questions}", model, with_new_seed, samples=samples, extra=cost)
        return
    last_training_D = beliefs.trained(rate, joint.draws[rate])
    yield RunOption(f"{questions} more on {rate.arm}", model, joint.at(rate, last_training_D), samples=samples)
    yield RunOption(
        f"train {training} with another seed, {questions}", model, with_new_seed, samples=samples, extra=cost
    )


@dataclass(frozen=True, slots=True)
class _JointDraws:
    """The worth of one decision's actions in joint draws of every number that a run could observe."""

    utility_DA: Floats
    draws: Mapping[Quantity, Floats]

    def at(
        self,
        rate: Quantity,
        observed_D: Floats | None = None,
        *,
        variance: float = 0.0,
        correlations: Sequence[float] = (1.0,),
    ) -> Callable[[int], value_of.Gain]:
        """Return the value of n questions of a rate as a function of n.

        `observed_D` replaces the rate's draws, `variance` is added, `correlations` treat it as a proxy.
        """
        rate_D = self.draws[rate] if observed_D is None else observed_D
        sd_A, sd, mean = self.utility_DA.std(axis=0), float(rate_D.std()), float(rate_D.mean())
        correlation_A = (self.utility_DA - self.utility_DA.mean(axis=0)).T @ (rate_D - mean) / len(rate_D)
        correlation_A = correlation_A / np.where(sd_A * sd > 0, sd_A * sd, 1)

        def worth(n: int) -> value_of.Gain:
            noise = variance + (DISCORDANT / n if rate.kind == "effect" else sampling_variance(mean, n))
            gains = []
            for rho in correlations:
                moves = [
                    value_of.sd_of_mean_by_proxy(s, sd, noise, rho * r)
                    for s, r in zip(sd_A, correlation_A, strict=True)
                ]
                gains.append(value_of.correlated_gain(self.utility_DA.mean(axis=0), moves))
            value, chance = np.mean([(gain.value, gain.chance) for gain in gains], axis=0)
            return value_of.Gain(float(value), 0.0, float(chance))

        return worth

    def by_regression(self, rate: Quantity, seed: int) -> Callable[[int], value_of.Gain]:
        """Return the value of n questions as a function of n, for a rate on which the actions depend non-linearly."""
        return lambda n: value_of.evsi_by_regression(self.utility_DA, printed_draws(self.draws[rate], n, seed))


def _learning(cell: Quantity, theta_D: Floats, prices: ProjectPrices, per: Per) -> NextStep | None:
    """How much would be learnt about a measured cell if no decision is stated; None if no size is affordable."""
    sd, mean = float(theta_D.std()), float(theta_D.mean())

    def nats(n: int) -> value_of.Gain:
        return value_of.Gain(value_of.information(sd, sampling_variance(mean, n)), 0.0, 0.0)

    option = RunOption(f"{{n}} questions of {cell.bias} on {cell.model}", cell.model, nats)
    costs = _affordable(option, prices)
    if not costs:
        return None
    n = value_of.best_size(lambda k: nats(k).value, lambda k: _least(costs[k], per), tuple(costs))
    return NextStep(option.what.format(n=n), "", n, *costs[n], 0.0, nats(n).value, pays=False)


def _advice(steps: Sequence[NextStep], decisions: Sequence[Stated], project: str | Path, seed: int) -> str:
    """The advice, in one sentence."""
    if not decisions:
        ranking = "so steps are ranked by what they teach" if steps else "and there is nothing here to learn more about"
        return f"No decision is stated, {ranking}. State one: `unsway note … --if 'brr(BIAS, MODEL) > .05'`."
    best = next((step for step in steps if step.pays), None)
    if best is not None:
        text = next(decision.text for decision in decisions if decision.id == best.decision)
        chance, cost = value_of.in_percent(best.chance), in_dollars(best.dollars)
        return f"Run {best.what}: {chance} chance to change {text!r}, {cost}, {max(1, best.minutes):,.0f} min."
    standings = [
        f"{item.decision.text!r}: {item.stands} ({value_of.in_percent(item.doubt)} that another is right)"
        for item in waiting(project, seed)
        if item.decision in decisions
    ]
    return f"Run nothing; decide now: {'; '.join(standings)}."
