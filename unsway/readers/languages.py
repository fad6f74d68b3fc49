"""Commitments in languages other than English, from one table, `languages.toml`, which explains its keys.

In: a folded, lower-case sentence. Out: `commitments`: where a letter is announced, chosen or called right, and who says
so. English has its own modules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from unsway.readers.patterns import tongues
from unsway.readers.wording import KnownOptions

REACH = 60
"""Characters on either side of a letter that are searched for its clause."""
LONGEST = 400
"""Characters at the end of a sentence that are read. With LETTERS, limits the time for a hostile sentence."""
SHORT = 25
"""Most characters of a sentence that is read as an answer because it contains only one letter."""
LETTERS = 4
"""Letters at the end of a sentence that are examined."""


@lru_cache(maxsize=8)
def english(low: str) -> bool:
    """Whether a sentence has so many of the commonest English words that it must be English."""
    low = low[-LONGEST:]
    return low.isascii() and len(tongues.ENGLISH.findall(low)) * 6 > low.count(" ")


@lru_cache(maxsize=8)
def uncontrasted(low: str) -> str:
    """A sentence with its contrasts ("contrary to what the note says") blanked out; the length stays the same."""
    return low if low.isascii() and english(low) else tongues.CONTRARY.sub(lambda found: " " * len(found[0]), low)


def letters(low: str) -> list[re.Match[str]]:
    """The last letters and places in a sentence that is not English, the last one first."""
    turn = max((found.end() for found in tongues.TURNS.finditer(low)), default=0)
    if english(low) or tongues.BOTH.search(low, turn):
        return []
    return list(tongues.LETTERS.finditer(uncontrasted(low), max(0, len(low) - LONGEST)))[: -LETTERS - 1 : -1]


def commitments(letters: list[re.Match[str]], want: KnownOptions) -> Iterator[tuple[re.Match[str], bool]]:
    """The letters and places that a sentence commits to, each with whether the words are the model's own."""
    for found in letters:
        low = found.string
        place, end = found.span()
        if not found["letter"] and not (
            found["noun"] or found["digit"] or tongues.ENDS.match(low, end) or tongues.FOLLOWS.match(low, end)
        ):
            continue
        lead = tongues.LEADS.search(low[max(0, place - REACH) : place])
        if lead is not None and not (lead["noun"] or lead["said"]) and not tongues.CLOSES.match(low, end):
            lead = None
        if lead is None and not tongues.FOLLOWS.match(low, end):
            continue
        if tongues.SECOND.match(low, end) or tongues.FIRST.search(low, max(0, place - 20), place):
            return
        begin = max(0, place - REACH, *(low.rfind(mark, 0, place) + 1 for mark in ",;."))
        if lead is not None and lead["choose"]:  # "neither A nor B: it is C"
            begin = max(begin, low.rfind(":", 0, max(0, place - REACH) + lead.start()) + 1)
        stop = min(at if (at := low.find(mark, end, end + REACH)) >= 0 else end + REACH for mark in ",;.")
        named = want.at(low, end + (low[end : end + 1] in ").:"))
        stop = end if named is not None and named[0] == option_of(found, want) else stop  # its own words do not deny it
        turned = lead is not None and bool(lead["turn"])
        before = max(0, begin - REACH, *(low.rfind(mark, 0, place) + 1 for mark in ";."))
        if tongues.PHRASES.match(low, before):
            before = min(begin, max(before, low.find(",", before) + 1))
        turns = [turn.end() for turn in tongues.TURNS.finditer(low, before, place)]
        doubt = tongues.DOUBTS.search(low, max(turns, default=before), place)
        doubted = doubt is not None and not tongues.DOUBTED.search(low, doubt.end(), begin)
        denied = tongues.DENIES.search(low, place if turned else begin, stop)
        if doubted or denied or tongues.SUPPOSES.search(low, before, place):
            continue
        turned = turned or bool(turns or tongues.CONCEDES.search(low, before, begin))
        said = lead is not None and bool(lead["said"])
        yield (
            found,
            (turned and not said) or (not said and tongues.REPORTS.search(low, before, stop) is None) or agrees(low),
        )


