"""What a model costs: a dated table, and the user's own lines, which replace it; and what replies cost by it.

In: the bank `prices` and, optionally, a file of the same form. Out: a `Price` for a model's name, or None, and sums of costs:
what is not known is never taken for 0, so a sum with an unknown part is unknown.
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
"""How the name of a dated snapshot of a model goes on behind the model's own."""
_TRAINED = re.compile(r"(openai/ft:[^:]+):.*")
"""A model that was fine-tuned at OpenAI, `openai/ft:BASE:ORGANISATION:SUFFIX:ID`; its price depends on its base."""
_MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    name: str
    """The model; with a slash at its end, every model of that provider."""
    tokens_in: float
    """Of a prompt."""
    tokens_out: float
    """Of a reply."""
    seen: str
    """Month in which it was seen: YYYY-MM."""

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """The cost of these tokens in US dollars."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


def prices(path: str | Path | None = None) -> Mapping[str, Price]:
    """The table by name; the lines of a file (name, price in, price out, month) replace the package's.

    Raises:
        BadRow: A line is not of that form; file and line are named.
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
    """The price of a model: under its own name, that of the model it is a dated snapshot of, or its provider's.

    A model that was fine-tuned at OpenAI has the price of the line `openai/ft:BASE`.
    """
    trained = _TRAINED.fullmatch(model)
    model = trained[1] if trained and model not in table else model
    if model in table:
        return table[model]
    near = [name for name in table if model.startswith(name)]
    near = [name for name in near if name.endswith("/") or SNAPSHOT.fullmatch(model[len(name) :])]
    return table[max(near, key=len)] if near else None


def cost_of(model: str, tokens_in: int, tokens_out: int, n_unknown: int, table: Mapping[str, Price]) -> float | None:
    """US dollars for replies of one model, from their tokens; None where it has no price, or `n_unknown` have no tokens."""
    price = price_of(model, table)
    return None if price is None or n_unknown else price.of(tokens_in, tokens_out)


def reply_cost(reply: Reply, table: Mapping[str, Price]) -> float | None:
    """US dollars for one reply; None where the price of its model or its tokens are not known."""
    return cost_of(reply.model, reply.tokens_in, reply.tokens_out, not reply.tokens_in, table)


def total(amounts: Iterable[float | None]) -> float | None:
    """The sum of some amounts; None where one of them is not known."""
    given = [*amounts]
    known = [amount for amount in given if amount is not None]
    return sum(known) if len(known) == len(given) else None


def _price(line: str, path: object, number: int) -> Price:
    """A price from its line."""
    parts = line.split()
    if len(parts) != 4:
        raise BadRow(path, number, "line", f"has {len(parts)} words, not name, price in, price out, month")
    name, tokens_in, tokens_out, seen = parts
    if not _MONTH.fullmatch(seen):
        raise BadRow(path, number, "month", f"is {seen[:40]!r}, not of the form 2026-11")
    return Price(name, _dollars(tokens_in, path, number), _dollars(tokens_out, path, number), seen)


def _dollars(text: str, path: object, number: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise BadRow(path, number, "price", f"is {text[:40]!r}, not US dollars for a million tokens")
    return value
