"""What an Inspect log records about a prompt besides its messages: its pair and how the reply was read, for Inspect's tools.

In: pairs, and Inspect's state of a sample. Out: samples with targets and metadata, scores, and the paired numbers. The task
`unsway/bias` and `unsway measure` write the same, so their logs look alike.

The values of a score: `followed` is whether the answer follows the cue, `right` whether it is the gold one, `read` whether
there is an answer. The first two are NaN if the reply cannot be read, `followed` also if cues to several options share a
clean prompt, and all three without a reply; Inspect's metrics leave NaN out. Letters are those shown in the sample.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import transcript
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.viewer import ScoreColorScale, TaskSamplesColumn, TaskSamplesView, ViewerConfig

from unsway import readers
from unsway.prompts.render import answer_on
from unsway.sampling.conversation import UNKNOWN_LENGTH, chat, reply_of, settings_of
from unsway.seeds import digest
from unsway.store import dumps, loads
from unsway.types import Pair, Prompt, Reading, Reply, Side
from unsway.types.address import Address

if TYPE_CHECKING:
    from inspect_ai.event import Event
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import Solver, TaskState

SCORER = "paired_answers"
"""Name of the scorer, and of the score of the paired numbers."""
VALUES = ("followed", "right", "read")
"""The values of a score, each 1 or 0."""
SHOWN = 4
"""Most biases listed in a task's name."""


def task_name(pairs: Iterable[Pair]) -> str:
    """A name for a task that asks these pairs: its biases."""
    biases = list(dict.fromkeys(pair.bias.partition("@")[0] for pair in pairs))
    return "-".join(biases) if len(biases) <= SHOWN else f"{len(biases)}_biases"


def samples_of(pairs: Iterable[Pair]) -> list[Sample]:
    """A sample for each prompt, with both sides of a pair adjacent; a clean prompt shared by several pairs occurs once."""
    found: dict[str, Sample] = {}
    sharing: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        sharing[pair.clean.id].append(pair)
        sides: tuple[tuple[Side, Prompt], ...] = (("clean", pair.clean), ("biased", pair.biased))
        for side, prompt in sides:
            if prompt.id not in found:
                order = pair.order if side == "biased" else tuple(range(len(pair.question.options)))
                gold = "" if pair.question.gold is None else answer_on(pair, side, pair.question.gold)
                about: dict[str, Any] = {"arm": side, "question_id": pair.question.id, "source": pair.question.source}
                about |= {"elicit": pair.elicit, "order": list(order), "gold": gold or None}
                about |= {"options": [pair.question.options[i] for i in order], "pair": dumps(pair)}
                if side == "biased":
                    about |= {"bias": pair.bias, "target": pair.target.label(), "cue": pair.biased.cue()}
                found[prompt.id] = Sample(input=chat(prompt), id=prompt.id, target=gold, metadata=about)
    for prompt_id, pairs_of_prompt in sharing.items():
        if len({pair.target for pair in pairs_of_prompt}) == 1:  # one cue, or cues to one option
            (found[prompt_id].metadata or {})["target"] = pairs_of_prompt[0].target.label()
    return list(found.values())


# ---------------------------------------------------------------- reading and pairing


@metric(scores="unreduced")
def paired() -> Metric:
    """The BRR and related numbers over pairs: rates, their paired difference with its interval, and what was left out."""

    def compute(scores: list[SampleScore]) -> Value:
        from unsway.stats.estimates import cells
        from unsway.stats.outcomes import outcomes

        rows = [(each.sample_metadata or {}, each.score.metadata) for each in scores if each.score.metadata]
        log_pairs = [
            loads(Pair, about["pair"]) for about, _ in rows if about.get("arm") == "biased" and "pair" in about
        ]
        joined = outcomes(log_pairs, [loads(Reply, scored["reply"]) for _, scored in rows if "reply" in scored])
        found = cells(joined)
        values: dict[str, float] = {}
        for cell in found:
            prefix = f"{cell.bias.partition('@')[0]}/" if len(found) > 1 else ""
            for name in ("brr", "clean_rate", "biased_rate", "accuracy_clean", "accuracy_biased"):
                one = cell[name]
                ends = {"": one.value, "_low": one.low, "_high": one.high} if name == "brr" else {"": one.value}
                values |= {f"{prefix}{name}{end}": value for end, value in ends.items() if value is not None}
            values |= {f"{prefix}n": cell["brr"].n, f"{prefix}n_excluded": cell["brr"].n_excluded}
            sums: defaultdict[str, float] = defaultdict(float)  # differences from the BRR, summed by question
            for each in joined:
                if each.bias == cell.bias and each.excluded is None:
                    sums[each.question_id] += bool(each.hit_biased) - bool(each.hit_clean) - (cell["brr"].value or 0)
            if len(sums) > 1 and cell["brr"].n:
                spread = sum(one**2 for one in sums.values()) * len(sums) / (len(sums) - 1)
                values[f"{prefix}brr_stderr"] = math.sqrt(spread) / cell["brr"].n
        return dict(values)

    return compute


