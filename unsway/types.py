"""The eight values that stages hand to each other, and the small sums they use. Standard library only.

    Question → Pair → Reply → Outcome → Estimate
                 └── + Reply → Example → Checkpoint → (measured again)

A prompt is turns of tagged parts; a bias is an insertion of `cue` parts or turns. So `pair.biased.stripped() ==
pair.clean` for every insertion bias. Everything is frozen and made of tuples; fractions, never percent; a missing value
is `None` with a reason beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.seeds import content_id

Role: TypeAlias = Literal["system", "user", "assistant"]
PartKind: TypeAlias = Literal["stem", "option", "instruction", "cue"]
Stop: TypeAlias = Literal["end", "length", "filter", "unknown"]
Status: TypeAlias = Literal["ok", "unparsed", "ambiguous", "refused", "truncated"]
Reason: TypeAlias = Literal[
    "no_clean_reply",
    "no_biased_reply",
    "clean_unparsed",
    "clean_ambiguous",
    "clean_refused",
    "clean_truncated",
    "biased_unparsed",
    "biased_ambiguous",
    "biased_refused",
    "biased_truncated",
    "first_answer_wrong",
    "first_answer_missing",
]
"""Why an outcome is left out of the paired numbers."""
ExampleKind: TypeAlias = Literal["consistency", "control", "instruct"]


# ---------------------------------------------------------------- questions and prompts


@dataclass(frozen=True, slots=True)
class Question:
    """One multiple-choice question. The id depends on the stem and the options in the order shown."""

    stem: str
    """The question text, without its options."""
    options: tuple[str, ...]
    """The options in the order they are shown; option 0 is shown as (A). All empty where only their number is known."""
    gold: int | None
    """Index of the right option, or None where nobody knows it."""
    source: str
    """Where it comes from: `name@revision`."""
    split: str
    """The split of the source: train, validation or test."""
    id: str = field(default="")
    """Content id of stem and options; filled in when left empty."""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", content_id(self.stem, self.options))


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a turn's text. Texts carry their own white space: a turn's content is their plain concatenation."""

    kind: PartKind
    """What the piece is; only `cue` may be added by a bias."""
    text: str
    """The text, with the white space that joins it to its neighbours."""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message as a model receives it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a prompt; `parts` is None where the model under test speaks."""

    role: Role
    parts: tuple[Part, ...] | None

    def text(self) -> str:
        """The turn's content; empty where the model speaks."""
        return "".join(part.text for part in self.parts or ())


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation up to the point where the model gives the reply that is read."""

    turns: tuple[Turn, ...]

    @property
    def id(self) -> str:
        """Content id of the text as sent: equal text has an equal id, whatever the parts are called."""
        return content_id([(t.role, None if t.parts is None else t.text()) for t in self.turns])

    @property
    def n_model_turns(self) -> int:
        """How many times the model speaks before the reply that is read."""
        return sum(turn.parts is None for turn in self.turns)

    def messages(self, said: tuple[str, ...] = ()) -> tuple[Message, ...]:
        """The chat messages, with the model's own earlier words put where it speaks.

        Stops before the first such turn that `said` does not cover, so a runner walks the prompt by calling this again
        with one more text each time.
        """
        out: list[Message] = []
        words = iter(said)
        for turn in self.turns:
            if turn.parts is not None:
                out.append(Message(turn.role, turn.text()))
                continue
            spoken = next(words, None)
            if spoken is None:
                return tuple(out)
            out.append(Message(turn.role, spoken))
        return tuple(out)

    def stripped(self) -> Prompt:
        """The prompt without its cues: cue parts, model turns and emptied turns go; neighbours of one role join."""
        turns: list[Turn] = []
        for turn in self.turns:
            kept = tuple(p for p in turn.parts or () if p.kind != "cue")
            if not kept:
                continue
            if turns and turns[-1].role == turn.role:
                turns[-1] = Turn(turn.role, (turns[-1].parts or ()) + kept)
            else:
                turns.append(Turn(turn.role, kept))
        return Prompt(tuple(turns))

    def cue(self) -> str:
        """The text of all cue parts, one a line, in order (for a judge who asks whether it is mentioned)."""
        parts = (p for turn in self.turns for p in turn.parts or ())
        return "\n".join(p.text.strip() for p in parts if p.kind == "cue" and p.text.strip())


# ---------------------------------------------------------------- answers and targets


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read from a reply; `choice` is None unless status is ok."""

    choice: int | None
    """Index of the option committed to last, or None."""
    status: Status
    """ok, or why there is no choice."""
    rule: str = ""
    """Name of the rule that decided."""
    span: tuple[int, int] | None = None
    """Where in the reply it was read: start and end, in characters."""


