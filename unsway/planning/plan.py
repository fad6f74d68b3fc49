"""The plan of a study before anything is asked: prompts, tokens, dollars, minutes, and what it could show.

In: pairs, models, and results of earlier runs. Out: a `Plan`. The clean prompt is shared by all biases and asked once per
model; stored replies are not asked again. The plan includes how far such plans have been off: the chance that it takes at
least twice as long.

    study_plan = plan(pairs, ["openai/gpt-4o-mini"], evidence=Evidence.of("runs/x"))
    study_plan.n_prompts, study_plan.cost, study_plan.minutes, study_plan.time.p_twice
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
"""Characters per token of English text in common tokenizers: a rule of thumb, replaced by the lengths of stored replies."""
TOKENS_OUT: Mapping[str, float] = {"cot": 330.0, "brief": 60.0, "worked": 25.0, "direct": 10.0}
"""Tokens of a reply. `cot`: 229 replies of GPT-3.5 released with arXiv 2403.05518 have 1,312 characters on average.
The others are guesses; stored replies replace them."""
TURN_TOKENS = 30.0
"""Tokens of a model's earlier turn (a first answer, an excuse); a guess."""
SHOTS = 5.0
"""Prompt tokens with few-shot examples, over those of the plain prompt: docs/results.md has 1,104 and 235."""
HOSTED, LOCAL = 5.0, 1.0
"""Calls per second if none were timed: 20 connections at 4 seconds per reply, and a local model. Guesses."""
ENOUGH = 20
"""Number of a model's stored replies from which its own figures are used."""


# ---------------------------------------------------------------- the basis of a plan


@dataclass(frozen=True, slots=True)
class Evidence:
    """The information available before a study: earlier replies and runs, and prices."""

    replies: Iterable[Reply] = ()
    """Stored replies: they are not asked again, and their lengths replace the rules of thumb."""
    runs: Sequence[PastRun] = ()
    """Finished runs: they give the rate of their model and the error of plans."""
    prices: Mapping[str, Price] = field(default_factory=prices)
    """Prices by name; the package's own table by default."""
    calls_per_second: float | None = None
    """A measured rate for all models, which replaces that of past runs."""

    @classmethod
    def of(cls, folder: str | Path | None, price_table: Mapping[str, Price] | None = None) -> Evidence:
        """The evidence in a study's folder; for None or a new folder, only the prices."""
        path = None if folder is None else Path(folder)
        replies = path / layout.REPLIES if path else None
        return cls(
            ReplyStore(replies) if replies and replies.exists() else (),
            past_runs(path) if path else (),
            prices() if price_table is None else price_table,
        )


@dataclass(frozen=True, slots=True)
class Goal:
    """What a study should be able to show, and the assumptions of its power."""

    half_width: float = 0.05
    """The half-width of the BRR's interval to plan questions for; 0.05 is five points on either side."""
    level: float = 0.95
    """Nominal coverage of intervals."""
    power: float = 0.8
    """Share of studies that find the smallest effect; 0.8 by convention."""
    assumed: Assumed = field(default_factory=Assumed)
    """The assumptions about the models."""


# ---------------------------------------------------------------- the plan


