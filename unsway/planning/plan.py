"""The plan of a study before anything is asked: prompts, tokens, dollars, minutes, and what it could show.

In: pairs, models, replies that are kept already, past runs. Out: a `Plan`. The clean prompt is shared by all biases
and asked once a model; what is kept is not asked again. It ends with how far such plans have been off: the chance that
it takes twice as long.

    found = plan(pairs, ["openai/gpt-4o-mini"])
    found.n_prompts, found.cost, found.minutes, found.time.p_twice
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, log

from scipy.special import stdtr, stdtrit

from unsway.errors import BadInput
from unsway.planning.prices import Price, price_of, prices
from unsway.stats import power as detect
from unsway.stats.outcomes import needs_first_answer
from unsway.stats.power import Assumed
from unsway.types import Pair, Prompt, Reply, Settings

CHARACTERS_A_TOKEN = 4.0
"""English text and common tokenizers: the usual rule of thumb; kept replies replace it."""
TOKENS_OUT: Mapping[str, float] = {"cot": 330.0, "brief": 60.0, "direct": 10.0}
"""Tokens of a reply. `cot`: 229 replies of GPT-3.5 released with arXiv 2403.05518 have 1,312 characters on average.
The other two are guesses; kept replies replace them."""
TURN_TOKENS = 30.0
"""Tokens of a model's turn on the way (a first answer, an excuse); a guess."""
HOSTED, OWN = 5.0, 1.0
"""Calls a second where none were timed: 20 connections at 4 seconds a reply, and one's own machine. Guesses."""
ENOUGH = 20
"""Kept replies of a model from which its own figures are used."""


# ---------------------------------------------------------------- how far plans are off


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is over: what was planned, and what it took."""

    model: str
    calls: int
    seconds: float
    planned_seconds: float | None = None
    """None where nothing was planned; the run then still tells the rate."""
    tokens: int | None = None
    """Tokens in and out."""
    planned_tokens: float | None = None
    plan: str = ""
    """Id of the plan that it was under; empty where nothing was planned."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """How far the truth may be from the plan, as factors; from past runs, or from the prior alone."""

    p_twice: float
    """Chance that it is at least twice the plan."""
    low: float
    """Factor that it stays above with a chance of 90 %."""
    middle: float
    """Factor with equal chances to either side."""
    high: float
    """Factor that it stays below with a chance of 90 %."""
    n_runs: int
    """Past runs that it rests on."""


PRIOR_MIDDLE, PRIOR_SPREAD, PRIOR_RUNS, PRIOR_FREEDOM = 0.2, 0.5, 2.0, 3.0
"""The prior of the log of truth over plan: plans are rather too short (a factor of 1.2), a new one is off by 60 % or
so either way, and all this weighs as much as two past runs. A judgement; it gives twice the time a chance of about one
in four."""


def surprise(truth_over_plan: Sequence[float]) -> Surprise:
    """The chance of being far off, from how far past plans were.

    Normal logarithms with a normal-inverse-gamma prior, so that a new one follows Student's t (Gelman et al., Bayesian
    Data Analysis, §3.3).

    Args:
        truth_over_plan: Truth over plan of each past run, above 0.
    """
    if not all(ratio > 0 for ratio in truth_over_plan):
        raise BadInput(f"Truth over plan must lie above 0; got {tuple(truth_over_plan)}.")
    logs = [log(ratio) for ratio in truth_over_plan]
    n = len(logs)
    mean = sum(logs) / n if n else 0.0
    weight, freedom = PRIOR_RUNS + n, PRIOR_FREEDOM + n
    middle = (PRIOR_RUNS * PRIOR_MIDDLE + sum(logs)) / weight
    squares = PRIOR_FREEDOM * PRIOR_SPREAD**2 + sum((each - mean) ** 2 for each in logs)
    squares += PRIOR_RUNS * n / weight * (mean - PRIOR_MIDDLE) ** 2
    scale = (squares / freedom * (1 + 1 / weight)) ** 0.5
    reach = float(stdtrit(freedom, 0.9)) * scale
    return Surprise(
        p_twice=float(stdtr(freedom, (middle - log(2)) / scale)),
        low=exp(middle - reach),
        middle=exp(middle),
        high=exp(middle + reach),
        n_runs=n,
    )


# ---------------------------------------------------------------- the plan


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What one model will be asked."""

    model: str
    n_prompts: int
    """Replies still to be had: unique prompts times samples, less what is kept."""
    n_kept: int
    """Replies that are kept already."""
    n_calls: int
    """Calls; more than prompts where the model speaks on the way."""
    tokens_in: float
    tokens_out: float
    cost: float | None
    """US dollars; None where no price is known."""
    price: Price | None
    calls_per_second: float
    timed: bool
    """Whether the rate was measured; otherwise it is a guess."""

    @property
    def minutes(self) -> float:
        """Minutes at that rate."""
        return self.n_calls / self.calls_per_second / 60


