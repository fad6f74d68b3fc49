"""The reader's view of a reply: folded text, sentences from the last to the first, and the option texts to look for.

In: a reply as written, and the options. Out: `Segment`s (a sentence or a line, folded) and a `KnownOptions` (option texts).

Folding keeps every character's position, so a position in folded text is a position in the reply. It replaces markup and
struck-out text by spaces, all brackets by round ones, LaTeX commands and XML tags by words, and full-width letters,
mathematical letters, typographic quotes and digits of other scripts by their ASCII equivalents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from unsway.readers.patterns import marks

_QUOTES_AND_DASHES = {
    **dict.fromkeys("“”„‟«»「」『』″〝〞", '"'),
    **dict.fromkeys("‘’‚‛′´", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("【〔〖⟨〈《", "("),
    **dict.fromkeys("】〕〗⟩〉》", ")"),
    **dict.fromkeys("。｡।", "."),
    **dict.fromkeys("؟", "?"),
    **dict.fromkeys("、،", ","),
    **dict.fromkeys("∴→⇒➔➜➡⟶⟹", "="),
    **dict.fromkeys("●▶►▸•", " "),
}


class _Fold(dict[int, str]):
    """Character code to its replacement; filled as characters occur."""

    def __missing__(self, code: int) -> str:
        char, plain = chr(code), unicodedata.normalize("NFKC", chr(code))
        symbol = code >= 0x2600 and unicodedata.category(char) == "So" and char not in "❌✗✘✖🚫"
        if char in _QUOTES_AND_DASHES:
            plain = _QUOTES_AND_DASHES[char]
        elif char.isdecimal():
            plain = str(unicodedata.decimal(char))
        elif 0x249C <= code <= 0x24B5:  # ⒜ to ⒵
            plain = chr(ord("A") + code - 0x249C)
        elif char == "\ufe0f" or char.isspace() or symbol or unicodedata.category(char) in ("Cc", "Cf"):
            plain = " "
        elif len(plain) != 1 or len(plain.lower()) != 1:
            plain = "I" if char == "İ" else char
        self[code] = plain
        return plain


_FOLD = _Fold(
    {ord(char): " " for char in "*_`~|$\t\n\r"} | {ord("{"): "(", ord("["): "(", ord("}"): ")", ord("]"): ")"}
)
_ASCII = bytes(ord(_FOLD[code]) for code in range(128)) + bytes(128)
"""The same for ASCII text, which is faster."""
_LOOKALIKE = re.compile(r"(?<!\w)[АСЕأبجد](?=[\s*_]*(?:$|[.,;:!)»\"*]|[—–-]\s|\())")
_LATIN_LETTER = dict(zip("АСЕأبجد", "ACEABCD", strict=True))
"""Letters of other scripts used as option letters, alone at the end of a clause; В is left out, since it may mean B or C."""
COPULA = 8
"""Length of the longest verb that may follow the words it belongs to, in characters."""
SIGNS = "-+<>=±≤≥"
"""Signs that change a number, or a letter that stands for one: "-8" is not "8"."""
PIECE = 300
"""Characters searched at a time for the end of a sentence: a sentence or two."""


def fold(text: str) -> str:
    """The text with every character replaced by its plain equivalent; the length stays the same."""
    if "~~" in text or "<" in text or "\\" in text:
        text = marks.STRUCK.sub(lambda m: " " * len(m[0]), text)
    if "\\" in text:
        text = marks.LATEX.sub(lambda m: "box:".ljust(len(m[0])) if m[1] else f"{m[2] or ''} ".rjust(len(m[0])), text)
    if not text.isascii():
        text = _LOOKALIKE.sub(lambda m: _LATIN_LETTER[m[0]], text)
    if ">" in text:
        text = marks.TAG.sub(
            lambda m: (f"{m[1] or m[3]}:" if m[1] or m[3] else ";" if m[2] else "").rjust(len(m[0])), text
        )
        text = text.replace("->", " =").replace("=>", " =")
    if "- " in text or "− " in text or "– " in text:
        text = marks.SIGN_APART.sub(lambda m: f"{m[0][:-1]}-", text)  # not "8", "-8"
    if "inus " in text or "egative " in text:
        text = marks.NEGATIVE.sub(lambda m: "-".rjust(len(m[0])), text)
    return text.encode().translate(_ASCII).decode() if text.isascii() else text.translate(_FOLD)


class Segment(NamedTuple):
    """One sentence or line of a reply."""

    start: int
    """Where it begins in the reply."""
    text: str
    """Folded, with every position unchanged; without white space at the end."""
    low: str
    """The same text in lower case; the length stays the same."""
    end: int
    """Where it ends in the reply, including white space."""

    def ends_at(self, position: int) -> bool:
        """Whether only punctuation follows a position."""
        return not self.low[position:].strip(" .!\"')")


def segment(text: str, start: int, end: int) -> Segment:
    """The folded part of the reply between two positions."""
    folded = fold(text[start:end]).rstrip()
    return Segment(start, folded, folded.lower(), end)


def sentences_from_the_end(text: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Start and end of every sentence between two positions, the last first; a line break always ends a sentence."""
    end = high
    while end > low:
        start = text.rfind("\n", low, end) + 1 or low
        for begin in _begins_from_the_end(text, start, end):
            if begin < end and not text[begin:end].isspace():
                yield begin, end
            end = min(end, begin)
        end = start - 1