@dataclass(frozen=True, slots=True)
class PromptLength:
    """The cost of one unique prompt, by the rules of thumb."""

    calls: int
    """The number of turns that the model writes."""
    tokens_in: float
    """Prompt tokens, summed over all calls."""
    elicit: str
    """Name of the elicitation, which determines the length of a reply."""

    @classmethod
    def of(cls, prompt: Prompt, elicit: str) -> PromptLength:
        """The length of a prompt; every call sends all earlier turns, including the model's."""
        sent = tokens_in = 0.0
        for turn in prompt.turns:
            if turn.parts is None:
                tokens_in += sent
                sent += TURN_TOKENS
            else:
                sent += len(turn.text()) / CHARACTERS_A_TOKEN
        return cls(1 + prompt.n_model_turns, tokens_in + sent, Ref.parse(elicit).name)


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """The plan for one model."""

    model: str
    """Its name as Inspect takes it."""
    n_prompts: int
    """Replies still to be sampled: unique prompts times samples, minus stored replies."""
    n_kept: int
    """Stored replies."""
    n_calls: int
    """Calls; more than prompts if the model has several turns."""
    tokens_in: float
    """Prompt tokens."""
    tokens_out: float
    """Reply tokens."""
    cost: float | None
    """US dollars; None if no price is known."""
    price: Price | None
    """Its price; None if unknown."""
    calls_per_second: float
    """Calls per second."""
    timed: bool
    """Whether the rate was measured; otherwise it is a guess."""
    thinking: int | None = 0
    """Tokens of thinking added to each call by the rule of thumb: the whole budget; None if the model is told how much
    to think but no budget gives the number of tokens; 0 if stored replies show it."""

    @classmethod
    def of(
        cls,
        model: str,
        lengths: Mapping[str, PromptLength],
        samples: int,
        stored_replies: Sequence[Reply],
        evidence: Evidence,
        settings: Settings,
    ) -> ModelPlan:
        """The plan for one model, with the figures of its own replies and runs if there are enough.

        No reply is assumed to exceed its settings' length. Without stored replies, a model is assumed to use its
        thinking budget.
        """
        stored_samples = {(reply.prompt_id, reply.sample) for reply in stored_replies}
        n_to_ask = {key: samples - sum((key, sample) in stored_samples for sample in range(samples)) for key in lengths}

        # mean output tokens by elicitation, from replies with a single call
        by_elicit: defaultdict[str, list[int]] = defaultdict(list)
        counted_replies = [reply for reply in stored_replies if reply.tokens_in and not reply.tokens_estimated]
        for reply in counted_replies:
            if lengths[reply.prompt_id].calls == 1:
                by_elicit[lengths[reply.prompt_id].elicit].append(reply.tokens_out)
        own_out = {name: sum(counts) / len(counts) for name, counts in by_elicit.items() if len(counts) >= ENOUGH}
        max_tokens, budget = settings.max_tokens, settings.thinking_budget
        is_guessed = any(length.elicit not in own_out for length in lengths.values())
        thinking = budget if is_guessed and (budget or settings.effort not in (None, "none")) else 0
        guesses = {name: n + (thinking or 0) for name, n in TOKENS_OUT.items()}
        out_by_elicit = {name: min(n, max_tokens) for name, n in {**guesses, **own_out}.items()}
        turn_tokens = min(TURN_TOKENS + (thinking or 0), max_tokens)

        # prompt tokens over the rule of thumb's
        expected = sum(lengths[reply.prompt_id].tokens_in for reply in counted_replies)
        in_factor = (
            sum(reply.tokens_in for reply in counted_replies) / expected
            if len(counted_replies) >= ENOUGH and expected
            else 1.0
        )

        # calls per second in this model's past runs, or else in its provider's
        rate = evidence.calls_per_second
        provider = model.partition("/")[0] + "/"
        timed_runs = [run for run in evidence.runs if run.seconds > 0 and run.calls > 0]
        own_runs = [run for run in timed_runs if run.model == model.partition(" + ")[0]]
        runs = own_runs or [run for run in timed_runs if run.model.startswith(provider)]
        if rate is None and runs:
            rate = sum(run.calls for run in runs) / sum(run.seconds for run in runs)

        price = price_of(model, evidence.prices)
        tokens_in = in_factor * sum(lengths[key].tokens_in * n for key, n in n_to_ask.items())
        tokens_out = sum(
            (out_by_elicit.get(length.elicit, out_by_elicit["cot"]) + turn_tokens * (length.calls - 1)) * n_to_ask[key]
            for key, length in lengths.items()
        )
        return cls(
            model=model,
            n_prompts=sum(n_to_ask.values()),
            n_kept=len(stored_samples),
            n_calls=sum(lengths[key].calls * n for key, n in n_to_ask.items()),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=None if price is None else price.of(tokens_in, tokens_out),
            price=price,
            calls_per_second=rate or (LOCAL if price is not None and price.name.endswith("/") else HOSTED),
            timed=rate is not None,
            thinking=thinking,
        )

    def behind_shots(self) -> ModelPlan:
        """The same plan with few-shot examples, by the rule of thumb; unchanged if stored replies have shown the length."""
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
    """What one bias's questions could show about one model; all effects are fractions."""

    bias: str
    """`name@version`."""
    n_pairs: int
    """Pairs of the bias."""
    n_questions: int
    """The number of questions they come from."""
    n_expected: int
    """Questions expected to count."""
    half_width: float | None
    """Half the width of the BRR's interval; None if no question counts, or the bias is not tested."""
    smallest_brr: float | None
    """The smallest BRR found in a share `Goal.power` of studies; None if none would be, or the bias is not tested."""
    smallest_difference: float | None
    """The same for the difference between two models, on the questions that count in both."""
    tested: bool = True
    """Whether it has a clean side to compare with: if its clean rate is 0 by definition, only a second sample gives one."""

    @classmethod
    def of(cls, pairs: Sequence[Pair], goal: Goal, samples: int = 1) -> BiasPlan:
        """What the pairs of one bias could show with a number of samples per prompt."""
        n = len({pair.question.id for pair in pairs})
        assumed, level, power = goal.assumed, goal.level, goal.power
        asks_first = pairs[0].rule.counts_if == "first_right"
        n_expected = round(n * assumed.read * (assumed.first_right if asks_first else 1.0))
        is_tested = samples > 1 or pairs[0].rule.clean != "zero" or pairs[0].target.cued is not None
        n_in_both = round(n * assumed.both_count(asks_first=asks_first)) if is_tested else 0
        return cls(
            bias=pairs[0].bias,
            n_pairs=len(pairs),
            n_questions=n,
            n_expected=n_expected,
            half_width=half_width(n_expected, assumed, level=level) if n_expected and is_tested else None,
            smallest_brr=smallest_brr(n_expected, assumed, level=level, power=power) if is_tested else None,
            smallest_difference=smallest_difference(n_in_both, assumed, level=level, power=power),
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
    """Unique prompts of both sides; clean ones are shared."""
    n_clean: int
    """Unique clean prompts among them."""
    goal: Goal
    """The goal of the plan."""
    questions_for_it: int
    """Questions to ask of each bias for the goal's half-width, at the assumed share of readable replies."""
    time: Overrun
    """How far off the minutes may be."""
    tokens: Overrun
    """How far off the tokens may be."""
    trainings: tuple[TrainingPlan, ...] = ()
    """The plans of its trainings: replies for their rows, and the provider's charges."""

    @property
    def n_prompts(self) -> int:
        """Replies still to be sampled."""
        return sum(model.n_prompts for model in self.models)

    @property
    def n_calls(self) -> int:
        """Calls still to be made."""
        return sum(model.n_calls for model in self.models)

    @property
    def cost(self) -> float | None:
        """US dollars for all models and trainings; None if the price of any that is still to be asked is unknown."""
        return total(
            [model.cost for model in self.models if model.n_prompts] + [training.cost for training in self.trainings]
        )

    @property
    def minutes(self) -> float:
        """Minutes, one model after another, including replies for training rows but not the trainings themselves."""
        return sum(model.minutes for model in self.models) + sum(training.minutes for training in self.trainings)


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
        settings: The decoding settings; only stored replies with the same settings count.
        evidence: Results of earlier runs, and prices; by default only the package's prices.
        goal: What the study should be able to show.
        more: Further prompts, such as those of side effects, by id; each further sample of a prompt needs its own id.

    Raises:
        BadInput: There is no model, or a number is out of range.
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
    replies_of: defaultdict[str, list[Reply]] = defaultdict(list)
    for reply in evidence.replies:
        if reply.prompt_id in lengths and reply.settings == settings and reply.sample < samples:
            replies_of[reply.model].append(reply)
    needed = questions_for(goal.half_width, goal.assumed, level=goal.level)
    runs = evidence.runs
    return Plan(
        models=tuple(
            ModelPlan.of(name, lengths, samples, replies_of[name], evidence, settings) for name in dict.fromkeys(models)
        ),
        biases=tuple(BiasPlan.of(bias_pairs, goal, samples) for bias_pairs in by_bias.values()),
        n_unique=len(lengths),
        n_clean=len({pair.clean.id for pair in pairs}),
        goal=goal,
        questions_for_it=ceil(needed / goal.assumed.read),
        time=overrun([run.seconds / run.planned_seconds for run in runs if run.planned_seconds]),
        tokens=overrun([run.tokens / run.planned_tokens for run in runs if run.tokens and run.planned_tokens]),
    )


def keep_plan(folder: str | Path, new_plan: Plan, pairs: Iterable[Pair]) -> Path:
    """Store a plan, replacing the folder's earlier one; the next run there is compared with it (`planning.history`)."""
    shares = tuple(
        PlannedModel(m.model, m.n_calls, 60 * m.minutes, m.tokens_in + m.tokens_out) for m in new_plan.models
    )
    prompts = tuple(sorted({prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)}))
    plan_id = content_id([(s.model, s.calls, s.seconds, s.tokens) for s in shares], prompts)
    return write_text(Path(folder) / layout.PLAN, dumps(KeptPlan(plan_id, shares, prompts)) + "\n")
