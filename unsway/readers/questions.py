"""Questions inside a reply: the one that was asked, put once more, or one of the model's own making.

In: the text of a reply and the `KnownOptions` options. Out: where the reply may end, because another question begins.

A question with options is the one asked where at least half of them are named as the option of their own letter, and none as
that of another: by the whole text or by a word that no other option has ("A. first party" for "The first party must pay").
All others have options of their own, or the same in another order, so that a letter behind them names no option asked about.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from unsway.readers.channels import AHEAD, next_question
from unsway.readers.own_words import COMMON
from unsway.readers.patterns import marks
from unsway.readers.wording import KnownOptions, canonical

MOST = 8
"""Lists that are looked at: bounds the time that a hostile reply takes."""
LONGEST = 400
"""Characters of an option of a list that are read, and of what stands above the list."""
STEM = 5
"""Letters by which a word is known: "melts" and "melting" are one."""


def ends(text: str, low: int, high: int, want: KnownOptions) -> Iterator[tuple[int, bool]]:
    """Where another question may begin, the first place first, and whether its options are surely not those asked about.

    Where the question asked is put once more, the place is followed by that of the next question.
    """
    other = asked = None
    lists = marks.LIST_OF_OPTIONS.finditer(text, low, min(high, low + AHEAD)) if want.texts else ()
    for _, found in zip(range(MOST), lists, strict=False):
        question = marks.ASKS.search(text, max(low, found.start() - LONGEST), found.start() + 1)
        options, end = listed(text, found.start("list"), high, want)
        moved = any(option not in (None, i) for i, option in enumerate(options))
        own = not moved and 2 * sum(option is not None for option in options) >= len(options)
        if (question and not own) or (moved and len({*options} - {None}) == want.n > 2):
            other = text.rfind("\n", low, question.start() + 1 if question else found.start()) + 1 or low
            break
        asked = asked or (end if question else None)
    first = next_question(text, low, high)
    places = [first] if asked is None or first is None or first >= asked else [first, next_question(text, asked, high)]
    yield from ((place, False) for place in places if place is not None and (other is None or place < other))
    if other is not None:
        yield other, True


def listed(text: str, start: int, high: int, want: KnownOptions) -> tuple[list[int | None], int]:
    """The option that each item of a list names, in the order of their letters, and where the list ends."""
    options: list[int | None] = []
    end = start
    for found in marks.LISTED_OPTION.finditer(text, start, min(high, start + AHEAD)):
        if found.start() > end + LONGEST or len(options) > want.n or (options and found["letter"] == "A"):
            break
        if ord(found["letter"]) - ord("A") == len(options):
            options.append(named(found["text"], want))
            end = found.end()
    return options, end


def named(item: str, want: KnownOptions) -> int | None:
    """The option whose whole text an item begins with; else that with which it shares most words that no other option has."""
    text = canonical(item)
    whole = want.at(text, 0)
    if whole is not None:
        return whole[0]
    said = stems(text, common=False) or stems(text)
    shared = {option: len(said & own) for option, own in own_stems(want).items()}
    most = max(shared.values(), default=0)
    best = [option for option, count in shared.items() if count == most > 0]
    return best[0] if len(best) == 1 else None


def stems(text: str, *, common: bool = True) -> frozenset[str]:
    """How the words of a text begin; the commonest words only where they are wanted."""
    return frozenset(word[:STEM] for word in marks.STEMMED.findall(text) if common or word not in COMMON)


@lru_cache(maxsize=1024)
def own_stems(want: KnownOptions) -> dict[int, frozenset[str]]:
    """Of each option what no other option has."""
    every = {option: stems(text) for text, option in want.texts if option is not None}
    return {option: own.difference(*(every[i] for i in every if i != option)) for option, own in every.items()}
