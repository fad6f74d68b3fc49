"""Arguments for options, written by a model or by people: what `distractor_argument` quotes.

In: JSONL rows with `question_id`, `option` (an index) and `text`. Out: a frozen bank of them with its hash, which is
part of the version of every pair that was built from it (a change of arguments moves numbers; arXiv 2403.05518).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from unsway.seeds import digest


@dataclass(frozen=True)
class Arguments:
    """Arguments by question and option."""

    rows: tuple[tuple[str, int, str], ...]
    """Question id, index of the option argued for, text; sorted."""

    @cached_property
    def sha256(self) -> str:
        """Hash of all rows, whatever order they came in."""
        return digest(self.rows)

    @cached_property
    def by_key(self) -> Mapping[tuple[str, int], str]:
        """The text by question id and option."""
        return MappingProxyType({(question, option): text for question, option, text in self.rows})
