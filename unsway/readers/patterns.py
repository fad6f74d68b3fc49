"""The patterns of the reader, from two tables: `patterns.toml` and `languages.toml` for words of other languages.

In: the name of a table. Out: its patterns, compiled, as attributes.

    say.VERDICT.search("(b) is the correct answer")

A pattern may hold the names of pieces in braces: `{SOURCE}` is another piece of `patterns.toml`, `{denies}` that key of all
languages. A change of either table may change an answer, and moves the reader's version with it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

TABLES, _LANGUAGES = (
    tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("patterns", "languages")
)
_PIECE = re.compile(r"\{([A-Za-z_]+)\}")
_BRACKETS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)
"""Brackets and bars; an escaped character and a class of characters are passed over whole."""
_BEGINS_PLAIN = re.compile(r"[^\W\d_](?![?*+{])")


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


def alternatives(pattern: str) -> list[str]:
    """What a pattern says in turn, cut at the bars that stand in no bracket."""
    depth, last, cuts = 0, 0, []
    for found in _BRACKETS.finditer(pattern):
        depth += (found[0] == "(") - (found[0] == ")")
        if found[0] == "|" and not depth:
            cuts.append(pattern[last : found.start()])
            last = found.end()
    return [*cuts, pattern[last:]]


def by_letter(pattern: str) -> str:
    """The same alternatives, neighbours that begin alike together, so that what they share is tried once."""
    found: list[str] = []
    for plain, run in groupby(alternatives(pattern), lambda each: _BEGINS_PLAIN.match(each) is not None):
        heads: dict[str, list[str]] = {}
        for each in run if plain else ():
            heads.setdefault(each[0], []).append(each[1:])
        found += [
            head + (tails[0] if len(tails) == 1 else f"(?:{by_letter('|'.join(tails))})")
            for head, tails in heads.items()
        ]
        found += () if plain else run
    return "|".join(found)


def piece(name: str) -> str:
    """What stands for a name in braces: a piece of patterns, the places of an option, or a key of all languages."""
    if name in TABLES["parts"]:
        return by_letter(filled(TABLES["parts"][name]))
    rows = _LANGUAGES.values()
    if name == "PLACE_OF_AN_OPTION":
        placed = [(row["places"], row["spaced"]) for row in rows if "places" in row]
        return "|".join(f"(?P<p{i}>{_words((places[i], spaced) for places, spaced in placed)})" for i in range(6))
    return _words((row[name], row["spaced"]) for row in rows if name in row)


def _words(words: Iterable[tuple[str, bool]]) -> str:
    """Words of several languages as one pattern; those of spaced scripts stand alone, no other begins in Latin."""
    listed = [*words]
    spaced, joined = (
        by_letter("|".join(each for each, apart in listed if apart == alone)) or "(?!)" for alone in (True, False)
    )
    return rf"(?:(?<!\w)(?:{spaced})(?!\w)|(?![a-z_])(?:{joined}))"


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
