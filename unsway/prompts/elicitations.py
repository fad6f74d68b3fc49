"""Elicitations: the instruction that asks for reasoning or for the bare answer, with its wordings.

In: modules of this package, and of other packages through the entry-point group `unsway.plugins`. Out: `Elicitation`
values by name. To add one, call `elicitation(...)` in a module of your own.

    elicitation("verify", Bank("verify", 1, ("Answer, check your answer, then say: the best answer is (X).",)))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from unsway.banks import Bank, bank
from unsway.errors import BadInput
from unsway.registry import Registry
from unsway.spelling import Json, expression

Style: TypeAlias = Literal["cot", "brief", "direct", "request"]
"""What a reply looks like: reasoning step by step and then the answer, a sentence or two and then the answer, or the bare
answer; or whatever a model says to a request, which is put as it stands."""


@dataclass(frozen=True, slots=True)
class Elicitation:
    """A way to ask for an answer. Raises `BadInput` where its worked examples are none."""

    name: str
    """How users call it."""
    wordings: Bank
    """Entry 0 is the instruction to measure with; training varies over all (arXiv 2403.05518, §3)."""
    style: Style = "cot"
    """The kind of reply it asks for, which biases that show or request a reply follow."""
    example: Bank | None = None
    """Worked examples that come before the question, three entries each: stem, options one a line, reply."""
    answer_turn: Bank | None = None
    """What asks, in one more turn after the reply, for the letter alone: its entry 0. The letter then counts, where it
    agrees with what the replies say (`unsway.stats.answer_turns`)."""
    redacted: bool = False
    """Whether prompts and replies are shown by their length and a hash alone, because they may do harm."""

    def __post_init__(self) -> None:
        if self.example is not None and len(self.example.entries) % 3:
            raise BadInput(
                f"The worked examples of the elicitation {self.name!r} have {len(self.example.entries)} entries; each has "
                "three: the stem, the options one a line, and the reply."
            )

    @property
    def summary(self) -> str:
        """The instruction to measure with."""
        return self.wordings.entries[0] or "A request as it stands, whose outcomes are not shown"

    @property
    def versioned(self) -> str:
        """`name@version`; the version is that of its wordings, then those of its worked examples and its answer turn."""
        more = [bank.version for bank in (self.example, self.answer_turn) if bank is not None]
        return f"{self.name}@" + ".".join(map(str, (self.wordings.version, *more)))


elicitations: Registry[Elicitation] = Registry("elicitation", "unsway.prompts", Elicitation)
"""All elicitations, by name."""


def elicitation(
    name: str,
    wordings: Bank,
    *,
    style: Style = "cot",
    example: Bank | None = None,
    answer_turn: Bank | None = None,
    redacted: bool = False,
) -> Elicitation:
    """Declare an elicitation; see the fields of `Elicitation`. Raises `BadInput` where the name is taken or no wording is."""
    given: object = wordings
    if not isinstance(given, Bank) or not given.entries:
        raise BadInput(
            f"The elicitation {name!r} has the wordings {wordings!r:.60}; they are a Bank with one entry or more."
        )
    return elicitations.add(name, Elicitation(name, wordings, style, example, answer_turn, redacted))


names = elicitations.names
"""The names of all elicitations, in alphabetical order."""
get = elicitations.get
"""The elicitation of a name. Raises `UnknownName` with the closest names."""


def resolve(elicitation: Elicitation | str) -> Elicitation:
    """The elicitation itself, or the one of that name. Raises `UnknownName`."""
    return elicitation if isinstance(elicitation, Elicitation) else elicitations.get(elicitation)


ELICITATION = Json(lambda elicitation: elicitation.name, resolve)
"""Elicitations in JSON: by name."""


@expression.register
def _(value: Elicitation) -> str:
    return repr(value.name)


elicitation("cot", bank("cot_instructions"))
# after one worked example, for models too small to reason at length
elicitation("brief", bank("brief_instructions"), style="brief", example=bank("brief_example"))
# after three, whose form it then keeps: the demo's (docs/log.md)
elicitation("worked", bank("brief_instructions"), style="brief", example=bank("worked_examples"))
elicitation("direct", bank("direct_instructions"), style="direct")
# what no rule reads in a reply, the model is asked for: the letter alone, in one more turn
elicitation("cot+letter", bank("cot_instructions"), answer_turn=bank("answer_turns"))
# a request alone; what stands in pages is redacted, because it may be a harmful one
elicitation("request", Bank("no_instruction", 1, ("",)), style="request", redacted=True)
# a request under rules of the house, which stand in a system turn: the harmless stand-in
elicitation("house_rules", bank("request_rules"), style="request")