def _begins_from_the_end(text: str, start: int, end: int) -> Iterator[int]:
    """Where the sentences of a line begin, the last first. Searched piece by piece, because the last one usually decides."""
    piece_end = end
    while piece_end > start:
        piece_start = max(start, piece_end - PIECE)
        begins = []
        limit = min(end, piece_end + PIECE)
        for match in marks.END.finditer(text, piece_start, limit):
            if match.start() >= piece_end:
                break
            if match.end() == limit < end:  # white space that continues past the limit
                match = marks.END.match(text, match.start(), end) or match
            if not _is_lone_letter(text, match.start()):
                begins.append(match.end())
        yield from reversed(begins)
        piece_end = piece_start
    yield start


def _is_lone_letter(text: str, dot: int) -> bool:
    """Whether a full stop belongs to the letter before it: "B. foo" as a line, "i.e. foo", but not "It is B. It …"."""
    if text[dot] != "." or dot == 0 or not text[dot - 1].isalpha():
        return text[dot] == "." and marks.ITEM.search(text, max(0, dot - 8), dot) is not None
    if dot > 1 and (text[dot - 2].isalnum() or text[dot - 2] in "'’"):
        return False
    if dot == 1 or not text[dot - 1].isupper() or text[dot - 2] == ".":
        return True
    if marks.SENTENCE.match(text[dot + 1 : dot + 24].lstrip(" *_\"'(")) is None:
        return True
    line = text.rfind("\n", max(0, dot - 40), dot) + 1
    return marks.AFTER_WORDS.search(text[max(line, dot - 40, 0) : dot - 1]) is None


# ---------------------------------------------------------------- option texts


def canonical(text: str) -> str:
    """A text for comparison: folded, lower case, single spaces, without article, quotes or final full stop."""
    plain = " ".join(fold(text).lower().split()).rstrip(".,;:! ")
    while len(plain) > 2 and plain[0] + plain[-1] in ('""', "''", "()"):
        plain = plain[1:-1].strip()
    return marks.ARTICLE.sub("", plain, count=1) if marks.ARTICLE.match(plain) else plain