@dataclass(frozen=True, slots=True)
class BiasPlan:
    """What the questions of one bias could show of one model; all effects are fractions."""

    bias: str
    n_pairs: int
    n_questions: int
    n_expected: int
    """Questions expected to count."""
    half_width: float | None
    """Half the width of the BRR's interval."""
    smallest_brr: float | None
    """The smallest BRR found in 80 % of studies; None where none would be."""
    smallest_difference: float | None
    """The same for the difference between two models."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study would take, and what it could show."""

    models: tuple[ModelPlan, ...]
    biases: tuple[BiasPlan, ...]
    n_unique: int
    """Unique prompts, both arms; the clean ones are shared."""
    n_clean: int
    """Unique clean prompts among them."""
    wanted_half_width: float
    questions_for_it: int
    """Questions to ask of each bias for the wanted half-width, at the share that is read."""
    assumed: Assumed
    level: float
    power: float
    time: Surprise
    tokens: Surprise

    @property
    def n_prompts(self) -> int:
        """Replies still to be had."""
        return sum(each.n_prompts for each in self.models)

    @property
    def n_calls(self) -> int:
        """Calls still to be made."""
        return sum(each.n_calls for each in self.models)

    @property
    def cost(self) -> float | None:
        """US dollars for all models; None where the price of any that is still to be asked is not known."""
        costs = [each.cost for each in self.models if each.n_prompts]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def minutes(self) -> float:
        """Minutes, one model after another."""
        return sum(each.minutes for each in self.models)


def plan(
    pairs: Iterable[Pair],
    models: Sequence[str],
    *,
    samples: int = 1,
    settings: Settings | None = None,
    kept: Iterable[Reply] = (),
    price_table: Mapping[str, Price] | None = None,
    calls_per_second: float | None = None,
    past: Sequence[PastRun] = (),
    assumed: Assumed | None = None,
    wanted_half_width: float = 0.05,
    level: float = 0.95,
    power: float = 0.8,
) -> Plan:
    """Plan a study.

    Args:
        pairs: The pairs to ask.
        models: Names as Inspect takes them.
        samples: Replies to each prompt.
        settings: How they will be decoded; only replies kept under these count as kept.
        kept: Replies that are there already. Their lengths replace the rules of thumb.
        price_table: What `prices.prices` returns; the package's own by default.
        calls_per_second: A measured rate, for all models.
        past: Runs that are over: they tell the rate of their model and how far plans are off.
        assumed: What the power rests on.
        wanted_half_width: For `questions_for_it`; 0.05 is five points to either side.
        level: Nominal coverage.
        power: Share of studies that find the smallest effect; 0.8 by convention.

    Raises:
        BadInput: There is no model, or a number is out of its range.
    """
    if not models or samples < 1 or (calls_per_second is not None and not calls_per_second > 0):
        raise BadInput(
            f"A plan needs a model, samples >= 1 and a rate above 0; got {models}, {samples}, {calls_per_second}."
        )
    all_pairs, given, decoded = tuple(pairs), assumed or Assumed(), settings or Settings()
    asked = _asked(all_pairs)
    mine: defaultdict[str, list[Reply]] = defaultdict(list)
    for reply in kept:
        if reply.prompt_id in asked and reply.settings == decoded and reply.sample < samples:
            mine[reply.model].append(reply)
    table = prices() if price_table is None else price_table
    rates = {model: (calls_per_second or _rate(model, past)) for model in models}
    needed = detect.questions_for(wanted_half_width, given, level=level)
    return Plan(
        models=tuple(_model(m, asked, samples, mine[m], price_of(m, table), rates[m]) for m in dict.fromkeys(models)),
        biases=tuple(_biases(all_pairs, given, level, power)),
        n_unique=len(asked),
        n_clean=len({prompt.id for prompt in {id(pair.clean): pair.clean for pair in all_pairs}.values()}),
        wanted_half_width=wanted_half_width,
        questions_for_it=ceil(needed / given.read),
        assumed=given,
        level=level,
        power=power,
        time=surprise([run.seconds / run.planned_seconds for run in past if run.planned_seconds]),
        tokens=surprise([run.tokens / run.planned_tokens for run in past if run.tokens and run.planned_tokens]),
    )


# ---------------------------------------------------------------- prompts, tokens, rates


