"""Rows as tokens, and the order in which they are trained on.

In: what a method reads of each row, and the weights with tokenizer and template. Out: token ids, checked against the
context, and one order for the whole fit. Prompts are tokenised by the same code that asks the model.
The order is made here, not by a sampler, so it is the same for any number of processes, and errors can name a step's rows.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from unsway.backends.local.replies import ReplyFormat
from unsway.errors import BadInput, TrainingError, number_of
from unsway.seeds import rng
from unsway.training.seams import Method, Texts
from unsway.types import Example

_log = logging.getLogger(__name__)
IGNORED = -100
"""Label of a token without loss (PyTorch's cross-entropy convention)."""
BATCHES_OF_A_WINDOW = 50
"""Batches within which rows are grouped by length; 50 as in transformers' LengthGroupedSampler."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One row as token ids."""

    prompt: tuple[int, ...]
    """The prompt, chat template included."""
    completions: tuple[tuple[int, ...], ...]
    """Each reply, with the token that ends it."""

    @property
    def longest(self) -> int:
        """Tokens of the row's longest sequence."""
        return len(self.prompt) + max(map(len, self.completions), default=0)

    @property
    def n_tokens(self) -> int:
        """Total tokens of the row's sequences; the prompt counts once for each reply."""
        return sum(len(self.prompt) + len(completion) for completion in self.completions)

    def completion_columns(self) -> dict[str, list[int]]:
        """The row as TRL's SFTTrainer reads it: the only reply, and no loss on the prompt."""
        (completion,) = self.completions
        labels = [IGNORED] * len(self.prompt) + list(completion)
        return {"input_ids": [*self.prompt, *completion], "labels": labels}

    def preference_columns(self) -> dict[str, list[int]]:
        """The row as TRL's DPOTrainer reads it: the preferred reply, then the other one."""
        chosen, rejected = self.completions
        return {"prompt_ids": list(self.prompt), "chosen_ids": list(chosen), "rejected_ids": list(rejected)}


def tokenise(form: ReplyFormat, texts: Sequence[Texts]) -> list[TokenRow]:
    """Token ids of rows. Raises `BadInput` with the number of the first row that the model cannot take, and why."""
    rows, refusals = [], []
    for number, row in enumerate(texts, 1):
        try:
            rows.append(TokenRow(form.prompt_ids(row), tuple(form.reply_ids(text) for text in row.completions)))
        except BadInput as error:
            refusals.append(f"row {number} {error}")
    if refusals:
        raise BadInput(f"{refusals[0]} ({len(refusals)} of {number_of(len(texts), 'row')} are refused).")
    silent = sum(not form.has_thought(text) for row in texts for text in row.completions)
    if silent and form.template != "closes":
        _log.warning(
            "%d of %d replies have no thought, though %r can think before it replies (%s): trained on them it learns not to.",
            silent,
            sum(len(row.completions) for row in texts),
            form.weights.name,
            form.opens,
        )
    return rows


def tokenise_sides(form: ReplyFormat, method: Method, rows: Sequence[Example]) -> list[TokenRow]:
    """The longer prompt of each row, clean or biased, with the scored replies: the longest input of a live model.

    Raises `BadInput` with the number of the first row that the model cannot take, and why.
    """
    reply_fields = [name for name in ("completion", "rejected") if name in method.reads]
    replies = [tuple(text for name in reply_fields if (text := getattr(row, name)) is not None) for row in rows]
    sides = ([row.biased or row.clean for row in rows], [row.clean for row in rows])
    texts = ([Texts(prompt.messages(), text) for prompt, text in zip(side, replies, strict=True)] for side in sides)
    biased, clean = (tokenise(form, side) for side in texts)
    return [max(side_rows, key=lambda row: row.longest) for side_rows in zip(biased, clean, strict=True)]


def check_lengths(rows: Sequence[TokenRow], name: str, context: int, *, sampled: int = 0) -> None:
    """Refuse rows that do not fit the context, with a reply of `sampled` tokens; nothing is silently truncated.

    Raises `TrainingError` with the number of the first.
    """
    long = [i for i, row in enumerate(rows, 1) if row.longest + sampled > context]
    if long:
        raise TrainingError(
            f"{len(long)} of {number_of(len(rows), 'example')} are longer than the context of {name!r} ({context} "
            "tokens; the longest "
            f"has {max(row.longest for row in rows)}{f' and replies up to {sampled}' if sampled else ''}; the first is row "
            f"{long[0]}). Take shorter questions, fewer demos, {'a lower max_tokens, ' if sampled else ''}or a model with "
            "more context."
        )


def in_order(rows: Sequence[TokenRow], batch_size: int, epochs: float, seed: int) -> tuple[int, ...]:
    """Indices of rows for the whole fit: step s takes the s-th `batch_size` of them.

    Every epoch has its own shuffle. Within a window of an epoch's batches, rows of similar length share a batch (less
    padding), and the batches are shuffled again, so length does not determine when a row comes. A batch that an epoch
    leaves incomplete is filled with the next epoch's first rows.
    """
    n, total = len(rows), round(len(rows) * epochs)
    order: list[int] = []
    window = batch_size * BATCHES_OF_A_WINDOW
    for epoch in range(math.ceil(epochs)):
        shuffled = rng(seed, "row order", epoch).sample(range(n), n)[: total - len(order)]
        filling = -len(order) % batch_size
        order += shuffled[:filling]
        for start in range(filling, len(shuffled), window):
            by_length = sorted(shuffled[start : start + window], key=lambda i: rows[i].longest)
            batches = [by_length[i : i + batch_size] for i in range(0, len(by_length), batch_size)]
            short = [batches.pop()] if len(batches[-1]) < batch_size else []
            rng(seed, "batch order", len(order)).shuffle(batches)
            order += [i for batch in [*batches, *short] for i in batch]
    return tuple(order)


def n_steps(order: Sequence[int], batch_size: int) -> int:
    """Number of steps of a fit."""
    return math.ceil(len(order) / batch_size)


def rows_of_step(order: Sequence[int], batch_size: int, step: int) -> str:
    """The rows of a step (from 1) as text, by their line in the file: "rows 3, 8, 12"."""
    numbers = sorted({i + 1 for i in order[(step - 1) * batch_size : step * batch_size]})
    return f"row{'s' * (len(numbers) != 1)} {', '.join(map(str, numbers))}"
