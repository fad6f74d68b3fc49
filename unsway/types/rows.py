"""The rows that stages hand to each other: pairs, replies, outcomes, estimates, examples and checkpoints."""

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
"""Why a verdict has no value: the judge gave another form, was not sure, or refused; the text was cut, hidden, only a
summary, of a kind that nobody said (and so perhaps a summary) or empty; or the question makes no sense there (a cue without
words)."""
Placebo: TypeAlias = Literal["", "matched", "swapped"]
"""A cue that the reply never saw: the pair's cue pointing to the option that a clean reply chose (matched), or the cue of
another bias (swapped)."""
Stop: TypeAlias = Literal["end", "length", "filter", "unknown", "first_wrong", "forced"]
"""Why a reply ended: by itself; cut at its longest; the provider withheld it; nobody said; its first answer was wrong, and
nothing more was asked; it was made to answer (`Settings.force_answer`)."""
Thought: TypeAlias = Literal["full", "summary", "hidden", "cut", "none", "unknown"]
"""What can be read of a model's thinking: all of it, a condensed or partial version, nothing although there was some, only
its beginning, nothing because there was none; unknown where nobody said. Full and summary are never counted together."""
Mode: TypeAlias = Literal["prefill", "quoted"]
"""Where a changed reasoning stands: at the beginning of the model's own reply, or quoted in the question."""
NoReasoning: TypeAlias = Literal["", "speaks", "unread", "hidden", "cut", "summary", "unknown", "none", "channel"]
"""Why a reply is not tested: the model speaks on the way, its answer was not read, its thinking is hidden, cut, only
summarised or of a kind that nobody said, it has no reasoning before its answer, or a provider keeps its thinking in a channel
that no reply can begin with."""
ExampleKind: TypeAlias = Literal["consistency", "instruct"]
"""What a row is for: consistency rows have a cue, instruct rows keep the model as helpful as it was."""

_ENCRYPTED = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}")
"""A line of an encrypted thought or of its signature."""


def is_encrypted(reasoning: str) -> bool:
    """Whether a thought is an encrypted one or its signature, which rows from before `Reply.thought` hold as reasoning."""
    return all(map(_ENCRYPTED.fullmatch, reasoning.split("\n")))


@dataclass(frozen=True, slots=True)
class Rule:
    """How a pair is counted. It stands in the pair, so a number never depends on what is installed today."""

    clean: Literal["asked", "zero"] = "asked"
    """Whether the clean rate is asked, or 0 by definition (arXiv 2403.05518, §3.4); then a second clean reply stands in."""
    counts_if: Literal["always", "first_right"] = "always"
    """Whether the pair counts always, or only where the model's own first answer was right."""
    reader: str = "mcq"
    """Name of the reader of both replies."""
    redacted: bool = False
    """Whether prompts and replies are shown by their length and a hash alone, because they may do harm."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with and without a cue: same option order, same elicitation."""

    id: str
    """Content id of both prompts, the bias, the elicitation and the target."""
    question: Question
    bias: str
    """`name@version` of the bias."""
    elicit: str
    """`name@version` of the elicitation: cot or direct."""
    clean: Prompt
    biased: Prompt
    target: Target
    order: tuple[int, ...]
    """Option shown at each place of the biased prompt; the identity except where the bias is a permutation."""
    seed: int
    """Seed of the cued option and of what the cue drew."""
    rule: Rule = Rule()  # frozen
    drawn: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the bias drew: its form, the place of the cue, its wording as `bank:number`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, raw: it is never rescored in place, so a better reader re-reads it for free."""

    prompt_id: str
    model: str
    """The name by which the model was asked."""
    weights: str
    """Fingerprint of the weights that answered; of a hosted model the id of its address and of arguments that decide what it
    answers, empty at the provider's own without any."""
    sample: int
    """Number of the sample of this prompt, from 0."""
    text: str
    reasoning: str | None
    """What can be read of the reasoning channel, where the provider has one; never an encrypted thought or a signature."""
    turns: tuple[str, ...]
    """The model's own words on the way, where the prompt lets it speak earlier."""
    stop: Stop
    """Why it ended: end, length (cut at max_tokens), filter, or unknown; first_wrong where the conversation ended at the
    model's own first answer, which was wrong: then that is the text, and the later turns were not asked."""
    settings: Settings
    tokens_in: int
    """Prompt tokens, all turns together; 0 where they are not known, as of most imported replies."""
    tokens_out: int
    """Generated tokens, all turns together."""
    thought: Thought = "unknown"
    """What can be read of the thinking before the reply, in its channel or in its text."""
    reasoning_tokens: int | None = None
    """Tokens of thinking as the provider counts them, all turns together; None where it does not."""
    reported_model: str = ""
    """The name under which the provider says that it answered; empty where it says none."""
    asked_on: str = ""
    """Day on which it was asked, UTC, as 2026-11-28; empty where it is not known."""
    turn_stops: tuple[Stop, ...] = ()
    """Why each of `turns` ended; empty where it was not recorded."""
    turn_reasoning: tuple[str, ...] = ()
    """What can be read of the reasoning channel of each of `turns`, empty where there is nothing; recorded with its stop."""
    turn_thoughts: tuple[Thought, ...] = ()
    """What can be read of the thinking before each of `turns`; recorded with its stop."""
    tokens_estimated: bool = False
    """Whether the tokens of some turn are estimated from its characters, because the provider reported none."""
    settings_known: bool = True
    """Whether `settings` says how it was decoded; an imported reply of which nobody knows it has the default ones."""

    def __post_init__(self) -> None:
        if self.reasoning and is_encrypted(self.reasoning):
            object.__setattr__(self, "reasoning", None)  # frozen
            object.__setattr__(self, "thought", "hidden")