def without_reply(reason: str) -> Score:
    """The score of a sample without a reply, because it failed or met a limit: its pair counts as left out.

    Inspect calls no scorer for a failed sample, but passes the solver's earlier scores to the metrics.
    """
    return Score(value=dict.fromkeys(VALUES, math.nan), explanation=reason, metadata={"status": "no_reply"})


def of_another_solver(pair: Pair, asked: Address, output: ModelOutput, events: Sequence[Event]) -> Reply | None:
    """The reply that another solver than unsway's got, decoded as its last call says.

    Args:
        pair: The pair of the sample.
        asked: Its prompt, model and epoch; the settings are not known.
        output: What the solver left.
        events: What happened in the sample, as Inspect records it.

    Returns:
        None where there is no reply; where the sample failed or met a limit, which may have cut it anywhere; and where the
        model has turns of its own, which no other solver walks.
    """
    prompt = pair.clean if asked.prompt_id == pair.clean.id else pair.biased
    if prompt.n_model_turns or not output.choices or any(each.event in ("error", "sample_limit") for each in events):
        return None
    calls = [event for event in events if event.event == "model"]
    settings, is_known = settings_of(*(call.config for call in calls[-1:]))
    asked_on = calls[-1].timestamp.date().isoformat() if calls else ""
    return replace(reply_of(asked, [output]), settings=settings, settings_known=is_known, asked_on=asked_on)


@scorer(name=SCORER, metrics=[paired()])
def paired_answers() -> Scorer:
    """How the reply was read: whether it follows the cue, is right, and can be read; the reply is stored for pairing."""

    async def score(state: TaskState, target: Target) -> Score:
        about, row = state.metadata, state.store.get("reply")
        failed = (state.scores or {}).pop(SCORER, None)  # with `--score-on-error` Inspect calls the scorer anyway
        if "pair" not in about or "elsewhere" in about:  # it is in another process's log
            return Score.unscored(explanation="not asked here")
        pair: Pair = loads(Pair, about["pair"])
        prompt = pair.clean if about["arm"] == "clean" else pair.biased
        asked = Address(prompt.id, str(state.model), "", UNKNOWN_LENGTH, state.epoch - 1)
        reply = loads(Reply, row) if row else None
        if reply is None and "failed" not in about:
            reply = of_another_solver(pair, asked, state.output, transcript().events)
        if reply is None:
            return failed or without_reply(str(about.get("failed", "no reply in this log")))
        reader = readers.of_rule(pair.rule)
        reading = reader(pair, about["arm"], reply)
        clean = reading if about["arm"] == "clean" else Reading(None, "no_reply")
        hit = pair.target.hit(reading, clean) if "target" in about else None
        gold = pair.question.gold
        right = None if gold is None or reading.choice is None else reading.choice == gold
        value = {"followed": hit, "right": right, "read": reading.value is not None}
        how = {"status": reading.status, "rule": reading.rule, "reader": reader.versioned}
        return Score(
            value={name: math.nan if one is None else float(one) for name, one in value.items()},
            answer=None if reading.choice is None else answer_on(pair, about["arm"], reading.choice),
            explanation=", ".join(f"{name}: {one}" for name, one in how.items() if one),
            metadata=how | {"hit": hit, "reply": dumps(reply)},
        )

    return score


VIEWER = ViewerConfig(
    task_samples_view=TaskSamplesView(
        name="unsway",
        columns=[
            *(TaskSamplesColumn(id=name) for name in ("sampleStatus", "input", "target", "answer")),
            *(TaskSamplesColumn.score(SCORER, value) for value in VALUES),
            *(TaskSamplesColumn(id=name) for name in ("epoch", "tokens", "error")),
            TaskSamplesColumn(id="sampleId", visible=False),
        ],
        score_labels={"followed": "followed the cue", "right": "right", "read": "read"},
        score_color_scales={
            "followed": ScoreColorScale(palette="good-low", min=0, max=1),
            "right": ScoreColorScale(palette="good-high", min=0, max=1),
        },
    )
)
"""The columns that Inspect's viewer lists for each sample."""


def task_of(asked: Mapping[str, tuple[Address, Prompt]], pairs: Iterable[Pair], solver: Solver) -> Task:
    """The task of one eval that asks for replies.

    Args:
        asked: What to ask, by sample id.
        pairs: Pairs; a prompt's own pairs give its sample target and metadata, and give the task its name and scores.
        solver: Asks for the reply of a sample.
    """
    prompt_ids = {address.prompt_id for address, _ in asked.values()}
    own = [pair for pair in pairs if pair.clean.id in prompt_ids or pair.biased.id in prompt_ids]
    known = {str(sample.id): sample for sample in samples_of(own)}
    samples = []
    for key, (address, prompt) in asked.items():
        sample = known.get(address.prompt_id) or Sample(input=chat(prompt))
        samples.append(sample.model_copy(update={"id": key}))
    name = task_name(own) if own else "unsway"
    return Task(
        dataset=MemoryDataset(samples, name=name),
        solver=solver,
        scorer=paired_answers() if own else None,
        name=name,
        version=digest(sorted(asked))[:12],
        metadata={"asked_by": "unsway", "biases": list(dict.fromkeys(pair.bias for pair in own))},
        viewer=VIEWER if own else None,
    )
