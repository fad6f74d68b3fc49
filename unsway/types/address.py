"""The address under which a reply is stored, and its short id for verdicts, labels and tests of reasoning.

Address.of(reply)     # one reply to one prompt, by one model, with one set of decoding settings
reply_id(reply)       # the hash of that address, in hexadecimal digits
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from unsway.types.rows import Reply
from unsway.types.settings import Settings


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a stored reply: the prompt, the model and its weights, the settings, and the sample."""

    prompt_id: str
    """`Prompt.id`."""
    model: str
    """The name by which the model was asked."""
    weights: str
    """Fingerprint of local weights; empty for a hosted model."""
    settings: Settings
    """The decoding settings of the reply."""
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
    """The id of a reply in verdicts and labels: the hash of its address, in hexadecimal digits."""
    return Address.of(reply).key().hex()
