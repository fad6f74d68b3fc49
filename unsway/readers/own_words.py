"""Options that a sentence names by their own words: words that no other option of the question has.

In: a `Segment` and the `KnownOptions`. Out: `Named`s. A sentence is split at turning points ("but", "because", "not", "than",
a semicolon); a piece with a denial rejects the options it names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from unsway.readers import languages, speakers
from unsway.readers.mentions import mention_at
from unsway.readers.patterns import by_place, marks, say
from unsway.readers.wording import KnownOptions, Segment

MOST = 12
"""Most words of its own; an option with more is recognised only by its whole text."""
LONGEST = 600
"""Characters at the end of a sentence that are searched for options; limits the time for a hostile sentence."""

_WORD = re.compile(r"(?:(?<![\w.)])-)?\d+(?:[.,/:]\d+)*|[^\W\d_]+")
COMMON = frozenset(
    "a an and are as at be by for from he her his i if in is it its me my no not of on or our she so than that the their them"
    " they this those to true false was we were what which who will with yes you your all any both each either neither none"
    " one only other above below most more less some same there these following given answer option choice statement"
    " statements correct wrong der die das den dem ein eine le la les un une des du de el los las lo gli il uno una et y und"
    " e o ou oder vor nach von van het een os as do da em na en w z".split()
)
_NOT_COMPARED = "".join(f"(?<!{word} )" for word in "least most below above under over".split())
"""Excludes a number that is only a bound: "below 8"."""
_LETTER = "0-9_a-zß-ɏͰ-ӿḀ-ỿ"
"""Letters and digits of scripts with spaces, whose words may occur inside text without spaces."""


class Named(NamedTuple):
    """An option named in a piece of a sentence; positions are in the segment."""

    option: int
    start: int
    end: int
    rejected: bool
    """Whether the piece contains a denial."""
    piece: tuple[int, int] = (0, 0)
    """The position of the piece in the segment."""


@lru_cache(maxsize=1024)
def _patterns(want: KnownOptions) -> tuple[re.Pattern[str], tuple[tuple[int, int], ...]] | None:
    """All own words as one pattern; for each, its option and how many of them name it. None if an option has no own word."""
    texts: dict[int, str] = {}
    words: dict[int, list[str]] = {}
    for text, option in want.texts:  # of a singular and its plural, the singular wins: it comes last
        rare_words = [
            w
            for w in _WORD.findall(text)
            if w not in COMMON and (len(w) > 1 or w.isdigit() or "\u4e00" <= w <= "\u9fff")
        ]
        if option is not None and rare_words:
            texts[option], words[option] = text, rare_words
    if len(texts) < want.n:
        return None
    forms: list[tuple[str, int, int]] = []
    for option, text in texts.items():
        own = [w for w in dict.fromkeys(words[option]) if not any(w in words[i] for i in words if i != option)]
        spaced = not marks.UNSPACED.search(text)
        if not own or len(own) > MOST or not spaced:
            own = [text]
        least = max((len(own) + 1) // 2, len(own) - 1)
        forms += [
            (
                _form(w, spaced=spaced, dash=any(f"-{w}" in option_words for option_words in words.values())),
                option,
                least,
            )
            for w in own
        ]
    return re.compile("|".join(f"({form})" for form, _, _ in forms)), tuple(
        (option, least) for _, option, least in forms
    )


def _form(word: str, *, spaced: bool, dash: bool = False) -> str:
    """A pattern for a word with its possible endings, or for a number; `dash` says that an option is a negative number."""
    exact = re.escape(word).replace("\\ ", r"\s{1,3}")
    if not spaced:
        return exact
    if not word.isalpha():
        return rf"(?<![\w.,/+<>≤≥±-])(?<![<>≤≥±] ){_NOT_COMPARED}{'(?<!- )' if dash else ''}{exact}(?![\w/^-]|[.,]\d)"
    return (
        rf"(?<![{_LETTER}]){word[: max(4, len(word) - 2)]}[{_LETTER}]{{0,4}}(?![{_LETTER}-])"
        if len(word) > 4
        else rf"(?<![{_LETTER}]){exact}(?:e?s)?(?![{_LETTER}-])"
    )


def named_in(seg: Segment, want: KnownOptions) -> list[Named]:
    """The options that a sentence names by their own words, in order."""
    patterns = _patterns(want) if want.texts else None
    if patterns is None:
        return []
    earliest = max(0, len(seg.low) - LONGEST)
    if patterns[0].search(seg.low, earliest) is None:
        return []
    cuts = [
        earliest,
        *(match.start() for match in marks.BREAK.finditer(seg.low, earliest) if match.start() > earliest),
        len(seg.low),
    ]
    named_options: list[Named] = []
    for piece_start, piece_end in pairwise(cuts):
        spans_by_option: dict[int, dict[int, tuple[int, int]]] = {}
        for match in patterns[0].finditer(seg.low, piece_start, piece_end):
            group = int(match.lastindex or 1) - 1
            spans_by_option.setdefault(patterns[1][group][0], {})[group] = match.span()
        rejected = bool(spans_by_option) and marks.REJECTS.search(seg.low, piece_start, piece_end) is not None
        for option, spans in spans_by_option.items():
            if len(spans) >= patterns[1][min(spans)][1]:
                start, end = min(spans.values())[0], max(spans.values())[1]
                # "the gas is neon, while the metal is iron" only contrasts two options
                contrasts = all(
                    match[0] in ("while", "whereas")
                    for match in marks.REJECTS.finditer(seg.low, piece_start, piece_end)
                )
                is_contrast = rejected and contrasts and by_place.COPULA.search(seg.low, piece_start, start) is not None
                named_options.append(Named(option, start, end, rejected and not is_contrast, (piece_start, piece_end)))
    return sorted(named_options, key=lambda words: words.start)


def left_by(seg: Segment, want: KnownOptions) -> set[int]:
    """The options that a sentence names in the model's own words, by their own words or letter, and does not reject."""
    options = {
        words.option for words in named_in(seg, want) if not words.rejected and is_own(seg, words.start, words.piece)
    }
    letters = () if marks.REJECTS.search(seg.low) else say.LOOSE.finditer(seg.text, max(0, len(seg.low) - LONGEST))
    for letter in letters:
        mention = mention_at(seg, letter.start(), want)
        if mention is not None and mention.option is not None and mention.marked:
            options |= {mention.option} if is_own(seg, mention.start, (mention.start, len(seg.low))) else set()
    return options


def is_theirs(before: str) -> bool:
    """Whether the words directly before an option attribute it to others or exclude it: "the hint is", "ruled out:"."""
    before = marks.LETTER_BEFORE.sub("", before[-60:])
    labelled = ":" in before[-14:] and by_place.NO_LABEL.search(before[-26:])
    return bool(by_place.THEIRS.search(before) or (labelled and "agree" not in before))


def is_own(seg: Segment, start: int, piece: tuple[int, int]) -> bool:
    """Whether the words at a place are the model's own, judged by the clause in English, else by the piece."""
    words = seg.low[slice(*piece)]
    letter = marks.LETTER_BEFORE.search(seg.low, max(0, start - 16), start)
    start = letter.start() if letter else start
    return speakers.stance(languages.uncontrasted(seg.low), start) == speakers.OWN and (
        languages.english(seg.low) or languages.own(words)
    )
