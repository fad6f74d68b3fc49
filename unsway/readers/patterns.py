"""The patterns of the reader, from two tables: `patterns.toml` and `languages.toml` for words of other languages.

In: the name of a table. Out: its patterns, compiled, as attributes.

    say.VERDICT.search("(b) is the correct answer")

A pattern may hold the names of pieces in braces: `{SOURCE}` is another piece of `patterns.toml`, `{denies}` that key of all
languages. A change of either table may change an answer, and moves the reader's version with it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

TABLES, _LANGUAGES = (
    tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("patterns", "languages")
)
_PIECE = re.compile(r"\{([A-Za-z_]+)\}")


class PatternTable:
    """The patterns of one table by name."""

    def __init__(self, table: str) -> None:
        vars(self).update({name: re.compile(filled(pattern)) for name, pattern in TABLES[table].items()})

    if TYPE_CHECKING:  # only then: a class that has it is looked into more slowly

        def __getattr__(self, name: str) -> re.Pattern[str]:
            """A pattern of the table."""


def filled(pattern: str) -> str:
    """A pattern with its pieces put in, on one line."""
    return _PIECE.sub(lambda found: piece(found[1]), pattern.replace("\n", ""))


def piece(name: str) -> str:
    """What stands for a name in braces: a piece of patterns, the places of an option, or a key of all languages."""
    if name in TABLES["parts"]:
        return filled(TABLES["parts"][name])
    rows = _LANGUAGES.values()
    if name == "PLACE_OF_AN_OPTION":
        placed = [(row["places"], row["spaced"]) for row in rows if "places" in row]
        words = (
            "|".join(rf"(?<!\w)(?:{place[i]})(?!\w)" if spaced else place[i] for place, spaced in placed)
            for i in range(6)
        )
        return "|".join(f"(?P<p{i}>{each})" for i, each in enumerate(words))
    spaced, joined = (
        "|".join(row[name] for row in rows if name in row and row["spaced"] == apart) or "(?!)"
        for apart in (True, False)
    )
    return rf"(?:(?<!\w)(?:{spaced})(?!\w)|{joined})"


say = PatternTable("say")
"""What commits to an option, takes it back, or declines."""
by_place = PatternTable("by_place")
"""What makes an answer by its place."""
who = PatternTable("who")
"""Whose words a sentence reports, and agreement with them."""
tongues = PatternTable("tongues")
"""Other languages than English."""
marks = PatternTable("marks")
"""Letters, sentences, markup and option texts."""
