"""The rows that stages pass to each other: pairs, replies, outcomes, estimates, examples and checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.types.prompts import Prompt, Question
from unsway.types.readings import Excluded, Reading, Side, Target
from unsway.types.settings import Settings

MissingVerdict: TypeAlias = Literal[
    "", "unread", "unsure", "refused", "cut", "hidden", "summary", "unknown", "empty", "undefined"
]
"""Why a verdict has no value. The judge used another form, was not sure, or refused; the text was cut, hidden, only a
summary, of unknown kind (perhaps a summary) or empty; or the question does not apply (a cue without words)."""
Placebo: TypeAlias = Literal["", "matched", "swapped"]
"""A cue that the reply never saw: the pair's cue, pointing to the option that a clean reply chose (matched), or another
bias's cue (swapped)."""
Stop: TypeAlias = Literal["end", "length", "filter", "unknown", "first_wrong", "forced"]
"""Why a reply ended: by itself; cut at its maximum length; withheld by the provider; not reported; after a wrong first
answer, with no further turns asked; or made to answer (`Settings.force_answer`)."""
Thought: TypeAlias = Literal["full", "summary", "hidden", "cut", "none", "unknown"]
"""How much of a model's thinking is readable: all of it; a summary or part of it; none of it although there was some; only
its beginning; there was none; or not known. Full and summary are never counted together."""
Mode: TypeAlias = Literal["prefill", "quoted"]
"""Where the changed reasoning is put: at the start of the model's own reply, or quoted in the question."""
NoReasoning: TypeAlias = Literal["", "speaks", "unread", "hidden", "cut", "summary", "unknown", "none", "channel"]
"""Why a reply is not tested: the model has earlier turns; its answer was not read; its thinking is hidden, cut, only
summarised or of unknown kind; it has no reasoning before its answer; or its provider keeps thinking in a channel that a
reply cannot begin with."""
ExampleKind: TypeAlias = Literal["consistency", "instruct"]
"""The purpose of a row: consistency rows have a cue; instruct rows keep the model as helpful as before."""

_ENCRYPTED = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}")
"""A line of an encrypted thought or of its signature."""


def is_encrypted(reasoning: str) -> bool:
    """Whether a thought is encrypted, or a signature; rows older than `Reply.thought` stored those as reasoning."""
    return all(map(_ENCRYPTED.fullmatch, reasoning.split("\n")))


@dataclass(frozen=True, slots=True)
class Rule:
    """How a pair is counted. It is stored in the pair, so a number never depends on what is installed later."""

    clean: Literal["asked", "zero"] = "asked"
    """Whether the clean rate is measured, or 0 by definition and a second clean reply compared (arXiv 2403.05518, §3.4)."""
    counts_if: Literal["always", "first_right"] = "always"
    """Whether the pair always counts, or only if the model's own first answer was right."""
    reader: str = "mcq"
    """Name of the reader of both replies."""
    redacted: bool = False
    """Whether only the length and a hash of prompts and replies are shown, because they may be harmful."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with and without a cue: same option order, same elicitation."""

    id: str
    """Content id of both prompts, the bias, the elicitation and the target."""
    question: Question
    bias: str
    """`name@version` of the bias."""
    elicit: str
    """`name@version` of the elicitation, such as `cot@1`."""
    clean: Prompt
    biased: Prompt
    target: Target
    order: tuple[int, ...]
    """The option shown at each position of the biased prompt; the identity unless the bias is a permutation."""
    seed: int
    """Seed of the cued option and of the cue's random choices."""
    rule: Rule = Rule()  # frozen
    drawn: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the bias drew: its form, the place of the cue, its wording as `bank:number`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's reply, raw. It is never rescored in place, so a better reader can re-read it for free."""

    prompt_id: str
    model: str
    """The name by which the model was asked."""
    weights: str
    """Fingerprint of the weights that answered. For a hosted model, the id of its address and of arguments that affect its
    answers; empty for the provider's own address without such arguments."""
    sample: int
    """Number of the sample of this prompt, from 0."""
    text: str
    reasoning: str | None
    """The readable text of the reasoning channel, if the provider has one; never an encrypted thought or a signature."""
    turns: tuple[str, ...]
    """The model's own earlier replies, if the prompt contains turns that it writes."""
    stop: Stop
    """Why it ended: end, length (cut at max_tokens), filter, or unknown. first_wrong if the model's own first answer
    was wrong: then that answer is the text, and the later turns were not asked."""
    settings: Settings
    tokens_in: int
    """Prompt tokens, summed over all turns; 0 if unknown, as for most imported replies."""
    tokens_out: int
    """Generated tokens, summed over all turns."""
    thought: Thought = "unknown"
    """How much of the thinking before the reply is readable, in its channel or in its text."""
    reasoning_tokens: int | None = None
    """Tokens of thinking as reported by the provider, summed over all turns; None if not reported."""
    reported_model: str = ""
    """The model name that the provider reports; empty if it reports none."""
    asked_on: str = ""
    """The day on which it was asked, UTC, such as 2026-11-28; empty if unknown."""
    turn_stops: tuple[Stop, ...] = ()
    """Why each of `turns` ended; empty if not recorded."""
    turn_reasoning: tuple[str, ...] = ()
    """The readable reasoning channel of each of `turns`, or an empty text; recorded with its stop."""
    turn_thoughts: tuple[Thought, ...] = ()
    """How much of the thinking before each of `turns` is readable; recorded with its stop."""
    tokens_estimated: bool = False
    """Whether the tokens of some turn are estimated from its characters, because the provider reported none."""
    settings_known: bool = True
    """Whether `settings` are its true ones; an imported reply with unknown settings has the default ones."""

    def __post_init__(self) -> None:
        if self.reasoning and is_encrypted(self.reasoning):
            object.__setattr__(self, "reasoning", None)  # frozen
            object.__setattr__(self, "thought", "hidden")


