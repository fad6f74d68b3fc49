"""The plan of a study before anything is asked: prompts, tokens, dollars, minutes, and what it could show.

In: pairs, models, and what is known from earlier runs. Out: a `Plan`. The clean prompt is shared by all biases and asked
once per model; what is kept is not asked again. It ends with how far such plans have been off: the chance that it takes
twice as long.

    found = plan(pairs, ["openai/gpt-4o-mini"], evidence=Evidence.of("runs/x"))
    found.n_prompts, found.cost, found.minutes, found.time.p_twice
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path

from unsway import layout
from unsway.disk import write_text
from unsway.errors import BadInput
from unsway.planning.history import KeptPlan, PastRun, PlannedModel, past_runs
from unsway.planning.overrun import Overrun, overrun
from unsway.planning.prices import Price, price_of, prices, total
from unsway.planning.trainings import TrainingPlan
from unsway.registry import Ref
from unsway.seeds import content_id
from unsway.stats.power import Assumed, half_width, questions_for, smallest_brr, smallest_difference
from unsway.store import ReplyStore, dumps
from unsway.types import Pair, Prompt, Reply, Settings

CHARACTERS_A_TOKEN = 4.0
"""English text and common tokenizers: the usual rule of thumb; kept replies replace it."""
TOKENS_OUT: Mapping[str, float] = {"cot": 330.0, "brief": 60.0, "worked": 25.0, "direct": 10.0}
"""Tokens of a reply. `cot`: 229 replies of GPT-3.5 released with arXiv 2403.05518 have 1,312 characters on average.
The others are guesses; kept replies replace them."""
TURN_TOKENS = 30.0
"""Tokens of a model's earlier turn (a first answer, an excuse); a guess."""
SHOTS = 5.0
"""Prompt tokens behind few shots over those of the plain prompt: docs/results.md has 1,104 and 235."""
HOSTED, LOCAL = 5.0, 1.0
"""Calls a second where none were timed: 20 connections at 4 seconds a reply, and a local model. Guesses."""
ENOUGH = 20
"""Kept replies of a model from which its own figures are used."""


# ---------------------------------------------------------------- what a plan starts from


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known before a study: earlier replies and runs, and prices."""

    replies: Iterable[Reply] = ()
    """Replies that are kept already: they are not asked again, and their lengths replace the rules of thumb."""
    runs: Sequence[PastRun] = ()
    """Runs that are over: they tell the rate of their model and how far plans are off."""
    prices: Mapping[str, Price] = field(default_factory=prices)
    """Prices by name; the package's own table by default."""
    calls_per_second: float | None = None
    """A measured rate for all models, which replaces that of past runs."""

    @classmethod
    def of(cls, folder: str | Path | None, price_table: Mapping[str, Price] | None = None) -> Evidence:
        """What the folder of a study holds; with None, or a new folder, nothing but the prices."""
        path = None if folder is None else Path(folder)
        replies = path / layout.REPLIES if path else None
        return cls(
            ReplyStore(replies) if replies and replies.exists() else (),
            past_runs(path) if path else (),
            prices() if price_table is None else price_table,
        )


@dataclass(frozen=True, slots=True)
class Goal:
    """What a study should be able to show, and what its power rests on."""

    half_width: float = 0.05
    """The half-width of the BRR's interval for which questions are counted; 0.05 is five points on either side."""
    level: float = 0.95
    """Nominal coverage of intervals."""
    power: float = 0.8
    """Share of studies that find the smallest effect; 0.8 by convention."""
    assumed: Assumed = field(default_factory=Assumed)
    """What is assumed of the models."""


# ---------------------------------------------------------------- the plan


