"""What a reply is stored under, and the short name by which verdicts, labels and tests of reasoning point at it.

Address.of(reply)     # one reply to one prompt, by one model, under one way of decoding
reply_id(reply)       # its hash, in hex
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from unsway.types.rows import Reply
from unsway.types.settings import Settings


@dataclass(frozen=True, slots=True)
class Address:
    """What a reply is stored under: the prompt, the model and its weights, the settings, and the sample."""

    prompt_id: str
    """`Prompt.id`."""
    model: str
    """The name of the model as it was asked."""
    weights: str
    """Fingerprint of local weights; empty for a hosted model."""
    settings: Settings
    """How the reply was decoded."""
    sample: int
    """The number of the reply among those to the same prompt, from 0."""

    @classmethod
    def of(cls, reply: Reply) -> Address:
        """The address of a reply."""
        return cls(reply.prompt_id, reply.model, reply.weights, reply.settings, reply.sample)

    def key(self) -> bytes:
        """A short hash of the address, 12 bytes."""
        text = repr((self.prompt_id, self.model, self.weights, self.settings, self.sample))
        return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=12).digest()


def reply_id(reply: Reply) -> str:
    """What verdicts and labels name a reply by: the hash of its address, in hex."""
    return Address.of(reply).key().hex()