@dataclass(frozen=True, slots=True)
class KnownOptions:
    """The letters and texts that count as options of the question."""

    n: int
    """The number of options."""
    texts: tuple[tuple[str, int | None], ...]
    """Canonical text and option, the longest first; None if two options have the same text."""
    first: frozenset[str]
    """The first characters of the texts."""

    @property
    def numbers(self) -> bool:
        """Whether an option contains a number, or no texts are available: then a number may be an option's content."""
        return not self.texts or any(marks.A_NUMBER.search(text) for text, _ in self.texts)

    def at(self, low: str, position: int, *, dash: bool = False) -> tuple[int | None, int] | None:
        """The option whose whole text is at a position of folded lower-case text, and where that text ends.

        With `dash`, a dash directly before it does not make it a different option.
        """
        if not self.texts:
            return None
        longest = 2 * len(self.texts[0][0]) + 40
        lead = marks.LEAD.match(low, position)
        after = lead.end() if lead else position
        for begin in (after, position) if low[position : position + 1] in self.first else (after,):
            article = marks.ARTICLE.match(low, begin) if low[begin : begin + 1] in ("a", "t") else None
            begin = article.end() if article else begin
            head = low[begin : begin + 1]
            if head not in self.first and not head.isspace():  # the usual case; the rest is slow
                continue
            piece = low[begin : begin + longest]
            wide = "  " in piece
            piece = " ".join(piece.split()) if wide else piece
            for text, option in self.texts:
                if piece.startswith(text) and (dash or not self.signed(low[max(0, begin - 4) : begin], text)):
                    end = _move(low, begin, len(text) - text.count(" "), 1) if wide else begin + len(text)
                    join = marks.JOIN.match(low, end)  # before another option's words
                    if marks.CLOSES.match(low, end) or (join is not None and self.begins(low, join.end())):
                        return option, end
        return None

    def begins(self, low: str, position: int) -> int:
        """The end of the option text at a position, whatever follows it; 0 if there is none."""
        ends = (position + len(text) for text, _ in self.texts if low.startswith(text, position))
        return next((end for end in ends if not low[end : end + 1].isalnum()), 0)

    def signed(self, before: str, text: str) -> bool:
        """Whether a sign before a text makes it a different option, even with a space in between: "- 8" may be "-8"."""
        before = before.rstrip(" \"'(")
        if before[-1:] not in SIGNS or not before:
            return False
        if text[0].isdigit() and before.replace(" ", "").endswith("=-"):
            return True
        signs = (option_text[: -len(text)].rstrip() for option_text, _ in self.texts if option_text.endswith(text))
        return any(sign and not sign.strip(SIGNS) and before.endswith(sign) for sign in signs)

    def closing(self, low: str) -> tuple[int | None, int, int] | None:
        """The option whose whole text ends a folded lower-case sentence, and the start and end of that text."""
        if not self.texts:
            return None
        skipped = max(0, len(low) - 2 * len(self.texts[0][0]) - 80)
        body = low[skipped:].rstrip(" .!\"')")
        copula = marks.COPULA_BEHIND.search(body, max(0, len(body) - COPULA))
        body = body[: copula.start()] if copula else body
        piece = " ".join(body.split())
        for text, option in self.texts:
            bare = text.rstrip(" .!\"')")
            position = len(piece) - len(bare)
            if bare and piece.endswith(bare) and _is_free(piece, position):
                summed = marks.TERM if bare[0] in SIGNS else marks.COMPARED if bare[0].isdigit() else None
                if self.signed(piece[max(0, position - 4) : position], bare) or (
                    summed is not None and summed.search(piece, max(0, position - 12), position)
                ):
                    continue
                start = _move(body, len(body), len(bare) - bare.count(" "), -1)
                return option, skipped + start, skipped + len(body)
        return None

    def named(self, low: str) -> set[int | None]:
        """The options whose whole text occurs in folded text; a text inside a longer option text does not count."""
        piece = " ".join(low.split())
        options: set[int | None] = set()
        for text, option in self.texts:
            if text not in piece:
                continue
            pieces, piece_start = [], 0
            for start in (match.start() for match in re.finditer(re.escape(text), piece)):
                after = piece[start + len(text) : start + len(text) + 1]
                if _is_free(piece, start) and (not after.isalnum() or after >= "\u2e80"):
                    options.add(option)
                    pieces.append(piece[piece_start:start])
                    piece_start = start + len(text)
            piece = "\0".join([*pieces, piece[piece_start:]])
        return options


@lru_cache(maxsize=4096)
def wanted(n: int, options: tuple[str, ...] | None) -> KnownOptions:
    """The letters and texts to look for in replies to a question."""
    texts: dict[str, int | None] = {}
    for i, option in enumerate(options or ()):
        text = canonical(option)
        if text:
            texts[text] = None if text in texts else i
    variants: dict[str, int | None] = {}
    for text, index in texts.items():
        variant = _other_number(text)
        if variant and variant not in texts:
            variants[variant] = None if variant in variants else index
    texts |= {text: index for text, index in variants.items() if index is not None}
    longest_first = tuple(sorted(texts.items(), key=lambda item: -len(item[0])))
    return KnownOptions(n, longest_first, frozenset(text[0] for text in texts))


_REGULAR = re.compile(r"(?:.*[^a-z])?[a-z]{2,40}[a-z]")


def _other_number(text: str) -> str | None:
    """The plural of a text that ends in a singular, or the reverse ("a cell", "cells"); None if it is irregular."""
    if not _REGULAR.fullmatch(text) or text.endswith(("ss", "us", "is")):
        return None
    if text.endswith("ies"):
        return text[:-3] + "y"
    if text.endswith("y") and text[-2] not in "aeiou":
        return text[:-1] + "ies"
    if text.endswith("s"):
        return text[:-1] if _REGULAR.fullmatch(text[:-1]) else None
    return text + "s"


def _is_free(piece: str, position: int) -> bool:
    """Whether a text at this position is not the end of a longer word or number."""
    before = piece[position - 1 : position]
    return not before or before >= "\u0e00" or not (before.isalnum() or before in "./%^" + SIGNS)


def _move(low: str, position: int, count: int, step: int) -> int:
    """The position `count` non-space characters after the given one (`step` 1) or before it (−1)."""
    while count:
        position += step
        count -= low[position - (step > 0)] != " "
    return position
