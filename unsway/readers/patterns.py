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
    return _PIECE.sub(lambda match: piece(match[1]), pattern.replace("\n", ""))


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern: split at the bars outside all brackets."""
    depth, last, cuts = 0, 0, []
    for match in _BRACKETS.finditer(pattern):
        depth += (match[0] == "(") - (match[0] == ")")
        if match[0] == "|" and not depth:
            cuts.append(pattern[last : match.start()])
            last = match.end()
    return [*cuts, pattern[last:]]


def by_letter(pattern: str) -> str:
    """The same alternatives, with neighbours that share a first letter grouped, so the shared part is tried once."""
    parts: list[str] = []
    for plain, run in groupby(alternatives(pattern), lambda alternative: _BEGINS_PLAIN.match(alternative) is not None):
        heads: dict[str, list[str]] = {}
        for alternative in run if plain else ():
            heads.setdefault(alternative[0], []).append(alternative[1:])
        parts += [
            head + (tails[0] if len(tails) == 1 else f"(?:{by_letter('|'.join(tails))})")
            for head, tails in heads.items()
        ]
        parts += () if plain else run
    return "|".join(parts)


def piece(name: str) -> str:
    """The text for a name in braces: a piece of the patterns, the places of an option, or a key of all languages."""
    if name in TABLES["parts"]:
        return by_letter(filled(TABLES["parts"][name]))
    rows = _LANGUAGES.values()
    if name == "PLACE_OF_AN_OPTION":
        place_rows = [(row["places"], row["spaced"]) for row in rows if "places" in row]
        return "|".join(f"(?P<p{i}>{_words((places[i], spaced) for places, spaced in place_rows)})" for i in range(6))
    return _words((row[name], row["spaced"]) for row in rows if name in row)


def _words(words: Iterable[tuple[str, bool]]) -> str:
    """Words of several languages as one pattern; spaced scripts match only whole words, others not inside Latin text."""
    pairs = [*words]
    spaced, joined = (
        by_letter("|".join(text for text, has_spaces in pairs if has_spaces == spaces)) or "(?!)"
        for spaces in (True, False)
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
