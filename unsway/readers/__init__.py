"""How replies are read: readers by name, each in its own file.

In: a pair, a side and a raw reply. Out: a `Reading`, whose value is an option of the question.

    readers.get("mcq")(pair, "biased", reply)

To add one, decorate a function in a module here, or in your own package through the entry-point group `unsway.plugins`.
A bias names the reader of its replies (`reader="declines"`), and each pair stores that name in its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias, get_args, runtime_checkable

from unsway.errors import BadInput
from unsway.registry import Registry, blaming
from unsway.types import Pair, Reading, Reply, Rule, Side, Status

Read: TypeAlias = Callable[[Pair, Side, Reply], Reading]
"""Reads one side of a pair. The value, if it is an option, is an index in the question's own order."""


@runtime_checkable
class Reader(Protocol):
    """Reads one side of a pair."""

    @property
    def versioned(self) -> str:
        """Name and version; it changes whenever a reading could change."""
        ...

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """The reading of a reply. The value, if it is an option, is an index in the question's own order."""
        ...


@dataclass(frozen=True, slots=True)
class DeclaredReader:
    """A reader made from a function."""

    name: str
    """Its name for biases."""
    version: int
    """Changes whenever a reading could change."""
    summary: str
    """One line for people."""
    read: Read = field(repr=False, compare=False)
    """Reads one side of a pair."""

    @property
    def versioned(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """The function's reading, signed with the reader's name and version.

        Raises:
            BadInput: The function failed, or its result is not a valid reading of this pair and would be counted as
                some answer.
        """
        with blaming("reader", self.name, f"the {side} reply to {pair.id}"):
            result: Any = self.read(pair, side, reply)
        n = len(pair.question.options)
        if (
            not isinstance(result, Reading)
            or result.status not in get_args(Status)
            or (result.value is None) == (result.status == "ok")
            or (n and result.value not in (None, *range(n)))
        ):
            raise BadInput(
                f"The reader {self.name!r} returned {result!r:.90} for the {side} reply to {pair.id}, which has {n} options. "
                "It must return a Reading: the index of an option with the status ok, or None with why. Mend it."
            )
        reading: Reading = replace(result, by=self.versioned)
        return reading


readers: Registry[Reader] = Registry("reader", "unsway.readers", Reader)
"""All readers, by name."""


def reader(name: str, *, version: int, summary: str) -> Callable[[Read], Read]:
    """Declare a reader from a function `(pair, side, reply) -> Reading`. Raises `BadInput` if the name is taken."""

    def declare(read: Read) -> Read:
        readers.add(name, DeclaredReader(name, version, summary, read))
        return read

    return declare


names = readers.names
"""The names of all readers, in alphabetical order."""
get = readers.get
"""The reader with that name. Raises `UnknownName` with the closest names."""


def of_rule(rule: Rule, instead: Mapping[str, Reader] | None = None) -> Reader:
    """The reader that a pair's rule names, or its replacement in `instead`. Raises `BadInput` if it is not installed."""
    if instead and rule.reader in instead:
        return instead[rule.reader]
    if rule.reader not in readers:
        raise BadInput(
            f"These replies are read by {rule.reader!r}, which is not installed here; there are {', '.join(names())}. "
            "Install the package that has it."
        )
    return get(rule.reader)
