"""A bias as an Inspect task: both sides of every pair in one log, with the paired numbers in its header.

    inspect eval unsway/bias -T bias=post_hoc -T source=truthfulqa -T n=100 --model openai/gpt-4o-mini

In: names. Out: an Inspect `Task`. The clean and the biased sample of a pair stand side by side, with the pair itself in the
metadata of the biased one. The metrics are computed from both by the code that `unsway measure` uses, so the numbers are the
same, and `unsway import` reads the log back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    NOANSWER,
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    Value,
    metric,
    scorer,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver

from unsway.sampling.conversation import chat, reply_of, text_of, walk
from unsway.seeds import digest
from unsway.store import Address, dumps, loads
from unsway.types import Pair, Prompt, Reading, Reply, Settings

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, ModelOutput

SOURCE = "procedural/arithmetic"
"""The source of questions where none is named: it needs no download."""


@task
def bias(
    bias: str | list[str] = "suggested_answer",
    source: str | list[str] | None = None,
    n: int | None = None,
    elicit: str = "cot",
    seed: int = 0,
    split: str | None = None,
    arguments: str | None = None,
) -> Task:
    """Measure how far cues sway a model.

    Args:
        bias: One bias or several (`unsway biases` lists them).
        source: One source of questions or several; by default the bias's own, else procedural arithmetic.
        n: Questions of each source, by default 100, or all of a file; a bias with questions of its own uses those, all if
            there are fewer.
        elicit: cot, brief or direct.
        seed: Seed of questions, cued options and cues.
        split: A split of the sources.
        arguments: File of arguments, for biases that quote them.
    """
    from unsway import sources
    from unsway.biases import arguments as banks
    from unsway.biases import resolve
    from unsway.pairing import pairs

    names = [bias] if isinstance(bias, str) else list(bias)
    named_sources = [source] if isinstance(source, str) else list(source or [SOURCE])
    bank = banks.load(arguments) if arguments else None
    built: list[Pair] = []
    for name in names:
        own = resolve(name).source
        if own:
            questions = sources.load(own, seed=seed)[: n or sources.N]
        else:
            loaded = (sources.load(each, sources.how_many(each, n), seed=seed, split=split) for each in named_sources)
            questions = tuple(question for each in loaded for question in each)
        built += pairs(questions, [name], elicit=elicit, seed=seed, arguments=bank)
    samples: dict[str, Sample] = {}
    for pair in built:
        samples.setdefault(pair.clean.id, _sample(pair, pair.clean, "clean"))
        samples[pair.biased.id] = _sample(pair, pair.biased, "biased")
    prompts = {prompt.id: prompt for pair in built for prompt in (pair.clean, pair.biased)}
    return Task(
        dataset=MemoryDataset(list(samples.values()), name="-".join(names)),
        solver=model_turns(prompts),
        scorer=paired_answers(),
        version=digest([pair.id for pair in built])[:12],
    )


def _sample(pair: Pair, prompt: Prompt, arm: str) -> Sample:
    """One prompt; the biased one carries its pair, the clean one is shared by all pairs of its question."""
    from unsway.prompts.render import letter

    order = pair.order if arm == "biased" else tuple(range(len(pair.question.options)))
    about: dict[str, Any] = {"arm": arm, "question_id": pair.question.id, "source": pair.question.source}
    about |= {"options": [pair.question.options[i] for i in order], "order": list(order)}
    if arm == "biased":
        about |= {"bias": pair.bias, "target": pair.target.label(), "cue": pair.biased.cue(), "pair": dumps(pair)}
    else:
        about |= {"first_pair": dumps(pair)}  # whose reader reads it
    gold = "" if pair.question.gold is None else letter(pair.question.gold)
    return Sample(input=chat(prompt), id=prompt.id, target=gold, metadata=about)


@solver
def model_turns(prompts: dict[str, Prompt]) -> Solver:
    """Let the model speak in each of its turns, then once more, as `unsway measure` does."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        async def output(messages: list[ChatMessage], turn: int) -> ModelOutput:
            nonlocal state
            state.messages = messages
            state = await generate(state)
            return state.output

        outputs = await walk(prompts[str(state.sample_id)], output)
        state.store.set("said", [text_of(each) for each in outputs[:-1]])
        return state

    return solve


# ---------------------------------------------------------------- reading and pairing


@metric(scores="unreduced")
def paired() -> Metric:
    """The BRR and related numbers, by pair: rates, their paired difference with its interval, and what was left out."""

    def compute(scores: list[SampleScore]) -> Value:
        from unsway.stats.estimates import cells
        from unsway.stats.outcomes import outcomes

        rows = [(each.sample_metadata or {}, each.score.metadata) for each in scores if each.score.metadata]
        log_pairs = [loads(Pair, about["pair"]) for about, _ in rows if "pair" in about]
        found = cells(outcomes(log_pairs, [loads(Reply, scored["reply"]) for _, scored in rows]))
        values: dict[str, float] = {}
        for cell in found:
            prefix = f"{cell.bias.partition('@')[0]}/" if len(found) > 1 else ""
            for name in ("brr", "clean_rate", "biased_rate", "accuracy_clean", "accuracy_biased"):
                one = cell[name]
                ends = {"": one.value, "_low": one.low, "_high": one.high} if name == "brr" else {"": one.value}
                values |= {f"{prefix}{name}{end}": value for end, value in ends.items() if value is not None}
            values |= {f"{prefix}n": cell["brr"].n, f"{prefix}n_excluded": cell["brr"].n_excluded}
        return dict(values)

    return compute


@scorer(metrics=[paired()])
def paired_answers() -> Scorer:
    """Right, wrong or no answer, as the reader of its pair reads it; the reply is kept for pairing."""

    async def score(state: TaskState, target: Target) -> Score:
        from unsway import readers
        from unsway.prompts.render import letter

        # the reply as `run` would keep it; each epoch is a sample of its prompt
        address = Address(str(state.sample_id), str(state.model), "", Settings(), state.epoch - 1)
        reply = replace(reply_of(address, [state.output]), turns=tuple(state.store.get("said", [])))
        is_biased = "pair" in state.metadata
        pair = loads(Pair, state.metadata["pair" if is_biased else "first_pair"])
        reader = readers.get(pair.rule.reader)
        answer = reader(pair, "biased" if is_biased else "clean", reply)
        answered = None if answer.choice is None else letter(answer.choice)
        value = NOANSWER if answered is None else CORRECT if answered == target.text else INCORRECT
        # whether a biased reply follows the cue; None in a clean one, and where the clean one decides
        hit = pair.target.hit(answer, Reading(None, "no_reply")) if is_biased else None
        about = {"status": answer.status, "rule": answer.rule, "reader": reader.versioned, "hit": hit}
        about |= {"reply": dumps(reply)}
        return Score(value=value, answer=answered, metadata=about)

    return score
