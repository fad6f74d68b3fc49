"""The recipe of a training set, as one value.

In: nothing. Out: a frozen `Recipe` whose defaults are the paper's (arXiv 2403.05518, §3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lcm
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, TypedDict, Unpack

from unsway.biases.cues import BIAS, resolve
from unsway.biases.registry import Bias, all_biases, get, restrict_to_form
from unsway.errors import BadInput
from unsway.prompts import elicitations
from unsway.prompts.elicitations import ELICITATION, Elicitation
from unsway.registry import Ref
from unsway.spelling import Several, expression, several
from unsway.types import Settings
from unsway.types.kinds import check_kinds

PAPERS = ("suggested_answer", "suggested_against")
"""The biases that the paper trains against."""
NO_CUE = "neutral_note"
"""A bias that points to no answer: its rows are a control, and would replace rows with a cue."""
Keep: TypeAlias = Literal["all", "right", "disagree"]
"""The replies that become targets; see `Recipe.keep`."""


def all_but(*held_out: str) -> tuple[str, ...]:
    """All biases that fit any question and need no file of arguments, except the held-out ones and the neutral note.

    Raises:
        UnknownName: There is no such bias.
    """
    names = {get(name).name for name in held_out} | {NO_CUE}
    fit = (b for b in all_biases() if not b.source and "arguments" not in b.wants)
    return tuple(b.name for b in fit if b.name not in names and not b.needs_first_answer)


Thoughts: TypeAlias = Literal["keep", "drop"]
"""Whether a reasoning model's thought is part of its target; see `Recipe.thoughts`."""


class RecipeFields(TypedDict, total=False):
    """The arguments of `Recipe`: its fields, with biases and the elicitation also by name."""

    n: int
    direct_share: float
    elicit: Elicitation | str
    biases: Several[Bias | str]
    instructions: Literal["default", "varied"]
    instruct: int
    temperature: float
    max_tokens: int
    seed: int
    exclude: tuple[str, ...]
    keep: Keep
    instruct_tasks: str
    thoughts: Thoughts
    evidence: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Recipe:
    """Counts, biases and decoding of a training set. The same recipe, seed and replies give the same rows."""

    n: int = 10_000
    """Consistency examples; the paper's 10,000."""
    direct_share: float = 0.5
    """Share of them that asks only for the answer; the paper's half, with separate questions."""
    elicit: Annotated[Elicitation, ELICITATION] = field(default_factory=lambda: elicitations.get("cot"))
    """Elicitation of the rest; may be given by name."""
    biases: tuple[Annotated[Bias, BIAS], ...] = field(default_factory=lambda: (*map(get, PAPERS),))
    """Biases whose cue goes into the prompt, in equal shares, and within each bias its forms (letter, quoted) in equal
    shares; one cue per question. May be given by name."""
    instructions: Literal["default", "varied"] = "varied"
    """varied: the instruction is drawn from the whole bank, so no single sentence is learnt."""
    instruct: int = 10_000
    """Instruction-following rows, also with the model's own completions; as many as consistency rows in the paper."""
    temperature: float = 1.0
    """Temperature of the model's own replies; the paper's 1.0. Replies are not filtered: right and wrong ones are used."""
    max_tokens: int = 2000
    """Longest reply used as a target; the paper's 2,000. A reply cut there is dropped and counted."""
    seed: int = 0
    """Seed of all random choices: questions, cued options, cues, instructions, replies and order."""
    exclude: tuple[str, ...] = ()
    """Question ids, and sources (`name` or `name@revision`), that must not be trained on; none in the paper."""
    keep: Keep = "all"
    """The replies that become targets. all, as in the paper: right and wrong ones; right: only right answers, which
    needs gold labels; disagree: only answers other than the cued option, a baseline that teaches the model to contradict."""
    instruct_tasks: str = ""
    """Tasks for instruct rows: our own if empty; `alpaca`, the paper's, from the hub; `self_instruct`, 175 tasks from a
    package index; or a JSONL file (`prompt`, `instruction`, or `messages`, whose first user turn is read)."""

    thoughts: Thoughts = "keep"
    """keep: a target begins with the thought that the model wrote before it, so a reasoning model continues to think; replies
    whose thought is hidden or a summary are refused. drop: targets are only the text said, as in the paper, whose models
    had no thoughts; a reasoning model then learns to answer without thinking."""
    evidence: int = 0
    """Rows whose prompt gives grounds for the right option (a record, the missing premise, a correction with its step,
    examples), with the model's own reply that follows them. They counteract learning to ignore everything a user adds.
    None in the paper."""

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[RecipeFields]) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "elicit", elicitations.resolve(self.elicit))
        object.__setattr__(self, "biases", tuple(map(resolve, several(self.biases))))
        check_kinds(self)
        if self.n < 1 or self.instruct < 0 or self.evidence < 0:
            counts = f"n = {self.n}, instruct = {self.instruct} and evidence = {self.evidence}"
            raise BadInput(f"A recipe has {counts}; n is at least 1, the others 0.")
        if not 0 <= self.direct_share <= 1:
            raise BadInput(f"direct_share is {self.direct_share}; it is a fraction from 0 to 1.")
        self.sampling()  # refuses an invalid temperature or length
        if self.elicit.answer_turn is not None:
            raise BadInput(
                f"{self.elicit.name!r} asks for the letter alone at the end, which would be the target. Take 'cot'."
            )
        if self.elicit.style == "request":
            raise BadInput(
                f"{self.elicit.name!r} puts requests, and which replies decline is for a judge to say. Measure and judge "
                "them, then take the rows with unsway.data.requests.request_rows."
            )
        if not self.biases:
            raise BadInput("A recipe names no bias; name at least one (`unsway biases` lists them).")
        for bias in self.biases:
            if bias.needs_first_answer or bias.source:
                raise BadInput(
                    f"{bias.name} cannot be trained on: its prompts contain a reply of the model, or it has its own "
                    "questions with other clean prompts. Leave it out (`all_but` gives the biases that fit)."
                )

    def __repr__(self) -> str:
        """The expression that makes it."""
        return expression(self)

    def sampling(self) -> Settings:
        """The decoding settings of the model's own replies."""
        return Settings(temperature=self.temperature, max_tokens=self.max_tokens, seed=self.seed)

    @property
    def bias_names(self) -> tuple[str, ...]:
        """Names of the biases, without their forms."""
        return tuple(dict.fromkeys(Ref.parse(bias.name).name for bias in self.biases))

    @property
    def cues(self) -> tuple[Bias, ...]:
        """One round of cues: every bias equally often, and within a bias every form."""
        forms = {bias: () if "/" in bias.name else bias.forms for bias in self.biases}
        rounds = lcm(*(len(bias_forms) or 1 for bias_forms in forms.values()))
        return tuple(
            restrict_to_form(bias, forms[bias][index % len(forms[bias])]) if forms[bias] else bias
            for index in range(rounds)
            for bias in self.biases
        )

    @property
    def n_direct(self) -> int:
        """The number of consistency examples that ask only for the answer."""
        return round(self.n * self.direct_share)