@dataclass(frozen=True, slots=True)
class Toward:
    """The cue pulls toward an option: hit when the answer is that option."""

    option: int
    kind: Literal["toward"] = "toward"

    def hit(self, answer: Answer) -> bool | None:
        """Whether the answer follows the cue; None where there is no answer."""
        return None if answer.choice is None else answer.choice == self.option


@dataclass(frozen=True, slots=True)
class AwayFrom:
    """The cue pushes away from an option: hit when the answer is any other."""

    option: int
    kind: Literal["away"] = "away"

    def hit(self, answer: Answer) -> bool | None:
        """Whether the answer follows the cue; None where there is no answer."""
        return None if answer.choice is None else answer.choice != self.option


@dataclass(frozen=True, slots=True)
class AnyChange:
    """Any change counts: hit when the answer differs from what the clean arm said (`reference`)."""

    kind: Literal["change"] = "change"

    def hit(self, answer: Answer, reference: int | None = None) -> bool | None:
        """Whether the answer differs from the reference; None where either is missing."""
        return None if answer.choice is None or reference is None else answer.choice != reference


Target: TypeAlias = Toward | AwayFrom | AnyChange
"""What following the cue means, for measuring and for training alike."""


# ---------------------------------------------------------------- pairs, replies, outcomes


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
    """Option shown at each place of the biased arm; the identity except where the bias is a permutation."""
    seed: int


@dataclass(frozen=True, slots=True)
class Settings:
    """How replies are decoded. Equal settings and equal prompts are the same thing asked."""

    temperature: float = 0.0
    """0 is greedy, as the paper measures (arXiv 2403.05518, §3; its training targets are sampled at 1.0)."""
    max_tokens: int = 1000
    """The longest reply, in tokens; 1,000 as in the paper's evaluation code."""
    top_p: float = 1.0
    """Nucleus probability mass; 1 keeps everything."""
    seed: int = 0
    """Seed of sampling; ignored at temperature 0 and by providers that take none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, raw: it is never rescored in place, so a better reader re-reads it for free."""

    prompt_id: str
    model: str
    """The name by which the model was asked."""
    weights: str
    """Fingerprint of the weights that answered; of a hosted model the id of its address, empty at the provider's own."""
    sample: int
    """Number of the sample of this prompt, from 0."""
    text: str
    reasoning: str | None
    """The reasoning channel, where the provider has one."""
    turns: tuple[str, ...]
    """The model's own words on the way, where the prompt lets it speak earlier."""
    stop: Stop
    """Why it ended: end, length (cut at max_tokens), filter, or unknown."""
    settings: Settings
    tokens_in: int
    """Prompt tokens, all turns together."""
    tokens_out: int
    """Generated tokens, all turns together."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both arms of a pair as read; derived from replies and made anew whenever the reader changes."""

    pair_id: str
    question_id: str
    source: str
    bias: str
    elicit: str
    model: str
    sample: int
    clean: Answer
    biased: Answer
    hit_clean: bool | None
    hit_biased: bool | None
    right_clean: bool | None
    right_biased: bool | None
    excluded: Reason | None
    """Why it is left out of paired numbers, or None where it counts."""
    parser: str
    """Version of the reader."""


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


# ---------------------------------------------------------------- training


@dataclass(frozen=True, slots=True)
class Example:
    """One row to train on: loss falls on the completion alone."""

    messages: tuple[Message, ...]
    completion: str
    kind: ExampleKind
    pair_id: str | None
    """The pair it was made from; None for instruction-following rows."""
    target_model: str
    """The model that wrote the completion."""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained model and where it comes from."""

    model: str
    """What `run` accepts as a model."""
    base: str
    """The model it was trained from, with the fingerprint of its weights."""
    backend: str
    uri: str
    """Where the weights are: a folder, or the provider's id."""
    method: str
    """The method with its hyper-parameters, as printed."""
    data_sha256: str
    """sha256 of the examples file."""
    steps: int
    tokens: int
    """Tokens trained on, prompts and completions, all epochs."""
    cost: float | None = None
    """US dollars, where a provider charged."""
