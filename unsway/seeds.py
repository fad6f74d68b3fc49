"""Content ids and random generators: the only source of randomness in unsway.

In: text, or a purpose and what it depends on. Out: a short stable id, or a `random.Random`.
Both depend only on the arguments: not on the process, its hash seed, the platform or the order of calls.
"""

from __future__ import annotations

import hashlib
import json
from random import Random

ID_HEX = 16
"""Length of an id in hexadecimal digits: 64 bits, so a clash among a million ids has odds of about 1 in 37 million."""

_encoder = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def digest(*content: object) -> str:
    """The full sha256 (64 hex digits) of JSON-able content; equal content gives equal digests everywhere."""
    return hashlib.sha256(_encoder.encode(content).encode("ascii")).hexdigest()


def content_id(*content: object) -> str:
    """A short id (16 hex digits) of JSON-able content."""
    return digest(*content)[:ID_HEX]


def seed_int(seed: int, purpose: str, *key: object) -> int:
    """A 63-bit integer that depends only on the seed, the purpose and the key (for libraries that take an int)."""
    return int(digest(seed, purpose, *key)[:16], 16) >> 1


def rng(seed: int, purpose: str, *key: object) -> Random:
    """A generator for one purpose and one key, such as a question id: `rng(0, "target", question.id)`."""
    return Random(seed_int(seed, purpose, *key))  # nosec B311  # not for secrets
