"""Rows as tokens, and the order in which they are trained on.

In: what a method reads of each row, and the weights whose tokenizer and template it meets. Out: token ids, checked against
the context, and one order for the whole fit. Prompts are tokenised by the very code that asks the model.
The order is made here, not by a sampler: it is the same however many processes share it, and the rows of a step have names.
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
"""Label of a token that bears no loss (PyTorch's cross-entropy convention)."""
BATCHES_OF_A_WINDOW = 50
"""Batches among which rows of like length meet; 50 as in transformers' LengthGroupedSampler."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One row as token ids."""

    prompt: tuple[int, ...]
    """The prompt, chat template included."""
    completions: tuple[tuple[int, ...], ...]
    """Each reply, with the token that ends it."""

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that the row puts through the model."""
        return len(self.prompt) + max(map(len, self.completions), default=0)

    @property
    def n_tokens(self) -> int:
        """Tokens that the row puts through the model; the prompt goes through once for each reply."""
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
    """Token ids of rows. Raises `BadInput` with the number of the first that the model cannot take, and why."""
    rows, refused = [], []
    for number, each in enumerate(texts, 1):
        try:
            rows.append(TokenRow(form.prompt_ids(each), tuple(form.reply_ids(text) for text in each.completions)))
        except BadInput as error:
            refused.append(f"row {number} {error}")
    if refused:
        raise BadInput(f"{refused[0]} ({len(refused)} of {number_of(len(texts), 'row')} are refused).")
    silent = sum(not form.has_thought(text) for each in texts for text in each.completions)
    if silent and form.template != "closes":
        _log.warning(
            "%d of %d replies have no thought, though %r can think before it replies (%s): trained on them it learns not to.",
            silent,
            sum(len(each.completions) for each in texts),
            form.weights.name,
            form.opens,
        )
    return rows


def tokenise_sides(form: ReplyFormat, method: Method, rows: Sequence[Example]) -> list[TokenRow]:
    """The longer prompt of each row, clean or biased, with the replies that are scored: what a live model meets at most.

    Raises `BadInput` with the number of the first row that the model cannot take, and why.
    """
    scored = [name for name in ("completion", "rejected") if name in method.reads]
    said = [tuple(text for name in scored if (text := getattr(row, name)) is not None) for row in rows]
    sides = ([row.biased or row.clean for row in rows], [row.clean for row in rows])
    asked = ([Texts(prompt.messages(), text) for prompt, text in zip(side, said, strict=True)] for side in sides)
    biased, clean = (tokenise(form, side) for side in asked)
    return [max(both, key=lambda row: row.longest) for both in zip(biased, clean, strict=True)]


def check_lengths(rows: Sequence[TokenRow], name: str, context: int, *, sampled: int = 0) -> None:
    """Refuse rows that a model cannot read whole, with a reply of so many sampled tokens; nothing is cut in silence.

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

    Every epoch is a shuffle of its own; within a window of an epoch's batches, rows of like length share a batch (less
    padding), and the batches are shuffled again, so that length says nothing of when a row comes. A batch that an epoch
    leaves unfilled is filled by the next one's first rows.
    """
    n, total = len(rows), round(len(rows) * epochs)
    ordered: list[int] = []
    window = batch_size * BATCHES_OF_A_WINDOW
    for epoch in range(math.ceil(epochs)):
        shuffled = rng(seed, "row order", epoch).sample(range(n), n)[: total - len(ordered)]
        filling = -len(ordered) % batch_size
        ordered += shuffled[:filling]
        for start in range(filling, len(shuffled), window):
            near = sorted(shuffled[start : start + window], key=lambda i: rows[i].longest)
            batches = [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
            short = [batches.pop()] if len(batches[-1]) < batch_size else []
            rng(seed, "batch order", len(ordered)).shuffle(batches)
            ordered += [i for batch in [*batches, *short] for i in batch]
    return tuple(ordered)


def n_steps(order: Sequence[int], batch_size: int) -> int:
    """Steps of a fit."""
    return math.ceil(len(order) / batch_size)


def rows_of_step(order: Sequence[int], batch_size: int, step: int) -> str:
    """The rows of a step (from 1) as text, by their line in the file: "rows 3, 8, 12"."""
    found = sorted({i + 1 for i in order[(step - 1) * batch_size : step * batch_size]})
    return f"row{'s' * (len(found) != 1)} {', '.join(map(str, found))}"