@dataclass(frozen=True, slots=True)
class _Asked:
    """A unique prompt, with its length by the rules of thumb."""

    calls: int
    tokens_in: float
    elicit: str


def _asked(pairs: Iterable[Pair]) -> dict[str, _Asked]:
    """Unique prompts by id: each clean one once, whatever the number of biases that share it."""
    found: dict[str, _Asked] = {}
    seen: set[int] = set()
    for pair in pairs:
        for prompt in (pair.clean, pair.biased):
            if id(prompt) not in seen:
                seen.add(id(prompt))
                found.setdefault(prompt.id, _lengths(prompt, pair.elicit))
    return found


def _lengths(prompt: Prompt, elicit: str) -> _Asked:
    """Every call sends all turns before it, those of the model too."""
    sent = total = 0.0
    for turn in prompt.turns:
        if turn.parts is None:
            total += sent
            sent += TURN_TOKENS
        else:
            sent += len(turn.text()) / CHARACTERS_A_TOKEN
    return _Asked(1 + prompt.n_model_turns, total + sent, elicit.partition("@")[0])


def _model(
    model: str,
    asked: Mapping[str, _Asked],
    samples: int,
    kept: Sequence[Reply],
    price: Price | None,
    rate: float | None,
) -> ModelPlan:
    """What is still to be asked of one model, with the lengths of its own replies where enough are kept."""
    have = {(reply.prompt_id, reply.sample) for reply in kept}
    times = {key: samples - sum((key, s) in have for s in range(samples)) for key in asked}
    out = dict(TOKENS_OUT) | _mean_out(kept, asked)
    longer = _longer(kept, asked)
    tokens_in = longer * sum(asked[key].tokens_in * n for key, n in times.items())
    tokens_out = sum(
        (out.get(a.elicit, out["cot"]) + TURN_TOKENS * (a.calls - 1)) * times[key] for key, a in asked.items()
    )
    return ModelPlan(
        model=model,
        n_prompts=sum(times.values()),
        n_kept=len(have),
        n_calls=sum(asked[key].calls * n for key, n in times.items()),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=None if price is None else price.of(tokens_in, tokens_out),
        price=price,
        calls_per_second=rate or (OWN if price is not None and price.name.endswith("/") else HOSTED),
        timed=rate is not None,
    )


def _mean_out(kept: Sequence[Reply], asked: Mapping[str, _Asked]) -> dict[str, float]:
    """Mean tokens out by elicitation, where enough replies of single calls are kept."""
    lengths: defaultdict[str, list[int]] = defaultdict(list)
    for reply in kept:
        if asked[reply.prompt_id].calls == 1:
            lengths[asked[reply.prompt_id].elicit].append(reply.tokens_out)
    return {name: sum(each) / len(each) for name, each in lengths.items() if len(each) >= ENOUGH}


def _longer(kept: Sequence[Reply], asked: Mapping[str, _Asked]) -> float:
    """Tokens in over what the rule of thumb says, where enough replies are kept."""
    expected = sum(asked[reply.prompt_id].tokens_in for reply in kept)
    return sum(reply.tokens_in for reply in kept) / expected if len(kept) >= ENOUGH and expected else 1.0


def _rate(model: str, past: Sequence[PastRun]) -> float | None:
    """Calls a second of this model's past runs, or of its provider's, or None."""
    for near in (model, model.partition("/")[0] + "/"):
        runs = [run for run in past if run.seconds > 0 and run.calls > 0 and run.model.startswith(near)]
        if runs:
            return sum(run.calls for run in runs) / sum(run.seconds for run in runs)
    return None


# ---------------------------------------------------------------- what it could show


def _biases(pairs: Iterable[Pair], assumed: Assumed, level: float, power: float) -> list[BiasPlan]:
    """One row for each bias, in the order of the pairs."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        groups[pair.bias].append(pair.question.id)
    return [_bias(name, ids, assumed, level, power) for name, ids in groups.items()]


def _bias(bias: str, question_ids: Sequence[str], assumed: Assumed, level: float, power: float) -> BiasPlan:
    n = len(set(question_ids))
    counts = int(n * assumed.read * (assumed.first_right if needs_first_answer(bias) else 1.0))
    return BiasPlan(
        bias=bias,
        n_pairs=len(question_ids),
        n_questions=n,
        n_expected=counts,
        half_width=detect.half_width(counts, assumed, level=level) if counts else None,
        smallest_brr=detect.smallest_brr(counts, assumed, level=level, power=power),
        smallest_difference=detect.smallest_difference(counts, assumed, level=level, power=power),
    )
