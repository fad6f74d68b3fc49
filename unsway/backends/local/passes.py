"""Arrange the rows of a step into passes, so shared tokens go through the model only once.

In: rows or rollouts of a step, and how many rows fit. Out: parts of the step, one per pass, and the lines of a pass.
A part grows while its rows cost no more together than in two passes. So rows with the same worked examples share a pass, and
a row without them does not make the others recompute theirs. Replies to one prompt follow it in one line, where none attends
to another: the prompt is computed once, with little padding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from unsway.models.beginnings import common
from unsway.training.seams import Tensor, Tokens

NOT_WORTH_A_PASS = 32
"""Minimum tokens saved for splitting a pass in two, or for computing a longer prefix than a cached one; ours."""
REPLIES_A_LINE = 256
"""Maximum tokens of replies in a line: attention computes over all, although each reply sees only itself. Ours."""


@dataclass(frozen=True, slots=True)
class Line:
    """A prompt and replies to it, laid out as one row of a pass."""

    ids: tuple[int, ...]
    """The prompt, then each reply without its last token, which predicts nothing."""
    segments: tuple[int, ...]
    """For each token, the number of its reply, from 1; 0 in the prompt."""
    positions: tuple[int, ...]
    """For each token, its position within what it sees."""
    predicting: tuple[tuple[int, ...], ...]
    """For each reply, the positions that predict its tokens."""
    rows: tuple[int, ...]
    """For each reply, the index of its row."""


def lines(rows: Sequence[Tokens], most: int = REPLIES_A_LINE) -> list[Line]:
    """Lines for some rows: rows of one prompt share a line while their replies have at most `most` tokens."""
    groups: list[list[int]] = []
    for index in sorted(range(len(rows)), key=lambda i: rows[i].prompt):
        group = [*groups[-1], index] if groups and rows[groups[-1][0]].prompt == rows[index].prompt else [index]
        if len(group) == 1 or sum(len(rows[i].completion) for i in group) > most:
            groups.append([index])
        else:
            groups[-1] = group
    return [_line(rows, group) for group in groups]


def _line(rows: Sequence[Tokens], group: Sequence[int]) -> Line:
    prompt = rows[group[0]].prompt
    ids, segments, positions = list(prompt), [0] * len(prompt), list(range(len(prompt)))
    predicting = []
    for segment, row in enumerate(group, 1):
        reply = rows[row].completion
        predicting.append((len(prompt) - 1, *range(len(ids), len(ids) + len(reply) - 1))[: len(reply)])
        ids += reply[:-1]
        segments += [segment] * len(reply[:-1])
        positions += range(len(prompt), len(prompt) + len(reply[:-1]))
    return Line(tuple(ids), tuple(segments), tuple(positions), tuple(predicting), tuple(group))


def parts(rows: Sequence[Any], at_once: int, tokens: Callable[[Any], Tokens]) -> Iterator[list[Any]]:
    """The rows of each pass, shortest first.

    Args:
        rows: Rows of examples, or rollouts.
        at_once: Limits the tokens of a pass to those of this many longest rows.
        tokens: Returns the tokens of a row.
    """
    sequences = [tokens(row) for row in rows]
    most = at_once * max(len(sequence.prompt) + len(sequence.completion) for sequence in sequences)
    part: list[Line] = []
    cost = shared = 0
    for line in sorted(lines(sequences), key=lambda line: len(line.ids)):
        n = len(line.ids)
        prefix = common(part[0].ids, line.ids) if part else n
        prefix = min(prefix, shared) if part else n
        joint_cost = prefix + (len(part) + 1) * (n - prefix)
        if part and joint_cost > min(most, cost + n + NOT_WORTH_A_PASS):
            yield [rows[i] for member in part for i in member.rows]
            part, prefix, joint_cost = [], n, n
        part, shared, cost = [*part, line], prefix, joint_cost
    yield [rows[i] for member in part for i in member.rows]


def attention_mask(segments_BT: Tensor, start: int) -> Tensor:
    """Attention mask of the tokens from `start` on, (B, 1, T - start, T): each sees its prompt and its own reply so far."""
    import torch

    places_T = torch.arange(segments_BT.shape[1], device=segments_BT.device)
    ours_BT1, theirs_B1T = segments_BT[:, start:, None], segments_BT[:, None]
    in_sight_BTT = (theirs_B1T == 0) | (theirs_B1T == ours_BT1)
    return (in_sight_BTT & (places_T[None] <= places_T[start:, None]))[:, None]
