"""How long to wait for a hosted model, and a server's own words made safe to show."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SAID = 300
"""Characters of a server's own words that are kept."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a hosted model."""

    answer: int = 600
    """Seconds for one answer, as in OpenAI's SDK; a stall or a slow drip ends then."""
    tries: int = 12
    """Tries for one reply: about five minutes of waits."""
    first: float = 0.5
    """Seconds before the second try, doubled with each; as in OpenAI's SDK."""
    longest: float = 60.0
    """Seconds between two tries at most, unless the server asks for more."""
    gone: float = 900.0
    """Seconds without an answer to anybody after which the endpoint is given up: outages commonly pass in minutes."""
    never: float = 60.0
    """The same where nobody was ever there: then an address or a port is wrong, or the server is not up."""


def plain(text: str, key: str | None = None) -> str:
    """A server's words as one short line, without control characters, and without the key if it repeats that."""
    clean = text.replace(key, "(key)") if key else text
    return "".join(c if c.isprintable() else " " for c in clean)[:MOST_SAID]
