"""Questions inside a reply: the one that was asked, put once more, or one of the model's own making.

In: the text of a reply and the `KnownOptions` options. Out: where the reply may end, because another question begins.

A question with options is the one asked if at least half of its items name the option of their own letter, and none names
another's: by the whole text or by a word that no other option has ("A. first party" for "The first party must pay").
Any other has its own options, or the same ones in another order, so a letter after it names no option asked about.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from unsway.readers.channels import AHEAD, next_question
from unsway.readers.own_words import COMMON
from unsway.readers.patterns import marks
from unsway.readers.wording import KnownOptions, canonical

MOST = 8
"""Maximum number of lists looked at, to bound the time a hostile reply takes."""
LONGEST = 400
"""Maximum characters read of an option in a list, and of the text above the list."""
STEM = 5
"""Letters of a word that are compared, so that "melts" and "melting" match."""


def ends(text: str, low: int, high: int, want: KnownOptions) -> Iterator[tuple[int, bool]]:
    """Positions where another question may begin, in order, and whether its options are surely not those asked about.

    If the reply repeats the question asked, the position after it, of the next question, follows.
    """
    other_start = asked_end = None
    lists = marks.LIST_OF_OPTIONS.finditer(text, low, min(high, low + AHEAD)) if want.texts else ()
    for _, match in zip(range(MOST), lists, strict=False):
        question = marks.ASKS.search(text, max(low, match.start() - LONGEST), match.start() + 1)
        options, end = listed(text, match.start("list"), high, want)
        moved = any(option not in (None, i) for i, option in enumerate(options))
        is_own = not moved and 2 * sum(option is not None for option in options) >= len(options)
        if (question and not is_own) or (moved and len({*options} - {None}) == want.n > 2):
            other_start = text.rfind("\n", low, question.start() + 1 if question else match.start()) + 1 or low
            break
        asked_end = asked_end or (end if question else None)
    next_start = next_question(text, low, high)
    positions = (
        [next_start]
        if asked_end is None or next_start is None or next_start >= asked_end
        else [next_start, next_question(text, asked_end, high)]
    )
    yield from (
        (position, False)
        for position in positions
        if position is not None and (other_start is None or position < other_start)
    )
    if other_start is not None:
        yield other_start, True


def listed(text: str, start: int, high: int, want: KnownOptions) -> tuple[list[int | None], int]:
    """The option that each item of a list names, in the order of their letters, and where the list ends."""
    options: list[int | None] = []
    end = start
    for item in marks.LISTED_OPTION.finditer(text, start, min(high, start + AHEAD)):
        if item.start() > end + LONGEST or len(options) > want.n or (options and item["letter"] == "A"):
            break
        if ord(item["letter"]) - ord("A") == len(options):
            options.append(named(item["text"], want))
            end = item.end()
    return options, end


def named(item: str, want: KnownOptions) -> int | None:
    """The option whose whole text an item begins with; else that with which it shares most words that no other option has."""
    text = canonical(item)
    option_text = want.at(text, 0)
    if option_text is not None:
        return option_text[0]
    item_stems = stems(text, common=False) or stems(text)
    shared = {option: len(item_stems & own) for option, own in own_stems(want).items()}
    most = max(shared.values(), default=0)
    best = [option for option, count in shared.items() if count == most > 0]
    return best[0] if len(best) == 1 else None


def stems(text: str, *, common: bool = True) -> frozenset[str]:
    """The first `STEM` letters of each word; without `common`, the commonest words are left out."""
    return frozenset(word[:STEM] for word in marks.STEMMED.findall(text) if common or word not in COMMON)


@lru_cache(maxsize=1024)
def own_stems(want: KnownOptions) -> dict[int, frozenset[str]]:
    """The stems of each option that no other option has."""
    stems_by_option = {option: stems(text) for text, option in want.texts if option is not None}
    return {
        option: own.difference(*(stems_by_option[i] for i in stems_by_option if i != option))
        for option, own in stems_by_option.items()
    }
