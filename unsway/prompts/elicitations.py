"""Elicitations: instructions that ask for reasoning or for only the answer, with their wordings.

In: modules of this package, and of other packages through the entry-point group `unsway.plugins`. Out: `Elicitation`
values by name. To add one, call `elicitation(...)` in your own module.

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
"""The kind of reply: step-by-step reasoning and then the answer, a sentence or two and then the answer, or only the answer;
or, for request, any reply to a request that is shown without an instruction."""


@dataclass(frozen=True, slots=True)
class Elicitation:
    """A way to ask for an answer. Raises `BadInput` if its worked examples are malformed."""

    name: str
    """Its name for users."""
    wordings: Bank
    """Entry 0 is the instruction for measuring; training draws from all (arXiv 2403.05518, §3)."""
    style: Style = "cot"
    """The kind of reply it asks for; biases that show or request a reply use the same kind."""
    example: Bank | None = None
    """Worked examples before the question, three entries each: stem, options (one per line), reply."""
    answer_turn: Bank | None = None
    """Its entry 0 asks, in one more turn after the reply, for only the letter. That letter counts if it agrees with what the
    replies say (`unsway.stats.answer_turns`)."""
    redacted: bool = False
    """Whether only the length and a hash of prompts and replies are shown, because they may be harmful."""

    def __post_init__(self) -> None:
        if self.example is not None and len(self.example.entries) % 3:
            raise BadInput(
                f"The worked examples of the elicitation {self.name!r} have {len(self.example.entries)} entries; each has "
                "three: the stem, the options one a line, and the reply."
            )

    @property
    def summary(self) -> str:
        """The instruction for measuring."""
        return self.wordings.entries[0] or "A request as it stands, whose outcomes are not shown"

    @property
    def versioned(self) -> str:
        """`name@version`: the version of its wordings, then of its worked examples and its answer turn."""
        versions = [bank.version for bank in (self.example, self.answer_turn) if bank is not None]
        return f"{self.name}@" + ".".join(map(str, (self.wordings.version, *versions)))


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
    """Declare an elicitation, see `Elicitation`. Raises `BadInput` if the name is taken or no wording is given."""
    untyped_wordings: object = wordings
    if not isinstance(untyped_wordings, Bank) or not untyped_wordings.entries:
        raise BadInput(
            f"The elicitation {name!r} has the wordings {wordings!r:.60}; they are a Bank with one entry or more."
        )
    return elicitations.add(name, Elicitation(name, wordings, style, example, answer_turn, redacted))


names = elicitations.names
"""The names of all elicitations, in alphabetical order."""
get = elicitations.get
"""The elicitation with that name. Raises `UnknownName` with the closest names."""


def resolve(elicitation: Elicitation | str) -> Elicitation:
    """The elicitation itself, or the one with that name. Raises `UnknownName`."""
    return elicitation if isinstance(elicitation, Elicitation) else elicitations.get(elicitation)


ELICITATION = Json(lambda elicitation: elicitation.name, resolve)
"""Elicitations in JSON: by name."""


@expression.register
def _(value: Elicitation) -> str:
    return repr(value.name)


elicitation("cot", bank("cot_instructions"))
# one worked example, for models too small to reason at length
elicitation("brief", bank("brief_instructions"), style="brief", example=bank("brief_example"))
# three worked examples, whose form the model then keeps: the demo's elicitation (docs/log.md)
elicitation("worked", bank("brief_instructions"), style="brief", example=bank("worked_examples"))
elicitation("direct", bank("direct_instructions"), style="direct")
# asks the model, in one more turn, for the letter alone, for replies that no rule can read
elicitation("cot+letter", bank("cot_instructions"), answer_turn=bank("answer_turns"))
# only a request; redacted in pages, because it may be harmful
elicitation("request", Bank("no_instruction", 1, ("",)), style="request", redacted=True)
# a request under house rules in a system turn: the harmless stand-in
elicitation("house_rules", bank("request_rules"), style="request")
