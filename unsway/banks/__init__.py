"""Wording banks: text files next to this module, read by name.

In: the name of a bank, `"cot_instructions"` for `cot_instructions.txt`. Out: a frozen `Bank`.

A bank's first line is `# version: N`; N changes whenever an entry does. Other lines that start with `#` are comments,
blank lines around entries are ignored, and each line is one entry. A file with a line `---` is a bank of blocks: entries of
several lines, separated by `---` (blank lines inside a block are kept).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from unsway.errors import BadInput, UnknownName

_VERSION = re.compile(r"# version: ([1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Bank:
    """The entries of one bank, in the order of the file."""

    name: str
    version: int
    """Changes whenever an entry does."""
    entries: tuple[str, ...]

    @property
    def versioned(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


def names() -> tuple[str, ...]:
    """The names of all banks, sorted."""
    file_names = (entry.name for entry in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".txt") for name in file_names if name.endswith(".txt")))


@cache
def bank(name: str) -> Bank:
    """The bank with that name. Raises `UnknownName`, or `BadInput` if the file is not a bank."""
    if name not in names():
        raise UnknownName("bank", name, names())
    return parse(name, files(__package__).joinpath(f"{name}.txt").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Bank:
    """A bank from the text of its file. Raises `BadInput`, which says what is wrong with the text."""
    head, _, body = text.partition("\n")
    version = _VERSION.fullmatch(head.rstrip())
    if version is None:
        raise BadInput(f"Bank {name!r} starts with {head[:60]!r}; its first line must be '# version: N'.")
    lines = [line.rstrip() for line in body.split("\n") if not line.startswith("#")]
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line == "---":
            blocks.append([])
        else:
            blocks[-1].append(line)
    if len(blocks) > 1:
        entries = tuple(text for block in blocks if (text := "\n".join(block).strip("\n")))
    else:
        entries = tuple(line.strip() for line in lines if line.strip())
    if not entries:
        raise BadInput(f"Bank {name!r} has no entries; write one a line below its version.")
    duplicate = next((entry for i, entry in enumerate(entries) if entry in entries[:i]), None)
    if duplicate is not None:
        raise BadInput(f"Bank {name!r} has an entry twice: {duplicate[:60]!r}. Remove one of them.")
    return Bank(name, int(version[1]), entries)
