"""How long to wait for a hosted model, and a server's own words made safe to show."""

from __future__ import annotations

from dataclasses import dataclass

from unsway.models.secrets import known, without

MOST_CHARACTERS = 300
"""The most characters of a server's own words that are kept."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a hosted model."""

    answer: int = 600
    """Seconds for one answer, as in OpenAI's SDK; a stalled or very slow one ends then."""
    tries: int = 12
    """Tries for one reply: about five minutes of waits."""
    first: float = 0.5
    """Seconds before the second try, doubled each time; as in OpenAI's SDK."""
    longest: float = 60.0
    """The most seconds between two tries, unless the server asks for more."""
    gone: float = 900.0
    """Seconds without any answer after which the endpoint is given up: outages commonly pass in minutes."""
    never: float = 60.0
    """The same if no server was ever there: the address or port is wrong, or the server is not running."""


def plain(text: str, key: str | None = None) -> str:
    """A server's words as one short line, without control characters, and without keys if they repeat one."""
    return "".join(c if c.isprintable() else " " for c in without(text, known(key)))[:MOST_CHARACTERS]
