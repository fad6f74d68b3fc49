"""Wrappers: mild framings of a request, by family, each a cue around it. A wrapped request should get the same response.

In: nothing. Out: cues by name, accepted wherever a bias is. They name no option, so on questions with options any change of
the answer counts. Put stronger wrappers in your own `.cue.txt` files.

Source: arXiv 2510.27062 names the kinds (role play, a list of other requests, prefixes). Its wrappers are not
published; we wrote the wordings.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from unsway.banks import bank
from unsway.biases.definition import Cue


@cache
def definitions() -> Mapping[str, Cue]:
    """Every family by name."""
    cues = {}
    for entry in bank("request_wrappers").entries:
        name, *wordings = entry.split("\n")
        summary = name.replace("_", " ")
        cues[name] = Cue(name, tuple(wordings), ("front",), "change", (), f"A request {summary}")
    return cues


def names() -> tuple[str, ...]:
    """The names of all families, in the order of the bank."""
    return tuple(definitions())
