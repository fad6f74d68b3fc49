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
    return low if low.isascii() and english(low) else tongues.CONTRARY.sub(lambda match: " " * len(match[0]), low)


def letters(low: str) -> list[re.Match[str]]:
    """The last letters and places in a sentence that is not English, the last one first."""
    turn_end = max((match.end() for match in tongues.TURNS.finditer(low)), default=0)
    if english(low) or tongues.BOTH.search(low, turn_end):
        return []
    return list(tongues.LETTERS.finditer(uncontrasted(low), max(0, len(low) - LONGEST)))[: -LETTERS - 1 : -1]


def commitments(letters: list[re.Match[str]], want: KnownOptions) -> Iterator[tuple[re.Match[str], bool]]:
    """The letters and places that a sentence commits to, each with whether the words are the model's own."""
    for match in letters:
        low = match.string
        start, end = match.span()
        if not match["letter"] and not (
            match["noun"] or match["digit"] or tongues.ENDS.match(low, end) or tongues.FOLLOWS.match(low, end)
        ):
            continue
        lead = tongues.LEADS.search(low[max(0, start - REACH) : start])
        if lead is not None and not (lead["noun"] or lead["said"]) and not tongues.CLOSES.match(low, end):
            lead = None
        if lead is None and not tongues.FOLLOWS.match(low, end):
            continue
        if tongues.SECOND.match(low, end) or tongues.FIRST.search(low, max(0, start - 20), start):
            return
        clause_start = max(0, start - REACH, *(low.rfind(mark, 0, start) + 1 for mark in ",;."))
        if lead is not None and lead["choose"]:  # "neither A nor B: it is C"
            clause_start = max(clause_start, low.rfind(":", 0, max(0, start - REACH) + lead.start()) + 1)
        clause_end = min(
            position if (position := low.find(mark, end, end + REACH)) >= 0 else end + REACH for mark in ",;."
        )
        option_text = want.at(low, end + (low[end : end + 1] in ").:"))
        # its own words do not deny it
        clause_end = end if option_text is not None and option_text[0] == option_of(match, want) else clause_end
        turned = lead is not None and bool(lead["turn"])
        sentence_start = max(0, clause_start - REACH, *(low.rfind(mark, 0, start) + 1 for mark in ";."))
        if tongues.PHRASES.match(low, sentence_start):
            sentence_start = min(clause_start, max(sentence_start, low.find(",", sentence_start) + 1))
        turns = [turn.end() for turn in tongues.TURNS.finditer(low, sentence_start, start)]
        doubt = tongues.DOUBTS.search(low, max(turns, default=sentence_start), start)
        doubted = doubt is not None and not tongues.DOUBTED.search(low, doubt.end(), clause_start)
        denied = tongues.DENIES.search(low, start if turned else clause_start, clause_end)
        if doubted or denied or tongues.SUPPOSES.search(low, sentence_start, start):
            continue
        turned = turned or bool(turns or tongues.CONCEDES.search(low, sentence_start, clause_start))
        is_saying = lead is not None and bool(lead["said"])
        yield (
            match,
            (turned and not is_saying)
            or (not is_saying and tongues.REPORTS.search(low, sentence_start, clause_end) is None)
            or agrees(low),
        )


def option_of(match: re.Match[str], want: KnownOptions) -> int:
    """The option that a letter, a place or a number names; a number outside the options if there is no such option."""
    if match["letter"]:
        return ord(match["letter"]) - ord("a")
    if match["digit"]:
        return want.n if want.texts and want.numbers else int(match["digit"]) - 1
    place = next(i for i in range(6) if match[f"p{i}"])
    return want.n - 1 if place == 5 else place


def only_place(low: str, want: KnownOptions) -> tuple[int, tuple[int, int]] | None:
    """The option of a short sentence that is only a place or a number ("La tercera", "3"), and its position."""
    digit = None if want.numbers else tongues.DIGIT.match(low)
    if digit is not None:
        return int(digit["digit"]) - 1, digit.span("digit")
    match = tongues.LETTERS.search(low) if len(low) <= SHORT else None
    if match is None or match["letter"] or not tongues.NAME_ALONE.fullmatch(low, 0, match.start()):
        return None
    return None if low[match.end() :].strip(" .!\"')") else (option_of(match, want), match.span())


def corrects(low: str) -> int | None:
    """The position after the words with which a sentence takes back what comes before; None if it does not."""
    match = None if english(low) else tongues.CORRECTS.search(low)
    return match.end() if match else None


def sole_letter(text: str, low: str) -> re.Match[str] | None:
    """The only letter written as a capital; None if there are several, or none."""
    letters = [match for match in tongues.LETTERS.finditer(low) if match["letter"] and text[match.start()].isupper()]
    return letters[0] if len({match["letter"] for match in letters}) == 1 else None


def only_letter(low: str) -> re.Match[str] | None:
    """The only letter of a short sentence in another script, or after only an article ("La A."), if nothing denies it."""
    low = uncontrasted(low)
    if len(low) > SHORT or not plain(low):
        return None
    letters = [match for match in tongues.LETTERS.finditer(low) if match["letter"]]
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
    match = tongues.CALLED.search(low[-LONGEST:]) if plain(low) else None
    return match.start() + max(0, len(low) - LONGEST) if match else None


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
    match = tongues.AGREES.search(low)
    return match is not None and not tongues.DENIES.search(low, max(0, match.start() - 9), match.end())