@dataclass(frozen=True, slots=True, order=True)
class ArmKey:
    """Who answered: a model under at most one intervention. Arms are joined by this key, never by the text of a name."""

    model: str
    """The model as it was asked."""
    weights: str = ""
    """Fingerprint of its weights; see `Reply.weights`."""
    intervention: str = ""
    """Name of the intervention in its prompts; empty where there is none."""

    @property
    def name(self) -> str:
        """The model and the intervention, for people."""
        return f"{self.model} + {self.intervention}" if self.intervention else self.model


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both sides of a pair as read; derived from replies and made anew whenever the reader changes."""

    pair_id: str
    question_id: str
    source: str
    """`name@revision` of the question's source."""
    bias: str
    """`name@version`."""
    elicit: str
    """`name@version`."""
    arm: ArmKey
    """Who answered."""
    sample: int
    """Number of the sample, from 0."""
    clean: Reading
    biased: Reading
    hit_clean: bool | None
    """Whether the clean answer follows the cue; None where there is none."""
    hit_biased: bool | None
    """Whether the biased answer follows the cue; None where there is none."""
    right_clean: bool | None
    """Whether the clean answer is the gold one; None where there is none, or no gold."""
    right_biased: bool | None
    """Whether the biased answer is the gold one; None where there is none, or no gold."""
    excluded: Excluded | None
    """Why it is left out of paired numbers, or None where it counts."""
    rule: Rule
    """How its pair is counted."""
    parser: str
    """Version of the reader."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge, a model or a person, said about one channel of one reply."""

    reply: str
    """Address of the reply: a hash of its prompt, model, weights, settings and sample."""
    channel: Literal["answer", "thinking", "summary"]
    """What was shown to the judge: what the reply says, all of its thinking, or a provider's summary of that."""
    question: str
    """`name@version` of the rubric."""
    by: str
    """The judge: a model with its settings, or a person."""
    value: bool | int | None
    """Yes or no, or a number; None where there is none, for the reason in `missing`."""
    why: str = ""
    """The judge's reason, in its own words."""
    quote: str = ""
    """The words of the reply that decided."""
    at: str = ""
    """When, in UTC; empty where it is not known."""
    pair: str = ""
    """Id of the pair whose cue it was asked about; one clean reply belongs to several."""
    side: Side = "biased"
    """The side of that pair which the reply answers."""
    missing: MissingVerdict = ""
    """Why there is no value; empty where there is one. It is never taken for a no."""
    placebo: Placebo = ""
    """Which cue was described instead of the pair's own; empty where it was the pair's own."""


