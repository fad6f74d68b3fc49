"""Commitments in other languages than English, from one table: `languages.toml`, which says what each of its keys holds.

In: a folded, lower-case sentence. Out: `commitments`, where a letter is announced, chosen or called right, and whose words
it is. English has its own modules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from unsway.readers.patterns import tongues
from unsway.readers.wording import KnownOptions

REACH = 60
"""Characters to either side of a letter in which its clause is looked for."""
LONGEST = 400
"""Characters at the end of a sentence that are read; with LETTERS, what bounds the time that a hostile one takes."""
SHORT = 25
"""Characters of a sentence that is read as an answer for its only letter."""
LETTERS = 4
"""Letters at the end of a sentence that are looked at."""


@lru_cache(maxsize=8)
def english(low: str) -> bool:
    """Whether a sentence has so many of the commonest English words that it is no other language."""
    low = low[-LONGEST:]
    return low.isascii() and len(tongues.ENGLISH.findall(low)) * 6 > low.count(" ")


@lru_cache(maxsize=8)
def uncontrasted(low: str) -> str:
    """A sentence without what it says against others ("contrary to what the note says"), as long as it was."""
    return low if low.isascii() and english(low) else tongues.CONTRARY.sub(lambda found: " " * len(found[0]), low)


def letters(low: str) -> list[re.Match[str]]:
    """The last letters and places of a sentence in another language than English, the last first."""
    turn = max((found.end() for found in tongues.TURNS.finditer(low)), default=0)
    if english(low) or tongues.BOTH.search(low, turn):
        return []
    return list(tongues.LETTERS.finditer(uncontrasted(low), max(0, len(low) - LONGEST)))[: -LETTERS - 1 : -1]


def commitments(letters: list[re.Match[str]], want: KnownOptions) -> Iterator[tuple[re.Match[str], bool]]:
    """Those of the letters and places of a sentence that it commits to, and whether those are the model's own words."""
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
        stop = end if named is not None and named[0] == option_of(found, want) else stop  # its words deny nothing
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
    """The option that a letter, a place or a number names; that of no option where there is none so named."""
    if found["letter"]:
        return ord(found["letter"]) - ord("a")
    if found["digit"]:
        return want.n if want.texts and want.numbers else int(found["digit"]) - 1
    place = next(i for i in range(6) if found[f"p{i}"])
    return want.n - 1 if place == 5 else place


def only_place(low: str, want: KnownOptions) -> tuple[int, tuple[int, int]] | None:
    """The option whose place or number is the whole of a short sentence ("La tercera", "3"), and where it stands."""
    bare = None if want.numbers else tongues.DIGIT.match(low)
    if bare is not None:
        return int(bare["digit"]) - 1, bare.span("digit")
    found = tongues.LETTERS.search(low) if len(low) <= SHORT else None
    if found is None or found["letter"] or not tongues.NAME_ALONE.fullmatch(low, 0, found.start()):
        return None
    return None if low[found.end() :].strip(" .!\"')") else (option_of(found, want), found.span())


def corrects(low: str) -> int | None:
    """Where a sentence goes on that takes back what stands before it; None where it does not."""
    found = None if english(low) else tongues.CORRECTS.search(low)
    return found.end() if found else None


def sole_letter(text: str, low: str) -> re.Match[str] | None:
    """The only letter written as a capital; None where there are several, or none."""
    letters = [found for found in tongues.LETTERS.finditer(low) if found["letter"] and text[found.start()].isupper()]
    return letters[0] if len({found["letter"] for found in letters}) == 1 else None


def only_letter(low: str) -> re.Match[str] | None:
    """The only letter of a short sentence in another script, or behind an article alone ("La A."), that nothing denies."""
    low = uncontrasted(low)
    if len(low) > SHORT or not plain(low):
        return None
    letters = [found for found in tongues.LETTERS.finditer(low) if found["letter"]]
    if not low.isascii():
        return letters[0] if len(letters) == 1 else None
    last = letters[-1] if letters else None  # "a" and "o" are articles, too: "Talvez a D"
    if last is None or low[last.end() :].strip(" .!)\"'") or (len(letters) > 1 and last.start() < 6):
        return None
    return last if tongues.NAME_ALONE.fullmatch(low, 0, last.start()) else None


def announces(before: str) -> bool:
    """Whether what stands before an option's words announces an answer."""
    lead = tongues.LEADS.search(before[-REACH:])
    return lead is not None and not lead["turn"] and plain(before[-REACH:])


def called_right(low: str) -> int | None:
    """Where the words end that a sentence calls right in its last words; None where it does not."""
    found = tongues.CALLED.search(low[-LONGEST:]) if plain(low) else None
    return found.start() + max(0, len(low) - LONGEST) if found else None


def plain(low: str) -> bool:
    """Whether a sentence has no word that denies or doubts, and none for whoever else may say it."""
    low = uncontrasted(low[-LONGEST:])
    if tongues.CONCEDES.match(low):
        low = low[1 + low.find(",") :]
    if tongues.DENIES.search(low) or tongues.DOUBTS.search(low):
        return False
    return not tongues.REPORTS.search(low) or agrees(low)


def turned_down(low: str, end: int) -> bool:
    """Whether the clause that goes on right behind an option denies it, or says what would be, if."""
    behind = tongues.BEHIND.match(low, end)
    if behind is None or english(low) or not tongues.DENIES.search(behind[0]):
        return False
    word = behind[0].strip(" \"')")
    return tongues.DENIES.fullmatch(word) is None or low[behind.end() :].strip(" .!") != ""  # it may be the option


def own(low: str) -> bool:
    """Whether a sentence has no word for whoever else may say it, or agrees."""
    return not tongues.REPORTS.search(uncontrasted(low[-LONGEST:])) or agrees(low)


def agrees(low: str) -> bool:
    """Whether a sentence agrees with what somebody said."""
    low = low[-LONGEST:]
    found = tongues.AGREES.search(low)
    return found is not None and not tongues.DENIES.search(low, max(0, found.start() - 9), found.end())
