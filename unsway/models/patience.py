"""How long to wait for a hosted model, and how to show a server's message safely."""

from __future__ import annotations

from dataclasses import dataclass

from unsway.models.secrets import known_keys, without

MOST_CHARACTERS = 300
"""Most characters of a server's message that are kept."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a hosted model."""

    answer: int = 600
    """Seconds to wait for one answer, as in OpenAI's SDK; then a stalled or very slow request is ended."""
    tries: int = 12
    """Tries per reply: about five minutes of waiting."""
    first: float = 0.5
    """Seconds before the second try, doubled each time; as in OpenAI's SDK."""
    longest: float = 60.0
    """Most seconds between two tries, unless the server asks for more."""
    gone: float = 900.0
    """Seconds without any answer before the endpoint is given up: most outages pass within minutes."""
    never: float = 60.0
    """Seconds for the same if no server ever answered: the address or port is wrong, or the server is not running."""


def plain(text: str, key: str | None = None) -> str:
    """A server's message as one short line, without control characters and keys."""
    return "".join(c if c.isprintable() else " " for c in without(text, known_keys(key)))[:MOST_CHARACTERS]