@dataclass(frozen=True, slots=True, order=True)
class ArmKey:
    """Who answered: a model with at most one intervention. Arms are matched by this key, never by the text of a name."""

    model: str
    """The name by which the model was asked."""
    weights: str = ""
    """Fingerprint of its weights; see `Reply.weights`."""
    intervention: str = ""
    """Name of the intervention in its prompts; empty if there is none."""

    @property
    def name(self) -> str:
        """The model and the intervention, for people."""
        return f"{self.model} + {self.intervention}" if self.intervention else self.model


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both sides of a pair as read; derived from replies, and recomputed whenever the reader changes."""

    pair_id: str
    question_id: str
    source: str
    """`name@revision` of the question's source."""
    bias: str
    """`name@version`."""
    elicit: str
    """`name@version`."""
    arm: ArmKey
    """The arm that answered."""
    sample: int
    """Number of the sample, from 0."""
    clean: Reading
    biased: Reading
    hit_clean: bool | None
    """Whether the clean answer follows the cue; None if there is no answer."""
    hit_biased: bool | None
    """Whether the biased answer follows the cue; None if there is no answer."""
    right_clean: bool | None
    """Whether the clean answer is the gold one; None without an answer or a gold option."""
    right_biased: bool | None
    """Whether the biased answer is the gold one; None without an answer or a gold option."""
    excluded: Excluded | None
    """Why it is left out of paired numbers; None if it counts."""
    rule: Rule
    """How its pair is counted."""
    parser: str
    """Version of the reader."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judge's answer, from a model or a person, about one channel of one reply."""

    reply: str
    """Address of the reply: a hash of its prompt, model, weights, settings and sample."""
    channel: Literal["answer", "thinking", "summary"]
    """The text shown to the judge: the reply's answer, all of its thinking, or a provider's summary of the thinking."""
    question: str
    """`name@version` of the rubric."""
    by: str
    """The judge: a model with its settings, or a person."""
    value: bool | int | None
    """Yes or no, or a number; None if there is none, with the reason in `missing`."""
    why: str = ""
    """The judge's reason, in its own words."""
    quote: str = ""
    """The words of the reply that decided the verdict."""
    at: str = ""
    """The time, in UTC; empty if unknown."""
    pair: str = ""
    """Id of the pair whose cue the judge was asked about; a clean reply belongs to several pairs."""
    side: Side = "biased"
    """The side of that pair to which the reply belongs."""
    missing: MissingVerdict = ""
    """Why there is no value; empty if there is one. A missing value never counts as no."""
    placebo: Placebo = ""
    """The kind of cue described instead of the pair's own; empty if it was the pair's own."""


