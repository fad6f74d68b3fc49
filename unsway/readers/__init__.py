"""How a reply is read: readers by name, one a file.

In: a pair, a side and a raw reply. Out: a `Reading`, with its value as an option of the question.

    readers.get("mcq")(pair, "biased", reply)
"""

from __future__ import annotations

from typing import Protocol

from unsway.types import Pair, Reading, Reply, Side


class Reader(Protocol):
    """Reads one side of a pair."""

    @property
    def versioned(self) -> str:
        """Name and version; it moves whenever a reading could change."""
        ...

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """What the reply says; a value that is an option is one of the question, whatever the order shown."""
        ...


def get(name: str) -> Reader:
    """The reader of that name."""
    from unsway.readers.multiple_choice import MultipleChoice

    return {"mcq": MultipleChoice()}[name]
