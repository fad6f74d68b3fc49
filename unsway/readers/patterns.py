"""The patterns of the reader, from two tables: `patterns.toml`, and `languages.toml` for words of other languages.

In: the name of a table. Out: its patterns, compiled, as attributes.

    say.VERDICT.search("(b) is the correct answer")

A pattern may contain names in braces: `{SOURCE}` is another piece of `patterns.toml`, and `{denies}` is that key of all
languages. A change of either table may change an answer, so the reader's version must change with it.
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
"""Brackets and bars; escaped characters and character classes match as a whole."""
_BEGINS_PLAIN = re.compile(r"[^\W\d_](?![?*+{])")


class PatternTable:
    """The patterns of one table by name."""

    def __init__(self, table: str) -> None:
        vars(self).update({name: re.compile(filled(pattern)) for name, pattern in TABLES[table].items()})

    if TYPE_CHECKING:  # a class with __getattr__ has slower attribute access

        def __getattr__(self, name: str) -> re.Pattern[str]:
            """A pattern of the table."""


def filled(pattern: str) -> str:
    """A pattern with its pieces inserted, on one line."""
    return _PIECE.sub(lambda found: piece(found[1]), pattern.replace("\n", ""))


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern: split at the bars outside all brackets."""
    depth, last, cuts = 0, 0, []
    for found in _BRACKETS.finditer(pattern):
        depth += (found[0] == "(") - (found[0] == ")")
        if found[0] == "|" and not depth:
            cuts.append(pattern[last : found.start()])
            last = found.end()
    return [*cuts, pattern[last:]]


def by_letter(pattern: str) -> str:
    """The same alternatives, with neighbours that share a first letter grouped, so the shared part is tried once."""
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
    """The text for a name in braces: a piece of the patterns, the places of an option, or a key of all languages."""
    if name in TABLES["parts"]:
        return by_letter(filled(TABLES["parts"][name]))
    rows = _LANGUAGES.values()
    if name == "PLACE_OF_AN_OPTION":
        placed = [(row["places"], row["spaced"]) for row in rows if "places" in row]
        return "|".join(f"(?P<p{i}>{_words((places[i], spaced) for places, spaced in placed)})" for i in range(6))
    return _words((row[name], row["spaced"]) for row in rows if name in row)


def _words(words: Iterable[tuple[str, bool]]) -> str:
    """Words of several languages as one pattern; spaced scripts match only whole words, others not inside Latin text."""
    listed = [*words]
    spaced, joined = (
        by_letter("|".join(each for each, apart in listed if apart == alone)) or "(?!)" for alone in (True, False)
    )
    return rf"(?:(?<!\w)(?:{spaced})(?!\w)|(?![a-z_])(?:{joined}))"


say = PatternTable("say")
"""Patterns that commit to an option, take it back, or decline."""
by_place = PatternTable("by_place")
"""Patterns that recognise an answer by its place."""
who = PatternTable("who")
"""Patterns for whose words a sentence reports, and for agreement with them."""
tongues = PatternTable("tongues")
"""Patterns for languages other than English."""
marks = PatternTable("marks")
"""Patterns for letters, sentences, markup and option texts."""