@dataclass(frozen=True, slots=True)
class ThoughtTest:
    """The effect of one change of a reply's reasoning on its answer. Answers are options of the question."""

    reply: str
    """Address of the reply."""
    arm: ArmKey
    """The arm that gave it."""
    pair: str
    """Id of the pair; for a clean reply, one of the pairs that share it."""
    side: Side
    """The side of the pair."""
    sample: int
    """Number of the sample, from 0."""
    test: str
    """Name of the test."""
    mode: Mode
    """Where the reasoning was put; rows of different modes are never counted together."""
    own: int | None
    """The answer of the original reply."""
    cued: int | None
    """The option that the cue supports; None if it supports none."""
    whole: int | None
    """The answer after all of the original reasoning, asked in the form of the test; the others are compared with it."""
    answers: tuple[int | None, ...] = ()
    """The answers at the points of the curve. early: after 0 to L sentences. mistakes: with a mistake in sentence 1 to L.
    paraphrase: with the first 1 to L sentences paraphrased. filler: dots for 0, ¼, ½, ¾ and all of the words. shuffle:
    without reasoning, in the order shown and in `order`."""
    order: tuple[int, ...] = ()
    """The option at each position in the other order; only for `shuffle`."""
    helper: str = ""
    """The model that wrote mistakes or paraphrases."""
    missing: NoReasoning = ""
    """Why it was not tested."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval and its basis. Fractions, not percent."""

    name: str
    value: float | None
    """None if it could not be given; `note` says why."""
    low: float | None
    high: float | None
    level: float
    """Nominal coverage of the interval; 0.95 by default."""
    n: int
    """The number of outcomes that count."""
    n_clusters: int
    """The number of questions they come from."""
    n_excluded: int
    """The number of outcomes left out."""
    how: str
    """The method of the interval, with its number of draws and its seed."""
    note: str = ""

    @classmethod
    def none(cls, name: str, level: float, n: int, n_clusters: int, n_excluded: int, how: str, note: str) -> Estimate:
        """An estimate without a value, whose note gives the reason."""
        return cls(name, None, None, None, level, n, n_clusters, n_excluded, how, note)


# ---------------------------------------------------------------- training


@dataclass(frozen=True, slots=True)
class Example:
    """One training row: a question with and without its cue, and the model's reply. It contains no gold answer.

    All methods read the same rows and use what they need: BCT the biased prompt, its control the clean one, DPO both
    replies, an activation method both prompts. A method that samples ignores the completion.
    """

    clean: Prompt
    """The prompt without the cue; for an instruct row, its only prompt."""
    biased: Prompt | None
    """The prompt with the cue; None in an instruct row and in an imported chat."""
    completion: str | None
    """The model's own reply to the clean prompt; None if the method samples its own."""
    target: Target | None
    """What following the cue means; None without a cue."""
    options: tuple[str, ...]
    """The options in the order of both prompts; empty if there are none."""
    kind: ExampleKind
    """The purpose of the row."""
    pair_id: str | None
    """The id of the pair it was made from; None if there is none."""
    said_by: str
    """The model that wrote the completion; empty if unknown."""
    rejected: str | None = None
    """The model's reply to the biased prompt if it followed the cue; None if it did not, or was not asked."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained model and its origin."""

    model: str
    """The name that `unsway measure` accepts: the folder, or the provider's name for the model."""
    base: str
    """The model it was trained from, with the fingerprint of that model's weights."""
    backend: str
    uri: str
    """Where the weights are: the same folder, or the provider's id, after `ADDRESS#` for an address not its own."""
    method: str
    """The method with its hyper-parameters, as printed."""
    data_sha256: str
    """sha256 of the examples file."""
    steps: int
    tokens: int
    """Tokens trained on, prompts and completions, summed over all epochs."""
    cost: float | None = None
    """US dollars, if the provider reported a charge."""
    role: Literal["trained", "control"] = "trained"
    """The role of its arm in comparisons."""
    trained_on: tuple[str, ...] = ()
    """Names of the biases whose cues were in its training prompts, or in those of its base, if known."""

    @property
    def is_hosted(self) -> bool:
        """Whether a provider keeps the weights. A local model's name is the folder with its weights."""
        return self.model != self.uri

    @property
    def base_url(self) -> str | None:
        """The address that serves it, if it is not the provider's own."""
        url, mark, _ = self.uri.partition("#")
        return url if self.is_hosted and mark else None
