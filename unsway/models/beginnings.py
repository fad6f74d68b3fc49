"""The common beginning of prompts (instructions, worked examples), so that it passes through a model once.

In: token ids. Out: the length of the common beginning, and cached keys and values of the latest beginnings, valid as long as
the weights do not change. Of the 367 tokens of a demo prompt, 277 are worked examples that all prompts share.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 2
"""Beginnings kept per model: one of rows that reason and one of rows that do not. A beginning of 250 tokens takes
6 MB for a 135M model, 33 MB for an 8B model."""


def common(one: Sequence[object], other: Sequence[object]) -> int:
    """The number of tokens, or other items, at the start that are equal in both."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def keeps_all(config: Any) -> bool:
    """Whether a model keeps the keys and values of all tokens: no layer has a sliding window or a recurrent state."""
    kinds = set(getattr(config, "layer_types", None) or ("full_attention",))
    return kinds == {"full_attention"} and not getattr(config, "sliding_window", None)


class Beginnings:
    """Cached keys and values of one model's latest beginnings."""

    def __init__(self) -> None:
        self.kept: list[tuple[tuple[int, ...], list[tuple[Tensor, Tensor]]]] = []

    def known(self, ids: Sequence[int]) -> int:
        """How many of these tokens, from the first on, are cached."""
        return max((common(beginning, ids) for beginning, _ in self.kept), default=0)

    def keep(self, ids: Sequence[int], cache: Any) -> None:
        """Cache the keys and values of one row, dropping the oldest."""
        self.kept = [*self.kept, (tuple(ids), [(layer.keys, layer.values) for layer in cache.layers])][-KEPT:]

    def repeated(self, ids: Sequence[int], rows: int) -> Any:
        """Cached keys and values of these tokens, for `rows` rows, in the model's format; None unless all are cached."""
        from transformers import DynamicCache

        for beginning, layers in self.kept:
            if common(beginning, ids) == len(ids):
                cache = DynamicCache()
                for number, tensors in enumerate(layers):
                    cache.update(*(tensor[..., : len(ids), :].expand(rows, -1, -1, -1) for tensor in tensors), number)
                return cache
        return None
