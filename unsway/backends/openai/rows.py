"""The file for OpenAI and its cost, before anything is sent.

In: what a method reads of each row, its hyper-parameters, a base model. Out: the file in the API's format, the
hyper-parameters that it accepts, a bill.
Source: OpenAI's guide to supervised fine-tuning: chat rows, at least 10, a file of at most 512 MB. The API silently truncates
examples above its limit, so any that might be too long are refused. A `weight` of 0 keeps loss off the model's earlier turns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

from unsway.banks import bank
from unsway.data.formats import chat_row
from unsway.errors import BadInput, in_dollars, number_of
from unsway.planning.budget import LEAST_CHARACTERS_A_TOKEN
from unsway.planning.prices import Price, price_of
from unsway.training.seams import Method, Texts

if TYPE_CHECKING:
    from openai.types.fine_tuning import SupervisedHyperparametersParam

LEAST_ROWS = 10
"""Minimum rows of a job; the API's limit."""
MOST_BYTES = 512 * 10**6
"""Maximum bytes of a file; the API's limit."""
LONGEST = 65_536
"""Maximum tokens of an example for an unlisted model: the largest limit of any listed one."""
BYTES_A_TOKEN = 4
"""Bytes per token of English text, by OpenAI's rule of thumb; used to estimate the bill."""
TAKEN = frozenset({"epochs", "batch_size", "learning_rate_multiplier", "seed"})
"""Hyper-parameters that the API accepts; it chooses the others itself."""
NAMED = 5
"""How many rows an error names; the rest are counted."""
SPECIAL = re.compile(
    r"<\|(?:endoftext|endofprompt|fim_(?:prefix|middle|suffix)|startoftext|start|end|message|channel|constrain|call"
    r"|return|reserved_\d+|im_(?:start|end|sep))\|>"
)
"""Special tokens: tiktoken's, of all its encodings, and those that separate turns (OpenAI's ChatML). The API refuses a file
that holds one."""


class Limits(NamedTuple):
    """The limits of a model in the table."""

    price: Price | None
    """Price of training; None if unknown."""
    longest: int
    """Maximum tokens of an example."""


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of a fit, before or after it."""

    tokens: int
    """Tokens trained on, all epochs."""
    dollars: float | None
    """US dollars; None if the model's price is unknown."""
    seen: str
    """Month of the price."""

    def __str__(self) -> str:
        unknown = "at a price that is not known"
        cost = unknown if self.dollars is None else f"{in_dollars(self.dollars)} (price of {self.seen})"
        return f"{self.tokens:,} tokens, {cost}"


def limits(base: str) -> Limits:
    """The training price and the longest example of a model, by its name or that of the model it is a snapshot of."""
    rows = [entry.split() for entry in bank("training_prices").entries]
    price = price_of(base, {name: Price(name, float(dollars), 0.0, seen) for name, dollars, _, seen in rows})
    longest = {name: int(tokens) for name, _, tokens, _ in rows}
    return Limits(price, longest[price.name] if price else LONGEST)


def bill(base: str, tokens: float) -> Bill:
    """The bill for a number of tokens trained on."""
    price = limits(base).price
    return Bill(round(tokens), price.of(tokens, 0) if price else None, price.seen if price else "")


def estimate(text: str, base: str, method: Method) -> Bill:
    """The approximate cost of training on a file."""
    return bill(base, len(text.encode()) / BYTES_A_TOKEN * method.epochs)


# ---------------------------------------------------------------- hyper-parameters


def hyper_parameters(method: Method) -> SupervisedHyperparametersParam:
    """The method's hyper-parameters in the API's format.

    Raises:
        BadInput: One was set that the API lacks, or the epochs are not whole.
    """
    default = type(method)()
    shared = [field.name for field in fields(Method) if field.name not in TAKEN]  # its own fields only affect texts
    unsupported = [name for name in shared if getattr(method, name) != getattr(default, name)]
    if unsupported:
        raise BadInput(
            f"OpenAI's API takes no {', '.join(unsupported)}; it takes {', '.join(sorted(TAKEN))} and chooses the rest "
            "itself. Leave it out, or train with the local back-end."
        )
    if method.epochs != int(method.epochs):
        raise BadInput(f"OpenAI's API trains whole epochs, not {method.epochs:g}. Set epochs to 1 or more.")
    return {
        "n_epochs": int(method.epochs),
        "batch_size": method.batch_size,
        "learning_rate_multiplier": method.learning_rate_multiplier,
    }


# ---------------------------------------------------------------- rows


def chat_jsonl(texts: Sequence[Texts], base: str) -> str:
    """The file to upload: one chat row for each row, the completion as the last turn.

    Raises:
        BadInput: The API would not accept a row (named by its number); there are too few rows; the file is too large.
    """
    problems = [f"row {i}: {problem}" for i, row in enumerate(texts, 1) for problem in _problems(row, base)]
    if problems:
        rest = f" and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        raise BadInput(
            f"{number_of(len(problems), 'problem')} in {number_of(len(texts), 'row')} for {base}: "
            f"{'; '.join(problems[:NAMED])}{rest}."
        )
    if len(texts) < LEAST_ROWS:
        raise BadInput(f"{number_of(len(texts), 'example')}; OpenAI's API takes at least {LEAST_ROWS}.")
    text = "".join(json.dumps(chat_row(row.prompt, row.completions[0]), ensure_ascii=False) + "\n" for row in texts)
    if len(text.encode()) > MOST_BYTES:
        raise BadInput(
            f"The file has {len(text.encode()):,} bytes; OpenAI's API takes {MOST_BYTES:,}. Take fewer rows."
        )
    return text


def _problems(row: Texts, base: str) -> Iterator[str]:
    """Yield what the API would refuse or truncate."""
    (completion,) = row.completions
    roles = [message.role for message in row.prompt]
    unknown = sorted({role for role in roles if role not in ("system", "user", "assistant")})
    if unknown:
        yield f"role {unknown[0]!r} (allowed: system, user, assistant)"
    if not roles or roles[-1] != "user":
        yield "the turn before the completion is not the user's"
    if any(not message.content.strip() for message in row.prompt):
        yield "an empty turn"
    texts = (*(m.content for m in row.prompt), completion)
    if token := next(filter(None, map(SPECIAL.search, texts)), None):
        yield f"the special token {token[0]!r}, which the API refuses; write it in another way, or leave the row out"
    try:
        size = sum(len(text.encode()) for text in texts)
    except UnicodeEncodeError:
        yield "text that is not valid Unicode"
        return
    n_tokens = round(size / LEAST_CHARACTERS_A_TOKEN)
    longest = limits(base).longest
    if n_tokens > longest:
        yield f"perhaps {n_tokens:,} tokens ({size:,} bytes), and an example may have {longest:,}; the API would cut it"
