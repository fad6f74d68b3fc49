"""Base class of methods that make inner states under the biased prompt equal to the base's under the clean one.

A method defines which states it compares, and the distance between two of them. The target is the base model (adapter off)
on the clean prompt, and only the biased pass has a gradient. Distances are computed in float32, over aligned tokens.
Loss: mean over the aligned tokens of a row, then over layers (and heads), then over the rows of the step, so it depends
neither on the batch nor on padding. For the base without a cue, it is 0, and so is its gradient: training on clean prompts on
both sides leaves the base unchanged and is no control. Use the same method on `neutral_note` as control.
A row without a cue (an instruct row) has nothing to compare and is refused.
Letters: n aligned tokens, L layers, H heads, D width, F width of an MLP, T tokens of the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from unsway.errors import BadInput
from unsway.training.alignment import Window
from unsway.training.seams import LoraOn, Method, States, Tensor, WhiteBox
from unsway.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside(Method):
    """Consistency of inner states between both prompts; no reply is learnt, and nothing is sampled."""

    learning_rate: float = 1e-4
    """Peak rate; that of the consistency methods compared in arXiv 2606.02211. There is no weight to tune: a factor on the
    only loss changes nothing under Adam."""
    window: Window = "after"
    """Which aligned tokens are compared. Ours: those after the first token of the cue, the only ones whose states differ
    before training; `suffix` is the paper's (arXiv 2510.27062)."""
    lora_on: LoraOn = "all-linear"
    """Layers that get an adapter. Ours: the same as for the other methods, for a fair comparison."""

    needs: ClassVar[frozenset[Any]] = frozenset({WhiteBox})
    reads: ClassVar[frozenset[str]] = frozenset({"biased"})
    takes_instruct: ClassVar[bool] = False
    states: ClassVar[States] = "hidden"
    """The states that it compares."""

    def prepare(self, rows: Sequence[Example], model: WhiteBox) -> None:
        """Align all rows. Raises `BadInput` with the number of the first that has no aligned tokens."""
        for number, row in enumerate(rows, 1):
            if row.biased is None:
                continue
            try:
                model.align(row.clean, row.biased, self.window)
            except BadInput as error:
                raise BadInput(
                    f"row {number} {error}, so {self.name!r} cannot train on it. Leave such rows out, or choose another."
                ) from error

    def loss(self, rows: Sequence[Example], model: WhiteBox) -> Tensor:
        """The mean over rows of how far the states under the biased prompt are from the base's under the clean one."""
        return sum(self.gaps(rows, model)) / len(rows)

    def gaps(self, rows: Sequence[Example], model: WhiteBox) -> list[Tensor]:
        """The distance of each row."""
        aligned_rows = [
            (row.clean, row.biased, model.align(row.clean, row.biased, self.window)) for row in rows if row.biased
        ]
        biased = [model.encode(prompt.messages()) for _, prompt, _ in aligned_rows]
        clean = [model.encode(prompt.messages()) for prompt, _, _ in aligned_rows]
        ours = model.forward(biased, self.states, at=[[b for _, b in places] for _, _, places in aligned_rows])
        base = model.forward(
            clean, self.states, at=[[a for a, _ in places] for _, _, places in aligned_rows], base=True
        )
        return [self.distance(a, b) for a, b in zip(ours, base, strict=True)]

    def distance(self, ours: Tensor, base: Tensor) -> Tensor:
        """The distance between two states of one row, each (L, n, width), as one number."""
        raise NotImplementedError