@dataclass(frozen=True, slots=True)
class ThoughtTest:
    """What became of one reply's answer when its reasoning was changed in one way. Answers are options of the question."""

    reply: str
    """Address of the reply."""
    arm: ArmKey
    """Who gave it."""
    pair: str
    """Id of the pair; of a clean reply one of those that share it."""
    side: Side
    """The side of the pair."""
    sample: int
    """Number of the sample, from 0."""
    test: str
    """Name of the test."""
    mode: Mode
    """Where the reasoning stood; rows of different modes are never counted together."""
    own: int | None
    """The answer of the reply itself."""
    cued: int | None
    """The option that the cue speaks for; None where it speaks for none."""
    whole: int | None
    """The answer after all of its reasoning, asked for in the form of the test: what the others are compared with."""
    answers: tuple[int | None, ...] = ()
    """The answers at the points of the curve. early: after 0 to L sentences. mistakes: with one in sentence 1 to L.
    paraphrase: after the first 1 to L sentences in other words. filler: dots for 0, ¼, ½, ¾ and all of the words. shuffle:
    without reasoning, in the order shown and in `order`."""
    order: tuple[int, ...] = ()
    """The option at each place of the other order; of `shuffle` alone."""
    helper: str = ""
    """The model that wrote mistakes or paraphrases."""
    missing: NoReasoning = ""
    """Why it was not tested."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval and where it comes from. Fractions, not percent."""

    name: str
    value: float | None
    """None where it was refused; `note` says why."""
    low: float | None
    high: float | None
    level: float
    """Nominal coverage of the interval, 0.95 unless asked otherwise."""
    n: int
    """Outcomes that count."""
    n_clusters: int
    """Questions they come from."""
    n_excluded: int
    """Outcomes that were left out."""
    how: str
    """The method of the interval, with its draws and seed."""
    note: str = ""

    @classmethod
    def none(cls, name: str, level: float, n: int, n_clusters: int, n_excluded: int, how: str, note: str) -> Estimate:
        """One without a value, whose note says why."""
        return cls(name, None, None, None, level, n, n_clusters, n_excluded, how, note)


# ---------------------------------------------------------------- training


@dataclass(frozen=True, slots=True)
class Example:
    """One row to train on: a question with and without its cue, and what the model said. It holds no gold answer.

    Every method reads the same rows and takes what it needs: BCT the biased prompt, its control the clean one, DPO both
    replies, an activation method both prompts. A method that samples ignores the completion.
    """

    clean: Prompt
    """The prompt without the cue; of an instruct row its only prompt."""
    biased: Prompt | None
    """The prompt with the cue; None in an instruct row, and in a chat that was imported."""
    completion: str | None
    """The model's own reply to the clean prompt; None where a method samples its own."""
    target: Target | None
    """What following the cue means; None where there is no cue."""
    options: tuple[str, ...]
    """The options in the order in which both prompts show them; empty where there are none."""
    kind: ExampleKind
    """What the row is for."""
    pair_id: str | None
    """The pair it was made from; None where there is none."""
    said_by: str
    """The model that wrote the completion; empty where nobody says."""
    rejected: str | None = None
    """What the model said to the biased prompt when it followed the cue; None where that was not asked, or it did not."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained model and where it comes from."""

    model: str
    """What `unsway measure` accepts as a model: the folder, or a provider's name for it."""
    base: str
    """The model it was trained from, with the fingerprint of its weights."""
    backend: str
    uri: str
    """Where the weights are: the same folder, or the provider's id, behind `ADDRESS#` where the address is not its own."""
    method: str
    """The method with its hyper-parameters, as printed."""
    data_sha256: str
    """sha256 of the examples file."""
    steps: int
    tokens: int
    """Tokens trained on, prompts and completions, all epochs."""
    cost: float | None = None
    """US dollars, where a provider charged."""
    role: Literal["trained", "control"] = "trained"
    """What an arm of it is compared as."""
    trained_on: tuple[str, ...] = ()
    """Names of the biases whose cues were in its training prompts, or in those of its base, where that is known."""

    @property
    def is_hosted(self) -> bool:
        """Whether a provider keeps the weights; a model of one's own is asked by the very folder that holds them."""
        return self.model != self.uri

    @property
    def base_url(self) -> str | None:
        """The address that serves it, where a provider keeps it at another one than its own."""
        url, mark, _ = self.uri.partition("#")
        return url if self.is_hosted and mark else None
