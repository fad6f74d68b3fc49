"""How the rows of a step are laid into passes, so that what they share goes through the model once.

In: rows or rollouts of a step, and how many rows fit. Out: parts of the step, one a pass.
Rows of like length share a part, so little is computed on padding and rows with one beginning meet. Replies to one prompt
share a part as long as they have no more tokens than that many whole rows: their prompt is then gone over once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from unsway.training.seams import Rollout

NOT_WORTH_A_PASS = 32
"""Tokens by which a kept beginning may be shorter than what rows share before a longer one is computed; ours."""


def parts(rows: Sequence[Any], at_once: int, length: Callable[[Any], int]) -> Iterator[Sequence[Any]]:
    """The rows of each pass.

    Args:
        rows: Rows of examples, or rollouts.
        at_once: Most whole rows of a pass.
        length: Tokens of the prompt that a row is trained on.
    """
    if all(isinstance(row, Rollout) for row in rows):
        groups = [list(group) for _, group in groupby(rows, key=lambda row: row.tokens.prompt)]
        if max(map(len, groups)) > 1:
            most = at_once * max(len(row.tokens.prompt) + len(row.tokens.completion) for row in rows)
            yield from _groups(sorted(groups, key=lambda group: len(group[0].tokens.prompt)), most)
            return
    alike = sorted(rows, key=lambda row: len(row.tokens.prompt) if isinstance(row, Rollout) else length(row))
    yield from _in_order(alike, at_once)


def _groups(groups: Sequence[Sequence[Rollout]], most: int) -> Iterator[Sequence[Rollout]]:
    """Replies to some prompts, of at most so many tokens with each prompt counted once; a larger group is cut."""
    part: list[Rollout] = []
    tokens = 0
    for group in groups:
        prompt, reply = len(group[0].tokens.prompt), max(1, *(len(row.tokens.completion) for row in group))
        n = max(1, (most - prompt) // reply)
        for piece in _in_order(group, n):
            more = prompt + reply * len(piece)
            if part and tokens + more > most:
                yield part
                part, tokens = [], 0
            part, tokens = [*part, *piece], tokens + more
    if part:
        yield part


def _in_order(rows: Sequence[Any], n: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), n):
        yield rows[start : start + n]
