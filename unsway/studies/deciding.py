"""Decisions that wait for a number, and the cheapest thing one could run that might change them.

In: decisions in the notebook, what is known of every BRR (the hierarchy over published figures and your folders), prices.
Out: `NextStep`s, ranked by value for money over all sizes (KG(*)); or "run nothing, decide now". Nothing is asked.

    note("runs", "train on suggested_answer?", when="brr(suggested_answer, openai/gpt-4o-mini) > .05", worth="200/point")
    next_steps("runs").steps
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from unsway import layout
from unsway.errors import BadInput, UnknownName
from unsway.planning import worth as value_of
from unsway.planning.decisions import Decided, FreeNote, StatedDecision
from unsway.planning.forecasts import Quantity, printed_draws, sampling_variance
from unsway.planning.hierarchy import KnownRate, draws, published
from unsway.planning.history import past_runs
from unsway.planning.plan import HOSTED, LOCAL, TOKENS_OUT
from unsway.planning.prices import Price, price_of, prices
from unsway.stats.intervals import Floats
from unsway.store import replies_in
from unsway.studies.forecasting import HELD_OUT, log_normal, own_rates
from unsway.studies.notebook import Notebook

SIZES = (25, 50, 100, 200, 400, 800, 1600)
"""Numbers of questions that are tried."""
SIDES = 2
"""Calls for a question: its clean and its biased side."""
PROMPT_TOKENS = 200.0
"""Tokens of a prompt where no reply tells; a guess."""
SHOTS = 5.0
"""Prompt tokens of the few-shot proxy over those of the plain prompt: docs/results.md has 1,104 and 235."""
PROXY_SEEN, PROXY_POINTS = 0.41, 10
"""Rank correlation of what few shots and a training take off a BRR, given the BRR before, and the points behind it
(docs/results.md). It is drawn from its posterior, which reaches from below 0 to above 0.8."""
UNLIKELY = 0.05
"""Without a worth: a chance to change the decision below which nothing is worth running."""
GPU_HOUR = 2.0
"""US dollars for an hour of a local model where nobody says otherwise; a guess."""
TRAINING_DOLLARS, TRAINING_HOURS = 40.0, 4.0
"""What a training costs where nobody says otherwise; a guess, so name yours."""
N_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Costs:
    """What running things costs."""

    hour: float = GPU_HOUR
    """US dollars for an hour of a local model."""
    training: float = TRAINING_DOLLARS
    """US dollars for one training."""
    budget: float | None = None
    """US dollars that one step may cost; None sets no limit."""
    prices: Mapping[str, Price] = field(default_factory=prices)
    """Prices by name; the package's own table by default."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing that could be run next."""

    what: str
    """In a few words: what is run, how much of it, on which model."""
    decision: str
    """Id of the decision it would inform; empty where none is stated."""
    n: int
    """Questions of it."""
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
        return self.value / max(self.dollars, 0.01)


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What one could run, best first, and whether to run anything."""

    steps: tuple[NextStep, ...]
    """Each option at the size with the most value for its cost."""
    decisions: tuple[StatedDecision, ...]
    """Those that are open, the first due first."""
    advice: str
    """What to do, in a sentence."""


# ---------------------------------------------------------------- notes


def note(
    project: str | Path, text: str, *, when: str = "", worth: str = "", due: str = ""
) -> StatedDecision | FreeNote:
    """Note a remark, or a decision that waits for a number, in the notebook of a project.

    Args:
        project: The folder that holds the studies' folders.
        text: The remark or the question, in your own words.
        when: Where it is a decision: the condition under which you act, `brr(post_hoc, MODEL) > .05`.
        worth: US dollars for a point on the right side of it: `200/point`.
        due: A date, or the name of a day.

    Raises:
        BadInput: A part of it cannot be read, or a worth or a day stands without a condition.
    """
    if not when and (worth or due):
        raise BadInput("A worth or a day belongs to a decision. Say when you act: --if 'brr(post_hoc, MODEL) > .05'.")
    made = StatedDecision.of(text, when, worth=worth, due=due) if when else FreeNote(text)
    Notebook(project).append(made)
    return made


def open_decisions(project: str | Path) -> tuple[StatedDecision, ...]:
    """The decisions that are not taken, the first due first."""
    book = Notebook(project)
    taken = {one.decision for one in book.all(Decided)}
    found = {one.id: one for one in book.all(StatedDecision) if one.id not in taken}
    return tuple(sorted(found.values(), key=lambda one: one.due or "9999"))


def decided(project: str | Path, decision: str, action: str, why: str = "", *, results: Sequence[str] = ()) -> Decided:
    """Note that a decision was taken.

    Args:
        project: The folder that holds the studies' folders.
        decision: Its id, or the beginning of it.
        action: What is done.
        why: On what ground.
        results: Folders whose numbers it rests on.

    Raises:
        UnknownName: No open decision has this id.
    """
    stated = open_decisions(project)
    found = [one for one in stated if one.id.startswith(decision)]
    if len(found) != 1:
        raise UnknownName("open decision", decision, [one.id for one in stated])
    made = Decided(found[0].id, action, why, tuple(results))
    Notebook(project).append(made)
    return made


# ---------------------------------------------------------------- what to run


def next_steps(project: str | Path, *, decide: str = "", costs: Costs | None = None, seed: int = 0) -> NextSteps:
    """Rank what could be run next by what it is expected to be worth for its cost.

    Args:
        project: The folder that holds the studies' folders and the notebook.
        decide: Id of one decision, or its beginning; all that are open by default.
        costs: What running things costs.
        seed: Seed of all draws; options are compared on the same ones.

    Returns:
        The options, best first; several decisions that one cell informs are summed. Without a decision, what would be learnt
        for the money, which is not the same.
    """
    costs = costs or Costs()
    stated = tuple(one for one in open_decisions(project) if one.id.startswith(decide))
    if decide and not stated:
        raise UnknownName("open decision", decide, [one.id for one in open_decisions(project)])
    known = (*published(), *own_rates(project))
    price = _Prices(Path(project), costs)
    found = [step for one in stated for step in _steps(one, known, price, seed)]
    if not stated:
        found = list(_learning(own_rates(project), known, price, seed))
    shared: dict[str, NextStep] = {}
    for step in found:
        other = shared.get(step.what)
        shared[step.what] = (
            step
            if other is None
            else replace(
                other,
                value=other.value + step.value,
                chance=max(other.chance, step.chance),
                pays=other.pays or step.pays,
            )
        )
    affordable = [one for one in shared.values() if costs.budget is None or one.dollars <= costs.budget]
    ranked = tuple(sorted(affordable, key=lambda one: -one.per_dollar))
    return NextSteps(ranked, stated, _advice(ranked, stated, project, seed))


def belief(decision: StatedDecision, known: tuple[KnownRate, ...], seed: int = 0) -> Floats:
    """Draws of the number that a decision hangs on.

    Raises:
        BadInput: It hangs on something else than a rate or a ratio.
    """
    quantity = Quantity.parse(decision.quantity)
    if not quantity.bias:
        raise BadInput(f"{decision.quantity} is no rate. Decide on brr(BIAS, MODEL) or ratio(BIAS, MODEL + ARM).")
    base = quantity.arm.partition(" + ")[0]
    base_D = draws(known, ((base, quantity.bias),), N_DRAWS, seed)[:, 0]
    if " + " not in quantity.arm:
        return base_D
    ratio_D = log_normal(HELD_OUT, np.random.default_rng(seed), N_DRAWS)
    return ratio_D if quantity.kind == "ratio" else base_D * ratio_D


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
    extra: tuple[float, float] = (0.0, 0.0)
    """US dollars and minutes that do not depend on its size: a training."""


@dataclass(frozen=True, slots=True)
class WaitingDecision:
    """A decision that waits for a person, as things stand."""

    decision: StatedDecision
    """What is to be decided."""
    acts: bool
    """Whether one would act on what is known now."""
    doubt: float
    """The chance that the other action is right: the largest chance that anything one could run would change it."""


def waiting(project: str | Path, seed: int = 0) -> tuple[WaitingDecision, ...]:
    """The open decisions of a project, the first due first, each with what is known now."""
    known = (*published(), *own_rates(project))
    found = []
    for one in open_decisions(project):
        truth_D = belief(one, known, seed)
        acts = one.act(float(truth_D.mean()))
        found.append(WaitingDecision(one, acts, float(np.mean([one.act(value) != acts for value in truth_D.tolist()]))))
    return tuple(found)


def _steps(decision: StatedDecision, known: tuple[KnownRate, ...], price: _Prices, seed: int) -> Iterator[NextStep]:
    """Each option for a decision, at the size with the most value for its cost."""
    dollars = 1.0 if decision.worth is None else 100 * decision.worth
    for option in _options(decision, known, price.costs, seed):
        worth = cache(option.worth)

        def cost(n: int, option: RunOption = option) -> tuple[float, float]:
            asked, wait = price.of(option.model, n, option.times)
            return asked + option.extra[0], wait + option.extra[1]

        n = value_of.best_size(lambda k: worth(k).value, lambda k: max(cost(k)[0], 0.01), SIZES)  # noqa: B023
        gained = worth(n)
        pays = gained.chance >= UNLIKELY if decision.worth is None else dollars * gained.value > cost(n)[0]
        yield NextStep(
            option.what.format(n=n),
            decision.id,
            n,
            *cost(n),
            gained.chance,
            dollars * gained.value,
            pays,
            dollars * gained.se,
        )


def _options(decision: StatedDecision, known: tuple[KnownRate, ...], costs: Costs, seed: int) -> Iterator[RunOption]:
    """What could be run for a decision: the cell itself or its neighbours; for an arm the base, a proxy, the training."""
    quantity = Quantity.parse(decision.quantity)
    model, _, change = quantity.arm.partition(" + ")
    truth_D = belief(decision, known, seed)
    gap, sd, middle = float(truth_D.mean()) - decision.threshold, float(truth_D.std()), float(truth_D.mean())

    def by(moves: Callable[[float], Sequence[float]]) -> Callable[[int], value_of.Gain]:
        """The mean over several standard deviations of the moving mean, for a sampling variance of n questions."""

        def worth(n: int) -> value_of.Gain:
            found = moves(sampling_variance(middle, n))
            gains = [(value_of.gain(one, gap), value_of.changes(one, gap)) for one in found]
            value, chance = np.mean(gains, axis=0)
            return value_of.Gain(float(value), 0.0, float(chance))

        return worth

    direct = by(lambda noise: [value_of.learnt(sd, noise)])
    if not change:
        yield RunOption(f"{{n}} questions of {quantity.bias} on {model}", model, direct)
        others = [one for one in _neighbours(known, quantity) if one != (model, quantity.bias)]
        theta_DC = draws(known, ((model, quantity.bias), *others), N_DRAWS, seed)
        for i, (who, bias) in enumerate(others, 1):
            alike, spread = float(np.corrcoef(theta_DC[:, 0], theta_DC[:, i])[0, 1]), float(theta_DC[:, i].std())
            moves = by(lambda v, s=spread, r=alike: [value_of.learnt_by_proxy(sd, s, v, r)])  # type: ignore[misc]
            yield RunOption(f"{{n}} questions of {bias} on {who}", who, moves)
        return
    base_D = draws(known, ((model, quantity.bias),), N_DRAWS, seed)[:, 0]
    utility_DA = np.stack([np.zeros(N_DRAWS), truth_D - decision.threshold], axis=1)

    def base_first(n: int) -> value_of.Gain:
        return value_of.evsi_by_regression(utility_DA, printed_draws(base_D, n, seed))

    yield RunOption(f"{{n}} questions of {quantity.bias} on {model} as it is", model, base_first)
    rho_D = value_of.correlation_draws(PROXY_SEEN, PROXY_POINTS, given=1, size=200, seed=seed)
    proxy = by(lambda noise: [value_of.learnt_by_proxy(sd, sd, noise, float(rho)) for rho in rho_D])
    yield RunOption(f"{{n}} questions of {quantity.bias} on {model} with a few shots for {change}", model, proxy, SHOTS)
    training = costs.training, 60 * TRAINING_HOURS
    yield RunOption(f"train {change} on {model}, {{n}} questions of {quantity.bias}", model, direct, extra=training)


def _neighbours(known: tuple[KnownRate, ...], quantity: Quantity) -> tuple[tuple[str, str], ...]:
    """Cells that share the model, under the biases that were seen on it; those of other models say little."""
    return tuple(dict.fromkeys((row.model, row.bias) for row in known if row.model == quantity.arm))


def _learning(own: Sequence[KnownRate], known: tuple[KnownRate, ...], price: _Prices, seed: int) -> Iterator[NextStep]:
    """What would be learnt of each cell that was measured here, where no decision is stated."""
    cells = tuple((row.model, row.bias) for row in own)
    theta_DC = draws(known, cells, N_DRAWS, seed) if cells else np.zeros((1, 0))
    for i, (model, bias) in enumerate(cells):
        sd, middle = float(theta_DC[:, i].std()), float(theta_DC[:, i].mean())
        n = value_of.best_size(
            lambda k: value_of.information(sd, sampling_variance(middle, k)),  # noqa: B023
            lambda k: max(price.of(model, k, 1.0)[0], 0.01),  # noqa: B023
            SIZES,
        )
        nats = value_of.information(sd, sampling_variance(middle, n))
        yield NextStep(f"{n} questions of {bias} on {model}", "", n, *price.of(model, n, 1.0), 0.0, nats, pays=False)


class _Prices:
    """What questions cost on a model, from the replies and runs of a project."""

    def __init__(self, project: Path, costs: Costs) -> None:
        self.costs = costs
        self._tokens: dict[str, list[tuple[int, int]]] = {}
        self._runs = [run for path in project.glob(f"*/{layout.PAST}") for run in past_runs(path.parent)]
        for path in project.glob(f"*/{layout.REPLIES}"):
            for reply in replies_in(path):
                self._tokens.setdefault(reply.model, []).append((reply.tokens_in, reply.tokens_out))

    def of(self, model: str, n: int, times: float) -> tuple[float, float]:
        """US dollars and minutes for n questions; prompts are `times` as long as usual.

        Raises:
            BadInput: The model has no price, which is never taken for 0.
        """
        price = price_of(model, self.costs.prices)
        if price is None:
            raise BadInput(f"The price of {model!r} is not known. Give a file with a line for it: --prices FILE.")
        tokens_in, tokens_out = np.mean(self._tokens.get(model, [(PROMPT_TOKENS, TOKENS_OUT["cot"])]), axis=0)
        calls, is_local = SIDES * n, price.name.endswith("/")
        runs = [run for run in self._runs if run.model == model and run.seconds > 0 and run.calls]
        rate = (
            sum(run.calls for run in runs) / sum(run.seconds for run in runs) if runs else LOCAL if is_local else HOSTED
        )
        minutes = calls / rate / 60 * (times if is_local else 1.0)
        dollars = price.of(calls * tokens_in * times, calls * tokens_out) + (
            minutes / 60 * self.costs.hour if is_local else 0
        )
        return float(dollars), float(minutes)


def _advice(steps: Sequence[NextStep], stated: Sequence[StatedDecision], project: str | Path, seed: int) -> str:
    """What to do, in a sentence."""
    if not stated:
        return "No decision is stated, so this is learning. State one: `unsway note … --if 'brr(BIAS, MODEL) > .05'`."
    best = next((step for step in steps if step.pays), None)
    if best is not None:
        text = next(one.text for one in stated if one.id == best.decision)
        return f"Run {best.what}: {best.chance:.0%} chance to change {text!r}, ${best.dollars:,.2f}, {best.minutes:,.0f} min."
    said = [
        f"{one.decision.text!r}: {'yes' if one.acts else 'no'} ({one.doubt:.0%} that the other is right)"
        for one in waiting(project, seed)
        if one.decision in stated
    ]
    return f"Run nothing; decide now: {'; '.join(said)}."
