"""Which option a reply commits to, if any; an early version that reads clear statements of a letter only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from unsway.errors import BadInput
from unsway.types import Answer, Stop

PARSER = "read@1"

_STATED = re.compile(
    r"(?:answer|choice|option)(?:\s+is)?[\s:*_\[({]*(?:option\s+)?([A-Z])(?![\w'])|^[\s*_\[({]*([A-Za-z])(?=[\s).:\]}*_]*$|[).:])",
    re.MULTILINE | re.IGNORECASE,
)


def read(
    text: str,
    *,
    options: Sequence[str] | None = None,
    n_options: int | None = None,
    reasoning: str | None = None,
    stop: Stop = "end",
) -> Answer:
    """Read a reply."""
    n = len(options) if options is not None else n_options
    if n is None:
        raise BadInput("read() needs the options, or how many there are (n_options).")
    if stop == "length":
        return Answer(None, "truncated", "stop")
    for found in reversed(list(_STATED.finditer(text[-8000:]))):
        group = 1 if found[1] else 2
        index = ord(found[group].upper()) - ord("A")
        if index < n:
            base = max(0, len(text) - 8000)
            return Answer(index, "ok", "stated", (base + found.start(group), base + found.end(group)))
    return Answer(None, "unparsed", "nothing")