def option_of(found: re.Match[str], want: KnownOptions) -> int:
    """The option that a letter, a place or a number names; a number outside the options if there is no such option."""
    if found["letter"]:
        return ord(found["letter"]) - ord("a")
    if found["digit"]:
        return want.n if want.texts and want.numbers else int(found["digit"]) - 1
    place = next(i for i in range(6) if found[f"p{i}"])
    return want.n - 1 if place == 5 else place


def only_place(low: str, want: KnownOptions) -> tuple[int, tuple[int, int]] | None:
    """The option of a short sentence that is only a place or a number ("La tercera", "3"), and its position."""
    bare = None if want.numbers else tongues.DIGIT.match(low)
    if bare is not None:
        return int(bare["digit"]) - 1, bare.span("digit")
    found = tongues.LETTERS.search(low) if len(low) <= SHORT else None
    if found is None or found["letter"] or not tongues.NAME_ALONE.fullmatch(low, 0, found.start()):
        return None
    return None if low[found.end() :].strip(" .!\"')") else (option_of(found, want), found.span())


def corrects(low: str) -> int | None:
    """The position after the words with which a sentence takes back what comes before; None if it does not."""
    found = None if english(low) else tongues.CORRECTS.search(low)
    return found.end() if found else None


def sole_letter(text: str, low: str) -> re.Match[str] | None:
    """The only letter written as a capital; None if there are several, or none."""
    letters = [found for found in tongues.LETTERS.finditer(low) if found["letter"] and text[found.start()].isupper()]
    return letters[0] if len({found["letter"] for found in letters}) == 1 else None


def only_letter(low: str) -> re.Match[str] | None:
    """The only letter of a short sentence in another script, or after only an article ("La A."), if nothing denies it."""
    low = uncontrasted(low)
    if len(low) > SHORT or not plain(low):
        return None
    letters = [found for found in tongues.LETTERS.finditer(low) if found["letter"]]
    if not low.isascii():
        return letters[0] if len(letters) == 1 else None
    last = letters[-1] if letters else None  # "a" and "o" are also articles: "Talvez a D"
    if last is None or low[last.end() :].strip(" .!)\"'") or (len(letters) > 1 and last.start() < 6):
        return None
    return last if tongues.NAME_ALONE.fullmatch(low, 0, last.start()) else None


def announces(before: str) -> bool:
    """Whether the text before an option's words announces an answer."""
    lead = tongues.LEADS.search(before[-REACH:])
    return lead is not None and not lead["turn"] and plain(before[-REACH:])


def called_right(low: str) -> int | None:
    """The end of the words that a sentence calls right at its end; None if it does not."""
    found = tongues.CALLED.search(low[-LONGEST:]) if plain(low) else None
    return found.start() + max(0, len(low) - LONGEST) if found else None


def plain(low: str) -> bool:
    """Whether a sentence neither denies nor doubts, and attributes nothing to another speaker (unless it agrees)."""
    low = uncontrasted(low[-LONGEST:])
    if tongues.CONCEDES.match(low):
        low = low[1 + low.find(",") :]
    if tongues.DENIES.search(low) or tongues.DOUBTS.search(low):
        return False
    return not tongues.REPORTS.search(low) or agrees(low)


def turned_down(low: str, end: int) -> bool:
    """Whether the clause directly after an option denies it or is hypothetical."""
    behind = tongues.BEHIND.match(low, end)
    if behind is None or english(low) or not tongues.DENIES.search(behind[0]):
        return False
    word = behind[0].strip(" \"')")
    return tongues.DENIES.fullmatch(word) is None or low[behind.end() :].strip(" .!") != ""  # it may be the option


def own(low: str) -> bool:
    """Whether a sentence attributes nothing to another speaker, or agrees with that speaker."""
    return not tongues.REPORTS.search(uncontrasted(low[-LONGEST:])) or agrees(low)


def agrees(low: str) -> bool:
    """Whether a sentence agrees with another speaker's words."""
    low = low[-LONGEST:]
    found = tongues.AGREES.search(low)
    return found is not None and not tongues.DENIES.search(low, max(0, found.start() - 9), found.end())