@dataclass(frozen=True, slots=True)
class PromptLength:
    """What one unique prompt takes, by the rules of thumb."""

    calls: int
    """How many times the model speaks."""
    tokens_in: float
    """Prompt tokens of all calls."""
    elicit: str
    """Name of the elicitation, which tells how long a reply is."""

    @classmethod
    def of(cls, prompt: Prompt, elicit: str) -> PromptLength:
        """Every call sends all earlier turns, the model's too."""
        sent = total = 0.0
        for turn in prompt.turns:
            if turn.parts is None:
                total += sent
                sent += TURN_TOKENS
            else:
                sent += len(turn.text()) / CHARACTERS_A_TOKEN
        return cls(1 + prompt.n_model_turns, total + sent, Ref.parse(elicit).name)


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What one model will be asked."""

    model: str
    """Its name as Inspect takes it."""
    n_prompts: int
    """Replies still to be sampled: unique prompts times samples, less what is kept."""
    n_kept: int
    """Replies that are kept already."""
    n_calls: int
    """Calls; more than prompts where the model speaks several times."""
    tokens_in: float
    """Prompt tokens."""
    tokens_out: float
    """Reply tokens."""
    cost: float | None
    """US dollars; None where no price is known."""
    price: Price | None
    """Its price; None where none is known."""
    calls_per_second: float
    """The rate."""
    timed: bool
    """Whether the rate was measured; otherwise it is a guess."""
    thinking: int | None = 0
    """Tokens of thinking with which a call counts on top of the rule of thumb: the whole budget; None where the model is told
    how much to think and no budget says how many tokens that is; 0 where kept replies tell."""

    @classmethod
    def of(
        cls,
        model: str,
        lengths: Mapping[str, PromptLength],
        samples: int,
        kept: Sequence[Reply],
        evidence: Evidence,
        settings: Settings,
    ) -> ModelPlan:
        """What is still to be asked of one model, with the figures of its own replies and runs where there are enough.

        No reply is taken to be longer than its settings allow; where none is kept it thinks as much as its budget allows.
        """
        have = {(reply.prompt_id, reply.sample) for reply in kept}
        times = {key: samples - sum((key, s) in have for s in range(samples)) for key in lengths}

        # mean tokens out by elicitation, of replies of single calls
        by_elicit: defaultdict[str, list[int]] = defaultdict(list)
        counted = [reply for reply in kept if reply.tokens_in and not reply.tokens_estimated]
        for reply in counted:
            if lengths[reply.prompt_id].calls == 1:
                by_elicit[lengths[reply.prompt_id].elicit].append(reply.tokens_out)
        seen_out = {name: sum(each) / len(each) for name, each in by_elicit.items() if len(each) >= ENOUGH}
        longest, budget = settings.max_tokens, settings.thinking_budget
        is_guessed = any(each.elicit not in seen_out for each in lengths.values())
        thinking = budget if is_guessed and (budget or settings.effort not in (None, "none")) else 0
        guessed = {name: n + (thinking or 0) for name, n in TOKENS_OUT.items()}
        out = {name: min(n, longest) for name, n in {**guessed, **seen_out}.items()}
        turn = min(TURN_TOKENS + (thinking or 0), longest)

        # tokens in over what the rule of thumb says
        expected = sum(lengths[reply.prompt_id].tokens_in for reply in counted)
        longer = sum(reply.tokens_in for reply in counted) / expected if len(counted) >= ENOUGH and expected else 1.0

        # calls a second of this model's past runs, or else of its provider's
        rate, provider = evidence.calls_per_second, model.partition("/")[0] + "/"
        timed = [run for run in evidence.runs if run.seconds > 0 and run.calls > 0]
        own = [run for run in timed if run.model == model.partition(" + ")[0]]
        runs = own or [run for run in timed if run.model.startswith(provider)]
        if rate is None and runs:
            rate = sum(run.calls for run in runs) / sum(run.seconds for run in runs)

        price = price_of(model, evidence.prices)
        tokens_in = longer * sum(lengths[key].tokens_in * n for key, n in times.items())
        tokens_out = sum(
            (out.get(each.elicit, out["cot"]) + turn * (each.calls - 1)) * times[key] for key, each in lengths.items()
        )
        return cls(
            model=model,
            n_prompts=sum(times.values()),
            n_kept=len(have),
            n_calls=sum(lengths[key].calls * n for key, n in times.items()),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=None if price is None else price.of(tokens_in, tokens_out),
            price=price,
            calls_per_second=rate or (LOCAL if price is not None and price.name.endswith("/") else HOSTED),
            timed=rate is not None,
            thinking=thinking,
        )

    def behind_shots(self) -> ModelPlan:
        """The same behind few shots, by the rule of thumb; as it is where its kept replies have told how long prompts are."""
        if self.n_kept >= ENOUGH:
            return self
        tokens_in = SHOTS * self.tokens_in
        cost = None if self.price is None else self.price.of(tokens_in, self.tokens_out)
        return replace(self, tokens_in=tokens_in, cost=cost)

    @property
    def minutes(self) -> float:
        """Minutes at that rate."""
        return self.n_calls / self.calls_per_second / 60


@dataclass(frozen=True, slots=True)
class BiasPlan:
    """What the questions of one bias could show of one model; all effects are fractions."""

    bias: str
    """`name@version`."""
    n_pairs: int
    """Pairs of the bias."""
    n_questions: int
    """Questions they come from."""
    n_expected: int
    """Questions expected to count."""
    half_width: float | None
    """Half the width of the BRR's interval; None where no question counts, or the bias is not tested."""
    smallest_brr: float | None
    """The smallest BRR found in a share `Goal.power` of studies; None where none would be, or the bias is not tested."""
    smallest_difference: float | None
    """The same for the difference between two models, on the questions that count in both."""
    tested: bool = True
    """Whether it is compared with a clean side: not where the clean rate is 0 by definition and needs a second sample."""

    @classmethod
    def of(cls, pairs: Sequence[Pair], goal: Goal, samples: int = 1) -> BiasPlan:
        """What the pairs of one bias could show with so many samples of each prompt."""
        n, assumed, level, power = len({pair.question.id for pair in pairs}), goal.assumed, goal.level, goal.power
        asks_first = pairs[0].rule.counts_if == "first_right"
        counts = round(n * assumed.read * (assumed.first_right if asks_first else 1.0))
        is_tested = samples > 1 or pairs[0].rule.clean != "zero" or pairs[0].target.cued is not None
        both = round(n * assumed.both_count(asks_first=asks_first)) if is_tested else 0
        return cls(
            bias=pairs[0].bias,
            n_pairs=len(pairs),
            n_questions=n,
            n_expected=counts,
            half_width=half_width(counts, assumed, level=level) if counts and is_tested else None,
            smallest_brr=smallest_brr(counts, assumed, level=level, power=power) if is_tested else None,
            smallest_difference=smallest_difference(both, assumed, level=level, power=power),
            tested=is_tested,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study would cost, and what it could show."""

    models: tuple[ModelPlan, ...]
    """One for each model, in the order given."""
    biases: tuple[BiasPlan, ...]
    """One for each bias, in the order of the pairs."""
    n_unique: int
    """Unique prompts of both sides; the clean ones are shared."""
    n_clean: int
    """Unique clean prompts among them."""
    goal: Goal
    """What it is planned for."""
    questions_for_it: int
    """Questions to ask of each bias for the goal's half-width, at the assumed share of replies that are read."""
    time: Overrun
    """How far off the minutes may be."""
    tokens: Overrun
    """How far off the tokens may be."""
    trainings: tuple[TrainingPlan, ...] = ()
    """What its trainings take besides: replies for their rows, and what a provider charges."""

    @property
    def n_prompts(self) -> int:
        """Replies still to be sampled."""
        return sum(each.n_prompts for each in self.models)

    @property
    def n_calls(self) -> int:
        """Calls still to be made."""
        return sum(each.n_calls for each in self.models)

    @property
    def cost(self) -> float | None:
        """US dollars for all models and trainings; None where the price of any that is still to be asked is not known."""
        return total([each.cost for each in self.models if each.n_prompts] + [each.cost for each in self.trainings])

    @property
    def minutes(self) -> float:
        """Minutes, one model after another, with the replies for training rows; without the trainings themselves."""
        return sum(each.minutes for each in self.models) + sum(each.minutes for each in self.trainings)


def plan(
    pairs: Iterable[Pair],
    models: Sequence[str],
    *,
    samples: int = 1,
    settings: Settings | None = None,
    evidence: Evidence | None = None,
    goal: Goal | None = None,
    more: Mapping[str, PromptLength] | None = None,
) -> Plan:
    """Plan a study; nothing is asked and no key is needed.

    Args:
        pairs: The pairs to ask.
        models: Names as Inspect takes them.
        samples: Replies to each prompt.
        settings: How they will be decoded; only replies kept under these count as kept.
        evidence: What earlier runs showed, and prices; only the package's prices by default.
        goal: What it should be able to show.
        more: Further prompts, such as those of side effects, by id; a further sample of one under an id of its own.

    Raises:
        BadInput: There is no model, or a number is out of its range.
    """
    evidence, goal, settings = evidence or Evidence(), goal or Goal(), settings or Settings()
    rate = evidence.calls_per_second
    if not models or samples < 1 or (rate is not None and not rate > 0):
        raise BadInput(f"A plan needs a model, samples >= 1 and a rate above 0; got {models}, {samples}, {rate}.")
    pairs = tuple(pairs)
    lengths: dict[str, PromptLength] = {}
    by_bias: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_bias[pair.bias].append(pair)
        for prompt in (pair.clean, pair.biased):
            if prompt.id not in lengths:
                lengths[prompt.id] = PromptLength.of(prompt, pair.elicit)
    lengths = {**(more or {}), **lengths}
    kept: defaultdict[str, list[Reply]] = defaultdict(list)
    for reply in evidence.replies:
        if reply.prompt_id in lengths and reply.settings == settings and reply.sample < samples:
            kept[reply.model].append(reply)
    needed = questions_for(goal.half_width, goal.assumed, level=goal.level)
    runs = evidence.runs
    return Plan(
        models=tuple(
            ModelPlan.of(name, lengths, samples, kept[name], evidence, settings) for name in dict.fromkeys(models)
        ),
        biases=tuple(BiasPlan.of(of_bias, goal, samples) for of_bias in by_bias.values()),
        n_unique=len(lengths),
        n_clean=len({pair.clean.id for pair in pairs}),
        goal=goal,
        questions_for_it=ceil(needed / goal.assumed.read),
        time=overrun([run.seconds / run.planned_seconds for run in runs if run.planned_seconds]),
        tokens=overrun([run.tokens / run.planned_tokens for run in runs if run.tokens and run.planned_tokens]),
    )


def keep_plan(folder: str | Path, found: Plan, pairs: Iterable[Pair]) -> Path:
    """Keep a plan instead of the folder's earlier one; the next run there is compared with it (`planning.history`)."""
    shares = tuple(PlannedModel(m.model, m.n_calls, 60 * m.minutes, m.tokens_in + m.tokens_out) for m in found.models)
    prompts = tuple(sorted({prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)}))
    own = content_id([(s.model, s.calls, s.seconds, s.tokens) for s in shares], prompts)
    return write_text(Path(folder) / layout.PLAN, dumps(KeptPlan(own, shares, prompts)) + "\n")
