"""What to train on, as one value.

In: nothing. Out: a frozen `Recipe` whose defaults are the paper's (arXiv 2403.05518, §3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unsway.biases.registry import all_biases, get
from unsway.errors import BadInput


def all_but(*held_out: str) -> tuple[str, ...]:
    """All biases that fit any question and need no file of arguments, but those that are held out.

    Raises:
        UnknownName: There is no such bias.
    """
    names = {get(name).name for name in held_out}
    fit = (b for b in all_biases() if not b.source and "arguments" not in b.wants)
    return tuple(b.name for b in fit if b.name not in names and not b.needs_first_answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Counts, biases and decoding of a training set; the same recipe and seed give the same rows for the same replies."""

    n: int = 10_000
    """Consistency examples; the paper's 10,000."""
    direct_share: float = 0.5
    """Share of them that asks for the bare answer; the paper's half, on questions of their own."""
    elicit: str = "cot"
    """Elicitation of the rest."""
    biases: tuple[str, ...] = ("suggested_answer", "suggested_against")
    """Biases whose cue goes into the prompt, in equal shares, one cue a question."""
    instructions: Literal["default", "varied"] = "varied"
    """varied: the instruction is drawn from the whole bank, so that no single sentence is learnt."""
    instruct: int = 10_000
    """Instruction-following rows, whose completions are the model's own too; as many as consistency rows in the paper."""
    temperature: float = 1.0
    """Of the model's own replies; the paper's 1.0, unfiltered: right and wrong ones."""
    max_tokens: int = 2000
    """Longest reply that is a target; the paper's 2,000. One that is cut there is no whole reply: dropped and counted."""
    seed: int = 0
    exclude: tuple[str, ...] = ()
    """Question ids, and sources (`name` or `name@revision`), that are never trained on; none in the paper."""

    def __post_init__(self) -> None:
        if self.n < 1 or self.instruct < 0:
            raise BadInput(f"A recipe has n = {self.n} and instruct = {self.instruct}; n is at least 1, instruct 0.")
        if not 0 <= self.direct_share <= 1:
            raise BadInput(f"direct_share is {self.direct_share}; it is a fraction from 0 to 1.")
        if not self.biases:
            raise BadInput("A recipe names no bias; name at least one (`unsway biases` lists them).")

    @property
    def n_direct(self) -> int:
        """Consistency examples that ask for the bare answer."""
        return round(self.n * self.direct_share)
