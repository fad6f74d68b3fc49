"""The control of BCT: the same replies of the same rows, learnt under the clean prompt.

Source: arXiv 2403.05518, §3. It isolates the effect of training on one's own words; the effect of training against a cue
is the difference from this control.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unsway.training.methods import methods
from unsway.training.seams import Method, Texts
from unsway.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Method):
    """The paper's control: BCT's rows, read with their clean prompts."""

    name: ClassVar[str] = "control"
    summary: ClassVar[str] = "clean prompt → the same replies, row by row (arXiv 2403.05518, §3)"
    reads: ClassVar[frozenset[str]] = frozenset({"completion"})
    is_control: ClassVar[bool] = True

    def texts(self, row: Example) -> Texts:
        """The clean prompt, and the clean reply."""
        return Texts(row.clean.messages(), (row.completion or "",))


methods.add("control", Control)
