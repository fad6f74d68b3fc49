"""Rows as tokens, and the order in which they are trained on.

In: examples or preferences, and the weights whose tokenizer and template they meet. Out: token ids, checked against the
context, and one order for the whole fit. Prompts are tokenised by the very code that asks the model.
The order is made here, not by a sampler, so that it is the same however many processes share it, and so that a step's
rows can be named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from unsway.errors import TrainingError
from unsway.models.weights import Weights
from unsway.seeds import rng
from unsway.training import Preference, Row

IGNORED = -100
"""Label of a token that bears no loss, as in target_loss.py (which loads torch, so it is not imported here)."""
BATCHES_OF_A_WINDOW = 50
"""Batches among which rows of like length meet; 50 as in transformers' LengthGroupedSampler."""

Tokens = dict[str, list[int]]


def tokenise(weights: Weights, row: Row) -> Tokens:
    """Token ids of a row: `input_ids` and `labels`, or `prompt_ids`, `chosen_ids` and `rejected_ids` of a preference."""
    prompt = list(weights.encode(row.messages))
    if isinstance(row, Preference):
        chosen, rejected = _said(weights, row.chosen), _said(weights, row.rejected)
        return {"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected}
    completion = _said(weights, row.completion)
    return {"input_ids": prompt + completion, "labels": [IGNORED] * len(prompt) + completion}


def _said(weights: Weights, text: str) -> list[int]:
    """Tokens of a reply and the one that ends it."""
    weights.check_plain(text)
    return [*weights.tokenizer.encode(text, add_special_tokens=False), weights.end]


def length(row: Tokens) -> int:
    """Tokens of the longest sequence that a row puts through the model."""
    if "input_ids" in row:
        return len(row["input_ids"])
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def n_tokens(row: Tokens) -> int:
    """Tokens that a row puts through the model; a preference puts its prompt through twice."""
    if "input_ids" in row:
        return len(row["input_ids"])
    return 2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])


def check_lengths(rows: Sequence[Tokens], weights: Weights) -> None:
    """Refuse rows that the model cannot take in whole: nothing is cut in silence. Raises `TrainingError`."""
    lengths = [length(row) for row in rows]
    long = [i for i, tokens in enumerate(lengths, 1) if tokens > weights.context]
    if long:
        raise TrainingError(
            f"{len(long)} of {len(rows)} examples are longer than the context of {weights.name!r} ({weights.context} "
            f"tokens; the longest has {max(lengths)}; the first is row {long[0]}). Take shorter questions, fewer demos, "
            "or a model with more context."
        )


def in_order(rows: Sequence[Tokens], batch_size: int, epochs: float, seed: int) -> tuple[int, ...]:
    """Indices of rows for the whole fit: step s takes the s-th `batch_size` of them.

    Every epoch is a shuffle of its own; within a window of batches, rows of like length share a batch (less padding),
    and the batches are shuffled again, so that length says nothing of when a row comes.
    """
    n, total = len(rows), round(len(rows) * epochs)
    flat = [i for epoch in range(math.ceil(epochs)) for i in rng(seed, "row order", epoch).sample(range(n), n)][:total]
    ordered: list[int] = []
    window = batch_size * BATCHES_OF_A_WINDOW
    for start in range(0, total, window):
        near = sorted(flat[start : start + window], key=lambda i: length(rows[i]))
        batches = [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
        short = [batches.pop()] if len(batches[-1]) < batch_size else []
        rng(seed, "batch order", start).shuffle(batches)
        ordered += [i for batch in [*batches, *short] for i in batch]
    return tuple(ordered)


def n_steps(order: Sequence[int], batch_size: int) -> int:
    """Steps of a fit."""
    return math.ceil(len(order) / batch_size)


def rows_of_step(order: Sequence[int], batch_size: int, step: int) -> str:
    """The rows of a step (from 1) as text, by their line in the file: "rows 3, 8, 12"."""
    found = sorted({i + 1 for i in order[(step - 1) * batch_size : step * batch_size]})
    return f"row{'s' * (len(found) != 1)} {', '.join(map(str, found))}"
