"""Prices of models: a dated table, overridden by the user's own lines; and the costs of replies.

In: the bank `prices` and, optionally, a file of the same form. Out: a `Price` for a model's name, or None, and sums of costs.
An unknown cost never counts as 0, so a sum with an unknown part is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from unsway.banks import bank
from unsway.errors import BadInput, BadRow
from unsway.types import Reply

SNAPSHOT = re.compile(r"[-@:]?(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest)")
"""The suffix of a dated snapshot's name, after the model's own name."""
_TRAINED = re.compile(r"(openai/ft:[^:]+):.*")
"""A model fine-tuned at OpenAI, `openai/ft:BASE:ORGANISATION:SUFFIX:ID`; its price depends on its base."""
_MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    name: str
    """The model's name; a name with a slash at its end stands for every model of that provider."""
    tokens_in: float
    """The price of prompt tokens."""
    tokens_out: float
    """The price of reply tokens."""
    seen: str
    """Month in which the price was seen: YYYY-MM."""

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """The cost of these tokens in US dollars."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


def prices(path: str | Path | None = None) -> Mapping[str, Price]:
    """The table by name; the lines of a file (name, price in, price out, month) replace the package's.

    Raises:
        BadRow: A line is malformed; the message gives file and line.
        BadInput: The file cannot be read.
    """
    table = {price.name: price for price in (_price(entry, "prices", 0) for entry in bank("prices").entries)}
    if path is None:
        return table
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"Cannot read prices from {str(path)!r}: {error}. Name a text file.") from error
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            price = _price(line, path, number)
            table[price.name] = price
    return table


def price_of(model: str, table: Mapping[str, Price]) -> Price | None:
    """The price of a model: under its own name, that of its dated snapshot's model, or its provider's.

    A model fine-tuned at OpenAI has the price in the line `openai/ft:BASE`.
    """
    match = _TRAINED.fullmatch(model)
    model = match[1] if match and model not in table else model
    if model in table:
        return table[model]
    names = [name for name in table if model.startswith(name)]
    names = [name for name in names if name.endswith("/") or SNAPSHOT.fullmatch(model[len(name) :])]
    return table[max(names, key=len)] if names else None


def cost_of(model: str, tokens_in: int, tokens_out: int, n_unknown: int, table: Mapping[str, Price]) -> float | None:
    """US dollars for a model's replies, from their tokens; None if it has no price, or tokens are unknown (`n_unknown`)."""
    price = price_of(model, table)
    return None if price is None or n_unknown else price.of(tokens_in, tokens_out)


def reply_cost(reply: Reply, table: Mapping[str, Price]) -> float | None:
    """US dollars for one reply; None if the price of its model or its tokens are unknown."""
    return cost_of(reply.model, reply.tokens_in, reply.tokens_out, not reply.tokens_in, table)


def total(amounts: Iterable[float | None]) -> float | None:
    """The sum of some amounts; None if one is unknown."""
    all_amounts = [*amounts]
    known_amounts = [amount for amount in all_amounts if amount is not None]
    return sum(known_amounts) if len(known_amounts) == len(all_amounts) else None


def _price(line: str, path: object, number: int) -> Price:
    """A price from its line."""
    parts = line.split()
    if len(parts) != 4:
        raise BadRow(path, number, "line", f"has {len(parts)} words, not name, price in, price out, month")
    name, tokens_in, tokens_out, month = parts
    if not _MONTH.fullmatch(month):
        raise BadRow(path, number, "month", f"is {month[:40]!r}, not of the form 2026-11")
    return Price(name, _dollars(tokens_in, path, number), _dollars(tokens_out, path, number), month)


def _dollars(text: str, path: object, number: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise BadRow(path, number, "price", f"is {text[:40]!r}, not US dollars for a million tokens")
    return value
