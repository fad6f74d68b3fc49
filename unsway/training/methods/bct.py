"""Bias-augmented consistency training: the model's own clean reply is learnt under the biased prompt.

Source: arXiv 2403.05518, §3. Loss: the mean over the reply's tokens of -log p(token | biased prompt, reply so far).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unsway.training.methods import methods
from unsway.training.seams import Method, Texts
from unsway.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Bct(Method):
    """Bias-augmented consistency training; instruct rows are learnt under their own prompt."""

    name: ClassVar[str] = "bct"
    summary: ClassVar[str] = "biased prompt → the model's own clean reply (arXiv 2403.05518, §3)"

    def texts(self, row: Example) -> Texts:
        """The biased prompt, and the clean reply."""
        return Texts((row.biased or row.clean).messages(), (row.completion or "",))


methods.add("bct", Bct)
